//! Conversations through the front door: who begins them, who takes part, who
//! sees them.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ACCESS_TO_MEMBERS_CHAT, CAN_ADD_MEMBERS_TO_CHAT, IS_ADMIN,
    SEES_ALL_CLIENTS,
};
use ward_store::Actor;

use crate::support::World;

pub const CONVERSATION: &str = "conversation { id name owner { id } patient_id dietitian_id \
    includes_multiple_clients conversation_memberships_count closed_date closed_by { id } metadata \
    is_hidden_for_client invitees { id } first_four_invitees { id } user_groups { id } \
    community_chat_prefix last_message_content }";

pub async fn begin(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "createConversation", CONVERSATION, input).await
}

pub async fn begun(w: &World, actor: &Actor, input: Json) -> Json {
    let payload = begin(w, actor, input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload["conversation"].clone()
}

const INBOX: &str = "query($client: String, $provider: ID, $status: String, $read: String, $type: String, $words: String) {
    conversationMemberships(client_id: $client, provider_id: $provider, active_status: $status,
        read_status: $read, conversation_type: $type, keywords: $words) {
        total_count nodes { id viewed archived display_name display_other_user_name
            display_other_user_first_name user_list_as_display_name conversation_role display_avatar
            conversation_id user_id creator { id unread_convo_count } convo { id } } } }";

pub async fn inbox(w: &World, actor: &Actor, arguments: Json) -> Json {
    w.run(actor, INBOX, arguments).await["conversationMemberships"].clone()
}

pub fn id(of: &Actor) -> String {
    of.user_id.to_string()
}

#[tokio::test]
async fn a_new_client_has_a_conversation_with_the_primary_provider_and_the_care_team() {
    World::each(async |w| {
        let input = json!({ "first_name": "Ada", "last_name": "Client", "email": "ada@example.com",
            "other_provider_ids": [id(&w.standard)] });
        let made = w.mutate(&w.owner, "createClient", "user { id }", input).await;
        let client = made["user"]["id"].as_str().unwrap();
        let ada = w.as_client(client).await;
        // Stan's flag makes one for the care team.
        let own = inbox(&w, &ada, json!({})).await;
        assert_eq!(own["total_count"], 2, "{own}");
        let names: Vec<&str> = own["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|it| it["display_name"].as_str())
            .collect();
        assert!(names.contains(&"Olive Staffson") && names.contains(&"Stan Staffson"), "{own}");
        let of_owner = inbox(&w, &w.owner, json!({})).await;
        assert_eq!(of_owner["nodes"][0]["display_name"], "Ada Client", "{of_owner}");
        assert_eq!(of_owner["nodes"][0]["conversation_role"], "owner");
        assert_eq!(of_owner["total_count"], 1);
        let events = w.events().await;
        let expected = [
            "conversation.created []",
            "conversation_membership.created []",
            "conversation_membership.created []",
        ];
        assert_eq!(events, [expected, expected].concat());
        // Assigned anew, nothing is made twice.
        for provider in [id(&w.standard), id(&w.owner)] {
            let input = json!({ "id": client, "dietitian_id": provider });
            let payload = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        assert_eq!(inbox(&w, &ada, json!({})).await["total_count"], 2);
    })
    .await;
}

#[tokio::test]
async fn participants_are_a_complete_list() {
    World::each(async |w| {
        let (a, b) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let input = json!({ "simple_added_users": format!("user-{a}"), "name": " Plan ",
            "metadata": { "k": [1] } });
        let made = begun(&w, &w.owner, input).await;
        assert_eq!((&made["name"], &made["patient_id"]), (&json!("Plan"), &json!(a)));
        assert_eq!(made["dietitian_id"], json!(id(&w.owner)));
        assert_eq!(
            (&made["metadata"], &made["conversation_memberships_count"]),
            (&json!({ "k": [1] }), &json!(2))
        );
        assert_eq!(
            (&made["includes_multiple_clients"], &made["community_chat_prefix"]),
            (&json!(false), &Json::Null)
        );
        let change =
            async |input: Json| w.mutate(&w.owner, "updateConversation", CONVERSATION, input).await;
        let list = format!("user-{b},{a}");
        let payload = change(json!({ "id": made["id"], "simple_added_users": list })).await;
        let both = &payload["conversation"];
        assert_eq!(both["conversation_memberships_count"], 3, "{payload}");
        assert_eq!(
            (&both["patient_id"], &both["includes_multiple_clients"]),
            (&Json::Null, &json!(true))
        );
        let payload = change(json!({ "id": made["id"], "simple_added_users": b })).await;
        let one = &payload["conversation"];
        assert_eq!(
            (&one["patient_id"], &one["invitees"]),
            (&json!(b), &json!([{ "id": b }])),
            "{payload}"
        );
        // Who is out sees nothing of it any more.
        let ada = w.as_client(&a).await;
        let query = "query($id: ID) { conversation(id: $id) { id } }";
        assert!(w.run(&ada, query, json!({ "id": made["id"] })).await["conversation"].is_null());
        let events = w.events().await;
        assert_eq!(events.last().unwrap(), r#"conversation.updated ["invitees"]"#);
        assert!(events.contains(&"conversation_membership.deleted []".to_owned()));
        let payload = change(json!({ "id": made["id"], "name": "" })).await;
        assert_eq!(payload["conversation"]["name"], "Bo Client", "{payload}");
        let long = "x".repeat(2_001);
        let payload = change(json!({ "id": made["id"], "metadata": long })).await;
        assert_eq!(payload["messages"][0]["field"], "metadata", "{payload}");
    })
    .await;
}

#[tokio::test]
async fn what_is_closed_takes_no_messages_until_it_is_opened() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let close = async |by: Json| {
            let input = json!({ "id": made["id"], "closed_by_id": by });
            w.mutate(&w.owner, "updateConversation", CONVERSATION, input).await
        };
        let payload = close(json!(id(&w.standard))).await;
        assert_eq!(payload["messages"][0]["message"], "Closed by must be yourself", "{payload}");
        let payload = close(json!(id(&w.owner))).await;
        assert_eq!(payload["conversation"]["closed_by"]["id"], json!(id(&w.owner)), "{payload}");
        assert!(payload["conversation"]["closed_date"].is_string());
        assert_eq!(
            w.events().await.last().unwrap(),
            r#"conversation.updated ["closed_date","closed_by"]"#
        );
        let input = json!({ "conversation_id": made["id"], "content": "Hi" });
        let note = w.note(&w.owner, input.clone()).await;
        assert_eq!(note["messages"][0]["message"], "The conversation is closed", "{note}");
        let closed = inbox(&w, &w.owner, json!({ "status": "closed" })).await;
        assert_eq!(
            (&closed["total_count"], &closed["nodes"][0]["conversation_id"]),
            (&json!(1), &made["id"])
        );
        assert!(close(Json::Null).await["conversation"]["closed_by"].is_null());
        assert!(w.note(&w.owner, input).await["messages"].is_null());
    })
    .await;
}

