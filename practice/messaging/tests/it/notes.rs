//! Messages through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_ACCESS_TO_MEMBERS_CHAT, IS_ADMIN};
use ward_messaging::attachments::CLIENT_BYTES_MAX;
use ward_messaging::tables::Note;
use ward_store::{Cond, Query, Sql};

use crate::conversations::{begun, id};
use crate::support::World;

/// One grey pixel.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test]
async fn a_message_is_cleaned_kept_sealed_and_told_of() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let input =
            json!({ "conversation_id": made["id"], "content": "<p>Hello there<script>x()</script></p>" });
        let note = w.note(&ada, input).await["note"].clone();
        assert_eq!(
            (&note["content"], &note["user_id"]),
            (&json!("<p>Hello there</p>"), &json!(a)),
            "{note}"
        );
        assert_eq!(
            (&note["creator_display_name"], &note["recipient_id"]),
            (&json!("Ada Client"), &json!(id(&w.owner)))
        );
        assert_eq!(w.events().await.last().unwrap(), "message.created []");
        for blank in ["", "<p> </p>"] {
            let input = json!({ "conversation_id": made["id"], "content": blank });
            let payload = w.note(&ada, input).await;
            assert_eq!(
                payload["messages"],
                json!([{ "field": "content", "message": "Content can't be blank" }])
            );
        }
        let long = json!({ "conversation_id": made["id"], "content": "x".repeat(50_001) });
        assert_eq!(w.note(&ada, long).await["messages"][0]["field"], "content");
        // Everywhere that a text comes in, before anything is written.
        let hostile: String = (0..4_000).map(|n| format!("<b a={n}><p>")).collect();
        let first = json!({ "content": hostile });
        for (field, selects, input) in [
            ("createNote", "note { id }", json!({ "conversation_id": made["id"], "content": hostile })),
            ("updateNote", "note { id }", json!({ "id": note["id"], "content": hostile })),
            ("createConversation", "conversation { id }", json!({ "simple_added_users": a, "note": first })),
            ("createMessageBlast", "message", json!({ "simple_added_users": a, "note": first })),
        ] {
            let payload = w.mutate(&w.owner, field, selects, input).await;
            assert_eq!(payload["messages"], json!([{ "field": "content", "message": "Content has too many tags (maximum is 2000)" }]), "{field}");
        }
        let rows: Vec<Note> = w.rows(Cond::Always).await;
        assert_eq!((rows.len(), rows[0].number), (1, Some(1)));
        let sql = Sql::fixed("SELECT content FROM notes", []);
        let stored = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        let bytes = stored.row(0)[0].bytes().expect("messages are sealed").to_vec();
        assert!(!bytes.windows(5).any(|it| it == b"Hello"));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_message_leaves_its_place() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let input = json!({ "conversation_id": made["id"], "content": "Oh", "attached_image_string": PICTURE });
        let note = w.note(&ada, input).await["note"].clone();
        assert!(note["attached_image_url"].as_str().unwrap().contains("/files/"), "{note}");
        assert_eq!(note["image_name"], "attached_image");
        let gone = async |actor| {
            let selects = "note { id content deleted_by_user attached_image_url image_name }";
            w.mutate(actor, "deleteNote", selects, json!({ "id": note["id"] })).await
        };
        // A member who takes part, but did not write it, can't.
        let plain = w.with(&w.owner, &[]);
        assert_eq!(gone(&plain).await["messages"][0]["field"], "base");
        let payload = gone(&ada).await;
        let expected = json!({ "id": note["id"], "content": "", "deleted_by_user": true,
            "attached_image_url": null, "image_name": null });
        assert_eq!(payload["note"], expected, "{payload}");
        assert_eq!(w.events().await.last().unwrap(), "message.deleted []");
        gone(&ada).await;
        let deleted = w.events().await.iter().filter(|it| *it == "message.deleted []").count();
        assert_eq!(deleted, 1, "deleted once is deleted");
        let input = json!({ "id": note["id"], "content": "back" });
        let payload = w.mutate(&ada, "updateNote", "note { id }", input).await;
        assert_eq!(payload["messages"][0]["message"], "The message was deleted", "{payload}");
        assert_eq!(gone(&w.standard).await["messages"][0]["message"], "Object not found");
        // An administrator who sees the conversation can.
        let input = json!({ "conversation_id": made["id"], "content": "again" });
        let second = w.note(&ada, input).await["note"]["id"].clone();
        let admin = w.with(&w.standard, &[IS_ADMIN, CAN_ACCESS_TO_MEMBERS_CHAT]);
        let payload = w.mutate(&admin, "deleteNote", "note { content }", json!({ "id": second })).await;
        assert_eq!(payload["note"]["content"], "", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn no_client_uses_up_the_storage_of_the_practice() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let made = begun(&w, &w.owner, json!({ "simple_added_users": format!("{a},{b}") })).await;
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let input = json!({ "conversation_id": made["id"], "content": "Oh", "attached_image_string": PICTURE });
        let note = w.note(&ada, input.clone()).await["note"]["id"].clone();
        let full = "UPDATE blobs SET byte_size = $1 WHERE purpose = 'note'";
        w.execute(Sql::fixed(full, [CLIENT_BYTES_MAX.into()])).await;
        w.mutate(&ada, "deleteNote", "note { id }", json!({ "id": note })).await;
        let refused = w.note(&ada, input.clone()).await;
        assert_eq!(refused["messages"][0]["field"], "base", "{refused}");
        assert_eq!(w.rows::<Note>(Cond::Always).await.len(), 1, "nothing is half written");
        for other in [&bo, &w.owner] {
            let note = w.note(other, input.clone()).await;
            assert!(note["messages"].is_null(), "each their own: {note}");
        }
        let text = json!({ "conversation_id": made["id"], "content": "Oh" });
        assert!(w.note(&ada, text).await["messages"].is_null(), "words need no room");
    })
    .await;
}

