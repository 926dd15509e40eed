//! Events that the domain emits (behaviour 14).

use ward_store::Event;

use crate::tables::{Conversation, ConversationMembership, Note};

/// A conversation was begun.
pub fn conversation_created(conversation: &Conversation) -> Event {
    about(conversation, Event::new("conversation.created", "Conversation", conversation.id.0))
}

/// These facts of a conversation changed.
pub fn conversation_updated(conversation: &Conversation, columns: &[&'static str]) -> Event {
    let event = Event::new("conversation.updated", "Conversation", conversation.id.0);
    about(conversation, event.changed(columns))
}

/// Somebody joined a conversation.
pub fn membership_created(conversation: &Conversation, id: i64) -> Event {
    about(conversation, membership("conversation_membership.created", id))
}

/// Somebody left a conversation, or was taken out of it.
pub fn membership_deleted(conversation: &Conversation, id: i64) -> Event {
    about(conversation, membership("conversation_membership.deleted", id))
}

/// Somebody has read a conversation.
pub fn membership_viewed(conversation: &Conversation, of: &ConversationMembership) -> Event {
    about(conversation, membership("conversation_membership.viewed", of.id.0))
}

/// A message was sent.
pub fn message_created(note: &Note) -> Event {
    message("message.created", note)
}

/// A message was deleted by its author.
pub fn message_deleted(note: &Note) -> Event {
    message("message.deleted", note)
}

fn membership(kind: &'static str, id: i64) -> Event {
    Event::new(kind, "ConversationMembership", id)
}

fn message(kind: &'static str, note: &Note) -> Event {
    let event = Event::new(kind, "Note", note.id.0).of_unit(note.unit_id.0);
    match note.patient_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}

fn about(conversation: &Conversation, event: Event) -> Event {
    let event = event.of_unit(conversation.unit_id.0);
    match conversation.patient_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}
