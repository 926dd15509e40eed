//! Who sees the lists: who sees the client, as much of the chart as of the client; clients
//! their own (behaviour 16.2, 39).

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::visibility::of_user;
use ward_store::{Actor, Cond, Level, Role, Rule};

/// Every list but medications.
pub fn lists(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user(actor, Level::Full)),
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}

/// Medications: of a client whose practice has switched them off, they see none
/// (behaviour 19).
pub fn medications(actor: &Actor) -> Rule {
    match actor.role {
        Role::Client => Rule::full(
            Cond::eq("user_id", actor.user_id).and(is_on_for(actor, Switch::Medications)),
        ),
        Role::System | Role::Member | Role::Anonymous => lists(actor),
    }
}
