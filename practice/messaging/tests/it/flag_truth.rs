//! SEC-03: each flag that governs messaging, flipped alone: denied without it,
//! allowed with it.

use serde_json::json;
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ACCESS_TO_MEMBERS_CHAT, CAN_ADD_MEMBERS_TO_CHAT, IS_ADMIN,
    SEES_ALL_CLIENTS,
};
use ward_store::{Actor, Sql};

use crate::conversations::{begin, begun, id, inbox};
use crate::support::World;

/// The stored flags of a member, which who assigns them has no part in.
async fn lay(w: &World, member: &Actor, flag: &str, held: bool) {
    let mut sql = Sql::new();
    sql.push("UPDATE organization_memberships SET ").push(flag).push(" = ").bind(held);
    sql.push(" WHERE user_id = ").bind(member.user_id);
    w.execute(sql).await;
}

#[tokio::test]
async fn flags_of_whoever_acts() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let base = [SEES_ALL_CLIENTS];
        let without = w.with(&w.standard, &base);
        let with = |flag| w.with(&w.standard, &[SEES_ALL_CLIENTS, flag]);
        let reads = async |actor: &Actor| {
            let query = "query($id: ID) { conversation(id: $id) { id } }";
            !w.run(actor, query, json!({ "id": made["id"] })).await["conversation"].is_null()
        };
        assert!(!reads(&without).await);
        assert!(reads(&with(CAN_ACCESS_TO_MEMBERS_CHAT)).await);
        let adds = async |actor: &Actor| {
            let list = format!("user-{a},user-{}", id(&w.support));
            begin(&w, actor, json!({ "simple_added_users": list })).await["messages"].is_null()
        };
        assert!(!adds(&without).await);
        assert!(adds(&with(CAN_ADD_MEMBERS_TO_CHAT)).await);
        let all = async |actor: &Actor| {
            begin(&w, actor, json!({ "select_all_status": "active" })).await["messages"].is_null()
        };
        assert!(!all(&without).await);
        assert!(all(&with(ALLOW_GROUP_LEVEL_ACTIONS)).await);
        // Reading others' conversations is not changing them.
        let renames = async |actor: &Actor| {
            let input = json!({ "id": made["id"], "name": "New" });
            let payload = w.mutate(actor, "updateConversation", "conversation { id }", input).await;
            payload["messages"].is_null()
        };
        let reader = with(CAN_ACCESS_TO_MEMBERS_CHAT);
        let admin = w.with(&reader, &[SEES_ALL_CLIENTS, CAN_ACCESS_TO_MEMBERS_CHAT, IS_ADMIN]);
        assert!(!renames(&reader).await);
        assert!(renames(&admin).await);
    })
    .await;
}

#[tokio::test]
async fn flags_of_whom_clients_are_given_to() {
    World::each(async |w| {
        let mut known = 0;
        for held in [false, true] {
            lay(&w, &w.standard, "auto_create_convo_for_care_team", held).await;
            let email = format!("team{held}@example.com");
            let client = w.client("Team", &email).await;
            let team = json!({ "id": client, "other_provider_ids": [id(&w.standard)] });
            let payload = w.mutate(&w.owner, "updateClient", "user { id }", team).await;
            assert!(payload["messages"].is_null(), "{payload}");
            known += i64::from(held);
            assert_eq!(inbox(&w, &w.standard, json!({})).await["total_count"], known, "{held}");
        }
        for held in [false, true] {
            lay(&w, &w.standard, "create_chat_when_assigned", held).await;
            let email = format!("assigned{held}@example.com");
            let client = w.client("Given", &email).await;
            let given = json!({ "id": client, "dietitian_id": id(&w.standard) });
            let payload = w.mutate(&w.owner, "updateClient", "user { id }", given).await;
            assert!(payload["messages"].is_null(), "{payload}");
            known += i64::from(held);
            assert_eq!(inbox(&w, &w.standard, json!({})).await["total_count"], known, "{held}");
        }
        let client = w.client("Asks", "asks@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [id(&w.standard)] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let own = w.as_client(&client).await;
        for held in [false, true] {
            lay(&w, &w.standard, "start_conversation_with", held).await;
            let payload = begin(&w, &own, json!({ "simple_added_users": id(&w.standard) })).await;
            assert_eq!(payload["messages"].is_null(), held, "{payload}");
            let sentence = "You can't begin a conversation with this person";
            assert!(held || payload["messages"][0]["message"] == sentence, "{payload}");
        }
    })
    .await;
}
