//! Conversations of the replay's world, and the values of operations on them.

use ward_tests::people::{self, id};
use ward_tests::{Json, json};

use crate::judge::Try;
use crate::values::Subject;
use crate::world::{PICTURE, Person, World};

/// What the operations are about.
#[derive(Clone, Debug, Default)]
pub struct Talks {
    /// With the client, and messages of every kind in it.
    open: String,
    /// With two clients, and closed.
    closed: String,
    /// With the client and nobody else.
    pair: String,
    /// Another client, whom the client is related to.
    relative: String,
    /// A message, one that waits, and one on behalf of a colleague.
    notes: [String; 3],
}

const BEGIN: &str = "mutation($input: createConversationInput) { createConversation(input: $input) { conversation { id } messages { field message } } }";
const WRITE: &str = "mutation($input: createNoteInput!) { createNote(input: $input) { note { id } messages { field message } } }";
const CHANGE: &str = "mutation($input: updateConversationInput) { updateConversation(input: $input) { messages { field message } } }";
const BLAST: &str = "mutation($input: createMessageBlastInput) { createMessageBlast(input: $input) { messages { field message } } }";
const KIN: &str = "mutation($input: createNotificationContactInput) { createNotificationContact(input: $input) { messages { field message } } }";
const LATER: &str = "2027-06-01T12:00:00Z";

impl Talks {
    /// Makes them.
    pub fn new(world: &World) -> Talks {
        let begin = |input: Json| {
            id(&world.ask(BEGIN, json!({"input": input}), "createConversation")["conversation"])
        };
        let both = format!("user-{},user-{}", world.client, world.provider);
        let open = begin(json!({"simple_added_users": both, "name": "Replay"}));
        let write = |more: &[(&str, Json)]| {
            let mut input = json!({"conversation_id": open, "content": "<p>Hello</p>"});
            for (name, value) in more {
                input[*name] = value.clone();
            }
            id(&world.ask(WRITE, json!({"input": input}), "createNote")["note"])
        };
        let behalf = write(&[("user_id", world.provider.clone().into())]);
        let waits = write(&[("scheduled_at", LATER.into())]);
        let note = write(&[("attached_image_string", PICTURE.into())]);
        let relative = people::client(&world.as_owner(), "replaytalks");
        let many = format!("user-{},user-{relative}", world.client);
        let grouped = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { field message } } }";
        let group = json!({"id": relative, "user_group_id": world.group});
        world.ask(grouped, json!({"input": group}), "updateClient");
        let kin = json!({"user_id": relative, "linked_client_id": world.client, "contact_type": "Family", "relationship": "Sister"});
        world.ask(KIN, json!({"input": kin}), "createNotificationContact");
        let closed = begin(json!({"simple_added_users": many, "note": {"content": "Welcome"}}));
        let close = json!({"id": closed, "closed_by_id": world.owner});
        world.ask(CHANGE, json!({"input": close}), "updateConversation");
        let blast = json!({"simple_added_users": world.client, "note": {"content": "News"}, "scheduled_at": LATER});
        world.ask(BLAST, json!({"input": blast}), "createMessageBlast");
        let pair = begin(json!({"simple_added_users": world.client}));
        Talks { open, closed, pair, relative, notes: [note, waits, behalf] }
    }
}

