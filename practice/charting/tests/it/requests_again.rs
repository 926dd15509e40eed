//! What is asked of many, and what is asked again and again (behaviour 28).

use serde_json::json;
use ward_charting::request::tables::RecurringFormRecipient;
use ward_engine::ViewId;
use ward_store::Cond;

use crate::filled::told;
use crate::flows::form;
use crate::support::World;

#[tokio::test]
async fn many_are_asked_a_few_at_a_time_and_each_once() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let mut ids = Vec::new();
        for n in 0..27 {
            ids.push(w.client("Cee", &format!("c{n}@example.com")).await);
        }
        let members: Vec<&str> = ids[1..].iter().map(String::as_str).collect();
        let group = w.group_of("Many", &members).await;
        let whom = json!([ids[0], ids[1], format!("group-{group}")]);
        let input = json!({ "form": history, "recipient_ids": whom });
        let made = w.request(&w.owner, input).await;
        assert_eq!(made["requestedFormCompletionStatus"]["status"], "Success", "{made}");
        assert!(made["requestedFormCompletion"].is_null(), "{made}");
        assert_eq!(w.request_events().await.len(), 25, "the first at once");
        w.come(0).await;
        for id in &ids {
            assert_eq!(w.statuses(id).await, ["Open"]);
        }
        assert_eq!(w.request_events().await.len(), 27);
        let left: Vec<RecurringFormRecipient> = w.rows(Cond::Always).await;
        assert!(left.is_empty(), "whom it was asked once: {left:?}");
        let none = w.run(&w.owner, "{ recurringForms { total_count } }", json!({})).await;
        assert_eq!(none["recurringForms"]["total_count"], 0, "it was asked once");
        // The baseline view names them in a text.
        let query = "mutation($input: createRequestedFormInput) { \
            createRequestedFormCompletion(input: $input) { requestedFormCompletionStatus { status } \
            messages { message } } }";
        let whom = format!("{},user-{}", ids[0], ids[1]);
        let input = json!({ "input": { "form": history, "recipient_ids": whom } });
        let made = w.run_in(ViewId::Baseline, &w.owner, query, input).await;
        assert!(made["data"]["createRequestedFormCompletion"]["messages"].is_null(), "{made}");
        assert_eq!(w.statuses(&ids[1]).await, ["Open", "Open"]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_back_is_asked_once_each_time_until_it_ends() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let ada = w.client("Ada", "ada@example.com").await;
        let bob = w.client("Bob", "bob@example.com").await;
        let group = w.group_of("Weekly", &[&bob]).await;
        let input = json!({ "form": history, "recipient_ids": [ada, format!("group-{group}")],
            "is_recurring": true, "frequency": "Weekly", "weekday": "Tuesday, Monday", "hour": "11",
            "minute": "12", "period": "PM" });
        let made = w.request(&w.owner, input).await;
        assert!(made["messages"].is_null(), "{made}");
        assert!(w.statuses(&ada).await.is_empty(), "it is not due yet");
        let shown = "id interval interval_type form_id form_type is_active recurrence_end_at user_id \
            users { id } userGroups { id } users_and_groups \
            has_connected_recipient(connectable_id: $g, connectable_type: \"UserGroup\")";
        let list = format!(
            "query($g: ID, $c: String) {{ recurringForms(connectable_id: $c) {{ nodes {{ {shown} }} }} }}"
        );
        let read = w.run(&w.owner, &list, json!({ "g": group, "c": group })).await;
        let row = read["recurringForms"]["nodes"][0].clone();
        assert_eq!((&row["interval"], &row["interval_type"]), (&json!("Monday, Tuesday"), &json!("Weekly")));
        assert_eq!((&row["form_id"], &row["form_type"]), (&json!(history), &json!("cmf")));
        assert_eq!(row["users_and_groups"], json!([ada, format!("group-{group}")]));
        assert_eq!(row["users"], json!([{ "id": ada }]));
        assert_eq!(row["has_connected_recipient"], true);
        let groups = "query($id: ID) { userGroup(id: $id) { recurring_forms_count \
            recurring_forms { id } } }";
        let groups = w.run(&w.owner, groups, json!({ "id": group })).await;
        assert_eq!(groups["userGroup"]["recurring_forms_count"], 1, "{groups}");
        // However often it is said to be due, one time is asked once.
        for _ in 0..3 {
            w.come(0).await;
        }
        assert_eq!(w.statuses(&ada).await, ["Open"]);
        assert_eq!(w.statuses(&bob).await, ["Open"]);
        w.come(1).await;
        assert_eq!(w.statuses(&bob).await, ["Open", "Open"]);
        let of = "{ requestedFormCompletions { nodes { recurring_form { id } } } }";
        let of = w.run(&w.owner, of, json!({})).await;
        let first = &of["requestedFormCompletions"]["nodes"][0];
        assert_eq!(first["recurring_form"]["id"], row["id"], "{of}");
        // Another rhythm and other people; it rests, and ends.
        let input = json!({ "id": row["id"], "frequency": "Monthly", "monthday": "31",
            "recipient_ids": [format!("group-{group}")] });
        let selects = "recurringForm { interval users_and_groups }";
        let changed = w.mutate(&w.owner, "updateRecurringForm", selects, input).await;
        let wanted = json!({ "interval": "31st", "users_and_groups": [format!("group-{group}")] });
        assert_eq!(changed["recurringForm"], wanted, "{changed}");
        w.come(2).await;
        assert_eq!((w.statuses(&ada).await.len(), w.statuses(&bob).await.len()), (2, 3));
        let input = json!({ "id": row["id"], "is_active": false });
        let rests = w.mutate(&w.owner, "updateRecurringForm", "recurringForm { is_active }", input);
        assert_eq!(rests.await["recurringForm"]["is_active"], false);
        w.come(3).await;
        assert_eq!(w.statuses(&bob).await.len(), 3);
        let delete = ("deleteRecurringForm", "destroyRecurringFormInput");
        let input = json!({ "id": row["id"], "connectable_id": ada, "connectable_type": "User" });
        let absent = w.send(&w.owner, delete, input).await;
        assert_eq!(told(&absent)[0].0, "connectable_id", "{absent}");
        let input = json!({ "id": row["id"], "connectable_id": group });
        let gone = w.send(&w.owner, delete, input).await;
        assert_eq!(gone["recurringForm"]["id"], row["id"], "{gone}");
        let none = w.run(&w.owner, "{ recurringForms { total_count } }", json!({})).await;
        assert_eq!(none["recurringForms"]["total_count"], 0, "the last recipient ended it");
    })
    .await;
}

