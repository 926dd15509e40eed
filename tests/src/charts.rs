//! What tests put into a client's chart, by the API.

use serde_json::json;

use crate::api::Api;

/// An entry in each of a client's clinical lists, a goal and a care plan of theirs, and care for
/// them.
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
    let consent = json!({"user_id": client, "recipient": format!("{canary} recipient"),
        "purpose": format!("{canary} purpose"), "scope": "ALL_RECORDS", "signed_on": "2025-01-02"});
    let field = "createDisclosureConsent";
    api.make(field, &format!("{field}Input"), "disclosure_consent", consent);
    let reached = json!({"goal_id": goal});
    api.make("createGoalHistory", "createGoalHistoryInput", "goalHistory", reached);
    cared_for(api, client, canary);
}

/// An appointment that the client was at, and the care that it belongs to.
fn cared_for(api: &Api, client: &str, canary: &str) {
    let of = json!({"name": format!("{canary} session"), "length": 30});
    let of = api.make("createAppointmentType", "createAppointmentTypeInput", "appointmentType", of);
    let visit = json!({"user_id": client, "appointment_type_id": of, "contact_type": "Phone Call",
        "datetime": "2026-01-05T15:00:00Z"});
    let visit = api.make("createAppointment", "createAppointmentInput!", "appointment", visit);
    let occurred = json!({"id": visit, "pm_status": "Occurred"});
    api.make("updateAppointment", "updateAppointmentInput!", "appointment", occurred);
    let query = "query($at: ID, $who: ID) { patientEncounter(appointment_id: $at, patient_id: $who) { id } currentUser { id } }";
    let found = api.ask(query, json!({"at": visit, "who": client}));
    let coded =
        json!({"user_id": client, "code": "I10", "display_name": format!("{canary} diagnosis")});
    let coded =
        api.make("createHealthConcern", "createHealthConcernInput", "health_concern", coded);
    let care = json!({"patient_id": client, "provider_id": found.data()["currentUser"]["id"],
        "diagnosis_id": coded, "start_date": "2026-01-05"});
    let (field, of) = ("createEpisodeOfCare", "createEpisodeOfCareInput");
    let episode = api.make(field, of, "episode_of_care", care);
    let linked = api.ask(
        "mutation($input: linkEncounterToEpisodeOfCareInput) { linkEncounterToEpisodeOfCare(input: $input) { results { success failed_reason } messages { field message } } }",
        json!({"input": {"episode_of_care_id": episode,
            "encounter_ids": [found.data()["patientEncounter"]["id"]]}}),
    );
    let results = &linked.data()["linkEncounterToEpisodeOfCare"]["results"];
    assert_eq!(results[0]["success"], true, "{}", linked.text);
}
