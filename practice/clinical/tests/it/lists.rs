//! The other lists through the front door, each from its first entry to its last.

use serde_json::{Value as Json, json};

use crate::support::World;

/// What the client's page tells of a list.
async fn shown(w: &World, client: &str, list: &str) -> Json {
    let query = format!("query($id: ID) {{ user(id: $id) {{ {list} }} }}");
    let told = w.run(&w.owner, &query, json!({ "id": client })).await;
    let name = list.split_whitespace().next().unwrap();
    told["user"][name].clone()
}

async fn done(w: &World, field: &str, selects: &str, input: Json) -> Json {
    let payload = w.mutate(&w.owner, field, selects, input).await;
    assert!(payload["messages"].is_null(), "{field}: {payload}");
    let name = selects.split_whitespace().next().unwrap();
    payload[name].clone()
}

async fn refused(w: &World, field: &str, selects: &str, input: Json) -> String {
    let payload = w.mutate(&w.owner, field, selects, input).await;
    let name = selects.split_whitespace().next().unwrap();
    assert!(payload[name].is_null(), "{field}: {payload}");
    payload["messages"][0]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn immunizations() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let list = "immunizations { id vaccine_name cvx_code received_at status additional_notes }";
        let one = "immunization { id vaccine_name cvx_code received_at status additional_notes }";
        let input = json!({ "user_id": a, "vaccine_name": "Influenza", "cvx_code": 140,
            "received_at": "2026-01-15T10:00:00-05:00", "additional_notes": "Left arm" });
        let mut made = done(&w, "createImmunization", one, input.clone()).await;
        assert_eq!(made["status"], "completed");
        assert_eq!(made["received_at"], "2026-01-15T10:00:00-05:00");
        let input_of = |key: &str, value: Json| {
            let mut input = input.clone();
            input[key] = value;
            input
        };
        let sentence = refused(&w, "createImmunization", one, input_of("cvx_code", 0.into())).await;
        assert_eq!(sentence, "Cvx code must be a number from 1 to 999, such as 140");
        let later = input_of("received_at", "2999-01-01".into());
        let sentence = refused(&w, "createImmunization", one, later).await;
        assert_eq!(sentence, "Received at can't be in the future");
        let sentence =
            refused(&w, "createImmunization", one, input_of("status", "maybe".into())).await;
        assert_eq!(sentence, "Status must be one of completed, not-done, entered-in-error");
        let change = json!({ "id": made["id"], "status": "ENTERED-IN-ERROR", "user_id": a });
        made["status"] = "entered-in-error".into();
        assert_eq!(done(&w, "updateImmunization", one, change).await, made);
        assert_eq!(shown(&w, &a, list).await, json!([made]));
    })
    .await;
}

