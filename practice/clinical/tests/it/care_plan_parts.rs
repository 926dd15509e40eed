//! What a care plan holds, and templates of them (behaviour 16.3, 29).

use serde_json::{Value as Json, json};
use ward_clinical::care_plan::table::Recommendation;
use ward_identity::flags;
use ward_store::{Actor, Cond};

use crate::support::World;

/// Makes something; its id.
async fn make(w: &World, field: &str, made: &str, input: Json) -> String {
    let done = w.mutate(&w.owner, field, &format!("{made} {{ id }}"), input).await;
    assert!(done["messages"].is_null(), "{field}: {done}");
    done[made]["id"].as_str().unwrap().to_owned()
}

/// The sentence that refuses a mutation.
async fn refused(w: &World, actor: &Actor, field: &str, input: Json) -> String {
    let done = w.mutate(actor, field, "", input).await;
    done["messages"][0]["message"].as_str().unwrap_or("nothing").to_owned()
}

#[tokio::test]
async fn recommendations_and_goals_of_a_plan() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let plan = json!({ "name": "Own", "patient_id": a, "is_hidden": false });
        let plan = make(&w, "createCarePlan", "carePlan", plan).await;
        let category = "care_plan_recommendation_category";
        let field = "createCarePlanRecommendationCategory";
        let food = make(&w, field, category, json!({ "name": "Food" })).await;
        let again = json!({ "name": "food" });
        assert_eq!(refused(&w, &w.owner, field, again).await, "Name has already been taken");
        let none = w.with(&w.standard, &[]);
        let denied = refused(&w, &none, field, json!({ "name": "Sleep" })).await;
        assert_ne!(denied, "nothing");
        let advice = json!({ "care_plan_id": plan, "recommendation_body": "<p>Eat <b>greens</b></p>",
            "care_plan_recommendation_category_id": food });
        let advice = make(&w, "createRecommendation", "recommendation", advice).await;
        let goal = json!({ "user_id": a, "name": "Cook", "care_plan_id": plan });
        let goal = make(&w, "createGoal", "goal", goal).await;
        let others = json!({ "user_id": b, "name": "Cook", "care_plan_id": plan });
        let sentence = refused(&w, &w.owner, "createGoal", others).await;
        assert!(sentence.starts_with("A goal can be in a care plan of its own client"), "{sentence}");
        let query = "query($id: ID) { carePlan(id: $id) { goals { id } documents { id } \
            recommendations { id sanitized_body care_plan_recommendation_category { name } } } }";
        let ada = w.as_client(&a).await;
        for actor in [&w.owner, &ada] {
            let told = w.run(actor, query, json!({ "id": plan })).await;
            assert_eq!(
                told["carePlan"],
                json!({ "goals": [{ "id": goal }], "documents": [],
                    "recommendations": [{ "id": advice, "sanitized_body": "Eat greens",
                        "care_plan_recommendation_category": { "name": "Food" } }] })
            );
        }
        let bo = w.as_client(&b).await;
        let theirs = json!({ "id": advice });
        assert_ne!(refused(&w, &bo, "deleteRecommendation", theirs).await, "nothing");
        let changed = json!({ "id": advice, "recommendation_body": "Fruit" });
        assert_eq!(refused(&w, &w.owner, "updateRecommendation", changed).await, "nothing");
        let out = json!({ "care_plan_id": plan, "connectable_id": goal, "connectable_type": "Goal" });
        let selects = "connection { care_plan_id connectable_id connectable_type }";
        let done = w.mutate(&w.owner, "deleteCarePlanConnection", selects, out).await;
        let shown = json!({ "care_plan_id": plan, "connectable_id": goal, "connectable_type": "Goal" });
        assert_eq!(done["connection"], shown, "{done}");
        let told = w.run(&w.owner, query, json!({ "id": plan })).await;
        assert_eq!(told["carePlan"]["goals"], json!([]));
        let gone = json!({ "id": advice });
        assert_eq!(refused(&w, &w.owner, "deleteRecommendation", gone).await, "nothing");
        assert!(w.rows::<Recommendation>(Cond::is_null("deleted_at")).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn templates_are_made_and_applied() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let plan = json!({ "name": "Low salt", "patient_id": a });
        let plan = make(&w, "createCarePlan", "carePlan", plan).await;
        let advice = json!({ "care_plan_id": plan, "recommendation_body": "No crisps" });
        make(&w, "createRecommendation", "recommendation", advice).await;
        let template = json!({ "id": plan });
        // The input of this one has another name than its field.
        let query = "mutation($input: exportToTemplateInput!) { exportCarePlanToTemplate(input: $input) \
            { carePlan { id is_template patient { id } } messages { message } } }";
        let done = w.run(&w.owner, query, json!({ "input": template })).await;
        let made = done["exportCarePlanToTemplate"]["carePlan"].clone();
        assert_eq!(made, json!({ "id": made["id"], "is_template": true, "patient": null }));
        let apply = json!({ "id": made["id"], "user_ids": [b], "force_activation": true });
        let selects = "carePlans { name is_active patient { id } recommendations { recommendation_body } }";
        let done = w.mutate(&w.owner, "bulkApplyCarePlanTemplate", selects, apply).await;
        assert_eq!(
            done["carePlans"],
            json!([{ "name": "Low salt", "is_active": true, "patient": { "id": b },
                "recommendations": [{ "recommendation_body": "No crisps" }] }]),
            "{done}"
        );
        let add = json!({ "care_plan_id": plan, "care_plan_template_id": made["id"] });
        assert_eq!(refused(&w, &w.owner, "updateByTemplate", add).await, "nothing");
        let query = "query($id: ID) { carePlan(id: $id) { recommendations { id } } \
            carePlans(templates_only: true, template_search_keywords: \"salt\") { nodes { id } } }";
        let told = w.run(&w.owner, query, json!({ "id": plan })).await;
        assert_eq!(told["carePlan"]["recommendations"].as_array().map(Vec::len), Some(2));
        assert_eq!(told["carePlans"]["nodes"], json!([{ "id": made["id"] }]));
        // Templates take a flag; nobody's plan is active.
        let toggle = json!({ "id": made["id"], "patient_id": a, "activate": true });
        let field = "toggleCarePlanStatusForSpecificUser";
        assert_ne!(refused(&w, &w.owner, field, toggle).await, "nothing");
        let new = json!({ "name": "Mine", "is_managing_templates": true });
        let without = w.with(&w.standard, &[flags::CAN_SEE_CLIENTS]);
        assert_ne!(refused(&w, &without, "createCarePlan", new.clone()).await, "nothing");
        let with = w.with(&w.standard, &[flags::CAN_MANAGE_CARE_PLAN_TEMPLATES]);
        assert_eq!(refused(&w, &with, "createCarePlan", new).await, "nothing");
    })
    .await;
}

