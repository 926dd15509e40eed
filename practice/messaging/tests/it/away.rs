//! Members who are away, the first words to a new client, and contacts of clients.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_store::Actor;

use crate::conversations::{begun, id, inbox};
use crate::notices::{awake, sent, settle};
use crate::support::World;

const SETTING: &str = "chatSetting { id user_id content auto_welcome_text start_date send_auto_welcome receive_notifications hide_close_confirmation hide_org_chat_confirmation recurring_days_data { id day_ranges { days time_range } } }";

async fn create(w: &World, actor: &Actor, input: Json) -> Json {
    let query = format!(
        "mutation($input: createChatSettingInput) {{ createChatSetting(input: $input) {{ {SETTING} messages {{ field message }} }} }}"
    );
    w.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await["data"]["createChatSetting"].clone()
}

async fn update(w: &World, actor: &Actor, input: Json) -> Json {
    let query = format!(
        "mutation($input: updateChatSettingInput) {{ updateChatSetting(input: $input) {{ {SETTING} messages {{ field message }} }} }}"
    );
    w.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await["data"]["updateChatSetting"].clone()
}

const NOTES: &str = "query($id: ID) { notes(conversation_id: $id, order_by: CREATED_AT_ASC) { nodes { content is_autoresponse user_id } } }";