#[tokio::test]
async fn only_its_author_changes_a_message() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let input = json!({ "conversation_id": made["id"], "content": "one" });
        let note = w.note(&ada, input).await["note"].clone();
        let change = async |actor, input: Json| {
            w.mutate(actor, "updateNote", "note { content }", input).await
        };
        let payload = change(&w.owner, json!({ "id": note["id"], "content": "forged" })).await;
        assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        for (field, other) in [("user_id", id(&w.owner)), ("conversation_id", "4000".to_owned())] {
            let payload =
                change(&ada, json!({ "id": note["id"], "content": "x", field: other })).await;
            assert_eq!(payload["messages"][0]["field"], field, "{payload}");
        }
        let payload = change(&ada, json!({ "id": note["id"], "content": "two" })).await;
        assert_eq!(payload["note"]["content"], "two", "{payload}");
        let payload = change(&ada, json!({ "id": note["id"], "content": " " })).await;
        assert_eq!(payload["messages"][0]["field"], "content", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn messages_are_listed_by_conversation_newest_first() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let mut notes = Vec::new();
        for text in ["one", "two", "three"] {
            let input = json!({ "conversation_id": made["id"], "content": text });
            notes.push(w.note(&w.owner, input).await["note"]["id"].clone());
        }
        let query = "query($conversation: ID, $since: ID, $ids: [ID]) {
            notes(conversation_id: $conversation, since_note_id: $since, ids: $ids) { total_count nodes { content } } }";
        let at = w.run(&w.owner, query, json!({ "conversation": made["id"] })).await;
        assert_eq!(at["notes"]["nodes"][0]["content"], "three", "{at}");
        let at = w.run(&w.owner, query, json!({ "conversation": made["id"], "since": notes[1] })).await;
        assert_eq!(at["notes"]["nodes"], json!([{ "content": "three" }]));
        let at = w.run(&w.owner, query, json!({ "ids": [notes[0]] })).await;
        assert_eq!(at["notes"]["nodes"], json!([{ "content": "one" }]));
        let old = "query($conversation: ID) { notes(conversation_id: $conversation, order_by: CREATED_AT_ASC, page_size: 2) { content cursor created_at } notesCount(conversation_id: $conversation) }";
        let at = w.run_in(ViewId::Baseline, &w.owner, old, json!({ "conversation": made["id"] })).await;
        assert_eq!((&at["data"]["notes"][0]["content"], &at["data"]["notesCount"]), (&json!("one"), &json!(3)), "{at}");
        for stranger in [&w.stranger, &w.standard] {
            let at = w.run(stranger, query, json!({ "conversation": made["id"] })).await;
            assert_eq!(at["notes"]["total_count"], 0);
            let note = w.run(stranger, "query($id: ID) { note(id: $id) { id } }", json!({ "id": notes[0] })).await;
            assert!(note["note"].is_null());
        }
    })
    .await;
}
