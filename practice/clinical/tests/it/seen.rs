//! Who sees the lists, who writes them, and what becomes of them with the client.

use serde_json::json;
use ward_clinical::tables::{AllergySensitivity, HealthConcern, Immunization, Medication};
use ward_engine::ViewId;
use ward_identity::flags::SEES_ALL_CLIENTS;
use ward_store::{Actor, Cond};

use crate::medications::DELETE;
use crate::support::World;

const ALL: &str = "query($id: ID) { user(id: $id) { allergy_sensitivities { name } \
    immunizations { vaccine_name } health_concerns { display_name } } \
    medications(patient_id: $id) { nodes { name } } }";

/// A client with an entry in some of the lists; the client and the medication.
async fn noted(w: &World, first: &str, email: &str) -> (String, String) {
    let a = w.client(first, email).await;
    let make = async |field: &str, selects: &str, input: serde_json::Value| {
        let made = w.mutate(&w.owner, field, selects, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made
    };
    let input = json!({ "user_id": a, "name": "Metformin", "active": true });
    let medication = make("createMedication", "medication { id }", input).await;
    let input = json!({ "user_id": a, "category": "ALLERGY", "name": "Peanut" });
    make("createAllergySensitivity", "allergy_sensitivity { id }", input).await;
    let input = json!({ "user_id": a, "vaccine_name": "Tdap", "cvx_code": 115,
        "received_at": "2025-01-01" });
    make("createImmunization", "immunization { id }", input).await;
    let input = json!({ "user_id": a, "display_name": "Asthma" });
    make("createHealthConcern", "health_concern { id }", input).await;
    (a, medication["medication"]["id"].as_str().unwrap().to_owned())
}

/// What somebody sees of a client.
async fn sees(w: &World, actor: &Actor, client: &str) -> String {
    w.run(actor, ALL, json!({ "id": client })).await.to_string()
}

const EVERYTHING: [&str; 4] = ["Metformin", "Peanut", "Tdap", "Asthma"];

#[tokio::test]
async fn who_sees_the_client_sees_the_lists() {
    World::each(async |w| {
        let (a, medication) = noted(&w, "Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let all = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let none = w.with(&w.standard, &[]);
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        for (actor, is_seen) in [
            (&w.owner, true),
            (&all, true),
            (&ada, true),
            (&none, false),
            (&bo, false),
            (&w.stranger, false),
        ] {
            let told = sees(&w, actor, &a).await;
            for word in EVERYTHING {
                assert_eq!(told.contains(word), is_seen, "{word}: {told}");
            }
        }
        let own = w.run(&ada, "{ medications { nodes { name } } }", json!({})).await;
        assert_eq!(own["medications"]["nodes"], json!([{ "name": "Metformin" }]));
        // Who does not see the client writes nothing of theirs; clients write nothing here.
        for actor in [&none, &ada, &bo, &w.stranger] {
            for (field, input) in [
                ("createMedication", json!({ "user_id": a, "name": "Poison" })),
                ("updateMedication", json!({ "id": medication, "name": "Poison" })),
            ] {
                let done = w.mutate(actor, field, "medication { id }", input).await;
                assert!(done.is_null() || done["medication"].is_null(), "{done}");
            }
            let answer = w.run_in(ViewId::V2026, actor, DELETE, json!({ "id": medication })).await;
            let done = &answer["data"]["deleteMedication"];
            assert!(done.is_null() || done["medication"].is_null(), "{answer}");
        }
        let rows = w.rows::<Medication>(Cond::Always).await;
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["Metformin"]);
        // Of a client's own list the practice decides whether they see it.
        let input = json!({ "user_id": a, "view_medications": false });
        w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", input).await;
        let told = sees(&w, &ada, &a).await;
        assert!(!told.contains("Metformin") && told.contains("Peanut"), "{told}");
        assert!(sees(&w, &w.owner, &a).await.contains("Metformin"));
    })
    .await;
}

#[tokio::test]
async fn a_restricted_clients_lists_are_closed_until_the_glass_is_broken() {
    World::each(async |w| {
        let (a, _) = noted(&w, "Ada", "a@example.com").await;
        let input = json!({ "id": a, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let all = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let told = sees(&w, &all, &a).await;
        assert!(EVERYTHING.iter().all(|word| !told.contains(word)), "{told}");
        let input = json!({ "client_id": a, "reason": "Found unconscious" });
        let made =
            w.mutate(&all, "createBreakGlassAccess", "break_glass_access { id }", input).await;
        assert!(made["break_glass_access"]["id"].is_string(), "{made}");
        let opened = Actor { glass_at: w.instance.now(), ..all };
        let told = sees(&w, &opened, &a).await;
        assert!(EVERYTHING.iter().all(|word| told.contains(word)), "{told}");
    })
    .await;
}

#[tokio::test]
async fn lists_move_with_the_client_who_is_merged() {
    World::each(async |w| {
        let (a, _) = noted(&w, "Ada", "a@example.com").await;
        let (b, _) = noted(&w, "Adah", "b@example.com").await;
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(b), "{merged}");
        let target = b.parse::<i64>().unwrap();
        let medications = w.rows::<Medication>(Cond::eq("user_id", target)).await;
        assert_eq!(medications.len(), 2);
        assert_eq!(w.rows::<AllergySensitivity>(Cond::eq("user_id", target)).await.len(), 2);
        assert_eq!(w.rows::<Immunization>(Cond::eq("user_id", target)).await.len(), 2);
        assert_eq!(w.rows::<HealthConcern>(Cond::eq("user_id", target)).await.len(), 2);
        assert!(sees(&w, &w.owner, &b).await.contains("Metformin"));
    })
    .await;
}
