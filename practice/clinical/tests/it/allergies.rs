//! Allergies and family history through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;

use crate::support::World;

const SELECTS: &str = "allergy_sensitivity { id category category_type name reaction \
    reaction_type severity status is_current onset_date created_by { id } } \
    duplicate_allergy { id }";

#[tokio::test]
async fn what_a_client_does_not_take_well() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "user_id": a, "category": "ALLERGY", "category_type": "FOOD",
            "name": "Peanut", "custom_reaction": "Swollen lips", "reaction": "Other",
            "reaction_type": "ALLERGY", "severity": "SEVERE", "onset_date": "2019-05-01" });
        let made = w.mutate(&w.owner, "createAllergySensitivity", SELECTS, input).await;
        let entry = &made["allergy_sensitivity"];
        let id = entry["id"].clone();
        assert_eq!(
            *entry,
            json!({ "id": id, "category": "ALLERGY", "category_type": "FOOD", "name": "Peanut",
                "reaction": "Swollen lips", "reaction_type": "ALLERGY", "severity": "SEVERE",
                "status": "ACTIVE", "is_current": true, "onset_date": "2019-05-01",
                "created_by": { "id": w.owner.user_id.to_string() } })
        );
        // Once is enough, in whatever letters; another category is another thing.
        let again = json!({ "user_id": a, "category": "ALLERGY", "name": "PEANUT" });
        let twice = w.mutate(&w.owner, "createAllergySensitivity", SELECTS, again).await;
        assert_eq!(twice["duplicate_allergy"]["id"], id, "{twice}");
        assert!(twice["allergy_sensitivity"].is_null());
        assert_eq!(twice["messages"][0]["field"], "name");
        let other = json!({ "user_id": a, "category": "PREFERENCE", "name": "Peanut" });
        let other = w.mutate(&w.owner, "createAllergySensitivity", SELECTS, other).await;
        assert!(other["messages"].is_null(), "{other}");
        // From active to inactive to resolved, and no further.
        let becomes = async |status: &str| {
            let input = json!({ "id": id, "status": status });
            let done = w.mutate(&w.owner, "updateAllergySensitivity", SELECTS, input).await;
            (done["allergy_sensitivity"]["status"].clone(), done["messages"].clone())
        };
        assert!(becomes("RESOLVED").await.1[0]["message"].as_str().unwrap().contains("INACTIVE"));
        assert_eq!(becomes("INACTIVE").await.0, "INACTIVE");
        let input = json!({ "id": id, "is_current": true });
        let done = w.mutate(&w.owner, "updateAllergySensitivity", SELECTS, input).await;
        assert_eq!(done["allergy_sensitivity"]["status"], "ACTIVE");
        let listed = async |args: &str| {
            let query = format!(
                "query($id: ID) {{ user(id: $id) {{ allergy_sensitivities{args} {{ id }} \
                 last_updated_allergy {{ id }} }} }}"
            );
            w.run(&w.owner, &query, json!({ "id": a })).await["user"].clone()
        };
        let many = |told: &Json| told["allergy_sensitivities"].as_array().unwrap().len();
        let told = listed("(is_current: true)").await;
        assert_eq!((many(&told), &told["last_updated_allergy"]["id"]), (2, &id));
        assert_eq!(becomes("INACTIVE").await.0, "INACTIVE");
        assert_eq!(becomes("RESOLVED").await.0, "RESOLVED");
        assert!(becomes("ACTIVE").await.1[0]["message"].as_str().unwrap().contains("stays so"));
        assert_eq!(many(&listed("").await), 2);
        assert_eq!(many(&listed("(is_current: true)").await), 1);
        assert_eq!(many(&listed("(category: \"ALLERGY\")").await), 1);
        assert_eq!(many(&listed("(category: \"Nonsense\")").await), 0);
        // What is resolved may come back as a new entry.
        let again = json!({ "user_id": a, "category": "ALLERGY", "name": "Peanut" });
        let back = w.mutate(&w.owner, "createAllergySensitivity", SELECTS, again).await;
        let back = back["allergy_sensitivity"]["id"].clone();
        assert!(back.is_string());
        let gone = w
            .mutate(
                &w.owner,
                "deleteAllergySensitivity",
                "allergy_sensitivity { id }",
                json!({ "id": back }),
            )
            .await;
        assert_eq!(gone["allergy_sensitivity"]["id"], back);
        assert_eq!(w.events().await.len(), 3 + 4 + 1);
    })
    .await;
}

#[tokio::test]
async fn what_an_allergy_can_be() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let refused = async |input: Json| {
            let done = w.mutate(&w.owner, "createAllergySensitivity", SELECTS, input).await;
            assert!(done["allergy_sensitivity"].is_null(), "{done}");
            done["messages"][0]["message"].as_str().unwrap().to_owned()
        };
        let name_only = json!({ "user_id": a, "name": "Egg" });
        assert_eq!(refused(name_only).await, "Category can't be blank");
        let category_only = json!({ "user_id": a, "category": "ALLERGY" });
        assert_eq!(refused(category_only).await, "Name can't be blank");
        let later = json!({ "user_id": a, "category": "ALLERGY", "name": "Egg",
            "onset_date": "2999-01-01" });
        assert_eq!(refused(later).await, "Onset date can't be in the future");
        // The older view has texts where the newer has enums.
        let query = "mutation($input: createAllergySensitivityInput) { \
            createAllergySensitivity(input: $input) { allergy_sensitivity { category severity status } \
            messages { field message } } }";
        let old = async |input: Json| {
            let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "input": input })).await;
            answer["data"]["createAllergySensitivity"].clone()
        };
        let input = json!({ "user_id": a, "category": "Allergy", "name": "Egg", "severity": "awful" });
        let done = old(input.clone()).await;
        let sentence = "Severity must be one of MILD, MODERATE, SEVERE, UNKNOWN";
        assert_eq!(done["messages"], json!([{ "field": "severity", "message": sentence }]));
        let mut good = input;
        good["severity"] = "mild".into();
        let wanted = json!({ "category": "ALLERGY", "severity": "MILD", "status": "ACTIVE" });
        assert_eq!(old(good).await["allergy_sensitivity"], wanted);
    })
    .await;
}
