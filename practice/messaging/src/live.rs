//! Live subscriptions of conversations (behaviour 12): which events concern them,
//! and whom.

use ward_engine::{Answer, Args, Bindings, Happening, Kind, Listing, Refused, Request};
use ward_store::events::StoredEvent;
use ward_store::{Cond, Entity, Query, Sql, StoreError, Value};

use crate::events::{MEMBERSHIP_CHANGED, NOTE_CHANGED};
use crate::listing;
use crate::tables::{CONVERSATION_MEMBERSHIPS, CONVERSATIONS, Conversation, NOTES};

/// What makes a message new, or another.
const NOTE: &[&str] = &["message.created", "message.deleted", NOTE_CHANGED];
/// What changes somebody's own part in a conversation.
const MEMBERSHIP: &[&str] = &["conversation_membership.viewed", MEMBERSHIP_CHANGED];

/// Binds the subscriptions.
pub fn bind(b: &mut Bindings) {
    const CONVERSATION: Kind = Kind::Id(Conversation::NAME);
    b.subscription("noteAddedSubscription", &NOTES, |request, args| {
        conversation(request, args, "conversationId")
    })
    .args(&[("conversationId", CONVERSATION), ("sortBy", Kind::Plain)]);
    b.feed("noteAddedSubscription", NOTE, |event, q| Box::pin(touched(event, q, NOTE_OF)));

    b.subscription("conversationChangedSubscription", &CONVERSATIONS, |request, args| {
        conversation(request, args, "id")
    })
    .args(&[("id", CONVERSATION)]);
    b.feed("conversationChangedSubscription", &["conversation.updated"], |event, _| {
        Box::pin(std::future::ready(Ok(Happening::of_record(event))))
    });

    for field in
        ["conversationMembershipAddedSubscription", "conversationMembershipUpdatedSubscription"]
    {
        b.subscription(field, &CONVERSATION_MEMBERSHIPS, |request, _| Ok(request.actor.user_id))
            .args(&[("notesType", Kind::Plain)])
            .listing(of_notes_type);
    }
    b.feed(
        "conversationMembershipAddedSubscription",
        &["conversation_membership.created"],
        |event, q| Box::pin(touched(event, q, PART)),
    );
    let updated = "conversationMembershipUpdatedSubscription";
    b.feed(updated, MEMBERSHIP, |event, q| Box::pin(touched(event, q, PART)));
    b.feed(updated, NOTE, |event, q| Box::pin(touched(event, q, PARTS_OF_NOTE)));
    b.feed(updated, &["conversation.updated"], |event, q| Box::pin(touched(event, q, PARTS)));

    // What is unread is of the person, not of the part.
    let user = "userUpdatedSubscription";
    b.feed(user, MEMBERSHIP, |event, q| Box::pin(touched(event, q, PERSON)));
    b.feed(
        user,
        &["conversation_membership.created", "conversation_membership.deleted"],
        |event, q| Box::pin(touched(event, q, PERSON)),
    );
    b.feed(user, &["message.created"], |event, q| Box::pin(touched(event, q, PEOPLE_OF_NOTE)));
    b.feed(user, &["conversation.updated"], |event, q| Box::pin(touched(event, q, PEOPLE)));
}

fn conversation(request: &Request, args: &Args, name: &str) -> Answer<i64> {
    let id = listing::id::<Conversation>(args, name, request)?;
    id.map(|id| id.0).ok_or_else(|| Refused::on(name, format!("{name} can't be blank")))
}

/// Parts whose person has a message waiting for its time, if those are asked for.
fn of_notes_type(_: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing::of(match args.text("notesType") {
        Some("scheduled") => listing::has_scheduled(),
        _ => Cond::Always,
    }))
}

/// Statements that answer topic and row, by organization and record.
type Text = &'static str;
const PART: Text = "SELECT user_id, id FROM conversation_memberships WHERE org_id = $1 AND id = $2";
const PERSON: Text =
    "SELECT user_id, user_id FROM conversation_memberships WHERE org_id = $1 AND id = $2";
const PARTS: Text = "SELECT user_id, id FROM conversation_memberships \
     WHERE org_id = $1 AND conversation_id = $2 AND deleted_at IS NULL ORDER BY id";
const PEOPLE: Text = "SELECT user_id, user_id FROM conversation_memberships \
     WHERE org_id = $1 AND conversation_id = $2 AND deleted_at IS NULL ORDER BY id";
const PARTS_OF_NOTE: Text = "SELECT m.user_id, m.id FROM notes n JOIN conversation_memberships m \
     ON m.org_id = n.org_id AND m.conversation_id = n.conversation_id AND m.deleted_at IS NULL \
     WHERE n.org_id = $1 AND n.id = $2 ORDER BY m.id";
const PEOPLE_OF_NOTE: Text = "SELECT m.user_id, m.user_id FROM notes n JOIN conversation_memberships m \
     ON m.org_id = n.org_id AND m.conversation_id = n.conversation_id AND m.deleted_at IS NULL \
     WHERE n.org_id = $1 AND n.id = $2 ORDER BY m.id";
const NOTE_OF: Text = "SELECT conversation_id, id FROM notes WHERE org_id = $1 AND id = $2";

async fn touched(
    event: &StoredEvent,
    q: &mut dyn Query,
    text: Text,
) -> Result<Vec<Happening>, StoreError> {
    let sql = Sql::fixed(text, [event.org_id.into(), event.resource_id.into()]);
    let rows = q.rows(&sql).await?;
    let happening =
        |row: &[Value]| Some(Happening { topic: row.first()?.int()?, row: row.get(1)?.int()? });
    Ok(rows.iter().filter_map(happening).collect())
}
