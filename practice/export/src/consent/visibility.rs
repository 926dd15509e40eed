//! Who sees consents to disclosure: who sees the client in full; the client their own, and not who
//! acts for them, since a consent can tell of records under Part 2 (42 CFR 2.14).

use ward_identity::visibility::of_user;
use ward_store::{Actor, Cond, Level, Role, Rule};

/// Consents: no more than the client themselves.
pub fn consents(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => Rule::full(of_user(actor, Level::Full)),
        Role::Client if actor.proxy_id.is_some() => Rule::none(),
        Role::Client => Rule::full(Cond::eq("user_id", actor.user_id)),
        Role::Anonymous => Rule::none(),
    }
}
