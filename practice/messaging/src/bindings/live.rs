//! What is told as it happens: messages, changes of conversations, and of one's
//! own parts in them (behaviour 12). Who takes no part any more is told nothing,
//! since each subscriber reads the row with their own eyes.

use futures_util::FutureExt;
use ward_engine::{Answer, Args, Bindings, Happening, Kind, Request, parse_id};
use ward_store::events::StoredEvent;
use ward_store::{Entity, Query, Sql, StoreError, Value};

use crate::tables::{CONVERSATION_MEMBERSHIPS, CONVERSATIONS, Conversation, NOTES};

const MESSAGES: &[&str] = &["message.created", "message.updated", "message.deleted"];
const PARTS: &[&str] = &["conversation_membership.created", "conversation_membership.deleted"];
const OWN: &[&str] = &["conversation_membership.viewed", "conversation_membership.updated"];

const NOTE: &str = "SELECT n.conversation_id, n.id FROM notes n WHERE n.org_id = $1 AND n.id = $2";
const OF_PART: &str = "SELECT m.conversation_id, m.conversation_id FROM conversation_memberships m \
     WHERE m.org_id = $1 AND m.id = $2";
const PART: &str = "SELECT m.user_id, m.id FROM conversation_memberships m \
     WHERE m.org_id = $1 AND m.id = $2";
const PARTS_OF_NOTE: &str = "SELECT m.user_id, m.id FROM conversation_memberships m \
     JOIN notes n ON n.org_id = m.org_id AND n.conversation_id = m.conversation_id \
     WHERE n.org_id = $1 AND n.id = $2 AND m.deleted_at IS NULL";
const READERS: &str = "SELECT m.user_id, m.user_id FROM conversation_memberships m \
     JOIN notes n ON n.org_id = m.org_id AND n.conversation_id = m.conversation_id \
     WHERE n.org_id = $1 AND n.id = $2 AND m.deleted_at IS NULL";
const READER: &str = "SELECT m.user_id, m.user_id FROM conversation_memberships m \
     WHERE m.org_id = $1 AND m.id = $2";

/// Binds the subscriptions.
pub fn bind(b: &mut Bindings) {
    b.subscription("noteAddedSubscription", &NOTES, |request, args| {
        conversation(request, args, "conversationId")
    })
    .args(&[("conversationId", Kind::Id(Conversation::NAME)), ("sortBy", Kind::Plain)]);
    b.feed("noteAddedSubscription", MESSAGES, |event, q| pairs(event, q, NOTE).boxed());
    b.subscription("conversationChangedSubscription", &CONVERSATIONS, |request, args| {
        conversation(request, args, "id")
    })
    .args(&[("id", Kind::Id(Conversation::NAME))]);
    b.feed("conversationChangedSubscription", &["conversation.updated"], |event, _| {
        std::future::ready(Ok(Happening::of_record(event))).boxed()
    });
    b.feed("conversationChangedSubscription", PARTS, |event, q| pairs(event, q, OF_PART).boxed());
    const TYPE: &[(&str, Kind)] = &[("notesType", Kind::Plain)];
    let added = "conversationMembershipAddedSubscription";
    b.subscription(added, &CONVERSATION_MEMBERSHIPS, oneself).args(TYPE);
    b.feed(added, &["conversation_membership.created"], |event, q| pairs(event, q, PART).boxed());
    let updated = "conversationMembershipUpdatedSubscription";
    b.subscription(updated, &CONVERSATION_MEMBERSHIPS, oneself).args(TYPE);
    b.feed(updated, MESSAGES, |event, q| pairs(event, q, PARTS_OF_NOTE).boxed());
    b.feed(updated, OWN, |event, q| pairs(event, q, PART).boxed());
    // How many conversations are unread.
    b.feed("userUpdatedSubscription", MESSAGES, |event, q| pairs(event, q, READERS).boxed());
    b.feed("userUpdatedSubscription", OWN, |event, q| pairs(event, q, READER).boxed());
}

fn oneself(request: &Request, _: &Args) -> Answer<i64> {
    Ok(request.actor.user_id)
}

fn conversation(request: &Request, args: &Args, name: &str) -> Answer<i64> {
    let text = args.text(name).unwrap_or_default();
    parse_id::<Conversation>(text, name, request.instance.ids()).map(|id| id.0)
}

/// Topics and rows that a statement finds for the event's record.
async fn pairs(
    event: &StoredEvent,
    q: &mut dyn Query,
    statement: &'static str,
) -> Result<Vec<Happening>, StoreError> {
    let sql = Sql::fixed(statement, [event.org_id.into(), event.resource_id.into()]);
    let pair =
        |row: &[Value]| Some(Happening { topic: row.first()?.int()?, row: row.get(1)?.int()? });
    Ok(q.rows(&sql).await?.iter().filter_map(pair).collect())
}
