//! What tests put into a client's chart, by the API.

use serde_json::json;

use crate::api::Api;

/// An entry in each of a client's clinical lists, a goal and a care plan of theirs.
pub fn furnish(api: &Api, client: &str, canary: &str) {
    let entries = [
        ("createMedication", json!({"name": canary, "comment": format!("{canary} comment")})),
        ("createAllergySensitivity", json!({"name": canary, "category": "ALLERGY"})),
        (
            "createImmunization",
            json!({"vaccine_name": canary, "cvx_code": 140, "received_at": "2025-01-02"}),
        ),
        ("createHealthConcern", json!({"display_name": canary})),
        ("createProcedure", json!({"display_name": canary})),
        ("createFamilyHistory", json!({"concept_id": "73211009", "relationships": [canary]})),
        ("createSmokingStatus", json!({"smoking_status_code": "8517006"})),
        (
            "createEntry",
            json!({"type": "MetricEntry", "category": canary, "metric_stat": "72.5", "description": canary}),
        ),
    ];
    for (field, mut input) in entries {
        input["user_id"] = client.into();
        let query = format!(
            "mutation($input: {field}Input) {{ {field}(input: $input) {{ messages {{ field message }} }} }}"
        );
        let noted = api.ask(&query, json!({"input": input}));
        assert!(noted.data()[field]["messages"].is_null(), "{}", noted.text);
    }
    let query = "query($client: ID) { entry(client_id: $client) { id } }";
    let entry = api.ask(query, json!({"client": client})).data()["entry"]["id"].clone();
    let said = api.ask(
        "mutation($input: createCommentInput!) { createComment(input: $input) { messages { field message } } }",
        json!({"input": {"entry_id": entry, "content": canary}}),
    );
    assert!(said.data()["createComment"]["messages"].is_null(), "{}", said.text);
    let goal = json!({"user_id": client, "name": canary, "description": format!("{canary} goal"),
        "repeat": "Daily", "subgoals": [{"name": format!("{canary} part")}]});
    let goal = api.make("createGoal", "createGoalInput", "goal", goal);
    let name = json!({"name": format!("{canary} category")});
    let category = api.make(
        "createCarePlanRecommendationCategory",
        "createCarePlanRecommendationCategoryInput",
        "care_plan_recommendation_category",
        name,
    );
    let plan = json!({"patient_id": client, "name": format!("{canary} plan"), "is_hidden": false});
    let plan = api.make("createCarePlan", "createCarePlanInput", "carePlan", plan);
    let advice = json!({"care_plan_id": plan, "recommendation_body": format!("{canary} advice"),
        "care_plan_recommendation_category_id": category});
    api.make("createRecommendation", "createRecommendationInput", "recommendation", advice);
    let aim = json!({"user_id": client, "name": format!("{canary} aim"), "care_plan_id": plan});
    api.make("createGoal", "createGoalInput", "goal", aim);
    let toggle = json!({"id": plan, "patient_id": client, "activate": true});
    let field = "toggleCarePlanStatusForSpecificUser";
    api.make(field, &format!("{field}Input"), "carePlan", toggle);
    let reached = json!({"goal_id": goal});
    api.make("createGoalHistory", "createGoalHistoryInput", "goalHistory", reached);
}
