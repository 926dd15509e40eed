//! Messages that wait, and broadcasts, through the front door and on the
//! instance's clock.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, SEES_ALL_CLIENTS};
use ward_messaging::sender::run_batch;
use ward_store::{Actor, Db, Query, Sql, StoreError};

use crate::conversations::{begun, id, inbox};
use crate::support::World;

/// What waits is due from now on.
async fn let_time_pass(w: &World) {
    for sql in [
        "UPDATE note_schedulers SET scheduled_at = created_at",
        "UPDATE jobs SET visible_at = created_at WHERE kind = 'send_messages'",
    ] {
        w.execute(Sql::fixed(sql, [])).await;
    }
}

/// Does everything that is due; how many steps that were.
async fn run_due(db: &Db) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        match run_batch(db).await? {
            0 => return Ok(all),
            steps => all += steps,
        }
    }
}

fn later(w: &World) -> String {
    let at = w.instance.now().as_seconds() + 3_600;
    jiff::Timestamp::from_second(at).unwrap().to_string()
}

async fn blast(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "createMessageBlast", "message", input).await
}

const NOTES: &str = "query($id: ID, $waits: Boolean) { notes(conversation_id: $id, scheduled_notes: $waits) { nodes { id content scheduled_at scheduled_conversation_id created_at } } }";

#[tokio::test]
async fn a_message_waits_for_its_time_and_is_sent_once() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&a).await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let input = json!({ "conversation_id": made["id"], "content": "later", "scheduled_at": later(&w) });
        let refused = w.note(&ada, input.clone()).await;
        assert!(!refused["messages"].is_null(), "clients write at once: {refused}");
        let note = w.note(&w.owner, input).await["note"].clone();
        assert!(note["scheduled_at"].is_string(), "{note}");
        let waits = json!({ "id": made["id"], "waits": true });
        let own = w.run(&w.owner, NOTES, waits.clone()).await;
        assert_eq!(own["notes"]["nodes"][0]["scheduled_conversation_id"], made["id"], "{own}");
        assert_eq!(w.run(&ada, NOTES, waits.clone()).await["notes"]["nodes"], json!([]));
        let counts = "{ conversationMembershipsAllCounts { scheduled_count } }";
        let count = async || w.run(&w.owner, counts, json!({})).await["conversationMembershipsAllCounts"]["scheduled_count"].clone();
        assert_eq!(count().await, 1);
        // That something waits is known to nobody else who takes part or reads.
        let of_owner = json!({ "provider": id(&w.owner) });
        let reader = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let list = json!({ "id": made["id"], "simple_added_users": format!("{a},{}", id(&w.standard)) });
        w.mutate(&w.owner, "updateConversation", "conversation { id }", list).await;
        for (actor, known) in [(&ada, 0), (&reader, 0), (&w.owner, 1)] {
            let query = "query($provider: ID) {
                conversationMembershipsAllCounts(provider_id: $provider) { scheduled_count }
                conversationMemberships(provider_id: $provider, notes_type: \"scheduled\") { total_count } }";
            let at = w.run(actor, query, of_owner.clone()).await;
            assert_eq!(at["conversationMembershipsAllCounts"]["scheduled_count"], known, "{at}");
            assert_eq!(at["conversationMemberships"]["total_count"], known, "{at}");
        }
        assert_eq!(run_due(&w.db).await.unwrap(), 0, "it is not time yet");
        let input = json!({ "id": note["id"], "content": "changed" });
        w.mutate(&w.owner, "updateNote", "note { id }", input).await;
        let_time_pass(&w).await;
        run_due(&w.db).await.unwrap();
        let all = json!({ "id": made["id"], "waits": false });
        let sent = w.run(&ada, NOTES, all.clone()).await;
        assert_eq!(sent["notes"]["nodes"][0]["content"], "changed", "{sent}");
        assert_eq!(inbox(&w, &ada, json!({ "read": "unread" })).await["total_count"], 1);
        let events = w.events().await;
        assert_eq!(events[events.len() - 2..], ["message.created []", "scheduled_message.sent []"]);
        assert_eq!(count().await, 0);
        let_time_pass(&w).await;
        run_due(&w.db).await.unwrap();
        assert_eq!(w.run(&ada, NOTES, all).await["notes"]["nodes"].as_array().unwrap().len(), 1);
        let input = json!({ "id": note["id"], "scheduled_at": later(&w) });
        let payload = w.mutate(&w.owner, "updateNote", "note { id }", input).await;
        assert_eq!(payload["messages"][0]["message"], "The message was sent", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn what_is_taken_back_is_not_sent() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let schedule = async |text: &str| {
            let input = json!({ "conversation_id": made["id"], "content": text, "scheduled_at": later(&w) });
            w.note(&w.owner, input).await["note"]["id"].clone()
        };
        let gone = schedule("taken back").await;
        w.mutate(&w.owner, "deleteNote", "note { id }", json!({ "id": gone })).await;
        schedule("too late").await;
        let close = json!({ "id": made["id"], "closed_by_id": id(&w.owner) });
        w.mutate(&w.owner, "updateConversation", "conversation { id }", close).await;
        let_time_pass(&w).await;
        run_due(&w.db).await.unwrap();
        let count = "query($id: ID) { notesCount(conversation_id: $id) }";
        let at = w.run_in(ViewId::Baseline, &w.owner, count, json!({ "id": made["id"] })).await;
        assert_eq!(at["data"]["notesCount"], 0, "{at}");
        assert!(!w.events().await.contains(&"message.created []".to_owned()));
        for wrong in ["soon", "2400-01-01T00:00:00Z"] {
            let input = json!({ "conversation_id": made["id"], "content": "x", "scheduled_at": wrong });
            w.mutate(&w.owner, "updateConversation", "conversation { id }", json!({ "id": made["id"], "closed_by_id": null })).await;
            assert_eq!(w.note(&w.owner, input).await["messages"][0]["field"], "scheduled_at");
        }
    })
    .await;
}

