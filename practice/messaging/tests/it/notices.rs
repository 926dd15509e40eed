//! What people are told, when and by which way, through the front door and on the
//! instance's clock.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_messaging::notices::{self, KINDS};
use ward_store::{Actor, Query, Sql, Value};

use crate::conversations::{begun, id, inbox};
use crate::support::World;

/// Tells what is due now, and what waits only for its time.
pub async fn settle(w: &World) {
    while notices::run_batch(&w.db, KINDS).await.unwrap() > 0 {}
    for sql in [
        "UPDATE reminders SET due_at = created_at",
        "UPDATE jobs SET visible_at = created_at WHERE kind = 'remind'",
    ] {
        w.execute(Sql::fixed(sql, [])).await;
    }
    while notices::run_batch(&w.db, KINDS).await.unwrap() > 0 {}
}

/// Kind and class of what was wanted outside, besides account mail, in order.
pub async fn sent(w: &World) -> Vec<String> {
    let sql = Sql::fixed(
        "SELECT kind, class FROM effect_intents WHERE class <> 'account_mail' \
         ORDER BY created_at, kind, class",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    let text = |row: &[Value], at: usize| row[at].text().unwrap().to_owned();
    rows.iter().map(|row| format!("{} {}", text(row, 0), text(row, 1))).collect()
}

async fn choose(w: &World, actor: &Actor, input: Json) -> Json {
    let selects = "notificationSetting { id send_message_emails send_message_sms \
        quiet_hours_start quiet_hours_end }";
    w.mutate(actor, "updateNotificationSetting", selects, input).await
}

/// Without quiet hours, whatever the hour of the test.
pub async fn awake(w: &World, actor: &Actor) {
    let input = json!({ "quiet_hours_start": "00:00", "quiet_hours_end": "00:00" });
    assert!(choose(w, actor, input).await["messages"].is_null());
}

const FEED: &str = "{ notifications { total_count nodes { id type message seen read creator_user_name other_party { id } other_party_id user_id } } }";

async fn feed(w: &World, actor: &Actor) -> Json {
    w.run(actor, FEED, json!({})).await["notifications"].clone()
}

#[tokio::test]
async fn an_unread_message_is_told_once_and_without_a_word_of_it() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        awake(&w, &ada).await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        let write = async |text: &str| {
            w.note(&w.owner, json!({ "conversation_id": made["id"], "content": text })).await
        };
        write("pregnancy test").await;
        write("another").await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["new_message email"]);
        let rows = w
            .rows::<ward_store::system::EffectRow>(ward_store::Cond::eq("kind", "new_message"))
            .await;
        assert_eq!(rows[0].to_sealed, "ada@example.com");
        assert!(!rows[0].payload.contains("pregnancy"), "{}", rows[0].payload);
        let at = feed(&w, &ada).await;
        assert_eq!(at["total_count"], 1, "{at}");
        let told = &at["nodes"][0];
        assert_eq!(
            (&told["type"], &told["seen"], &told["read"]),
            (&json!("message"), &json!(false), &json!("false"))
        );
        assert_eq!(
            (&told["other_party_id"], &told["creator_user_name"]),
            (&json!(id(&w.owner)), &json!("Olive Staffson")),
            "{at}"
        );
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 1, "nothing new, nothing told");
        write("a third").await;
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 2);
        assert_eq!(feed(&w, &ada).await["total_count"], 1, "one not seen tells of all");
    })
    .await;
}

