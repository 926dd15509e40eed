//! Who sees what people are told: everybody their own; of clients, who sees them.

use ward_identity::tables::USERS;
use ward_identity::visibility::{of_user, seen};
use ward_store::{Actor, Cond, Level, Role, Rule};

use crate::visibility;

/// Rows whose `user_id` is a client.
const OF_CLIENTS: &str = "EXISTS (SELECT 1 FROM users oc WHERE oc.org_id = {t}.org_id \
     AND oc.id = {t}.user_id AND oc.is_patient = TRUE)";

/// One's own, and those of clients whom a member sees in full.
fn own_or_clients(actor: &Actor) -> Rule {
    let own = Cond::eq("user_id", actor.user_id);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            Rule::full(own.or(Cond::sql(OF_CLIENTS, []).and(of_user(actor, Level::Full))))
        }
        Role::Client => Rule::full(own),
        Role::Anonymous => Rule::none(),
    }
}

/// What people want to be told.
pub fn settings(actor: &Actor) -> Rule {
    own_or_clients(actor)
}

/// What was sent to people.
pub fn sent(actor: &Actor) -> Rule {
    own_or_clients(actor)
}

/// What is still to be said is nobody's to read.
pub fn reminders(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member | Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// Notifications: one's own, while one sees the client and the conversation that
/// they tell of.
pub fn notifications(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Member | Role::Client => {
            let own = Cond::eq("user_id", actor.user_id);
            Rule::full(own.and(client_seen(actor)).and(conversation_seen(actor)))
        }
    }
}

fn client_seen(actor: &Actor) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    let rule = format!(
        "EXISTS (SELECT 1 FROM users seen WHERE seen.org_id = {{t}}.org_id \
         AND seen.id = {{t}}.patient_id AND ({rule}))"
    );
    Cond::is_null("patient_id").or(Cond::sql(rule, params))
}

fn conversation_seen(actor: &Actor) -> Cond {
    Cond::is_null("conversation_id").or(visibility::of_conversation(actor).full)
}

/// SQL: that the contact of a row was given access to the client's record.
const ACTS: &str = "{t}.linked_client_id = ? AND EXISTS (SELECT 1 FROM client_proxies g \
     WHERE g.org_id = {t}.org_id AND g.user_id = {t}.user_id AND g.proxy_id = {t}.linked_client_id \
     AND g.ended_at IS NULL)";

/// Contacts that clients named: the client's own, and for members who see the
/// client. Who may act for a client sees that they may, and who acts sees no contact: there may
/// be another one of whom they are not to know.
pub fn contacts(actor: &Actor) -> Rule {
    if actor.proxy_id.is_some() {
        return Rule::none();
    }
    let rule = own_or_clients(actor);
    match actor.is_client() {
        true => rule.limited(Cond::sql(format!("({ACTS})"), [actor.user_id.into()])),
        false => rule,
    }
}