/// One grey pixel.
const PICTURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test]
async fn nothing_is_sent_for_who_may_no_longer_write_there() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        // Somebody who takes part writes, as oneself or for the owner.
        let scheduled = async |org_chat: bool| {
            let both = json!({ "simple_added_users": format!("{a},{}", id(&w.standard)) });
            let made = begun(&w, &w.owner, both).await["id"].clone();
            let input = json!({ "conversation_id": made, "content": "later", "scheduled_at": later(&w),
                "org_chat": org_chat, "attached_image_string": PICTURE });
            let note = w.note(&w.standard, input).await;
            assert!(note["messages"].is_null(), "{note}");
            made
        };
        let sent = async |of: &Json| {
            let_time_pass(&w).await;
            run_due(&w.db).await.unwrap();
            let query = "query($id: ID) { notesCount(conversation_id: $id) }";
            let at = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": of })).await;
            at["data"]["notesCount"].clone()
        };
        let change = async |field: &str, selects: &str, input: Json| {
            let payload = w.mutate(&w.owner, field, selects, input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        };
        assert_eq!(sent(&scheduled(true).await).await, 1, "while nothing changes");
        for org_chat in [true, false] {
            let made = scheduled(org_chat).await;
            let input = json!({ "id": made, "simple_added_users": a });
            change("updateConversation", "conversation { id }", input).await;
            assert_eq!(sent(&made).await, 0, "taken out, {org_chat}");
            let made = scheduled(org_chat).await;
            change("updateClient", "user { id }", json!({ "id": a, "restricted": true })).await;
            assert_eq!(sent(&made).await, 0, "the client is restricted, {org_chat}");
            change("updateClient", "user { id }", json!({ "id": a, "restricted": false })).await;
        }
        // What is not sent leaves no file.
        let files = Sql::fixed("SELECT COUNT(*) FROM blobs WHERE deleted_at IS NULL", []);
        let files = w.db.read().await.unwrap().rows(&files).await.unwrap();
        assert_eq!(files.scalar().and_then(|count| count.int()), Some(1));
    })
    .await;
}