#[tokio::test]
async fn who_has_died_is_asked_nothing() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let ada = w.client("Ada", "ada@example.com").await;
        let bob = w.client("Bob", "bob@example.com").await;
        let daily = json!({ "form": history, "recipient_ids": [ada, bob], "is_recurring": true,
            "frequency": "Daily" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        w.come(0).await;
        let died = async |on: &str| {
            let input = json!({ "id": ada, "deceased_on": on });
            let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            assert!(done["messages"].is_null(), "{done}");
        };
        died("2026-01-05").await;
        w.come(1).await;
        assert_eq!((w.statuses(&ada).await.len(), w.statuses(&bob).await.len()), (1, 2));
        for whom in [json!({ "recipient_id": ada }), json!({ "recipient_ids": [bob, ada] })] {
            let mut input = json!({ "form": history });
            input.as_object_mut().unwrap().extend(whom.as_object().unwrap().clone());
            let refused = w.request(&w.owner, input).await;
            assert!(told(&refused)[0].1.contains("has died"), "{refused}");
        }
        died("").await;
        w.come(2).await;
        assert_eq!((w.statuses(&ada).await.len(), w.statuses(&bob).await.len()), (2, 3));
    })
    .await;
}

#[tokio::test]
async fn requests_of_forms_that_nobody_can_fill_in_wait_for_nobody_and_merges_take_them_along() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let (consent, agree) = form(&w, "Consent").await;
        let ada = w.client("Ada", "ada@example.com").await;
        let twin = w.client("Ada", "twin@example.com").await;
        let request = w.asked(&history, &twin).await;
        let archive = |is_archived: bool| json!({ "id": history, "is_archived": is_archived });
        let selects = "customModuleForm { id }";
        w.mutate(&w.owner, "updateCustomModuleForm", selects, archive(true)).await;
        let waits = "query($u: ID!) { hasFormsToComplete(user_id: $u) }";
        let read = w.run(&w.owner, waits, json!({ "u": twin })).await;
        assert_eq!(read["hasFormsToComplete"], false, "{read}");
        w.mutate(&w.owner, "updateCustomModuleForm", selects, archive(false)).await;
        let read = w.run(&w.owner, waits, json!({ "u": twin })).await;
        assert_eq!(read["hasFormsToComplete"], true, "{read}");
        // Both are asked the same again and again.
        let daily = json!({ "form": consent, "recipient_ids": [ada, twin], "is_recurring": true,
            "frequency": "Daily" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        w.come(0).await;
        // The one who is merged has done it, the one who stays has not.
        let me = w.as_client(&twin).await;
        let answers = json!([{ "custom_module_id": agree, "answer": "Yes" }]);
        let whole = json!({ "custom_module_form_id": consent, "finished": true,
            "form_answers": answers });
        assert!(w.fill(&me, whole).await["messages"].is_null());
        let input = json!({ "ids": [ada, twin], "target_user_id": ada });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        let all = w.requests(&w.owner, &ada).await;
        assert_eq!(all.len(), 2, "one of each: {all:?}");
        assert!(all.iter().any(|it| it["id"] == *request), "{all:?}");
        assert!(all.iter().any(|it| it["status"] == "Completed"), "what was done is done: {all:?}");
        w.come(1).await;
        assert_eq!(w.statuses(&ada).await.len(), 3, "asked once, as one client");
        // By keywords and status.
        let query = "query($u: ID!) { requestedFormCompletions(user_id: $u, keywords: \"hist\", \
            status: \"open\") { nodes { id } } }";
        let read = w.run(&w.owner, query, json!({ "u": ada })).await;
        assert_eq!(read["requestedFormCompletions"]["nodes"], json!([{ "id": request }]), "{read}");
    })
    .await;
}
