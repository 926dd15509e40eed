//! Medications through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;

use crate::support::World;

pub const SELECTS: &str = "medication { id active code comment directions dosage end_date \
    frequency mirrored name normalized_status requires_consolidation route start_date user_id }";

/// Its input is named otherwise than its siblings'.
pub const DELETE: &str = "mutation($id: ID) { deleteMedication(input: { id: $id }) \
    { medication { id } messages { field message } } }";

#[tokio::test]
async fn what_a_client_takes() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "user_id": a, "name": " Metformin ", "active": true, "code": "6809",
            "dosage": "500 mg", "frequency": "Twice a day", "route": "By mouth",
            "directions": "With meals", "comment": "Started by the clinic",
            "start_date": "July 16, 2026", "end_date": "2026-08-01" });
        let made = w.mutate(&w.owner, "createMedication", SELECTS, input).await;
        let mut wanted = json!({ "active": true, "code": "6809",
            "comment": "Started by the clinic", "directions": "With meals", "dosage": "500 mg",
            "end_date": null, "frequency": "Twice a day", "mirrored": false, "name": "Metformin",
            "normalized_status": "ACTIVE", "requires_consolidation": false, "route": "By mouth",
            "start_date": "2026-07-16T00:00:00-04:00", "user_id": a });
        let id = made["medication"]["id"].clone();
        wanted["id"] = id.clone();
        assert_eq!(made, json!({ "medication": wanted, "messages": null }));
        // It ends: not taken any more, and since when.
        let input = json!({ "id": id, "active": false, "end_date": "2026-09-01", "comment": "" });
        let done = w.mutate(&w.owner, "updateMedication", SELECTS, input).await;
        wanted["active"] = false.into();
        wanted["normalized_status"] = "INACTIVE".into();
        wanted["comment"] = Json::Null;
        wanted["end_date"] = "2026-09-01T00:00:00-04:00".into();
        assert_eq!(done["medication"], wanted);
        // Taken again, it has no end.
        let input = json!({ "id": id, "active": true });
        let done = w.mutate(&w.owner, "updateMedication", SELECTS, input).await;
        assert!(done["medication"]["end_date"].is_null(), "{done}");
        let listed = async |active: Json| {
            let query = "query($id: ID, $active: Boolean) { medications(patient_id: $id, \
                active: $active) { total_count nodes { id name } } }";
            w.run(&w.owner, query, json!({ "id": a, "active": active })).await
        };
        assert_eq!(listed(Json::Null).await["medications"]["total_count"], 1);
        assert_eq!(listed(true.into()).await["medications"]["nodes"][0]["name"], "Metformin");
        assert_eq!(listed(false.into()).await["medications"]["total_count"], 0);
        let nobody = w.run(&w.owner, "{ medications { total_count } }", json!({})).await;
        assert_eq!(nobody["medications"]["total_count"], 0, "a client's at a time");
        let query = "query($id: ID) { medications(patient_id: $id, active: true) { name start_date } \
            medications_count(patient_id: $id) }";
        let old = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": a })).await;
        let entry = json!({ "name": "Metformin", "start_date": "2026-07-16 00:00:00 -0400" });
        assert_eq!(old["data"], json!({ "medications": [entry], "medications_count": 1 }), "{old}");
        let gone = w.run(&w.owner, DELETE, json!({ "id": id })).await;
        assert_eq!(gone["deleteMedication"]["medication"]["id"], id);
        assert_eq!(listed(Json::Null).await["medications"]["total_count"], 0);
        assert_eq!(
            w.events().await,
            [
                "medication.created []",
                r#"medication.updated ["active","comment","end_date"]"#,
                r#"medication.updated ["active","end_date"]"#,
                "medication.deleted []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_changes_nothing() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let refused = async |input: Json, field: &str, message: &str| {
            let done = w.mutate(&w.owner, "createMedication", SELECTS, input).await;
            let wanted = json!([{ "field": field, "message": message }]);
            assert_eq!(done, json!({ "medication": null, "messages": wanted }));
        };
        let with = |key: &str, value: Json| {
            let mut input = json!({ "user_id": a, "name": "Aspirin" });
            input[key] = value;
            input
        };
        refused(with("name", " ".into()), "name", "Name can't be blank").await;
        let sentence = "Code must be a code of RxNorm such as 6809";
        refused(with("code", "E11.9".into()), "code", sentence).await;
        let sentence = "Start date must be a date such as 2026-03-04 or March 4, 2026";
        refused(with("start_date", "the other day".into()), "start_date", sentence).await;
        let sentence = "Name is too long (maximum is 255 characters)";
        refused(with("name", "x".repeat(256).into()), "name", sentence).await;
        let mut input = with("start_date", "2026-03-04".into());
        input["end_date"] = "2026-03-03".into();
        refused(input, "end_date", "End date can't be before start date").await;
        let unknown = with("dosage_option_id", "rxnorm-6809-99".into());
        let done = w.mutate(&w.owner, "createMedication", SELECTS, unknown).await;
        assert_eq!(done["messages"][0]["field"], "dosage_option_id", "{done}");
        assert_eq!(w.events().await, [""; 0]);
        assert!(
            w.rows::<ward_clinical::tables::Medication>(ward_store::Cond::Always).await.is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_offered_can_be_chosen() {
    World::each(async |w| {
        let query = "{ medication_options(keywords: \"metfor\") { id name dosages \
            dosage_options { id strength } } allergySuggestions(category: \"PET\") }";
        let told = w.run(&w.owner, query, json!({})).await;
        let option = &told["medication_options"][0];
        assert_eq!(option["name"], "Metformin");
        assert_eq!(option["dosages"], json!(["500 mg", "850 mg", "1000 mg"]));
        assert_eq!(told["allergySuggestions"], json!(["Cat dander", "Dog dander", "Horse dander"]));
        let query = "query($id: ID!) { medication_option(id: $id) { name } }";
        let one = w.run(&w.owner, query, json!({ "id": option["id"] })).await;
        assert_eq!(one["medication_option"]["name"], "Metformin");
        let a = w.client("Ada", "a@example.com").await;
        let chosen = &option["dosage_options"][1]["id"];
        let input = json!({ "user_id": a, "dosage_option_id": chosen });
        let made = w.mutate(&w.owner, "createMedication", SELECTS, input).await;
        let it = &made["medication"];
        let told = json!([it["name"], it["dosage"], it["code"], it["active"]]);
        assert_eq!(told, json!(["Metformin", "850 mg", "6809", false]));
        // What is typed wins.
        let input = json!({ "user_id": a, "dosage_option_id": chosen, "custom_name": "Glucophage",
            "dosage": "1/2 tablet" });
        let made = w.mutate(&w.owner, "createMedication", SELECTS, input).await;
        assert_eq!(made["medication"]["name"], "Glucophage");
        assert_eq!(made["medication"]["dosage"], "1/2 tablet");
    })
    .await;
}