#[tokio::test]
async fn what_was_read_meanwhile_is_not_told() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        awake(&w, &ada).await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        while notices::run_batch(&w.db, KINDS).await.unwrap() > 0 {}
        let part = inbox(&w, &ada, json!({ "read": "unread" })).await["nodes"][0]["id"].clone();
        let input = json!({ "id": part, "viewed": true });
        w.mutate(&ada, "updateConversationMembership", "conversation_membership { id }", input)
            .await;
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new());
        let at = feed(&w, &ada).await;
        assert_eq!(
            (&at["nodes"][0]["seen"], &at["nodes"][0]["read"]),
            (&json!(true), &json!("true")),
            "{at}"
        );
        // Nor what was taken back, nor to who was archived since.
        let note =
            w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Oh" })).await;
        w.mutate(&w.owner, "deleteNote", "note { id }", json!({ "id": note["note"]["id"] })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new());
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "So" })).await;
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": a, "active": false }))
            .await;
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn people_say_what_they_want_to_be_told() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        let query = "query($id: ID) { notificationSetting(id: $id) { id send_message_emails send_message_sms quiet_hours_start quiet_hours_end } user(id: $id) { notification_setting { id } } }";
        let at = w.run(&ada, query, json!({ "id": a })).await;
        let usual = json!({ "id": a, "send_message_emails": true, "send_message_sms": false,
            "quiet_hours_start": "21:00", "quiet_hours_end": "08:00" });
        assert_eq!(at["notificationSetting"], usual);
        assert_eq!(at["user"]["notification_setting"]["id"], json!(a));
        // Staff for their clients; nobody for a colleague, a stranger for nobody.
        let payload = choose(&w, &w.owner, json!({ "id": a, "send_message_emails": false })).await;
        assert_eq!(payload["notificationSetting"]["send_message_emails"], false, "{payload}");
        for (actor, of) in [(&w.owner, id(&w.standard)), (&w.stranger, a.clone()), (&ada, id(&w.owner))] {
            let payload = choose(&w, actor, json!({ "id": of, "send_message_emails": true })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
            let at = w.run(actor, "query($id: ID) { notificationSetting(id: $id) { id } }", json!({ "id": of })).await;
            assert!(at["notificationSetting"].is_null(), "{at}");
        }
        let payload = choose(&w, &ada, json!({ "quiet_hours_start": "25:00" })).await;
        assert_eq!(payload["messages"][0]["field"], "quiet_hours_start", "{payload}");
        awake(&w, &ada).await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new(), "switched off");
        let events = w.events().await;
        assert!(events.contains(&"notification_setting.created []".to_owned()), "{events:?}");
        assert!(events.contains(&"notification_setting.updated []".to_owned()), "{events:?}");
        // An SMS is for who asked for one and has a number.
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": a, "phone_number": "+1 202 555 0100" })).await;
        choose(&w, &ada, json!({ "send_message_sms": true })).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["new_message sms"]);
        // Who opted out by the number gets no more until they ask again.
        w.execute(Sql::fixed("UPDATE effect_intents SET outcome = 'opted_out'", [])).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 1);
        choose(&w, &ada, json!({ "send_message_sms": true })).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn quiet_hours_hold_notices_and_make_one_of_them() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        // All of the day but its last minute before midnight, in a zone where it is noon.
        let hour = (w.instance.now().as_seconds() / 3_600) % 24;
        let zone = format!("Etc/GMT{:+}", (hour - 12).clamp(-14, 12));
        w.mutate(&ada, "updateUser", "user { id }", json!({ "id": a, "timezone": zone })).await;
        choose(&w, &ada, json!({ "quiet_hours_start": "00:00", "quiet_hours_end": "23:59" })).await;
        let one = begun(&w, &w.owner, json!({ "simple_added_users": a, "name": "One" })).await;
        let two = begun(&w, &w.owner, json!({ "simple_added_users": a, "name": "Two" })).await;
        for conversation in [&one, &two] {
            w.note(&w.owner, json!({ "conversation_id": conversation["id"], "content": "Hi" }))
                .await;
        }
        settle(&w).await;
        assert_eq!(sent(&w).await, Vec::<String>::new());
        let rows =
            w.rows::<ward_messaging::notices::tables::Reminder>(ward_store::Cond::Always).await;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].due_at, rows[1].due_at, "both are held until the same moment");
        assert!(rows[0].due_at > w.instance.now());
        awake(&w, &ada).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["new_message email"], "one of several conversations");
        assert!(
            w.rows::<ward_messaging::notices::tables::Reminder>(ward_store::Cond::Always)
                .await
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn a_mail_has_a_way_out() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        awake(&w, &ada).await;
        let rows = w.rows::<ward_messaging::notices::tables::NotificationSetting>(ward_store::Cond::Always).await;
        let uuid = rows[0].unsubscribe_uuid.0.clone();
        let nobody = Actor::anonymous();
        let out = async |input: Json| {
            w.mutate(&nobody, "unsubscribeFromNotification", "notificationSettingUpdated", input).await
        };
        for (input, field) in [
            (json!({ "notification_setting_uuid": "x" }), "notification_setting_uuid"),
            (json!({ "notification_setting_uuid": uuid, "user_id": id(&w.owner) }), "notification_setting_uuid"),
            (json!({ "notification_setting_uuid": uuid, "type_of_notification": "x" }), "type_of_notification"),
        ] {
            assert_eq!(out(input).await["messages"][0]["field"], field);
        }
        let payload = out(json!({ "notification_setting_uuid": uuid, "type_of_notification": "messages" })).await;
        assert_eq!(payload["notificationSettingUpdated"], true, "{payload}");
        let query = "{ notificationSetting { send_message_emails send_group_message_emails send_message_sms send_goal_reminder_email } }";
        let at = w.run(&ada, query, json!({})).await;
        assert_eq!(at["notificationSetting"], json!({ "send_message_emails": false,
            "send_group_message_emails": false, "send_message_sms": false, "send_goal_reminder_email": true }));
    })
    .await;
}

