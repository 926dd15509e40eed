//! What the arguments of messaging name.

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("conversation", "id", Needs(Object::Conversation)),
    ("conversation", "provider_id", May(Object::Provider)),
    ("conversations", "user_id", May(Object::Client)),
    ("conversationMembership", "id", Needs(Object::Part)),
    ("conversationMembership", "conversation_membership_id", May(Object::Part)),
    ("conversationMembershipInvitees", "id", Needs(Object::Conversation)),
    ("conversationMemberships", "client_id", May(Object::Client)),
    ("conversationMemberships", "provider_id", May(Object::Provider)),
    ("conversationMemberships", "provider_ids", May(Object::Provider)),
    ("conversationMembershipsCount", "client_id", May(Object::Client)),
    ("conversationMembershipsCount", "provider_id", May(Object::Provider)),
    ("conversationMembershipsCount", "provider_ids", May(Object::Provider)),
    ("conversationMembershipsAllCounts", "client_id", May(Object::Client)),
    ("conversationMembershipsAllCounts", "provider_id", May(Object::Provider)),
    ("conversationMembershipsAllCounts", "provider_ids", May(Object::Provider)),
    ("note", "id", Needs(Object::Note)),
    ("noteViewedStatus", "id", Needs(Object::Note)),
    ("notes", "conversation_id", May(Object::Conversation)),
    ("notes", "ids", May(Object::Note)),
    ("notes", "provider_id", May(Object::Provider)),
    ("notes", "since_note_id", May(Object::Note)),
    ("notesCount", "conversation_id", May(Object::Conversation)),
    ("notesCount", "provider_id", May(Object::Provider)),
    ("createConversation", "input.owner_id", May(Object::Provider)),
    ("createConversation", "input.simple_added_users", Needs(Object::Client)),
    ("updateConversation", "input.id", Needs(Object::Conversation)),
    ("updateConversation", "input.simple_added_users", May(Object::Client)),
    ("updateConversation", "input.closed_by_id", May(Object::Provider)),
    ("updateConversationMembership", "input.id", Needs(Object::Part)),
    ("deleteConversationMembership", "input.conversation_id", Needs(Object::Conversation)),
    ("deleteConversationMembership", "input.user_id", May(Object::Client)),
    ("deleteConversationMembership", "input.group_id", May(Object::Group)),
    ("createNote", "input.conversation_id", Needs(Object::Conversation)),
    ("createNote", "input.user_id", May(Object::Provider)),
    ("updateNote", "input.id", Needs(Object::Note)),
    ("updateNote", "input.conversation_id", May(Object::Conversation)),
    ("updateNote", "input.user_id", May(Object::Provider)),
    ("deleteNote", "input.id", Needs(Object::Note)),
    ("note_scheduler", "id", Needs(Object::Scheduler)),
    ("scheduledMessageBlasts", "client_id", May(Object::Client)),
    ("scheduledMessageBlasts", "provider_id", May(Object::Provider)),
    ("scheduledMessageBlasts", "provider_ids", May(Object::Provider)),
    ("createMessageBlast", "input.patient_id", Needs(Object::Client)),
    ("createMessageBlast", "input.dietitian_id", May(Object::Provider)),
    ("createMessageBlast", "input.simple_added_users", May(Object::Client)),
    ("updateNoteScheduler", "input.id", Needs(Object::Scheduler)),
    ("updateNoteScheduler", "input.participant_ids", May(Object::Client)),
];

/// Data that makes a call meaningful, by root field.
pub const DATA: &[(&str, &[&str])] = &[
    ("updateConversation", &["name"]),
    ("updateConversationMembership", &["viewed"]),
    ("createMessageBlast", &["note.content"]),
    ("createNote", &["content"]),
    ("updateNote", &["content"]),
];

/// Names that mean the same wherever they stand, and open nothing.
pub const WORDS: &str = "
    conversation_type notes_type only_include_shared_memberships read_status scheduled_notes
    label value content attached_image attached_image_string attached_audio attached_document org_chat
    archived viewed deleted_by_user org_chat scheduled_at
";
