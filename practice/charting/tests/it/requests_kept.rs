//! What becomes of requests as clients move, as drafts cross each other, and as whoever asks changes
//! or leaves (behaviour 15, 28).

use serde_json::json;
use ward_identity::flags::CAN_SEE_CLIENTS;
use ward_store::{Query, Sql, Value};

use crate::filled::told;
use crate::flows::form;
use crate::support::World;

impl World {
    /// How many requests wait for a client.
    async fn waiting(&self, client: &str) -> i64 {
        let query = "query($u: ID!) { user(id: $u) { requested_form_count } }";
        let read = self.run(&self.owner, query, json!({ "u": client })).await;
        read["user"]["requested_form_count"].as_i64().unwrap()
    }
}

#[tokio::test]
async fn who_looks_after_the_client_now_is_told_and_only_what_can_be_filled_in_waits() {
    World::each(async |w| {
        let brenda = w.branch().await;
        let ada = w.client("Ada", "ada@example.com").await;
        let (history, ill) = form(&w, "History").await;
        let (consent, _) = form(&w, "Consent").await;
        let taken_back = w.asked(&history, &ada).await;
        let request = w.asked(&history, &ada).await;
        w.asked(&consent, &ada).await;
        assert_eq!(w.waiting(&ada).await, 3);
        let of_branch = "UPDATE custom_module_forms SET unit_id = $1 WHERE id = $2";
        let id: i64 = consent.parse().unwrap();
        w.spoil(Sql::fixed(of_branch, [brenda.unit_id.into(), id.into()])).await;
        assert_eq!(w.waiting(&ada).await, 2, "a form of another unit");
        let moved = json!({ "id": ada, "dietitian_id": brenda.user_id.to_string() });
        let moved = w.mutate(&w.owner, "updateClient", "user { id }", moved).await;
        assert!(moved["messages"].is_null(), "{moved}");
        assert_eq!(w.waiting(&ada).await, 3, "a form of the client's unit, and those of the whole");
        let me = w.as_client(&ada).await;
        let answers = json!([{ "custom_module_id": ill, "answer": "Never" }]);
        let whole = json!({ "custom_module_form_id": history, "finished": true,
            "requested_form_completion_id": request, "form_answers": answers });
        let done = w.fill(&me, whole).await;
        assert!(done["messages"].is_null(), "{done}");
        let delete = ("deleteRequestedFormCompletion", "deleteRequestedFormInput");
        let gone = w.send(&w.owner, delete, json!({ "id": taken_back })).await;
        assert_eq!(gone["requestedFormCompletion"]["id"], *taken_back, "{gone}");
        assert_eq!(w.waiting(&ada).await, 1);
        let sql = Sql::fixed(
            "SELECT unit_id FROM events WHERE event_type IN ('requested_form_completion.updated', \
             'requested_form_completion.deleted')",
            [],
        );
        let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
        let units: Vec<_> = rows.iter().map(|row| row.first().and_then(Value::int)).collect();
        assert_eq!(units, [Some(brenda.unit_id), Some(brenda.unit_id)]);
    })
    .await;
}

#[tokio::test]
async fn either_of_two_drafts_completes_their_request() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let me = w.as_client(&ada).await;
        let (history, ill) = form(&w, "History").await;
        let request = w.asked(&history, &ada).await;
        let draft = json!({ "custom_module_form_id": history,
            "requested_form_completion_id": request });
        let mut drafts = Vec::new();
        for _ in 0..2 {
            let made = w.fill(&me, draft.clone()).await;
            assert!(made["messages"].is_null(), "{made}");
            drafts.push(made["form_answer_group"]["id"].clone());
        }
        assert_eq!(w.statuses(&ada).await, ["Incomplete"]);
        let answers = json!([{ "custom_module_id": ill, "answer": "Never" }]);
        for id in drafts {
            let finish = json!({ "id": id, "finished": true, "form_answers": answers });
            let done = w.refill(&me, finish).await;
            assert!(done["messages"].is_null(), "{done}");
            assert_eq!(w.statuses(&ada).await, ["Completed"]);
        }
    })
    .await;
}