#[tokio::test]
async fn members_are_told_of_clients_who_are_theirs_now() {
    World::each(async |w| {
        awake(&w, &w.standard).await;
        w.client("Own", "own@example.com").await;
        assert_eq!(feed(&w, &w.owner).await["total_count"], 0, "not of what one did oneself");
        let input = json!({ "first_name": "Ada", "last_name": "Client", "email": "ada@example.com",
            "dietitian_id": id(&w.standard) });
        let made = w.mutate(&w.owner, "createClient", "user { id }", input).await;
        let a = made["user"]["id"].clone();
        let at = feed(&w, &w.standard).await;
        assert_eq!(at["total_count"], 1, "{at}");
        let told = &at["nodes"][0];
        assert_eq!(
            (&told["type"], &told["other_party"]["id"]),
            (&json!("client_created"), &a),
            "{at}"
        );
        settle(&w).await;
        assert_eq!(sent(&w).await, ["client_created email"]);
        // Given away before it was said.
        let give = async |to: &Actor| {
            w.mutate(
                &w.owner,
                "updateClient",
                "user { id }",
                json!({ "id": a, "dietitian_id": id(to) }),
            )
            .await
        };
        give(&w.support).await;
        give(&w.owner).await;
        settle(&w).await;
        assert_eq!(sent(&w).await.len(), 1);
        assert_eq!(
            feed(&w, &w.support).await["total_count"],
            0,
            "who does not see the client any more"
        );
        give(&w.standard).await;
        settle(&w).await;
        assert_eq!(sent(&w).await, ["client_created email", "client_assigned email"]);
        let at = feed(&w, &w.standard).await;
        assert_eq!(
            (&at["total_count"], &at["nodes"][0]["type"]),
            (&json!(2), &json!("client_assigned")),
            "{at}"
        );
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": a, "active": false }))
            .await;
        assert_eq!(feed(&w, &w.standard).await["total_count"], 0, "archived clients are hidden");
    })
    .await;
}

