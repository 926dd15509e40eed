//! Who may ask whom for what, and what is said of what is wrong (behaviour 16.3, 28).

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_SEE_CLIENTS};

use crate::filled::told;
use crate::flows::form;
use crate::support::World;

#[tokio::test]
async fn who_may_ask_whom_for_what() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let ada = w.client("Ada", "ada@example.com").await;
        let group = w.group_of("New", &[&ada]).await;
        let ask = |whom: Json| json!({ "form": history, "recipient_ids": whom });
        let sees = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        let made = w.request(&sees, ask(json!([ada]))).await;
        assert!(made["messages"].is_null(), "{made}");
        let whole = json!([format!("group-{group}")]);
        let denied = w.request(&sees, ask(whole.clone())).await;
        assert!(!denied["messages"].is_null(), "{denied}");
        let acts = w.with(&w.standard, &[ALLOW_GROUP_LEVEL_ACTIONS]);
        let unseen = w.request(&acts, ask(json!([ada]))).await;
        assert_eq!(told(&unseen)[0].0, "recipient_ids", "{unseen}");
        // Another practice finds nobody, and nothing.
        let elsewhere = w.request(&w.stranger, ask(json!([ada]))).await;
        assert_eq!(told(&elsewhere)[0].0, "form", "{elsewhere}");
        let me = w.as_client(&ada).await;
        let own = w.request(&me, ask(json!([ada]))).await;
        assert!(own["requestedFormCompletionStatus"].is_null(), "{own}");
        let nothing = "query($u: ID) { requestedFormCompletions(user_id: $u) { total_count } }";
        for actor in [&acts, &w.stranger] {
            let read = w.run(actor, nothing, json!({ "u": ada })).await;
            assert_eq!(read["requestedFormCompletions"]["total_count"], 0, "{read}");
        }
        // A recurring form of whom one does not see is not there.
        let daily = json!({ "form": history, "recipient_id": ada, "is_recurring": true,
            "frequency": "Daily" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        let list = "{ recurringForms { nodes { id } } }";
        let row = w.run(&w.owner, list, json!({})).await["recurringForms"]["nodes"][0].clone();
        for (actor, seen) in [(&sees, 1), (&acts, 0), (&w.stranger, 0), (&me, 0)] {
            let read = w.run(actor, list, json!({})).await;
            assert_eq!(read["recurringForms"]["nodes"].as_array().unwrap().len(), seen, "{read}");
        }
        let input = json!({ "id": row["id"], "is_active": false });
        let selects = "recurringForm { id }";
        let unseen = w.mutate(&acts, "updateRecurringForm", selects, input).await;
        assert_eq!(told(&unseen)[0].0, "id", "{unseen}");
        // Who sees one, of a group, names nobody there whom they don't see.
        let daily = json!({ "form": history, "recipient_ids": whole, "is_recurring": true,
            "frequency": "Daily" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        let row = w.run(&acts, list, json!({})).await["recurringForms"]["nodes"][0].clone();
        let input = json!({ "id": row["id"], "recipient_ids": [ada] });
        let unseen = w.mutate(&acts, "updateRecurringForm", selects, input).await;
        assert_eq!(told(&unseen)[0].0, "recipient_ids", "{unseen}");
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_where_it_is() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let note = w.form(&w.owner, json!({ "name": "Note", "use_for_charting": true })).await;
        let empty = w.form(&w.owner, json!({ "name": "Empty" })).await;
        let ada = w.client("Ada", "ada@example.com").await;
        let daily = |more: Json| {
            let mut input = json!({ "form": history, "recipient_id": ada, "is_recurring": true,
                "frequency": "Daily" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (input, field) in [
            (json!({ "recipient_id": ada }), "custom_module_form_id"),
            (json!({ "form": "", "recipient_id": ada }), "form"),
            (json!({ "form": "billing_info", "recipient_id": ada }), "form"),
            (json!({ "form": note, "recipient_id": ada }), "form"),
            (json!({ "form": empty, "recipient_id": ada }), "form"),
            (
                json!({ "form": history, "custom_module_form_id": note, "recipient_id": ada }),
                "custom_module_form_id",
            ),
            (json!({ "form": history }), "recipient_ids"),
            (json!({ "form": history, "recipient_ids": [] }), "recipient_ids"),
            (json!({ "form": history, "recipient_ids": ["nobody"] }), "recipient_ids"),
            (
                json!({ "form": history, "recipient_id": w.owner.user_id.to_string() }),
                "recipient_id",
            ),
            (json!({ "form": history, "recipient_id": ada, "metadata": "{" }), "metadata"),
            (daily(json!({ "frequency": "Hourly" })), "frequency"),
            (daily(json!({ "hour": "25" })), "hour"),
            (daily(json!({ "recurrence_ends": true })), "ends_on"),
            (daily(json!({ "ends_on": "someday" })), "ends_on"),
            (daily(json!({ "ends_on": "9999-12-31" })), "ends_on"),
            (daily(json!({ "ends_on": "2001-01-01" })), "ends_on"),
            (daily(json!({ "frequency": "Weekly", "weekday": "x".repeat(100_000) })), "weekday"),
        ] {
            let refused = w.request(&w.owner, input.clone()).await;
            let problems = told(&refused);
            assert_eq!(problems.first().map(|it| it.0.as_str()), Some(field), "{refused}");
        }
        let far = w.request(&w.owner, daily(json!({ "ends_on": "9998-12-31" }))).await;
        assert_eq!(far["requestedFormCompletionStatus"]["status"], "Success", "{far}");
        let wrong = "{ requestedFormCompletions(status: \"Lost\") { total_count } }";
        let wrong = w.run_in(ViewId::V2026, &w.owner, wrong, json!({})).await;
        assert!(wrong["errors"][0]["message"].as_str().unwrap().contains("Open"), "{wrong}");
        assert!(w.statuses(&ada).await.is_empty() && w.request_events().await.is_empty());
    })
    .await;
}