#[tokio::test]
async fn a_broadcast_reaches_each_alone() {
    World::each(async |w| {
        let mut clients = Vec::new();
        for name in ["Ada", "Bo", "Cy"] {
            let email = format!("{name}@example.com").to_lowercase();
            clients.push(w.client(name, &email).await);
        }
        let plain = w.with(&w.owner, &[SEES_ALL_CLIENTS]);
        let all = json!({ "select_all_status": "active", "note": { "content": "News" }, "name": "N" });
        assert_eq!(blast(&w, &plain, all.clone()).await["messages"][0]["field"], "base");
        let may = w.with(&w.owner, &[SEES_ALL_CLIENTS, ALLOW_GROUP_LEVEL_ACTIONS]);
        let payload = blast(&w, &may, all).await;
        assert_eq!(payload["message"], "Your message is on its way", "{payload}");
        // Archived meanwhile, one gets nothing.
        let archive = json!({ "id": clients[2], "active": false });
        w.mutate(&w.owner, "updateClient", "user { id }", archive).await;
        run_due(&w.db).await.unwrap();
        for (client, wanted) in clients.iter().zip([1, 1, 0]) {
            let own = w.as_client(client).await;
            let at = inbox(&w, &own, json!({ "read": "unread" })).await;
            assert_eq!(at["total_count"], wanted, "{at}");
            let query = "{ conversations { nodes { conversation_memberships_count last_message_content } } }";
            let at = w.run(&own, query, json!({})).await;
            assert_eq!(at["conversations"]["nodes"][0]["conversation_memberships_count"], 2, "{at}");
        }
        let events = w.events().await;
        assert_eq!(events.last().unwrap(), "scheduled_message.sent []");
        assert_eq!(events.iter().filter(|it| *it == "message.created []").count(), 2);
        for (field, input) in [
            ("note", json!({ "simple_added_users": clients[0] })),
            ("simple_added_users", json!({ "note": { "content": "x" } })),
            ("dietitian_id", json!({ "dietitian_id": id(&w.standard), "note": { "content": "x" } })),
        ] {
            assert_eq!(blast(&w, &w.owner, input).await["messages"][0]["field"], field);
        }
    })
    .await;
}

#[tokio::test]
async fn a_waiting_broadcast_is_its_senders_to_change() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let input = json!({ "simple_added_users": a, "note": { "content": "News" }, "scheduled_at": later(&w) });
        assert_eq!(blast(&w, &w.owner, input).await["message"], "Your message is scheduled");
        let list = "query($client: String) { scheduledMessageBlasts(client_id: $client) { nodes { id note_content participant_ids invitees_count invitees { id } first_four_invitees { id } selected_users { id } selected_user_groups { id } user { id } note { id } } } }";
        let at = w.run(&w.owner, list, json!({ "client": a })).await;
        let waiting = at["scheduledMessageBlasts"]["nodes"][0].clone();
        assert_eq!((&waiting["note_content"], &waiting["participant_ids"]), (&json!("News"), &json!([a])), "{at}");
        assert_eq!((&waiting["invitees_count"], &waiting["invitees"]), (&json!(1), &json!([{ "id": a }])));
        assert_eq!(w.run(&w.standard, list, json!({})).await["scheduledMessageBlasts"]["nodes"], json!([]));
        let change = async |actor, ids: Json| {
            let input = json!({ "id": waiting["id"], "participant_ids": ids });
            w.mutate(actor, "updateNoteScheduler", "noteScheduler { participant_ids }", input).await
        };
        assert_eq!(change(&w.standard, json!([b])).await["messages"][0]["message"], "Object not found");
        assert_eq!(change(&w.owner, json!([])).await["messages"][0]["field"], "participant_ids");
        let payload = change(&w.owner, json!([b])).await;
        assert_eq!(payload["noteScheduler"]["participant_ids"], json!([b]), "{payload}");
        let_time_pass(&w).await;
        run_due(&w.db).await.unwrap();
        let own = async |client: &str| {
            let of = w.as_client(client).await;
            inbox(&w, &of, json!({ "read": "unread" })).await["total_count"].clone()
        };
        assert_eq!((own(&a).await, own(&b).await), (json!(0), json!(1)));
        let payload = change(&w.owner, json!([a])).await;
        assert_eq!(payload["messages"][0]["message"], "The message was sent", "{payload}");
    })
    .await;
}
