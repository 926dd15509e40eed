//! Who sees places and their rooms (behaviour 21).

use ward_identity::visibility::of_user;
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::visibility::OPEN;

/// Places: of the units to members; of the rest those that they may choose, of whom
/// they know of: clients of their own unit, strangers of every open one.
pub fn appointment_locations(actor: &Actor) -> Rule {
    let unit = match actor.role {
        Role::System => return Rule::full(Cond::Always),
        Role::Member => return Rule::full(actor.units("unit_id")),
        Role::Client => Cond::eq("unit_id", actor.unit_id),
        Role::Anonymous => Cond::sql(OPEN, []),
    };
    let whose = Cond::is_null("user_id").or(of_user(actor, Level::Public));
    Rule::none().public(unit.and(Cond::is_true("clients_can_book")).and(whose))
}

/// Rooms are the practice's own business.
pub fn rooms(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(actor.units("unit_id")),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}
