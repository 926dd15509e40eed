//! Episodes of care: what they may say, who writes and reads them, and which encounters belong to
//! them (behaviour 38).

use serde_json::{Value as Json, json};
use ward_clinical::episode::table::{EpisodeEncounter, EpisodeOfCare};
use ward_store::{Actor, Cond};

use crate::support::World;

const ALL: &str = "episode_of_care { id start_date end_date patient { id } provider { id } \
    diagnosis { id display_name active first_symptom_date } patient_encounters { id } }";

/// A health concern of a client's; the id.
async fn concern(w: &World, client: &str, code: &str) -> String {
    let input = json!({ "user_id": client, "code": code, "display_name": "High blood pressure",
        "effective_time": "2024-05-01" });
    let made = w.mutate(&w.owner, "createHealthConcern", "health_concern { id }", input).await;
    made["health_concern"]["id"].as_str().unwrap().to_owned()
}

/// What says that the owner cares for a client since a day.
fn cares(w: &World, client: &str, diagnosis: &str) -> Json {
    json!({ "patient_id": client, "provider_id": w.owner.user_id.to_string(),
        "diagnosis_id": diagnosis, "start_date": "2025-03-03" })
}

fn with(mut input: Json, field: &str, value: impl Into<Json>) -> Json {
    input[field] = value.into();
    input
}

