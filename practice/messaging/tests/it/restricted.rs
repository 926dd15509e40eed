//! Restricted clients in conversations with others, through the front door.

use serde_json::{Value as Json, json};
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ACCESS_TO_MEMBERS_CHAT, CAN_ADD_MEMBERS_TO_CHAT, IS_ADMIN,
    SEES_ALL_CLIENTS,
};
use ward_messaging::sender::run_batch;
use ward_store::{Actor, Query, Sql};

use crate::conversations::{begin, begun, id};
use crate::support::World;

async fn change(w: &World, field: &str, selects: &str, input: Json) -> Json {
    let payload = w.mutate(&w.owner, field, selects, input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload
}

async fn restrict(w: &World, client: &str) {
    let input = json!({ "id": client, "restricted": true });
    change(w, "updateClient", "user { id }", input).await;
}

#[tokio::test]
async fn each_entry_of_the_audit_log_is_of_the_client_whom_it_names() {
    World::each(async |w| {
        let (a, b) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        restrict(&w, &b).await;
        let both = json!({ "simple_added_users": format!("{a},{b}") });
        let shared = begun(&w, &w.owner, both.clone()).await["id"].clone();
        // Taken out one after the other, and one for the other.
        for list in [&a, &b, &a] {
            let input = json!({ "id": shared, "simple_added_users": list });
            change(&w, "updateConversation", "conversation { id }", input).await;
        }
        let mut blast = both;
        blast["note"] = json!({ "content": "News" });
        change(&w, "createMessageBlast", "message", blast).await;
        while run_batch(&w.db).await.unwrap() > 0 {}
        // What auditLog does not serve yet is held to its predicate all the same.
        let parts = "SELECT m.user_id, e.subject_id FROM audit_events e \
             JOIN conversation_memberships m ON CAST(m.id AS TEXT) = e.resource_id \
             JOIN users u ON u.id = m.user_id \
             WHERE e.resource_name = 'CONVERSATION_MEMBERSHIP' AND u.is_patient = TRUE";
        let recipients = "SELECT u.id, e.subject_id FROM audit_events e \
             JOIN users u ON e.resource_id LIKE '%' || CAST(u.id AS TEXT) \
             WHERE e.resource_name = 'NOTE_RECIPIENT' AND u.is_patient = TRUE";
        for (sql, at_least) in [(parts, 9), (recipients, 4)] {
            let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
            let named: Vec<_> = rows.iter().map(|row| (row[0].int(), row[1].int())).collect();
            assert!(named.len() >= at_least, "{named:?}");
            assert!(named.iter().all(|(client, subject)| client == subject), "{named:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_conversation_of_several_is_never_without_its_owner() {
    World::each(async |w| {
        let (a, b) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let group = change(&w, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].clone();
        let into = async |client: &str, group: Json| {
            let input = json!({ "id": client, "user_group_id": group });
            change(&w, "updateClient", "user { id }", input).await;
        };
        into(&a, group.clone()).await;
        let may = w.with(&w.standard, &[SEES_ALL_CLIENTS, ALLOW_GROUP_LEVEL_ACTIONS]);
        let list = format!("group-{}", group.as_str().unwrap());
        let made = begun(&w, &may, json!({ "simple_added_users": list })).await["id"].clone();
        let query = "query($id: ID) { conversation(id: $id) { invitees { id } } }";
        let seen = async || {
            let at = w.run(&may, query, json!({ "id": made })).await;
            at["conversation"]["invitees"].clone()
        };
        // A restricted client joins the group; a client of it becomes one.
        restrict(&w, &b).await;
        into(&b, group.clone()).await;
        assert_eq!(seen().await, json!([{ "id": a }]));
        let c = w.client("Cy", "c@example.com").await;
        into(&c, group.clone()).await;
        assert_eq!(seen().await, json!([{ "id": a }, { "id": c }]));
        restrict(&w, &c).await;
        assert_eq!(seen().await, json!([{ "id": a }]));
        // Nor does a colleague who sees the client put them there.
        let both = json!({ "id": made, "simple_added_users": format!("{list},{b}") });
        let payload = w.mutate(&w.owner, "updateConversation", "conversation { id }", both).await;
        assert_eq!(payload["messages"][0]["field"], "simple_added_users", "{payload}");
        // Where the owner sees them, they take part.
        let own = begun(&w, &w.owner, json!({ "simple_added_users": format!("{a},{b}") })).await;
        assert_eq!(own["conversation_memberships_count"], 3);
    })
    .await;
}

#[tokio::test]
async fn a_colleagues_conversation_opens_no_client_to_them() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let both = [CAN_ACCESS_TO_MEMBERS_CHAT, CAN_ADD_MEMBERS_TO_CHAT];
        let (one, two) = (w.with(&w.owner, &both[..1]), w.with(&w.owner, &both));
        let for_colleague = |owner: &Actor, content: &str| {
            json!({ "owner_id": id(owner), "simple_added_users": a, "note": { "content": content } })
        };
        let refused = async |actor: &Actor, input: Json| {
            let payload = begin(&w, actor, input).await;
            assert!(payload["conversation"].is_null(), "{payload}");
            payload["messages"][0]["field"].clone()
        };
        // One flag is not enough, nor are both for who does not see the client.
        assert_eq!(refused(&one, for_colleague(&w.standard, "")).await, "base");
        assert_eq!(refused(&two, for_colleague(&w.standard, "")).await, "simple_added_users");
        let team = json!({ "id": a, "other_provider_ids": [id(&w.standard)] });
        change(&w, "updateClient", "user { id }", team).await;
        assert_eq!(refused(&one, for_colleague(&w.standard, "")).await, "base");
        begun(&w, &two, for_colleague(&w.standard, "")).await;
        // The first message is written for the owner as any later one is: the
        // client's primary provider may, whoever does not care for them may not.
        begun(&w, &two, for_colleague(&w.standard, "Hi")).await;
        let other = w.with(&w.support, &[both[0], both[1], SEES_ALL_CLIENTS]);
        assert_eq!(refused(&other, for_colleague(&w.standard, "Hi")).await, "base");
        let admin = w.with(&w.support, &[both[0], both[1], SEES_ALL_CLIENTS, IS_ADMIN]);
        begun(&w, &admin, for_colleague(&w.standard, "Hi")).await;
    })
    .await;
}
