//! Documents of the replay's world, and the values of operations on them.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::judge::Try;
use crate::values::Subject;
use crate::world::World;

/// What the operations are about.
#[derive(Clone, Debug, Default)]
pub struct Papers {
    /// About the client, shared with them and opened.
    document: String,
    /// The client's, in another one of theirs.
    folder: String,
}

const UPLOAD: &str = "mutation($input: createDocumentInput) { createDocument(input: $input) { document { id expiring_url } messages { field message } } }";
const CHANGE: &str = "mutation($input: updateDocumentInput) { updateDocument(input: $input) { messages { field message } } }";
const FOLDER: &str = "mutation($input: createFolderInput) { createFolder(input: $input) { folder { id } messages { field message } } }";
/// A greeting.
const FILE: &str = "data:text/plain;base64,SGVsbG8K";

impl Papers {
    /// Makes them.
    pub fn new(world: &World) -> Papers {
        let folder =
            |input: Json| id(&world.ask(FOLDER, json!({"input": input}), "createFolder")["folder"]);
        let client = &world.client;
        let outer =
            folder(json!({"name": "Replay", "rel_user_id": client, "share_with_rel": true}));
        let inner = folder(json!({"name": "Inner", "rel_user_id": client, "folder_id": outer}));
        let input = json!({"display_name": "Replay.txt", "description": "A greeting", "folder_id": inner,
            "rel_user_id": client, "share_with_rel": true, "file_string": FILE});
        let made = world.ask(UPLOAD, json!({"input": input}), "createDocument")["document"].clone();
        let notes = json!({"id": made["id"], "internal_notes": "Read it to them"});
        world.ask(CHANGE, json!({"input": notes}), "updateDocument");
        let link = made["expiring_url"].as_str().unwrap();
        let read = world.as_owner().get(&link[link.find("/files/").unwrap()..]);
        assert_eq!(read.status, 200, "{}", read.text);
        Papers { document: id(&made), folder: inner }
    }
}

/// What a mutation works on: a new document about the client.
pub fn subject(world: &World, root_field: &str, client: &str) -> Option<String> {
    let of = ["updateDocument", "deleteDocument"];
    of.contains(&root_field).then(|| {
        let input = json!({"rel_user_id": client, "file_string": FILE, "display_name": "one.txt"});
        id(&world.ask(UPLOAD, json!({"input": input}), "createDocument")["document"])
    })
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(
    world: &World,
    root: &str,
    name: &str,
    subject: &Subject,
    attempt: Try,
) -> Option<Json> {
    let papers = &world.papers;
    Some(match (root, name) {
        ("document", "id") => papers.document.clone().into(),
        ("folder", "id") => papers.folder.clone().into(),
        ("document" | "folder", _) => Json::Null,
        ("documents", "file_type" | "filter") => "all".into(),
        ("documents", "file_types") => json!(["txt"]),
        ("documents", "for_template_use") => false.into(),
        ("documents" | "folders", "should_paginate") => true.into(),
        ("documents" | "folders", "order_by") => "NAME_ASC".into(),
        ("documents" | "folders", "after") => Json::Null,
        ("documents", "keywords" | "folder_id") => "".into(),
        ("documents", "provider_id") => world.owner.clone().into(),
        ("documents", "sort_by") => "newestfirst".into(),
        ("documents" | "folders", _) if name.ends_with("_id") => world.client.clone().into(),
        ("createDocument", "file_string") => FILE.into(),
        ("createDocument" | "updateDocument", "display_name") => "Replay.txt".into(),
        ("createDocument", "file" | "created_at") => Json::Null,
        ("createDocument", "clients_ids") => json!([subject.client]),
        ("createDocument", "provider_ids") => json!([world.provider]),
        ("createDocument" | "updateDocument", "rel_user_id") => subject.client.clone().into(),
        ("createDocument" | "updateDocument", "share_with_rel") => attempt.switch.into(),
        _ => return None,
    })
}

/// What a mutation did, read back; nothing for those of other domains.
pub fn read_back(
    world: &World,
    root: &str,
    sent: &[(String, Json)],
    subject: &Subject,
    answer: &Json,
) -> Option<Result<(), String>> {
    let query = "query($id: ID) { document(id: $id) { display_name shared } }";
    let read = |id: &str| world.ask(query, json!({"id": id}), "document");
    let (holds, found) = match root {
        "createDocument" => {
            let found = read(&id(&answer["document"]));
            (found["display_name"] == "Replay.txt", found)
        }
        "updateDocument" => {
            let found = read(&subject.id);
            let shared = sent.iter().find(|(name, _)| name == "share_with_rel");
            (shared.is_none_or(|(_, value)| *value == found["shared"]), found)
        }
        "deleteDocument" => {
            let found = read(&subject.id);
            (found.is_null(), found)
        }
        _ => return None,
    };
    Some(if holds { Ok(()) } else { Err(format!("not as sent: {found}")) })
}