#[tokio::test]
async fn health_concerns() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let one = "health_concern { id code description display_name effective_time }";
        let input = json!({ "user_id": a, "code": "e119", "display_name": "Diabetes",
            "description": "Diet first", "effective_time": "20240302" });
        let made = done(&w, "createHealthConcern", one, input).await;
        assert_eq!(made["code"], "E11.9");
        assert_eq!(made["effective_time"], "2024-03-02");
        let nothing = json!({ "user_id": a, "description": "?" });
        let sentence = refused(&w, "createHealthConcern", one, nothing).await;
        assert_eq!(sentence, "Display name can't be blank where there is no code");
        let wrong = json!({ "user_id": a, "code": "73211008" });
        let sentence = refused(&w, "createHealthConcern", one, wrong).await;
        let wanted =
            "Code must be a code of ICD-10-CM such as E11.9 or of SNOMED CT such as 73211009";
        assert_eq!(sentence, wanted);
        let change = json!({ "id": made["id"], "code": "73211009", "description": null });
        let changed = done(&w, "updateHealthConcern", one, change).await;
        assert_eq!((&changed["code"], &changed["description"]), (&json!("73211009"), &Json::Null));
        let list = "health_concerns { code display_name }";
        let entry = json!({ "code": "73211009", "display_name": "Diabetes" });
        assert_eq!(shown(&w, &a, list).await, json!([entry]));
        done(&w, "deleteHealthConcern", one, json!({ "id": made["id"] })).await;
        assert_eq!(shown(&w, &a, list).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn procedures_and_smoking() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let one = "procedure { id code code_system_name display_name status target_site \
            procedure_start_datetime user_id }";
        let input = json!({ "user_id": a, "code": "99213", "code_system_name": "cpt",
            "display_name": "Visit", "status": "Completed", "target_site": "None",
            "procedure_start_datetime": "2026-02-01", "procedure_end_datetime": "2026-02-01" });
        let made = done(&w, "createProcedure", one, input.clone()).await;
        assert_eq!((&made["code_system_name"], &made["user_id"]), (&json!("CPT"), &json!(a)));
        let mut wrong = input;
        wrong["code"] = "992".into();
        let sentence = refused(&w, "createProcedure", one, wrong.clone()).await;
        assert_eq!(sentence, "Code must be one of CPT such as 99213");
        wrong["code_system_name"] = Json::Null;
        let sentence = refused(&w, "createProcedure", one, wrong).await;
        assert!(sentence.starts_with("Code system name can't be blank with a code: "));
        let before = json!({ "id": made["id"], "procedure_end_datetime": "2026-01-31" });
        let sentence = refused(&w, "updateProcedure", one, before).await;
        assert_eq!(sentence, "Procedure end datetime can't be before procedure start datetime");
        let list = "procedures { code }";
        assert_eq!(shown(&w, &a, list).await, json!([{ "code": "99213" }]));
        done(&w, "deleteProcedure", one, json!({ "id": made["id"] })).await;
        assert_eq!(shown(&w, &a, list).await, json!([]));

        let one = "smokingStatus { id smoking_status_code user_id }";
        let input = json!({ "user_id": a, "smoking_status_code": "8517006" });
        let made = done(&w, "createSmokingStatus", one, input).await;
        let wrong = json!({ "id": made["id"], "smoking_status_code": "8517007" });
        let sentence = refused(&w, "updateSmokingStatus", one, wrong).await;
        assert_eq!(sentence, "Smoking status code must be a code of SNOMED CT such as 73211009");
        let change = json!({ "id": made["id"], "status_end_datetime": "2026-01-01" });
        done(&w, "updateSmokingStatus", one, change).await;
        let list = "smoking_statuses { smoking_status_code status_end_datetime }";
        let entry = json!({ "smoking_status_code": "8517006",
            "status_end_datetime": "2026-01-01T00:00:00-05:00" });
        assert_eq!(shown(&w, &a, list).await, json!([entry]));
        done(&w, "deleteSmokingStatus", one, json!({ "id": made["id"] })).await;
        assert_eq!(shown(&w, &a, list).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn family_history() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let one = "family_history_condition { id relationships snomed_term { concept_id } } \
            duplicate_family_history_condition { id }";
        let input = json!({ "user_id": a, "concept_id": "73211009",
            "relationships": ["Mother", " Aunt, twice removed ", "Mother"] });
        let made = done(&w, "createFamilyHistory", one, input.clone()).await;
        assert_eq!(made["relationships"], json!(["Mother", "Aunt, twice removed"]));
        assert_eq!(made["snomed_term"]["concept_id"], "73211009");
        let twice = w.mutate(&w.owner, "createFamilyHistory", one, input).await;
        assert_eq!(twice["duplicate_family_history_condition"]["id"], made["id"], "{twice}");
        assert!(twice["family_history_condition"].is_null());
        let nobody = json!({ "user_id": a, "concept_id": "38341003", "relationships": [] });
        let sentence = refused(&w, "createFamilyHistory", one, nobody).await;
        assert_eq!(sentence, "Relationships can't be blank: name a relative such as mother");
        let change = json!({ "id": made["id"], "relationships": ["Father"] });
        let changed = done(&w, "updateFamilyHistory", one, change).await;
        assert_eq!(changed["relationships"], json!(["Father"]));
        let list = "family_history_conditions { relationships }";
        assert_eq!(shown(&w, &a, list).await, json!([{ "relationships": ["Father"] }]));
        done(
            &w,
            "deleteFamilyHistory",
            one.split(" duplicate").next().unwrap(),
            json!({ "id": made["id"] }),
        )
        .await;
        assert_eq!(shown(&w, &a, list).await, json!([]));
    })
    .await;
}
