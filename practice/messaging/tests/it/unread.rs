//! What everybody has read: each their own (DOM-34).

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_messaging::notices::{KINDS, run_batch};
use ward_store::Actor;

use crate::conversations::{begun, id, inbox};
use crate::notices::{awake, sent, settle};
use crate::support::World;

const PART: &str =
    "conversation_membership { id viewed archived creator { id unread_convo_count } }";

async fn mark(w: &World, actor: &Actor, part: &Json, input: Json) -> Json {
    let mut input = input;
    input["id"] = part.clone();
    w.mutate(actor, "updateConversationMembership", PART, input).await
}

#[tokio::test]
async fn a_message_is_unread_for_everybody_else() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&a).await;
        let own = inbox(&w, &w.owner, json!({})).await["nodes"][0].clone();
        assert_eq!(own["viewed"], true, "nothing is unread where nothing is written");
        let conversation = own["conversation_id"].clone();
        let note = w.note(&ada, json!({ "conversation_id": conversation, "content": "Hi" })).await;
        let note = note["note"]["id"].clone();
        let unread = inbox(&w, &w.owner, json!({ "read": "unread" })).await;
        assert_eq!((&unread["total_count"], &unread["nodes"][0]["viewed"]), (&json!(1), &json!(false)));
        assert_eq!(unread["nodes"][0]["creator"]["unread_convo_count"], 1);
        assert_eq!(inbox(&w, &ada, json!({ "read": "unread" })).await["total_count"], 0);
        let seen = "query($id: ID, $viewer: ID) { noteViewedStatus(id: $id) note(id: $id) { viewed(viewer_id: $viewer) } }";
        let arguments = json!({ "id": note, "viewer": id(&w.owner) });
        let before = w.run(&ada, seen, arguments.clone()).await;
        assert_eq!(before, json!({ "noteViewedStatus": false, "note": { "viewed": false } }));
        let payload = mark(&w, &w.owner, &own["id"], json!({ "viewed": true })).await;
        let part = &payload["conversation_membership"];
        assert_eq!((&part["viewed"], &part["creator"]["unread_convo_count"]), (&json!(true), &json!(0)), "{payload}");
        assert_eq!(w.events().await.last().unwrap(), "conversation_membership.viewed []");
        let after = w.run(&ada, seen, arguments).await;
        assert_eq!(after, json!({ "noteViewedStatus": true, "note": { "viewed": true } }));
        let query = "query($id: ID) { conversation(id: $id) { last_note_viewed_id current_user_conversation_membership { viewed } } }";
        let at = w.run(&w.owner, query, json!({ "id": conversation })).await;
        assert_eq!(at["conversation"]["last_note_viewed_id"], note);
        // Marked unread again, by choice.
        mark(&w, &w.owner, &own["id"], json!({ "viewed": false })).await;
        let count = "{ currentUserNotificationsCount { id conversation_notification_count } }";
        let at = w.run_in(ViewId::Baseline, &w.owner, count, json!({})).await;
        let expected = json!({ "id": id(&w.owner), "conversation_notification_count": 1 });
        assert_eq!(at["data"]["currentUserNotificationsCount"], expected, "{at}");
    })
    .await;
}

#[tokio::test]
async fn what_is_put_away_comes_back_with_a_new_message() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&a).await;
        let own = inbox(&w, &w.owner, json!({})).await["nodes"][0].clone();
        let payload = mark(&w, &w.owner, &own["id"], json!({ "archived": true })).await;
        assert_eq!(payload["conversation_membership"]["archived"], true, "{payload}");
        let counts = "{ conversationMembershipsAllCounts { active_count archived_count closed_count scheduled_count } }";
        let at = w.run(&w.owner, counts, json!({})).await["conversationMembershipsAllCounts"].clone();
        assert_eq!(at, json!({ "active_count": 0, "archived_count": 1, "closed_count": 0, "scheduled_count": 0 }));
        assert_eq!(inbox(&w, &w.owner, json!({ "status": "archived" })).await["total_count"], 1);
        assert_eq!(inbox(&w, &ada, json!({})).await["total_count"], 1, "for the owner only");
        // A client is told of their own part, whomever they ask about.
        let with = inbox(&w, &ada, json!({ "provider": id(&w.owner) })).await;
        assert_eq!((&with["nodes"][0]["user_id"], &with["nodes"][0]["archived"]), (&json!(a), &json!(false)), "{with}");
        let put_away = json!({ "provider": id(&w.owner), "status": "archived" });
        assert_eq!(inbox(&w, &ada, put_away).await["total_count"], 0);
        assert_eq!(inbox(&w, &ada, json!({ "provider": id(&w.standard) })).await["total_count"], 0);
        let part = "query($id: ID) { conversationMembership(conversation_membership_id: $id) { archived viewed } }";
        let of_owner = json!({ "id": own["id"] });
        let seen = w.run(&ada, part, of_owner.clone()).await["conversationMembership"].clone();
        assert_eq!(seen, json!({ "archived": false, "viewed": true }));
        let seen = w.run(&w.owner, part, of_owner).await["conversationMembership"].clone();
        assert_eq!(seen["archived"], true);
        w.note(&ada, json!({ "conversation_id": own["conversation_id"], "content": "Hi" })).await;
        let back = inbox(&w, &w.owner, json!({})).await;
        assert_eq!((&back["total_count"], &back["nodes"][0]["archived"]), (&json!(1), &json!(false)));
    })
    .await;
}

#[tokio::test]
async fn nobody_marks_anothers_part() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let ada = w.as_client(&a).await;
        let own = inbox(&w, &ada, json!({})).await["nodes"][0]["id"].clone();
        for other in [&w.owner, &w.standard, &w.stranger] {
            let payload = mark(&w, other, &own, json!({ "viewed": true })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        }
        // Nor takes anybody out without taking part; the owner stays.
        let out = async |actor, user: Json| {
            let input = json!({ "conversation_id": made["id"], "user_id": user });
            w.mutate(actor, "deleteConversationMembership", "conversationMembership { id }", input)
                .await
        };
        assert_eq!(out(&ada, json!(id(&w.owner))).await["messages"][0]["field"], "base");
        assert_eq!(out(&w.standard, json!(a)).await["messages"][0]["field"], "conversation_id");
        let payload = out(&w.owner, json!(id(&w.owner))).await;
        assert_eq!(payload["messages"][0]["field"], "user_id", "{payload}");
        assert!(out(&w.owner, json!(a)).await["messages"].is_null());
        assert_eq!(out(&w.owner, json!(a)).await["messages"][0]["message"], "Object not found");
    })
    .await;
}

#[tokio::test]
async fn who_has_died_is_told_of_no_message() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        awake(&w, &w.as_client(&a).await).await;
        let kin = json!({ "user_id": a, "first_name": "Cy", "email": "cy@example.com",
            "copy_notifications": true });
        w.mutate(&w.owner, "createNotificationContact", "notificationContact { id }", kin).await;
        let talk = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let write = async |text: &str| {
            w.note(&w.owner, json!({ "conversation_id": talk["id"], "content": text })).await
        };
        let died = async |on: Json| {
            let input = json!({ "id": a, "deceased_on": on });
            let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            assert!(done["messages"].is_null(), "{done}");
        };
        // Written before, and planned; and since.
        write("Hello").await;
        while run_batch(&w.db, KINDS).await.unwrap() > 0 {}
        died(json!("2026-01-05")).await;
        write("Are you there?").await;
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new());
        died(Json::Null).await;
        write("There you are").await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["contact_message email", "new_message email"]);
    })
    .await;
}
