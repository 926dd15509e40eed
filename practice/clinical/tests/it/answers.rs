//! Metrics of forms through the front door: an answer to a question that is named like a metric is
//! an entry of the client's, once, for as long as it says a number (behaviour 25).

use serde_json::{Value as Json, json};
use ward_clinical::entry::table::Entry;
use ward_store::Cond;

use crate::support::World;

const GROUP: &str = "form_answer_group { id }";

/// A template; the id.
async fn template(w: &World) -> String {
    let input = json!({ "name": "Check-in" });
    let made = w.mutate(&w.owner, "createCustomModuleForm", "customModuleForm { id }", input).await;
    made["customModuleForm"]["id"].as_str().unwrap().to_owned()
}

/// A question of it; the id.
async fn question(w: &World, form: &str, mod_type: &str) -> String {
    let input = json!({ "custom_module_form_id": form, "mod_type": mod_type, "label": mod_type });
    let made = w.mutate(&w.owner, "createCustomModule", "customModule { id }", input).await;
    made["customModule"]["id"].as_str().unwrap().to_owned()
}

fn answers(of: &[(&str, &str)]) -> Json {
    let list = of.iter().map(|(id, answer)| json!({ "custom_module_id": id, "answer": answer }));
    list.collect()
}

/// Begins a form; the id.
async fn fills(w: &World, form: &str, client: &str, finished: bool, said: Json) -> String {
    let input = json!({ "custom_module_form_id": form, "user_id": client, "finished": finished,
        "form_answers": said });
    let made = w.mutate(&w.owner, "createFormAnswerGroup", GROUP, input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["form_answer_group"]["id"].as_str().unwrap().to_owned()
}

/// Changes one.
async fn refills(w: &World, input: Json) {
    let done = w.mutate(&w.owner, "updateFormAnswerGroup", GROUP, input).await;
    assert!(done["messages"].is_null() && done["form_answer_group"]["id"].is_string(), "{done}");
}

/// The entries that there are: ids, categories and numbers.
async fn entries(w: &World) -> Vec<(String, String, String)> {
    let mut rows = w.rows::<Entry>(Cond::Always).await;
    rows.sort_by_key(|it| it.id.0);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    rows.iter().map(|it| (it.id.0.to_string(), text(&it.category), text(&it.metric_stat))).collect()
}

/// Their numbers.
async fn numbers(w: &World) -> Vec<String> {
    entries(w).await.into_iter().map(|(_, _, number)| number).collect()
}

#[tokio::test]
async fn one_entry_an_answer_from_beginning_to_end() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let form = template(&w).await;
        let weight = question(&w, &form, "Weight").await;
        let fat = question(&w, &form, "Body Fat %").await;
        let other = question(&w, &form, "number").await;
        let said = answers(&[(&weight, " 72.50 "), (&fat, "much"), (&other, "5")]);
        let id = fills(&w, &form, &a, false, said).await;
        // A draft makes none, however often it is saved.
        refills(&w, json!({ "id": id, "form_answers": answers(&[(&other, "6")]) })).await;
        assert!(entries(&w).await.is_empty());
        let finish = json!({ "id": id, "finished": true, "formatted_date": "2025-03-04" });
        refills(&w, finish).await;
        let made = entries(&w).await;
        let entry = made[0].0.clone();
        assert_eq!(made, [(entry.clone(), "Weight".to_owned(), "72.50".to_owned())]);
        let query = "query($id: ID) { entry(id: $id) { type metric_stat created_at viewed \
            poster { id } added_by_user { id } } }";
        let owner = w.owner.user_id.to_string();
        let told = w.run(&w.owner, query, json!({ "id": entry })).await;
        assert_eq!(
            told["entry"],
            json!({ "type": "MetricEntry", "metric_stat": 72.5, "viewed": true,
                "created_at": "2025-03-04T00:00:00-05:00", "poster": { "id": a },
                "added_by_user": { "id": owner } })
        );
        let weighs = "query($id: ID) { user(id: $id) { weight } }";
        assert_eq!(w.run(&w.owner, weighs, json!({ "id": a })).await["user"]["weight"], "72.50");
        // What does not concern it leaves it alone; another answer changes it.
        refills(&w, json!({ "id": id, "form_answers": answers(&[(&other, "7")]) })).await;
        let said = answers(&[(&weight, "71"), (&fat, "20")]);
        refills(&w, json!({ "id": id, "form_answers": said })).await;
        let now = entries(&w).await;
        assert_eq!(now[0], (entry.clone(), "Weight".to_owned(), "71".to_owned()));
        assert_eq!((now[1].1.as_str(), now[1].2.as_str()), ("Body Fat %", "20"));
        // Emptied it is gone, and so is what is no number; answered again there is another.
        let said = answers(&[(&weight, " "), (&fat, "20 %")]);
        refills(&w, json!({ "id": id, "form_answers": said })).await;
        assert!(entries(&w).await.is_empty());
        refills(&w, json!({ "id": id, "form_answers": answers(&[(&weight, "70")]) })).await;
        assert_eq!(numbers(&w).await, ["70"]);
        // It stays when the form is deleted.
        let gone = w.mutate(&w.owner, "deleteFormAnswerGroup", GROUP, json!({ "id": id })).await;
        assert_eq!(gone["form_answer_group"]["id"], json!(id), "{gone}");
        assert_eq!(numbers(&w).await, ["70"]);
        assert_eq!(
            w.events().await,
            [
                "metric_entry.created []",
                r#"metric_entry.updated ["metric_stat"]"#,
                "metric_entry.created []",
                "metric_entry.deleted []",
                "metric_entry.deleted []",
                "metric_entry.created []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_not_asked_and_what_hands_changed() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let form = template(&w).await;
        let asks = question(&w, &form, "text").await;
        let weight = question(&w, &form, "Weight").await;
        let condition = json!({ "conditional_custom_module_id": asks, "filter_type": "equals",
            "value_to_filter": "yes" });
        let input = json!({ "id": weight, "custom_module_condition": condition });
        let set = w.mutate(&w.owner, "updateCustomModule", "customModule { id }", input).await;
        assert!(set["messages"].is_null(), "{set}");
        // A hidden answer makes none until it is asked for, and none after.
        let id = fills(&w, &form, &a, true, answers(&[(&asks, "no"), (&weight, "72")])).await;
        assert!(entries(&w).await.is_empty());
        for (answer, many) in [("yes", 1), ("no", 0), ("yes", 1)] {
            refills(&w, json!({ "id": id, "form_answers": answers(&[(&asks, answer)]) })).await;
            assert_eq!(numbers(&w).await, vec!["72"; many], "{answer}");
        }
        // What somebody says of the entry stays until the answer is another.
        let entry = entries(&w).await[0].0.clone();
        let change = json!({ "id": entry, "metric_stat": "73" });
        let done = w.mutate(&w.owner, "updateEntry", "entry { id }", change).await;
        assert_eq!(done["entry"]["id"], json!(entry), "{done}");
        refills(&w, json!({ "id": id, "name": "Renamed" })).await;
        assert_eq!(numbers(&w).await, ["73"]);
        refills(&w, json!({ "id": id, "form_answers": answers(&[(&weight, "74")]) })).await;
        assert_eq!(numbers(&w).await, ["74"]);
        // Deleted by hand it stays away until then, too.
        let gone = w.mutate(&w.owner, "deleteEntry", "entry { id }", json!({ "id": entry })).await;
        assert_eq!(gone["entry"]["id"], json!(entry), "{gone}");
        refills(&w, json!({ "id": id, "name": "Renamed again" })).await;
        assert!(entries(&w).await.is_empty());
        refills(&w, json!({ "id": id, "form_answers": answers(&[(&weight, "75")]) })).await;
        assert_eq!(numbers(&w).await, ["75"]);
    })
    .await;
}