#[tokio::test]
async fn who_changes_what_is_being_asked_leaves_nobody_out() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let mut ids = Vec::new();
        for n in 0..27 {
            ids.push(w.client("Cee", &format!("c{n}@example.com")).await);
        }
        let daily = json!({ "form": history, "recipient_ids": ids, "is_recurring": true,
            "frequency": "Daily", "ends_on": "2999-12-31" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        w.fall_due(0).await;
        assert_eq!(w.ask_some().await, 1);
        assert_eq!(w.request_events().await.len(), 25, "the first few");
        let list = "{ recurringForms { nodes { id recurrence_end_at } } }";
        let row = w.run(&w.owner, list, json!({})).await["recurringForms"]["nodes"][0].clone();
        // That it ends says nothing new.
        let input = json!({ "id": row["id"], "hour": "17", "recurrence_ends": true });
        let selects = "recurringForm { interval recurrence_end_at }";
        let changed = w.mutate(&w.owner, "updateRecurringForm", selects, input).await;
        let wanted = json!({ "interval": "17:00", "recurrence_end_at": row["recurrence_end_at"] });
        assert_eq!(changed["recurringForm"], wanted, "{changed}");
        while w.ask_some().await > 0 {}
        assert_eq!(w.request_events().await.len(), 27, "and the others");
        for id in &ids {
            assert_eq!(w.statuses(id).await, ["Open"]);
        }
        let misfit = json!({ "id": row["id"], "weekday": "Monday" });
        let refused = w.mutate(&w.owner, "updateRecurringForm", selects, misfit).await;
        assert_eq!(told(&refused)[0].0, "weekday", "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_somebody_asks_who_left_rests_until_somebody_else_takes_it_over() {
    World::each(async |w| {
        let (history, _) = form(&w, "History").await;
        let ada = w.client("Ada", "ada@example.com").await;
        let daily = json!({ "form": history, "recipient_ids": [ada], "is_recurring": true,
            "frequency": "Daily" });
        assert!(w.request(&w.owner, daily).await["messages"].is_null());
        let leave = "UPDATE users SET active = $1 WHERE id = $2";
        w.spoil(Sql::fixed(leave, [false.into(), w.owner.user_id.into()])).await;
        w.come(0).await;
        assert!(w.statuses(&ada).await.is_empty(), "nobody is asked for who left");
        let list = "{ recurringForms { nodes { id is_active user_id } } }";
        let row = w.run(&w.owner, list, json!({})).await["recurringForms"]["nodes"][0].clone();
        assert_eq!(row["is_active"], false, "{row}");
        assert_eq!(row["user_id"], w.owner.user_id.to_string(), "{row}");
        let other = w.with(&w.standard, &[CAN_SEE_CLIENTS]);
        let input = json!({ "id": row["id"], "is_active": true });
        let selects = "recurringForm { is_active user_id }";
        let taken = w.mutate(&other, "updateRecurringForm", selects, input).await;
        let wanted = json!({ "is_active": true, "user_id": other.user_id.to_string() });
        assert_eq!(taken["recurringForm"], wanted, "{taken}");
        // Whoever adds somebody asks from then on.
        w.spoil(Sql::fixed(leave, [true.into(), w.owner.user_id.into()])).await;
        let input = json!({ "id": row["id"], "recipient_ids": [ada] });
        let same = w.mutate(&w.owner, "updateRecurringForm", selects, input).await;
        assert_eq!(same["recurringForm"], wanted, "{same}");
        let bo = w.client("Bo", "bo@example.com").await;
        let input = json!({ "id": row["id"], "recipient_ids": [ada, bo] });
        let named = w.mutate(&w.owner, "updateRecurringForm", selects, input).await;
        assert_eq!(named["recurringForm"]["user_id"], w.owner.user_id.to_string(), "{named}");
        w.come(1).await;
        assert_eq!(
            (w.statuses(&ada).await, w.statuses(&bo).await),
            (vec!["Open".into()], vec!["Open".into()])
        );
    })
    .await;
}

#[tokio::test]
async fn one_request_notes_ten_openings_at_most() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let me = w.as_client(&ada).await;
        let (history, _) = form(&w, "History").await;
        let mut fields = Vec::new();
        for n in 0..12 {
            let id = w.asked(&history, &ada).await;
            fields.push(format!(
                "f{n}: requestedFormCompletion(id: \"{id}\", track_opened_event: true) {{ id }}"
            ));
        }
        let query = format!("{{ {} }}", fields.join(" "));
        let read = w.run(&me, &query, json!({})).await;
        assert!((0..12).all(|n| read[format!("f{n}")]["id"].is_string()), "{read}");
        let count = "query($p: ID) { formHistories(patient_id: $p) { total_count } }";
        let count = w.run(&w.owner, count, json!({ "p": ada })).await;
        assert_eq!(count["formHistories"]["total_count"], 12 + 10, "made and opened");
    })
    .await;
}
