//! Who sees which conversations (behaviour 16.2, 16.3, 32).
//!
//! Whoever takes part sees a conversation, and nobody from the moment on at which
//! they no longer do. Others' conversations are for administrators and for
//! members with `can_access_to_members_chat`: those of active members of their
//! units, and only where they see every client in it, so that the flag opens no
//! client. A restricted client's are nobody's who does not see that client.

use ward_identity::flags::{CAN_ACCESS_TO_MEMBERS_CHAT, IS_ADMIN};
use ward_identity::tables::USERS;
use ward_identity::visibility::seen;
use ward_store::{Actor, Cond, Level, Role, Rule};

/// Conversations.
pub fn conversations(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Client => Rule::full(takes_part(actor)),
        Role::Member => {
            let own = takes_part(actor).and(no_client_hidden(actor, " AND seen.restricted = TRUE"));
            Rule::full(own.or(of_others(actor)))
        }
    }
}

/// What belongs to a conversation, by `conversation_id`: seen by who sees it.
pub fn of_conversation(actor: &Actor) -> Rule {
    match conversations(actor).full {
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "sc");
            Rule::full(Cond::Sql(
                format!(
                    "EXISTS (SELECT 1 FROM conversations sc WHERE sc.org_id = {{t}}.org_id \
                     AND sc.id = {{t}}.conversation_id AND {text})"
                ),
                params,
            ))
        }
        other => Rule::full(other),
    }
}

/// Notes: what was sent is seen by who sees the conversation; what waits for its
/// time by its author, and by members who may read others' conversations.
pub fn notes(actor: &Actor) -> Rule {
    let full = of_conversation(actor).full;
    let reads_others = actor.role == Role::System
        || (actor.role == Role::Member && actor.has(CAN_ACCESS_TO_MEMBERS_CHAT.flag));
    match reads_others {
        true => Rule::full(full),
        false => {
            Rule::full(full.and(Cond::not_null("number").or(Cond::eq("user_id", actor.user_id))))
        }
    }
}

/// Conversations that somebody takes part in.
pub fn takes_part_in(org_id: i64, user_id: i64) -> Cond {
    Cond::sql(
        "{t}.id IN (SELECT own.conversation_id FROM conversation_memberships own \
         WHERE own.org_id = ? AND own.user_id = ? AND own.deleted_at IS NULL)",
        [org_id.into(), user_id.into()],
    )
}

fn takes_part(actor: &Actor) -> Cond {
    takes_part_in(actor.org_id, actor.user_id)
}

/// Conversations of others that a member may read.
fn of_others(actor: &Actor) -> Cond {
    if !actor.has(CAN_ACCESS_TO_MEMBERS_CHAT.flag) {
        return Cond::Never;
    }
    let readable = actor.units("unit_id").and(no_client_hidden(actor, ""));
    match actor.has(IS_ADMIN.flag) {
        true => readable,
        false => readable.and(Cond::sql(
            "EXISTS (SELECT 1 FROM users active WHERE active.org_id = {t}.org_id \
             AND active.id = {t}.owner_id AND active.active = TRUE)",
            [],
        )),
    }
}

/// That the actor sees all clients of a conversation, or all of those that
/// `which` narrows them to.
fn no_client_hidden(actor: &Actor, which: &str) -> Cond {
    let (rule, params) = seen(&USERS, actor, Level::Full, "seen");
    if rule == "TRUE" {
        return Cond::Always;
    }
    Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM conversation_memberships part JOIN users seen \
             ON seen.org_id = part.org_id AND seen.id = part.user_id \
             WHERE part.org_id = {{t}}.org_id AND part.conversation_id = {{t}}.id \
             AND part.deleted_at IS NULL AND seen.is_patient = TRUE{which} \
             AND NOT COALESCE(({rule}), FALSE))"
        ),
        params,
    )
}