#[tokio::test]
async fn notifications_are_each_ones_own_to_mark() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        let own = inbox(&w, &w.owner, json!({})).await["nodes"][0].clone();
        w.note(&ada, json!({ "conversation_id": own["conversation_id"], "content": "Hi" })).await;
        settle(&w).await;
        let at = feed(&w, &w.owner).await["nodes"][0].clone();
        assert_eq!((&at["other_party_id"], &at["creator_user_name"]), (&json!(a), &json!("Ada Client")));
        let mark = async |actor: &Actor, field: &str, input: Json| {
            let selects = match field {
                "updateNotification" => "notification { seen read } currentUser { id unseen_notifications_count unread_notifications_count unseen_note_notification_count }",
                _ => "notifications { id seen } current_user { id unseen_notifications_count }",
            };
            let query = match field {
                "updateNotification" => format!("mutation($input: updateNotificationInput) {{ updateNotification(input: $input) {{ {selects} messages {{ message }} }} }}"),
                _ => format!("mutation($input: bulkUpdateNotificationsInput) {{ updateNotifications(input: $input) {{ {selects} messages {{ message }} }} }}"),
            };
            w.run_in(ViewId::V2026, actor, &query, json!({ "input": input })).await["data"][field].clone()
        };
        for other in [&ada, &w.standard, &w.stranger] {
            let payload = mark(other, "updateNotification", json!({ "id": at["id"], "seen": true })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
            let payload = mark(other, "updateNotifications", json!({ "notification_ids": [at["id"]], "seen": true })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{payload}");
            mark(other, "updateNotifications", json!({ "updateAllNotifications": true, "seen": true })).await;
        }
        let payload = mark(&w.owner, "updateNotification", json!({ "id": at["id"], "read": true })).await;
        assert_eq!(payload["notification"], json!({ "seen": false, "read": "true" }), "{payload}");
        let counts = json!({ "id": id(&w.owner), "unseen_notifications_count": 1,
            "unread_notifications_count": 0, "unseen_note_notification_count": 1 });
        assert_eq!(payload["currentUser"], counts);
        let payload = mark(&w.owner, "updateNotifications", json!({ "updateAllNotifications": true, "seen": true })).await;
        assert_eq!(payload["notifications"], json!([{ "id": at["id"], "seen": true }]), "{payload}");
        assert_eq!(payload["current_user"]["unseen_notifications_count"], 0);
        let count = "query($seen: Boolean, $types: [String]) { notificationCount(seen_status: $seen, types: $types) }";
        for (arguments, wanted) in [
            (json!({ "seen": true }), 1),
            (json!({ "seen": false }), 0),
            (json!({ "types": ["message"] }), 1),
            (json!({ "types": ["client_created"] }), 0),
        ] {
            let at = w.run_in(ViewId::Baseline, &w.owner, count, arguments).await;
            assert_eq!(at["data"]["notificationCount"], wanted, "{at}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_is_on_record() {
    World::each(async |w| {
        let a = w.client("Ada", "ada@example.com").await;
        let ada = w.as_client(&a).await;
        awake(&w, &ada).await;
        let made = begun(&w, &w.owner, json!({ "simple_added_users": a })).await;
        w.note(&w.owner, json!({ "conversation_id": made["id"], "content": "Hi" })).await;
        settle(&w).await;
        assert!(w.events().await.contains(&"sent_notification_record.created []".to_owned()));
        let list = "query($client: ID, $status: String, $type: String) { sentNotificationRecords(patient_id: $client, status: $status, type: $type) { nodes { id user_id category delivery_status notification_type notification_description } } }";
        let records = async |actor: &Actor, arguments: Json| {
            w.run(actor, list, arguments).await["sentNotificationRecords"]["nodes"].clone()
        };
        let at = records(&w.owner, json!({ "client": a })).await;
        assert_eq!((&at[0]["user_id"], &at[0]["category"], &at[0]["delivery_status"]), (&json!(a), &json!("email"), &json!("sent")), "{at}");
        assert_eq!((&at[0]["notification_type"], &at[0]["notification_description"]), (&json!("new_message"), &json!("A message was not read yet")));
        assert_eq!(records(&w.owner, json!({})).await, at, "of one's own clients");
        assert_eq!(records(&ada, json!({})).await, at, "a client's own");
        for other in [&w.standard, &w.stranger] {
            assert_eq!(records(other, json!({ "client": a })).await, json!([]));
            assert_eq!(records(other, json!({})).await, json!([]));
        }
        assert_eq!(records(&w.owner, json!({ "type": "sms" })).await, json!([]));
        assert_eq!(records(&w.owner, json!({ "status": "bounced" })).await, json!([]));
        w.execute(Sql::fixed("UPDATE effect_intents SET outcome = 'bounced'", [])).await;
        assert_eq!(records(&w.owner, json!({ "status": "bounced" })).await[0]["delivery_status"], "bounced");
        let unseen = "query($id: ID) { user(id: $id) { unseen_sent_notification_records_count } }";
        let count = async || w.run(&w.owner, unseen, json!({ "id": a })).await["user"]["unseen_sent_notification_records_count"].clone();
        assert_eq!(count().await, 1);
        let note_it = async |actor: &Actor| {
            let query = "mutation($input: bulkUpdateNotificationRecordsInput) { updateNotificationRecords(input: $input) { success_string messages { message } } }";
            let input = json!({ "input": { "user_id": a, "viewed_bounced_records": true } });
            w.run_in(ViewId::V2026, actor, query, input).await["data"]["updateNotificationRecords"].clone()
        };
        assert_eq!(note_it(&w.standard).await["messages"][0]["message"], "Object not found");
        assert!(!note_it(&ada).await["messages"].is_null());
        assert_eq!(count().await, 1);
        assert_eq!(note_it(&w.owner).await["success_string"], "success");
        assert_eq!(count().await, 0);
    })
    .await;
}