#[tokio::test]
async fn groups_take_part_as_a_whole_and_follow_their_clients() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let group = w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].as_str().unwrap().to_owned();
        let into = async |client: &str, group: Json| {
            let input = json!({ "id": client, "user_group_id": group });
            w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        };
        into(&a, json!(group)).await;
        let input = json!({ "simple_added_users": format!("group-{group}") });
        let plain = w.with(&w.owner, &[SEES_ALL_CLIENTS]);
        let payload = begin(&w, &plain, input.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let may = w.with(&w.owner, &[SEES_ALL_CLIENTS, ALLOW_GROUP_LEVEL_ACTIONS]);
        let made = begun(&w, &may, input).await;
        assert_eq!(made["user_groups"], json!([{ "id": group }]));
        assert_eq!(made["conversation_memberships_count"], 2);
        into(&b, json!(group)).await;
        let query = "query($id: ID) { conversation(id: $id) { conversation_memberships_count includes_multiple_clients } conversationMembershipInvitees(id: $id) { nodes { user_id } } }";
        let at = w.run(&w.owner, query, json!({ "id": made["id"] })).await;
        assert_eq!(at["conversation"], json!({ "conversation_memberships_count": 3, "includes_multiple_clients": true }));
        assert_eq!(at["conversationMembershipInvitees"]["nodes"], json!([{ "user_id": a }, { "user_id": b }]));
        into(&a, json!("")).await;
        let at = w.run(&w.owner, query, json!({ "id": made["id"] })).await;
        assert_eq!(at["conversationMembershipInvitees"]["nodes"], json!([{ "user_id": b }]));
        // An archived client leaves what several share, and no other conversation.
        into(&a, json!(group)).await;
        let archive = json!({ "id": b, "active": false });
        w.mutate(&w.owner, "updateClient", "user { id }", archive).await;
        let bo = w.as_client(&b).await;
        assert_eq!(inbox(&w, &bo, json!({})).await["total_count"], 1);
        let input = json!({ "conversation_id": made["id"], "group_id": group });
        let payload = w.mutate(&w.owner, "deleteConversationMembership", "conversationMembership { user_id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let at = w.run(&w.owner, query, json!({ "id": made["id"] })).await;
        assert_eq!(at["conversation"]["conversation_memberships_count"], 1);
    })
    .await;
}

