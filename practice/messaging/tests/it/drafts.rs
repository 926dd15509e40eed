//! Messages that are not sent yet, through the front door.

use serde_json::{Value as Json, json};
use ward_store::{Actor, Query, Sql};

use crate::conversations::{begun, inbox};
use crate::support::World;

/// The caller's own part in a conversation.
async fn part(w: &World, actor: &Actor, conversation: &Json) -> String {
    let parts = inbox(w, actor, json!({})).await;
    let of = |it: &&Json| it["conversation_id"] == *conversation;
    let part = parts["nodes"].as_array().unwrap().iter().find(of);
    part.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn keep(w: &World, actor: &Actor, part: &str, content: &str) -> Json {
    let input = json!({ "conversation_membership_id": part, "content": content });
    w.mutate(actor, "createDraft", "draft { id content conversation_membership_id }", input).await
}

async fn read(w: &World, actor: &Actor, part: &str) -> Json {
    let query = "query($id: ID) { draft(conversation_membership_id: $id) { id content } }";
    w.run(actor, query, json!({ "id": part })).await["draft"].clone()
}

#[tokio::test]
async fn a_draft_is_ones_own_and_one_a_conversation() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let own = part(&w, &w.owner, &made["id"]).await;
        let theirs = part(&w, &ada, &made["id"]).await;
        let before = w.events().await;
        assert!(read(&w, &w.owner, &own).await.is_null());
        let first = keep(&w, &w.owner, &own, "<p>Dear Ada<script>x()</script></p>").await;
        assert!(first["messages"].is_null(), "{first}");
        assert_eq!(first["draft"]["content"], "<p>Dear Ada</p>");
        assert_eq!(first["draft"]["conversation_membership_id"], own.as_str());
        let second = keep(&w, &w.owner, &own, "Dear Ada, hello").await;
        assert_eq!(second["draft"]["id"], first["draft"]["id"], "{second}");
        assert_eq!(read(&w, &w.owner, &own).await["content"], "Dear Ada, hello");
        // Nobody reads, writes or removes somebody else's, who takes part or not.
        for other in [&ada, &w.standard, &w.stranger] {
            assert!(read(&w, other, &own).await.is_null());
            let kept = keep(&w, other, &own, "Mine").await;
            assert_eq!(kept["messages"][0]["field"], "conversation_membership_id", "{kept}");
            let input = json!({ "id": first["draft"]["id"] });
            let gone = w.mutate(other, "removeDraft", "draft { id }", input).await;
            assert_eq!(gone["messages"][0]["field"], "id", "{gone}");
        }
        let hers = keep(&w, &ada, &theirs, "Dear all").await;
        assert_ne!(hers["draft"]["id"], first["draft"]["id"]);
        assert_eq!(read(&w, &ada, &theirs).await["content"], "Dear all");
        // Nothing is told of what is not sent, and nothing is readable where it is kept.
        assert_eq!(w.events().await, before);
        let sql = Sql::fixed("SELECT content FROM drafts ORDER BY id", []);
        let stored = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        for row in stored.iter() {
            let bytes = row[0].bytes().expect("drafts are sealed");
            assert!(!bytes.windows(4).any(|it| it == b"Dear"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_draft_is_removed_by_its_author_and_goes_with_who_leaves() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let own = part(&w, &w.owner, &made["id"]).await;
        for blank in ["", "<p> </p>"] {
            let payload = keep(&w, &w.owner, &own, blank).await;
            assert_eq!(payload["messages"][0]["field"], "content", "{payload}");
        }
        let kept = keep(&w, &w.owner, &own, "Soon").await["draft"].clone();
        let input = json!({ "id": kept["id"] });
        let gone = w.mutate(&w.owner, "removeDraft", "draft { id }", input.clone()).await;
        assert!(gone["messages"].is_null(), "{gone}");
        assert!(read(&w, &w.owner, &own).await.is_null());
        let again = w.mutate(&w.owner, "removeDraft", "draft { id }", input).await;
        assert_eq!(again["messages"][0]["field"], "id", "{again}");
        let next = keep(&w, &w.owner, &own, "Later").await["draft"].clone();
        assert_ne!(next["id"], kept["id"]);
        let theirs = part(&w, &ada, &made["id"]).await;
        assert!(keep(&w, &ada, &theirs, "Wait").await["messages"].is_null());
        let input = json!({ "conversation_id": made["id"], "user_id": a });
        let left = "conversationMembership { id }";
        w.mutate(&w.owner, "deleteConversationMembership", left, input).await;
        assert!(read(&w, &ada, &theirs).await.is_null());
        let sql = Sql::fixed("SELECT COUNT(*) FROM drafts WHERE deleted_at IS NULL", []);
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        assert_eq!(rows.scalar().and_then(ward_store::Value::int), Some(1));
    })
    .await;
}
