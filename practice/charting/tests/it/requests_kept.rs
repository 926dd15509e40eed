//! What becomes of requests as clients move, as drafts cross each other, and as whoever asks changes
//! or leaves (behaviour 15, 28).

use serde_json::json;
use ward_store::{Query, Sql, Value};

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