#[tokio::test]
async fn others_conversations_are_read_by_flag_and_never_of_clients_who_are_not_seen() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(
            &w,
            &w.owner,
            json!({ "simple_added_users": a, "note": { "content": "secret" } }),
        )
        .await;
        assert_eq!(made["last_message_content"], "secret");
        let query = "query($id: ID) { conversation(id: $id) { id notes { content } } }";
        let sees = async |actor: &Actor| {
            let at = w.run(actor, query, json!({ "id": made["id"] })).await;
            !at["conversation"].is_null()
        };
        let reader = w.with(&w.standard, &[CAN_ACCESS_TO_MEMBERS_CHAT]);
        assert!(!sees(&w.standard).await && !sees(&w.stranger).await);
        assert!(!sees(&reader).await, "the flag opens no client");
        let reader = w.with(&w.standard, &[CAN_ACCESS_TO_MEMBERS_CHAT, SEES_ALL_CLIENTS]);
        assert!(sees(&reader).await);
        let ada = w.as_client(&a).await;
        assert!(sees(&ada).await);
        let branch = w.branch().await;
        assert!(!sees(&branch).await);
        // Restricted, the client's conversations are nobody's who does not see the client.
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": a, "restricted": true }))
            .await;
        assert!(!sees(&reader).await && sees(&w.owner).await && sees(&ada).await);
        // Reading is not writing: who takes no part says in whose conversation they write.
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": a, "restricted": false }))
            .await;
        let input = json!({ "conversation_id": made["id"], "content": "Hi" });
        let note = w.note(&reader, input.clone()).await;
        assert_eq!(note["messages"][0]["field"], "conversation_id", "{note}");
        let mut org_chat = input.clone();
        org_chat["org_chat"] = json!(true);
        assert_eq!(w.note(&reader, org_chat.clone()).await["messages"][0]["field"], "base");
        let team = json!({ "id": a, "other_provider_ids": [id(&w.standard)] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let note = w.note(&reader, org_chat).await;
        assert_eq!(note["note"]["on_behalf_user"]["id"], json!(id(&w.owner)), "{note}");
        assert_eq!(note["note"]["creator"]["id"], json!(id(&w.standard)));
        // A member can't be made to have said something.
        let mut forged = input.clone();
        forged["user_id"] = json!(id(&w.owner));
        assert_eq!(w.note(&reader, forged.clone()).await["messages"][0]["field"], "base");
        let admin = w.with(&w.standard, &[CAN_ACCESS_TO_MEMBERS_CHAT, SEES_ALL_CLIENTS, IS_ADMIN]);
        let note = w.note(&admin, forged).await;
        assert_eq!(note["note"]["user_id"], json!(id(&w.standard)), "{note}");
        let mut as_client = input;
        as_client["user_id"] = json!(a);
        assert_eq!(w.note(&admin, as_client).await["messages"][0]["field"], "user_id");
    })
    .await;
}

#[tokio::test]
async fn clients_begin_conversations_with_members_who_take_them() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let ada = w.as_client(&a).await;
        let team = json!({ "id": a, "other_provider_ids": [id(&w.standard)] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let with =
            |who: String| json!({ "simple_added_users": who, "note": { "content": "Hello" } });
        // Whom a client does not see is not found; the owner holds every flag.
        for unseen in [b.clone(), id(&w.support)] {
            let payload = begin(&w, &ada, with(unseen)).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        }
        begun(&w, &ada, with(id(&w.standard))).await;
        let made = begun(&w, &ada, with(id(&w.owner))).await;
        assert_eq!((&made["patient_id"], &made["dietitian_id"]), (&json!(a), &json!(id(&w.owner))));
        assert!(made["metadata"].is_null());
        // Switched off, neither begins nor writes, nor writes anew what was sent.
        let input = json!({ "conversation_id": made["id"], "content": "Before" });
        let note = w.note(&ada, input).await["note"]["id"].clone();
        let toggle = json!({ "user_id": a, "allow_direct_chat": false });
        let off = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", toggle).await;
        assert!(off["messages"].is_null(), "{off}");
        for named in [id(&w.owner), format!("user-{},user-{a}", id(&w.owner))] {
            assert_eq!(begin(&w, &ada, with(named)).await["messages"][0]["field"], "base");
        }
        let input = json!({ "conversation_id": made["id"], "content": "Hi" });
        assert_eq!(w.note(&ada, input).await["messages"][0]["field"], "base");
        let input = json!({ "id": note, "content": "Hi" });
        let payload = w.mutate(&ada, "updateNote", "note { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let none = begin(&w, &ada, json!({ "simple_added_users": "" })).await;
        assert_eq!(none["messages"][0]["field"], "simple_added_users", "{none}");
    })
    .await;
}