/// What a mutation works on: a conversation with the client, a message or the owner's part in it.
pub fn subject(world: &World, root_field: &str, client: &str) -> Option<String> {
    let begin = || {
        let input = json!({"simple_added_users": client, "note": {"content": "Hello"}});
        id(&world.ask(BEGIN, json!({"input": input}), "createConversation")["conversation"])
    };
    let of = |query: &str| {
        world.as_owner().ask(query, json!({"id": begin()})).data()["conversation"].clone()
    };
    match root_field {
        "createNote" | "updateConversation" => Some(begin()),
        "deleteNote" => {
            Some(id(&of("query($id: ID) { conversation(id: $id) { notes { id } } }")["notes"][0]))
        }
        "updateConversationMembership" => {
            let query = "query($id: ID) { conversation(id: $id) { current_user_conversation_membership { id } } }";
            Some(id(&of(query)["current_user_conversation_membership"]))
        }
        _ => None,
    }
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(
    world: &World,
    root: &str,
    name: &str,
    subject: &Subject,
    attempt: Try,
) -> Option<Json> {
    let talks = &world.talks;
    let [note, ..] = &talks.notes;
    Some(match (root, name) {
        ("conversation", "id") => match attempt.about {
            Person::Client => talks.closed.clone().into(),
            Person::Archived => talks.open.clone().into(),
            Person::Provider => talks.pair.clone().into(),
        },
        ("note", "id") => note.clone().into(),
        ("conversations", "user_id") => world.owner.clone().into(),
        ("createConversation", "simple_added_users") => format!("user-{}", subject.client).into(),
        ("createConversation", "owner_id") => world.owner.clone().into(),
        ("createConversation", "name") => "Replay".into(),
        ("createConversation", "note") => json!({"content": "Hello"}),
        ("createNote", "conversation_id") => subject.id.clone().into(),
        ("createNote", "user_id") => world.owner.clone().into(),
        ("createNote", "content") => "Hello".into(),
        ("createNote", "attached_image_string") => PICTURE.into(),
        ("createNote", "scheduled_at") if !attempt.switch => LATER.into(),
        ("createNote", "scheduled_at") => Json::Null,
        ("createNote", "hide_org_chat_confirmation") => attempt.switch.into(),
        ("createNote", "attached_image" | "attached_audio" | "attached_document") => Json::Null,
        ("updateConversationMembership", "viewed") => true.into(),
        ("updateConversationMembership", "archived") => false.into(),
        ("notes" | "notesCount", "conversation_id") => talks.open.clone().into(),
        ("notes" | "notesCount", "scheduled_notes") => (!attempt.switch).into(),
        ("notes", "ids") => json!(talks.notes),
        ("notes", "sort_by") => "created_at_desc".into(),
        (
            "conversation"
            | "conversationMemberships"
            | "conversationMembershipsCount"
            | "notes"
            | "notesCount"
            | "scheduledMessageBlasts",
            "provider_id",
        ) => world.owner.clone().into(),
        ("conversationMembershipsCount" | "scheduledMessageBlasts", "provider_ids") => {
            json!([world.owner])
        }
        ("conversationMemberships" | "conversationMembershipsCount", _) => match name {
            "client_id" => world.client.clone().into(),
            "active_status" | "conversation_type" | "read_status" => "all".into(),
            "notes_type" => "inbox".into(),
            "keywords" => "".into(),
            _ => return shared(name),
        },
        ("createNote" | "notes" | "notesCount" | "scheduledMessageBlasts", _) => {
            return shared(name);
        }
        ("createNotificationContact", _) => match name {
            "user_id" => subject.client.clone().into(),
            "linked_client_id" => talks.relative.clone().into(),
            "relationship" => "Sister".into(),
            "contact_type" => "Family".into(),
            "first_name" => "Kim".into(),
            "last_name" => "Contact".into(),
            "email" => "kim@contact.example".into(),
            "emergency" | "copy_notifications" | "send_invitation" => attempt.switch.into(),
            // Those of the world have no date of birth.
            "client_portal_access" => false.into(),
            "client_portal_access_until" => Json::Null,
            _ => return None,
        },
        ("updateNotificationSetting", "id") => subject.client.clone().into(),
        ("updateNotificationSetting", _) => attempt.switch.into(),
        ("sentNotificationRecords" | "sentNotificationRecordsCount", _) => match name {
            "patient_id" => world.client.clone().into(),
            "provider_id" => world.owner.clone().into(),
            "org_level" | "should_paginate" => attempt.switch.into(),
            _ => Json::Null,
        },
        _ => return None,
    })
}

fn shared(name: &str) -> Option<Json> {
    (name == "org_chat").then(|| false.into())
}

/// What a mutation did, read back; nothing for those of other domains.
pub fn read_back(
    world: &World,
    root: &str,
    sent: &[(String, Json)],
    subject: &Subject,
    answer: &Json,
) -> Option<Result<(), String>> {
    let read = |query: &str, id: &str, field: &str| world.ask(query, json!({"id": id}), field);
    let of = |name: &str| sent.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let holds = |holds: bool, read: Json| {
        Some(if holds { Ok(()) } else { Err(format!("not as sent: {read}")) })
    };
    match root {
        "createNote" => {
            let query = "query($id: ID) { note(id: $id) { content conversation_id } }";
            let read = read(query, &id(&answer["note"]), "note");
            let content = of("content").is_none_or(|it| *it == read["content"]);
            holds(content && read["conversation_id"] == subject.id, read)
        }
        "createConversation" => {
            let query = "query($id: ID) { conversation(id: $id) { invitees { id } } }";
            let read = read(query, &id(&answer["conversation"]), "conversation");
            holds(read["invitees"] == json!([{"id": subject.client}]), read)
        }
        "updateConversation" => {
            let query = "query($id: ID) { conversation(id: $id) { id } }";
            let read = read(query, &subject.id, "conversation");
            holds(read["id"] == subject.id, read)
        }
        "updateConversationMembership" => {
            let query = "query($id: ID) { conversationMembership(id: $id) { viewed archived } }";
            let read = read(query, &subject.id, "conversationMembership");
            holds(read == json!({"viewed": true, "archived": false}), read)
        }
        "createNotificationContact" => {
            let made = &answer["notificationContact"];
            holds(!made["id"].is_null(), made.clone())
        }
        "updateNotificationSetting" => {
            let query = "query($id: ID) { notificationSetting(id: $id) { id } }";
            let read = read(query, &subject.client, "notificationSetting");
            holds(!read["id"].is_null(), read)
        }
        "deleteNote" => {
            let query = "query($id: ID) { note(id: $id) { deleted_by_user } }";
            let read = read(query, &subject.id, "note");
            holds(read["deleted_by_user"] == true, read)
        }
        _ => None,
    }
}