async fn notes(w: &World, actor: &Actor, conversation: &Json) -> Vec<Json> {
    let at = w.run(actor, NOTES, json!({ "id": conversation })).await;
    at["notes"]["nodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_member_has_one_setting_which_creating_again_changes() {
    World::each(async |w| {
        let first = create(&w, &w.owner, json!({ "content": "Back on Monday" })).await;
        let again = create(&w, &w.owner, json!({ "auto_welcome_text": "Hello" })).await;
        assert_eq!(first["chatSetting"]["id"], again["chatSetting"]["id"], "{again}");
        assert_eq!(again["chatSetting"]["content"], "Back on Monday", "{again}");
        assert_eq!(again["chatSetting"]["auto_welcome_text"], "Hello", "{again}");
    })
    .await;
}

#[tokio::test]
async fn who_is_away_answers_once() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        awake(&w, &w.owner).await;
        let conversation = inbox(&w, &w.owner, json!({})).await["nodes"][0]["conversation_id"].clone();
        let write = async |actor: &Actor, text: &str| {
            w.note(actor, json!({ "conversation_id": conversation, "content": text })).await
        };
        write(&ada, "Hi").await;
        assert_eq!(notes(&w, &ada, &conversation).await.len(), 1, "nobody is away");
        let input = json!({ "content": "I am <b>away</b><script>x</script>", "scheduled_turned_on": true,
            "receive_notifications": false, "start_date": "2020-01-01T00:00:00Z", "no_end_date": true });
        let made = create(&w, &w.owner, input).await;
        assert_eq!(made["chatSetting"]["content"], "I am <b>away</b>", "{made}");
        write(&w.owner, "still here").await;
        assert_eq!(notes(&w, &ada, &conversation).await.len(), 2, "one answers nobody but clients");
        write(&ada, "Hello?").await;
        write(&ada, "Hello!").await;
        let at = notes(&w, &ada, &conversation).await;
        assert_eq!(at.len(), 5, "one answer: {at:?}");
        let answers: Vec<&Json> = at.iter().filter(|it| it["is_autoresponse"] == true).collect();
        assert_eq!(answers.len(), 1);
        assert_eq!((&answers[0]["content"], &answers[0]["user_id"]), (&json!("I am <b>away</b>"), &json!(id(&w.owner))));
        assert_eq!(inbox(&w, &w.owner, json!({ "read": "unread" })).await["total_count"], 1, "who answers by themselves has read nothing");
        settle(&w).await;
        assert!(!sent(&w).await.iter().any(|it| it == "new_message email" ) || sent(&w).await.len() == 1, "only the client is told");
        let to: Vec<String> = w.rows::<ward_store::system::EffectRow>(ward_store::Cond::eq("kind", "new_message")).await
            .into_iter().map(|row| row.to_sealed).collect();
        assert!(!to.contains(&"owner@example.com".to_owned()), "who wants none while away: {to:?}");
        // Another absence, another answer; over, none.
        let again = json!({ "id": made["chatSetting"]["id"], "start_date": "2020-01-02T00:00:00Z" });
        update(&w, &w.owner, again).await;
        write(&ada, "And now?").await;
        assert_eq!(notes(&w, &ada, &conversation).await.len(), 7);
        let over = json!({ "id": made["chatSetting"]["id"], "no_end_date": false, "end_date": "2020-02-01T00:00:00Z" });
        update(&w, &w.owner, over).await;
        write(&ada, "Back?").await;
        assert_eq!(notes(&w, &ada, &conversation).await.len(), 8);
        // All of the week.
        let week = json!({ "id": made["chatSetting"]["id"], "recurring_turned_on": true, "recurring_content": "Weekly",
            "recurring_days_data": { "day_ranges": [{ "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], "time_range": "" }] } });
        let payload = update(&w, &w.owner, week).await;
        assert_eq!(payload["chatSetting"]["recurring_days_data"]["day_ranges"][0]["days"][0], "monday", "{payload}");
        write(&ada, "Today?").await;
        let at = notes(&w, &ada, &conversation).await;
        assert_eq!((at.len(), &at[9]["content"]), (10, &json!("Weekly")), "{at:?}");
    })
    .await;
}

#[tokio::test]
async fn chat_settings_are_each_members_own() {
    World::each(async |w| {
        let made = create(&w, &w.standard, json!({ "content": "Away" })).await;
        let setting = made["chatSetting"]["id"].clone();
        assert_eq!(made["chatSetting"]["user_id"], json!(id(&w.standard)), "{made}");
        assert_eq!(create(&w, &w.standard, json!({})).await["chatSetting"]["id"], setting);
        let query = "query($id: ID, $user: ID) { chatSetting(id: $id, user_id: $user) { id } }";
        let sees = async |actor: &Actor, arguments: Json| !w.run(actor, query, arguments).await["chatSetting"].is_null();
        assert!(sees(&w.standard, json!({})).await);
        let of = json!({ "user": id(&w.standard) });
        let a = w.client("Ada", "ada@example.com").await;
        let (ada, bare) = (w.as_client(&a).await, w.with(&w.support, &[]));
        for other in [&bare, &ada, &w.stranger] {
            assert!(!sees(other, of.clone()).await);
            assert!(!sees(other, json!({ "id": setting })).await);
            let payload = update(&w, other, json!({ "id": setting, "content": "x" })).await;
            assert!(payload["chatSetting"].is_null(), "{payload}");
            let payload = create(&w, other, json!({ "user_id": id(&w.owner) })).await;
            assert!(payload["chatSetting"].is_null(), "{payload}");
        }
        let editor = w.with(&w.support, &[CAN_EDIT_SETTINGS]);
        assert!(sees(&editor, of).await);
        let payload = update(&w, &editor, json!({ "id": setting, "content": "Gone" })).await;
        assert_eq!(payload["chatSetting"]["content"], "Gone", "{payload}");
        for (input, field) in [
            (json!({ "start_date": "soon" }), "start_date"),
            (json!({ "start_date": "2026-01-02", "end_date": "2026-01-01" }), "end_date"),
            (json!({ "recurring_days_data": { "day_ranges": [{ "days": ["someday"] }] } }), "recurring_days_data"),
            (json!({ "recurring_days_data": { "day_ranges": [{ "days": ["monday"], "time_range": "25:00-3" }] } }), "recurring_days_data"),
        ] {
            let mut input = input;
            input["id"] = setting.clone();
            assert_eq!(update(&w, &w.standard, input).await["messages"][0]["field"], field);
        }
        // Questions that one wants to be asked no more.
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let close = json!({ "id": made["id"], "hide_close_confirmation": true });
        w.mutate(&w.owner, "updateConversation", "conversation { id }", close).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi", "hide_org_chat_confirmation": true })).await;
        let query = "{ chatSetting { hide_close_confirmation hide_org_chat_confirmation } }";
        let at = w.run(&w.owner, query, json!({})).await;
        assert_eq!(at["chatSetting"], json!({ "hide_close_confirmation": true, "hide_org_chat_confirmation": true }));
    })
    .await;
}

#[tokio::test]
async fn a_new_client_is_welcomed() {
    World::each(async |w| {
        create(&w, &w.owner, json!({ "send_auto_welcome": true, "auto_welcome_text": "Welcome!" }))
            .await;
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        let own = inbox(&w, &ada, json!({ "read": "unread" })).await["nodes"][0]["conversation_id"]
            .clone();
        let at = notes(&w, &ada, &own).await;
        assert_eq!(
            (at.len(), &at[0]["content"], &at[0]["is_autoresponse"]),
            (1, &json!("Welcome!"), &json!(true)),
            "{at:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_contact_gets_a_copy_if_the_client_wishes() {
    World::each(async |w| {
        let (a, b) = (w.client("Ada", "ada@example.com").await, w.client("Bo", "bo@example.com").await);
        let ada = w.as_client(&a).await;
        awake(&w, &ada).await;
        const CONTACT: &str = "notificationContact { id user_id full_name email copy_notifications emergency relationship linked_client_id linked_client { id } }";
        let run = async |actor: &Actor, field: &str, input: Json| {
            let query = format!("mutation($input: {field}Input) {{ {field}(input: $input) {{ {CONTACT} messages {{ field message }} }} }}");
            w.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await["data"][field].clone()
        };
        let input = json!({ "first_name": "Mum", "last_name": "Client", "email": "Mum@example.com",
            "relationship": "mother", "copy_notifications": true, "emergency": true });
        let made = run(&ada, "createNotificationContact", input.clone()).await["notificationContact"].clone();
        assert_eq!((&made["user_id"], &made["full_name"], &made["email"]), (&json!(a), &json!("Mum Client"), &json!("mum@example.com")), "{made}");
        for (input, field) in [
            (json!({ "user_id": a }), "first_name"),
            (json!({ "user_id": a, "first_name": "X", "copy_notifications": true }), "email"),
            (json!({ "user_id": a, "first_name": "X", "email": "x" }), "email"),
            (json!({ "user_id": a, "linked_client_id": a }), "linked_client_id"),
            (json!({ "first_name": "X" }), "user_id"),
            (json!({ "user_id": a, "first_name": "X", "send_invitation": true }), "send_invitation"),
            (json!({ "user_id": id(&w.standard), "first_name": "X" }), "user_id"),
        ] {
            assert_eq!(run(&w.owner, "createNotificationContact", input).await["messages"][0]["field"], field);
        }
        for other in [&w.standard, &w.stranger, &w.as_client(&b).await] {
            let mut input = input.clone();
            input["user_id"] = json!(a);
            for (field, input) in [
                ("createNotificationContact", input),
                ("updateNotificationContact", json!({ "id": made["id"], "first_name": "X" })),
                ("deleteNotificationContact", json!({ "id": made["id"] })),
            ] {
                assert_eq!(run(other, field, input).await["messages"][0]["message"], "Object not found");
            }
        }
        let link = json!({ "user_id": a, "linked_client_id": b, "relationship": "brother", "send_invitation": true });
        let invited = async || w.rows::<ward_store::system::EffectRow>(ward_store::Cond::eq("kind", "welcome")).await.len();
        let before = invited().await;
        let linked = run(&w.owner, "createNotificationContact", link.clone()).await["notificationContact"].clone();
        assert_eq!(linked["linked_client"]["id"], json!(b), "{linked}");
        assert_eq!(invited().await, before + 1);
        assert!(run(&ada, "createNotificationContact", link).await["notificationContact"].is_null(), "clients link nobody");
        let query = "query($id: ID) { user(id: $id) { notification_contacts { id linked_client { id } } linked_relatives { id } } }";
        let at = w.run(&w.owner, query, json!({ "id": b })).await;
        assert_eq!(at["user"]["linked_relatives"], json!([{ "id": linked["id"] }]), "{at}");
        let at = w.run(&ada, query, json!({ "id": a })).await;
        assert_eq!(at["user"]["notification_contacts"].as_array().unwrap().len(), 2, "{at}");
        assert!(at["user"]["notification_contacts"][1]["linked_client"].is_null(), "who it is, is not the client's to read");
        let talk = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        w.note(&w.owner, json!({ "conversation_id": talk["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["contact_message email", "new_message email"]);
        let rows = w.rows::<ward_store::system::EffectRow>(ward_store::Cond::eq("kind", "contact_message")).await;
        assert_eq!(rows[0].to_sealed, "mum@example.com");
        assert!(!rows[0].payload.contains("Ada"), "{}", rows[0].payload);
        let payload = run(&ada, "updateNotificationContact", json!({ "id": made["id"], "copy_notifications": false })).await;
        assert_eq!(payload["notificationContact"]["copy_notifications"], false, "{payload}");
        assert!(run(&w.owner, "deleteNotificationContact", json!({ "id": linked["id"], "user_id": a })).await["messages"].is_null());
        let events = w.events().await;
        for name in ["notification_contact.created []", "notification_contact.deleted []"] {
            assert!(events.contains(&name.to_owned()), "{events:?}");
        }
        w.note(&w.owner, json!({ "conversation_id": talk["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 3, "no copy any more");
    })
    .await;
}
