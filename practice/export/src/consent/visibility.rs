//! Who sees consents to disclosure: who sees the client in full; the client their own.

use ward_identity::visibility::of_user;
use ward_store::{Actor, Cond, Level, Role, Rule};

/// Consents: no more than the client themselves.
pub fn consents(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user(actor, Level::Full)),
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}
