//! DOM-13: what a question was stays, whatever becomes of the question.

use serde_json::json;
use ward_charting::rules::Question;
use ward_charting::tables::QuestionVersion;
use ward_store::Cond;

use crate::support::World;

#[tokio::test]
async fn dom_13_every_change_that_matters_makes_a_version() {
    World::each(async |w| {
        let form = w.form(&w.owner, json!({ "name": "PHQ" })).await;
        let first = w.question(&form, "text", "first").await;
        let id = w.question(&form, "radio", "How often?").await;
        let versions = async || -> Vec<QuestionVersion> {
            let mut rows: Vec<QuestionVersion> =
                w.rows(Cond::eq("custom_module_id", id.parse::<i64>().unwrap())).await;
            rows.sort_by_key(|it| it.number);
            rows
        };
        w.change(json!({ "id": id, "options": "Never (0)\nOften (1)" })).await;
        let asked = versions().await;
        assert_eq!(asked.len(), 2);
        // What an answer depends on: each once more.
        w.change(json!({ "id": id, "label": "How often now?" })).await;
        w.change(json!({ "id": id, "options": "Never (1)\nOften (2)" })).await;
        w.change(json!({ "id": id, "required": true })).await;
        w.change(json!({ "id": id, "index": 0 })).await;
        let condition =
            json!({ "conditional_custom_module_id": first, "filter_type": "is_answered" });
        w.change(json!({ "id": id, "custom_module_condition": condition })).await;
        w.change(json!({ "id": id, "custom_module_condition": { "_destroy": true } })).await;
        assert_eq!(versions().await.len(), 8);
        // And what no answer depends on: none. What does not change: none.
        w.change(json!({ "id": id, "metadata": "{}", "exclude_from_scribe": true })).await;
        w.change(json!({ "id": id, "label": "How often now?" })).await;
        assert_eq!(versions().await.len(), 8);
        for (field, of) in [("deleteCustomModule", &id), ("deleteCustomModuleForm", &form)] {
            let object = if of == &id { "customModule" } else { "customModuleForm" };
            let selects = format!("{object} {{ id }}");
            let gone = w.mutate(&w.owner, field, &selects, json!({ "id": of })).await;
            assert!(gone["messages"].is_null(), "{gone}");
        }
        let kept = versions().await;
        assert_eq!(kept[..2], asked[..], "an old version has changed");
        assert_eq!(kept.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
        let then = Question::then(&kept[1]);
        assert_eq!(then.label, "How often?");
        assert_eq!(then.options, ["Never (0)", "Often (1)"]);
        assert!(!then.required && then.condition.is_none());
        assert_eq!(Question::then(&kept[6]).condition.unwrap().of.to_string(), first);
        assert!(kept[5].place < kept[4].place);
    })
    .await;
}
