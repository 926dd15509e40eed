//! Encounters: made where an appointment occurred, one a client, however often and by whomever its
//! status is changed; who reads them, and what hangs on them (behaviour 23.4, 38).

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_clinical::episode::table::{EpisodeEncounter, PatientEncounter};
use ward_store::{Actor, Cond};

use crate::support::World;

const OF: &str = "query($at: ID, $who: ID) { patientEncounter(appointment_id: $at, patient_id: $who) \
    { id patient { id } appointment { id } charting_notes { id } } }";

/// The encounter of a client at an appointment, as somebody reads it.
async fn read(w: &World, actor: &Actor, at: &str, who: &str) -> Json {
    let variables = json!({ "at": at, "who": who });
    w.run(actor, OF, variables).await["patientEncounter"].clone()
}

/// Whose encounters there are.
async fn whose(w: &World) -> Vec<String> {
    let mut rows = w.rows::<PatientEncounter>(Cond::Always).await;
    rows.sort_by_key(|it| it.user_id.0);
    rows.iter().map(|it| it.user_id.0.to_string()).collect()
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut numbers: Vec<i64> = ids.iter().map(|id| id.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers.iter().map(i64::to_string).collect()
}

/// An episode of care of a client's with their encounter at an appointment; the id.
async fn care_of(w: &World, client: &str, at: &str) -> String {
    let input = json!({ "user_id": client, "code": "I10" });
    let made = w.mutate(&w.owner, "createHealthConcern", "health_concern { id }", input).await;
    let input = json!({ "patient_id": client, "provider_id": w.owner.user_id.to_string(),
        "diagnosis_id": made["health_concern"]["id"], "start_date": "2025-03-03" });
    let made = w.mutate(&w.owner, "createEpisodeOfCare", "episode_of_care { id }", input).await;
    let episode = made["episode_of_care"]["id"].as_str().unwrap().to_owned();
    let encounter = read(w, &w.owner, at, client).await["id"].clone();
    let input = json!({ "episode_of_care_id": episode, "encounter_ids": [encounter] });
    let done = w.mutate(&w.owner, "linkEncounterToEpisodeOfCare", "results { success }", input);
    assert_eq!(done.await["results"], json!([{ "success": true }]));
    episode
}

#[tokio::test]
async fn one_a_client_and_appointment() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let kind = w.kind("Visit", false).await;
        let first = w.books(json!({ "user_id": a, "appointment_type_id": kind }), 1).await;
        let second = w.books(json!({ "user_id": a, "appointment_type_id": kind }), 2).await;
        assert!(whose(&w).await.is_empty());
        assert_eq!(read(&w, &w.owner, &first, &a).await, Json::Null);
        for status in ["No-Show", "Cancelled", "Re-Scheduled", ""] {
            w.changes(json!({ "id": first, "pm_status": status })).await;
        }
        w.changes(json!({ "id": first, "notes": "Nothing of it occurred" })).await;
        assert!(whose(&w).await.is_empty());
        w.changes(json!({ "id": first, "pm_status": "Occurred" })).await;
        let made = read(&w, &w.owner, &first, &a).await;
        assert_eq!(made["patient"], json!({ "id": a }));
        assert_eq!(made["appointment"], json!({ "id": first }));
        assert_eq!(made["charting_notes"], json!([]));
        // It stays what it is, whatever becomes of the status.
        for status in ["No-Show", "Occurred", "", "Occurred", "Occurred"] {
            w.changes(json!({ "id": first, "pm_status": status })).await;
            assert_eq!(read(&w, &w.owner, &first, &a).await["id"], made["id"], "{status}");
        }
        assert_eq!(whose(&w).await, std::slice::from_ref(&a));
        // Not told to webhooks, it is made all the same.
        let quiet = json!({ "id": second, "pm_status": "Occurred",
            "suppress_webhook_notifications": true });
        w.changes(quiet).await;
        assert_eq!(whose(&w).await.len(), 2);
        let by_id = "query($id: ID) { patientEncounter(id: $id) { appointment { id } } }";
        let told = w.run(&w.owner, by_id, json!({ "id": made["id"] })).await;
        assert_eq!(told["patientEncounter"]["appointment"]["id"], json!(first));
        // One of the two names nobody's.
        for variables in [json!({ "at": first }), json!({ "who": a }), json!({})] {
            let told = w.run(&w.owner, OF, variables).await;
            assert_eq!(told["patientEncounter"], Json::Null);
        }
        // Deleted with its encounter made, it is not read through it.
        let gone =
            w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": second }));
        assert!(gone.await["messages"].is_null());
        assert_eq!(read(&w, &w.owner, &second, &a).await["appointment"], Json::Null);
    })
    .await;
}

