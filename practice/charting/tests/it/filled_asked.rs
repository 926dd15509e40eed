//! Which questions a form has while it is filled in, and after (behaviour 25, DOM-13).

use serde_json::json;
use ward_charting::filled::input::CLIENT_FORMS_MAX;
use ward_charting::filled::tables::FormAnswerGroup;
use ward_store::{Actor, Cond, Scope, StoreError};

use crate::filled::told;
use crate::support::World;

#[tokio::test]
async fn dom_13_a_corrected_answer_stays_where_it_was_asked() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "PHQ" })).await;
        w.question(&form, "label", "A").await;
        let first = w.question(&form, "radio", "First").await;
        w.change(json!({ "id": first, "options": "x (3)\nz (2)" })).await;
        w.question(&form, "label", "B").await;
        let second = w.question(&form, "radio", "Second").await;
        w.change(json!({ "id": second, "options": "y (1)" })).await;
        let on =
            |of: &str| json!({ "conditional_custom_module_id": of, "filter_type": "is_answered" });
        w.change(json!({ "id": first, "required": true, "custom_module_condition": on(&second) }))
            .await;
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "finished": true,
            "form_answers": [{ "custom_module_id": first, "answer": "x (3)" },
                { "custom_module_id": second, "answer": "y (1)" }] });
        let made = w.fill(&w.owner, input).await;
        let id = made["form_answer_group"]["id"].clone();
        // The template goes on: it asks the first one last, with other words, and the other
        // way round depends on it.
        w.change(json!({ "id": first, "label": "Last", "options": "z (9)", "index": 3,
            "custom_module_condition": { "_destroy": true } }))
            .await;
        w.change(json!({ "id": second, "custom_module_condition": on(&first) })).await;
        let answers = json!([{ "custom_module_id": first, "answer": "z (2)" },
            { "custom_module_id": second, "answer": " y (1)" }]);
        let saved = w.refill(&w.owner, json!({ "id": id, "form_answers": answers })).await;
        assert!(saved["messages"].is_null(), "{saved}");
        let read = w.read(&w.owner, &id).await;
        let shown: Vec<(&str, Option<&str>)> = read["form_answers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (it["label"].as_str().unwrap(), it["answer"].as_str()))
            .collect();
        let asked =
            [("A", None), ("First", Some("z (2)")), ("B", None), ("Second", Some(" y (1)"))];
        assert_eq!(shown, asked);
        let scores = json!([{ "section_title": "A", "value": 2.0, "show": true },
            { "section_title": "B", "value": 1.0, "show": true }]);
        assert_eq!(read["autoscored_sections"], scores);
    })
    .await;
}

#[tokio::test]
async fn what_a_draft_left_open_is_asked_as_the_form_is_now() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit" })).await;
        let (gone, eased) =
            (w.question(&form, "text", "Gone").await, w.question(&form, "text", "Eased").await);
        for id in [&gone, &eased] {
            w.change(json!({ "id": id, "required": true })).await;
        }
        let blank = json!([{ "custom_module_id": gone, "answer": "" },
            { "custom_module_id": eased, "answer": "" }]);
        let input = json!({ "custom_module_form_id": form, "user_id": ada, "form_answers": blank });
        let made = w.fill(&w.owner, input).await;
        let id = made["form_answer_group"]["id"].clone();
        w.mutate(&w.owner, "deleteCustomModule", "customModule { id }", json!({ "id": gone }))
            .await;
        w.change(json!({ "id": eased, "required": false, "label": "If you like" })).await;
        let done = w.refill(&w.owner, json!({ "id": id, "finished": true })).await;
        assert!(done["messages"].is_null(), "{done}");
        let shown = &done["form_answer_group"]["form_answers"];
        assert_eq!(shown.as_array().unwrap().len(), 1, "{done}");
        assert_eq!(shown[0]["label"], "If you like");
    })
    .await;
}

#[tokio::test]
async fn a_form_and_a_client_have_a_measure() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let form = w.form(&w.owner, json!({ "name": "Visit" })).await;
        let mut ids = Vec::new();
        for label in ["A", "B", "C", "D", "E"] {
            ids.push(w.question(&form, "text", label).await);
        }
        let full: Vec<_> = ids
            .iter()
            .map(|id| json!({ "custom_module_id": id, "answer": "x".repeat(900_000) }))
            .collect();
        let as_ada = w.as_client(&ada).await;
        let begun = json!({ "custom_module_form_id": form, "form_answers": full[..4] });
        let made = w.fill(&as_ada, begun).await;
        assert!(made["messages"].is_null());
        let id = made["form_answer_group"]["id"].clone();
        let more = w.refill(&as_ada, json!({ "id": id, "form_answers": full[4..] })).await;
        assert_eq!(told(&more)[0].0, "form_answers");
        let rows: Vec<FormAnswerGroup> = w.rows(Cond::Always).await;
        let org = w.organization.id.0;
        let written = w.db.write(move |tx| {
            let row = rows[0].clone();
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let mut all = Vec::new();
                for _ in 1..CLIENT_FORMS_MAX {
                    all.push(FormAnswerGroup { id: scope.next_id().await?, ..row.clone() });
                }
                scope.create_all(&all).await
            })
        });
        written.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let another = json!({ "custom_module_form_id": form });
        let refused = w.fill(&as_ada, another.clone()).await;
        assert!(told(&refused)[0].1.starts_with("You have filled in 1000 forms"), "{refused}");
        let mut staff = another;
        staff["user_id"] = json!(ada);
        assert!(w.fill(&w.owner, staff).await["messages"].is_null(), "the staff goes on");
    })
    .await;
}