#[tokio::test]
async fn colleagues_are_added_by_flag_and_owners_are_nobodys_to_claim() {
    World::each(async |w| {
        let plain = w.with(&w.standard, &[]);
        let input = json!({ "simple_added_users": id(&w.owner) });
        let payload = begin(&w, &plain, input.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let may = w.with(&w.standard, &[CAN_ADD_MEMBERS_TO_CHAT]);
        let made = begun(&w, &may, input.clone()).await;
        assert_eq!(
            (&made["is_hidden_for_client"], &made["patient_id"]),
            (&json!(true), &Json::Null)
        );
        assert_eq!(made["name"], "Olive Staffson");
        let mut owned = input;
        owned["owner_id"] = json!(id(&w.support));
        let payload = begin(&w, &may, owned.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let both = w.with(&w.standard, &[CAN_ADD_MEMBERS_TO_CHAT, CAN_ACCESS_TO_MEMBERS_CHAT]);
        let made = begun(&w, &both, owned).await;
        assert_eq!(made["owner"]["id"], json!(id(&w.support)));
        // Not of another practice, and not of nobody: the two are told alike.
        for id in [id(&w.stranger), "4000".to_owned()] {
            let payload = begin(&w, &both, json!({ "simple_added_users": id })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_are_narrowed_by_their_arguments_in_both_views() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        begun(&w, &w.owner, json!({ "simple_added_users": format!("{a},{b}"), "name": "Walkers" })).await;
        let count = async |arguments: Json| inbox(&w, &w.owner, arguments).await["total_count"].clone();
        assert_eq!(count(json!({})).await, 3);
        assert_eq!(count(json!({ "type": "community" })).await, 1);
        assert_eq!(count(json!({ "type": "individual" })).await, 2);
        assert_eq!(count(json!({ "words": "walk" })).await, 1);
        assert_eq!(count(json!({ "words": "ada client" })).await, 2);
        assert_eq!(count(json!({ "words": "%" })).await, 0);
        // A client's; of nobody's, the caller's own.
        let of_ada = inbox(&w, &w.owner, json!({ "client": a })).await;
        assert_eq!((&of_ada["total_count"], &of_ada["nodes"][0]["user_id"]), (&json!(2), &json!(a)));
        for nobody in ["x".to_owned(), id(&w.stranger)] {
            let own = inbox(&w, &w.owner, json!({ "client": nobody })).await;
            assert_eq!(own["nodes"][0]["user_id"], json!(id(&w.owner)), "{own}");
        }
        let both = count(json!({ "client": a, "provider": id(&w.owner) })).await;
        assert_eq!(both, 2);
        let query = "{ conversationMembershipsCount(conversation_type: \"community\") conversationsCount(keywords: \"walkers\")
            conversations { id name } notesCount conversationMemberships(order_by: CONVERSATION_CREATED_AT_ASC, page_size: 1) { cursor display_name created_at } }";
        let old = w.run_in(ViewId::Baseline, &w.owner, query, json!({})).await["data"].clone();
        assert_eq!((&old["conversationMembershipsCount"], &old["conversationsCount"]), (&json!(1), &json!(1)), "{old}");
        assert_eq!(old["conversationMemberships"][0]["display_name"], "Ada Client");
        assert_eq!(old["conversations"].as_array().unwrap().len(), 3);
        // A client sees another client in a shared conversation by the first name only.
        let ada = w.as_client(&a).await;
        let shared = inbox(&w, &ada, json!({ "type": "community" })).await;
        assert_eq!(shared["nodes"][0]["user_list_as_display_name"], "Olive Staffson, Bo C", "{shared}");
    })
    .await;
}

#[tokio::test]
async fn clients_who_are_merged_are_one_in_their_conversations() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let shared = begun(&w, &w.owner, json!({ "simple_added_users": format!("{a},{b}") })).await;
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let payload = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let bo = w.as_client(&b).await;
        assert_eq!(inbox(&w, &bo, json!({})).await["total_count"], 3);
        let query = "query($id: ID) { conversation(id: $id) { patient_id includes_multiple_clients conversation_memberships_count } }";
        let at = w.run(&w.owner, query, json!({ "id": shared["id"] })).await;
        let one = json!({ "patient_id": b, "includes_multiple_clients": false, "conversation_memberships_count": 2 });
        assert_eq!(at["conversation"], one);
    })
    .await;
}

#[tokio::test]
async fn the_older_fields_name_the_same_people() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let made = begun(&w, &w.owner, json!({ "patient_id": a })).await;
        assert_eq!((&made["patient_id"], &made["name"]), (&json!(a), &json!("Ada Client")));
        let added = json!([{ "label": "Ada", "value": format!("user-{a}") }]);
        let input = json!({ "added_users": added, "dietitian_id": id(&w.owner) });
        assert_eq!(begun(&w, &w.owner, input).await["invitees"], json!([{ "id": a }]));
    })
    .await;
}