#[tokio::test]
async fn a_document_in_a_plan_is_read_by_it() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let plan = json!({ "name": "Own", "patient_id": a, "is_hidden": false });
        let plan = make(&w, "createCarePlan", "carePlan", plan).await;
        let other = make(&w, "createCarePlan", "carePlan", json!({ "name": "Other" })).await;
        let file = json!({ "display_name": "diet.txt", "rel_user_id": a, "share_with_rel": true,
            "file_string": "data:text/plain;base64,SGVsbG8K" });
        let document = make(&w, "createDocument", "document", file).await;
        let put = json!({ "id": plan, "doc_id": document });
        make(&w, "updateCarePlan", "carePlan", put).await;
        let ada = w.as_client(&a).await;
        let query = "query($id: ID, $plan: ID) { document(id: $id, care_plan_id: $plan) { id } }";
        for (of, found) in [(Some(&plan), true), (Some(&other), false), (None, true)] {
            let told = w.run(&ada, query, json!({ "id": document, "plan": of })).await;
            assert_eq!(told["document"].is_object(), found, "{of:?}");
        }
        let held = "query($id: ID) { carePlan(id: $id) { documents { id } } }";
        let told = w.run(&ada, held, json!({ "id": plan })).await;
        assert_eq!(told["carePlan"]["documents"], json!([{ "id": document }]));
    })
    .await;
}