/// Begins an episode; the id.
async fn begun(w: &World, input: Json) -> String {
    let made = w.mutate(&w.owner, "createEpisodeOfCare", ALL, input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["episode_of_care"]["id"].as_str().unwrap().to_owned()
}

/// The field and the sentence that refuse a mutation.
async fn refused(w: &World, actor: &Actor, field: &str, input: Json) -> (String, String) {
    let done = w.mutate(actor, field, "", input).await;
    let told = |name: &str| done["messages"][0][name].as_str().unwrap_or("nothing").to_owned();
    (told("field"), told("message"))
}

/// The ids that the list answers.
async fn listed(w: &World, actor: &Actor, args: &str) -> Json {
    let query = format!("{{ episodesOfCare{args} {{ total_count nodes {{ id }} }} }}");
    let told = w.run(actor, &query, json!({})).await;
    let nodes = told["episodesOfCare"]["nodes"].as_array().unwrap().clone();
    assert_eq!(told["episodesOfCare"]["total_count"], nodes.len());
    nodes.iter().map(|node| node["id"].clone()).collect()
}

/// An encounter of a client's; the id.
async fn met(w: &World, client: &str, days: i64) -> String {
    let kind = w.kind(&format!("Visit {days}"), false).await;
    let visit = w.books(json!({ "user_id": client, "appointment_type_id": kind }), days).await;
    w.changes(json!({ "id": visit, "pm_status": "Occurred" })).await;
    let query = "query($at: ID, $who: ID) { patientEncounter(appointment_id: $at, patient_id: $who) \
        { id } }";
    let told = w.run(&w.owner, query, json!({ "at": visit, "who": client })).await;
    told["patientEncounter"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_an_episode_says() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (high, other) = (concern(&w, &a, "i10").await, concern(&w, &b, "E11.9").await);
        let snomed = concern(&w, &a, "73211009").await;
        let made = w.mutate(&w.owner, "createEpisodeOfCare", ALL, cares(&w, &a, &high)).await;
        let episode = made["episode_of_care"].clone();
        let diagnosis = json!({ "id": high, "display_name": "I10: High blood pressure",
            "active": true, "first_symptom_date": "2024-05-01" });
        let wanted = json!({ "id": episode["id"], "start_date": "2025-03-03", "end_date": null,
            "patient": { "id": a }, "provider": { "id": w.owner.user_id.to_string() },
            "diagnosis": diagnosis, "patient_encounters": [] });
        assert_eq!(episode, wanted, "{made}");
        let id = episode["id"].as_str().unwrap().to_owned();
        // Without the end that is sent, what was said of it stays; null takes it back.
        let change = with(cares(&w, &a, &high), "id", id.clone());
        let update = async |input: Json| {
            let done = w.mutate(&w.owner, "updateEpisodeOfCare", ALL, input).await;
            assert!(done["messages"].is_null(), "{done}");
            done["episode_of_care"]["end_date"].clone()
        };
        assert_eq!(update(with(change.clone(), "end_date", "2030-01-01")).await, "2030-01-01");
        assert_eq!(update(change.clone()).await, "2030-01-01");
        assert_eq!(update(with(change.clone(), "end_date", Json::Null)).await, Json::Null);
        let staff = w.standard.user_id.to_string();
        for (field, value, sentence) in [
            ("patient_id", "", "Object not found"),
            ("patient_id", staff.as_str(), "Object not found"),
            ("provider_id", a.as_str(), "Object not found"),
            ("provider_id", "", "Object not found"),
            ("diagnosis_id", "nonsense", "Object not found"),
            ("diagnosis_id", other.as_str(), "Object not found"),
            ("start_date", "3000-01-01", "Start date can't be in the future"),
        ] {
            let bad = with(cares(&w, &a, &high), field, value);
            let told = refused(&w, &w.owner, "createEpisodeOfCare", bad.clone()).await;
            assert_eq!(told, (field.to_owned(), sentence.to_owned()));
            let bad = with(bad, "id", id.clone());
            let told = refused(&w, &w.owner, "updateEpisodeOfCare", bad).await;
            assert_eq!(told, (field.to_owned(), sentence.to_owned()));
        }
        let bad = with(cares(&w, &a, &high), "end_date", "2025-03-02");
        let (field, sentence) = refused(&w, &w.owner, "createEpisodeOfCare", bad).await;
        assert_eq!(
            (field.as_str(), sentence.as_str()),
            ("end_date", "End date can't be before start date")
        );
        let bad = cares(&w, &a, &snomed);
        let (field, sentence) = refused(&w, &w.owner, "createEpisodeOfCare", bad).await;
        assert!(field == "diagnosis_id" && sentence.contains("ICD-10-CM"), "{field} {sentence}");
        let bad = with(change, "patient_id", b.clone());
        let told = refused(&w, &w.owner, "updateEpisodeOfCare", bad).await;
        assert_eq!(told, ("patient_id".to_owned(), "Object not found".to_owned()));
        // What it is for stays what it is for, off the client's list as well.
        let gone = w.mutate(&w.owner, "deleteHealthConcern", "", json!({ "id": high })).await;
        assert!(gone["messages"].is_null(), "{gone}");
        let query = "{ episodesOfCare { nodes { diagnosis { id active } } } }";
        let told = w.run(&w.owner, query, json!({})).await;
        assert_eq!(
            told["episodesOfCare"]["nodes"][0]["diagnosis"],
            json!({ "id": high, "active": false })
        );
        assert_eq!(update(with(cares(&w, &a, &high), "id", id.clone())).await, Json::Null);
        let new = refused(&w, &w.owner, "createEpisodeOfCare", cares(&w, &a, &high)).await;
        assert_eq!(new, ("diagnosis_id".to_owned(), "Object not found".to_owned()));
        let gone = w.mutate(&w.owner, "deleteEpisodeOfCare", ALL, json!({ "id": id })).await;
        assert_eq!(gone["episode_of_care"]["id"], json!(id), "{gone}");
        assert_eq!(listed(&w, &w.owner, "").await, json!([]));
        assert!(w.rows::<EpisodeOfCare>(Cond::Always).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn who_reads_and_writes_episodes() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (high, low) = (concern(&w, &a, "I10").await, concern(&w, &b, "I95.9").await);
        let first = begun(&w, cares(&w, &a, &high)).await;
        let later = with(cares(&w, &b, &low), "start_date", "2025-04-04");
        let later = with(later, "provider_id", w.standard.user_id.to_string());
        let second = begun(&w, later).await;
        assert_eq!(listed(&w, &w.owner, "").await, json!([second, first]));
        let of = |field: &str, id: &str| format!("({field}: \"{id}\")");
        assert_eq!(listed(&w, &w.owner, &of("patient_id", &a)).await, json!([first]));
        let provider = of("provider_id", &w.standard.user_id.to_string());
        assert_eq!(listed(&w, &w.owner, &provider).await, json!([second]));
        assert_eq!(listed(&w, &w.owner, &of("ids", &first)).await, json!([first]));
        let page = listed(&w, &w.owner, "(ids: [], patient_id: \"\")").await;
        assert_eq!(page, json!([]), "none is named");
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let visit = met(&w, &a, 1).await;
        for (actor, seen) in [
            (&ada, json!([first])),
            (&bo, json!([second])),
            (&w.stranger, json!([])),
            (&w.with(&w.standard, &[]), json!([])),
        ] {
            assert_eq!(listed(&w, actor, "").await, seen);
            let link = json!({ "episode_of_care_id": first, "encounter_ids": [visit] });
            for (field, input) in [
                ("createEpisodeOfCare", cares(&w, &a, &high)),
                ("updateEpisodeOfCare", with(cares(&w, &a, &high), "id", first.clone())),
                ("deleteEpisodeOfCare", json!({ "id": first })),
                ("linkEncounterToEpisodeOfCare", link.clone()),
                ("unlinkEncounterToEpisodeOfCare", link.clone()),
            ] {
                // Clients have not the right at all; others are told that there is nothing.
                let done = w.mutate(actor, field, "", input).await;
                assert!(done["messages"].is_array() || done.is_null(), "{field}: {done}");
            }
        }
        assert_eq!(w.rows::<EpisodeOfCare>(Cond::Always).await.len(), 2);
        assert!(w.rows::<EpisodeEncounter>(Cond::Always).await.is_empty());
    })
    .await;
}

/// Links encounters to an episode, or takes them out; why not, of each.
async fn link(w: &World, field: &str, episode: &str, ids: Json) -> Vec<String> {
    let input = json!({ "episode_of_care_id": episode, "encounter_ids": ids });
    let selects = "results { episode_of_care_id patient_encounter_id success failed_reason }";
    let done = w.mutate(&w.owner, field, selects, input).await;
    assert!(done["messages"].is_null(), "{done}");
    let results = done["results"].as_array().unwrap();
    let told = |it: &Json| {
        assert_eq!(it["episode_of_care_id"], json!(episode));
        assert_eq!(it["success"], it["failed_reason"].is_null());
        let id = it["patient_encounter_id"].as_str().unwrap();
        format!("{id} {}", it["failed_reason"].as_str().unwrap_or("done"))
    };
    results.iter().map(told).collect()
}

#[tokio::test]
async fn encounters_of_an_episode() {
    World::each(async |w| {
        const LINK: &str = "linkEncounterToEpisodeOfCare";
        const UNLINK: &str = "unlinkEncounterToEpisodeOfCare";
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let high = concern(&w, &a, "I10").await;
        let episode = begun(&w, cares(&w, &a, &high)).await;
        let (one, two) = (met(&w, &a, 1).await, met(&w, &a, 2).await);
        let foreign = met(&w, &b, 3).await;
        let told =
            link(&w, LINK, &episode, json!([one, foreign, "nonsense", one, null, two])).await;
        let wanted = [
            format!("{one} done"),
            format!("{foreign} The encounter is another client's"),
            "nonsense There is no such encounter".to_owned(),
            format!("{one} The encounter is linked to this episode of care already"),
            format!("{two} done"),
        ];
        assert_eq!(told, wanted);
        let linked = async |episode: &str| {
            let query = "query($ids: [ID!]) { episodesOfCare(ids: $ids) { nodes \
                { patient_encounters { id } } } }";
            let told = w.run(&w.owner, query, json!({ "ids": [episode] })).await;
            told["episodesOfCare"]["nodes"][0]["patient_encounters"].clone()
        };
        assert_eq!(linked(&episode).await, json!([{ "id": one }, { "id": two }]));
        // An encounter may be of several episodes.
        let more = begun(&w, cares(&w, &a, &high)).await;
        assert_eq!(link(&w, LINK, &more, json!([two])).await, [format!("{two} done")]);
        let told = link(&w, UNLINK, &episode, json!([two, two, foreign])).await;
        let not = "The encounter is not linked to this episode of care";
        assert_eq!(
            told,
            [format!("{two} done"), format!("{two} {not}"), format!("{foreign} {not}")]
        );
        assert_eq!(linked(&episode).await, json!([{ "id": one }]));
        assert_eq!(linked(&more).await, json!([{ "id": two }]));
        for ids in [json!([]), json!(["", null]), json!(vec![one.clone(); 101])] {
            let input = json!({ "episode_of_care_id": episode, "encounter_ids": ids });
            assert_eq!(refused(&w, &w.owner, LINK, input).await.0, "encounter_ids");
        }
        let input = json!({ "episode_of_care_id": "", "encounter_ids": [one] });
        assert_eq!(refused(&w, &w.owner, LINK, input).await.0, "episode_of_care_id");
        // Deleted, it lets go of them, and they stay.
        let gone = w.mutate(&w.owner, "deleteEpisodeOfCare", "", json!({ "id": more })).await;
        assert!(gone["messages"].is_null(), "{gone}");
        let (field, _) = refused(
            &w,
            &w.owner,
            LINK,
            json!({ "episode_of_care_id": more, "encounter_ids": [one] }),
        )
        .await;
        assert_eq!(field, "episode_of_care_id");
        let query = "query($id: ID) { patientEncounter(id: $id) { id } }";
        let told = w.run(&w.owner, query, json!({ "id": two })).await;
        assert_eq!(told["patientEncounter"]["id"], json!(two));
        // A merge moves them to whom their client is now.
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(b), "{merged}");
        let told = link(&w, LINK, &episode, json!([foreign])).await;
        assert_eq!(told, [format!("{foreign} done")]);
    })
    .await;
}