#[tokio::test]
async fn each_who_attended_a_group() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let c = w.client("Cy", "c@example.com").await;
        let kind = w.kind("Circle", true).await;
        let staff = w.standard.user_id.to_string();
        let input = json!({ "attendee_ids": [a, b, staff], "appointment_type_id": kind });
        let circle = w.books(input, 1).await;
        let away = json!([{ "user_id": b, "attended": false }]);
        w.changes(json!({ "id": circle, "attended_clients": away })).await;
        w.changes(json!({ "id": circle, "pm_status": "Occurred" })).await;
        // Nobody of the staff is a client, and who was not there has none.
        assert_eq!(whose(&w).await, sorted(&[&a]));
        // Who turns out to have come, and who is added, has one.
        let came = json!([{ "user_id": b, "attended": true }]);
        w.changes(json!({ "id": circle, "attended_clients": came })).await;
        assert_eq!(whose(&w).await, sorted(&[&a, &b]));
        w.changes(json!({ "id": circle, "attendee_ids": [a, b, c, staff] })).await;
        assert_eq!(whose(&w).await, sorted(&[&a, &b, &c]));
        // Each reads the own one alone.
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        assert_eq!(read(&w, &ada, &circle, &a).await["patient"]["id"], json!(a));
        assert_eq!(read(&w, &bo, &circle, &a).await, Json::Null);
        let own = w.run(&bo, OF, json!({ "at": circle })).await;
        assert_eq!(own["patientEncounter"]["patient"]["id"], json!(b));
        for actor in [&w.stranger, &w.with(&w.standard, &[])] {
            assert_eq!(read(&w, actor, &circle, &a).await, Json::Null);
        }
        // Two who are one from now on were there once, in the episode of either.
        let episode = care_of(&w, &b, &circle).await;
        let input = json!({ "ids": [a, b], "target_user_id": a });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(a), "{merged}");
        assert_eq!(whose(&w).await, sorted(&[&a, &c]));
        let query = "query($ids: [ID!]) { episodesOfCare(ids: $ids) { nodes { patient { id } \
            patient_encounters { id } } } }";
        let told = w.run(&w.owner, query, json!({ "ids": [episode] })).await;
        let kept = read(&w, &w.owner, &circle, &a).await["id"].clone();
        let wanted = json!([{ "patient": { "id": a }, "patient_encounters": [{ "id": kept }] }]);
        assert_eq!(told["episodesOfCare"]["nodes"], wanted);
        let links = w.rows::<EpisodeEncounter>(Cond::Always).await;
        let linked: Vec<String> =
            links.iter().map(|it| it.patient_encounter_id.0.to_string()).collect();
        assert_eq!(json!(linked), json!([kept]), "the other's is in no episode");
        w.changes(json!({ "id": circle, "pm_status": "" })).await;
        w.changes(json!({ "id": circle, "pm_status": "Occurred" })).await;
        assert_eq!(whose(&w).await, sorted(&[&a, &c]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_say_that_it_occurred_one_makes_it() {
    World::each(async |w| {
        let w = Arc::new(w);
        let a = w.client("Ada", "a@example.com").await;
        let kind = w.kind("Visit", false).await;
        let visit = w.books(json!({ "user_id": a, "appointment_type_id": kind }), 1).await;
        let mut running = Vec::new();
        for n in 0..12 {
            let (w, visit) = (w.clone(), visit.clone());
            let status = if n % 3 == 2 { "No-Show" } else { "Occurred" };
            let input = json!({ "id": visit, "pm_status": status });
            running.push(tokio::spawn(async move {
                w.mutate(&w.owner, "updateAppointment", "appointment { id }", input).await
            }));
        }
        for one in running {
            let done = one.await.unwrap();
            assert!(done["messages"].is_null(), "{done}");
        }
        assert_eq!(whose(&w).await, [a]);
    })
    .await;
}

#[tokio::test]
async fn notes_of_an_encounter() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let kind = w.kind("Visit", false).await;
        let visit = w.books(json!({ "user_id": a, "appointment_type_id": kind }), 1).await;
        w.changes(json!({ "id": visit, "pm_status": "Occurred" })).await;
        let form = async |name: &str, is_note: bool| {
            let input = json!({ "name": name, "use_for_charting": is_note });
            let made =
                w.mutate(&w.owner, "createCustomModuleForm", "customModuleForm { id }", input);
            let form = made.await["customModuleForm"]["id"].as_str().unwrap().to_owned();
            let input =
                json!({ "custom_module_form_id": form, "mod_type": "text", "label": "How" });
            let made = w.mutate(&w.owner, "createCustomModule", "customModule { id }", input).await;
            (form, made["customModule"]["id"].as_str().unwrap().to_owned())
        };
        let (note, asked) = form("Visit note", true).await;
        let (intake, said) = form("Intake", false).await;
        let fill = async |form: &str, question: &str, at: Json, finished: bool| {
            let answers = json!([{ "custom_module_id": question, "answer": "Well", "user_id": a }]);
            let input = json!({ "custom_module_form_id": form, "user_id": a, "finished": finished,
                "appointment_id": at, "form_answers": answers });
            let selects = "form_answer_group { id }";
            let made = w.mutate(&w.owner, "createFormAnswerGroup", selects, input).await;
            assert!(made["messages"].is_null(), "{made}");
            made["form_answer_group"]["id"].clone()
        };
        let written = fill(&note, &asked, json!(visit), true).await;
        fill(&note, &asked, json!(visit), false).await;
        fill(&note, &asked, Json::Null, true).await;
        fill(&intake, &said, json!(visit), true).await;
        let made = read(&w, &w.owner, &visit, &a).await;
        assert_eq!(
            made["charting_notes"],
            json!([{ "id": written }]),
            "finished notes of it alone"
        );
        // Notes are not the client's to read.
        let ada = w.as_client(&a).await;
        assert_eq!(read(&w, &ada, &visit, &a).await["charting_notes"], json!([]));
    })
    .await;
}
