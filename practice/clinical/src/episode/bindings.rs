//! What answers each contract field of encounters and episodes of care.

use ward_charting::filled::listing::ORDERS;
use ward_charting::filled::tables::FORM_ANSWER_GROUPS;
use ward_engine::{Bindings, Link, Listing, Returns, op};
use ward_identity::tables::USERS;
use ward_scheduling::appointment::table::APPOINTMENTS;
use ward_store::Join;

use super::table::{
    EPISODES_OF_CARE, PATIENT_ENCOUNTERS, episodes_of_care as episode,
    patient_encounters as encounter,
};
use super::{change, encounter as made, link, listing, rules};
use crate::tables::{HEALTH_CONCERNS, health_concerns as concern};

const OF: &str = "EpisodeOfCare";
const ENCOUNTER: &str = "PatientEncounter";
const DIAGNOSIS: &str = "Diagnosis";

/// The encounters of an episode.
const LINKED: Join =
    Join { table: "episode_encounters", to: "patient_encounter_id", from: "episode_of_care_id" };
/// What was filled in about the client at the appointment of an encounter, a note of the group too.
const FILLED: Join = Join {
    table: "(SELECT e.org_id, e.id AS patient_encounter_id, g.id AS form_answer_group_id \
     FROM patient_encounters e JOIN form_answer_groups g ON g.org_id = e.org_id \
     AND g.appointment_id = e.appointment_id AND (g.user_id = e.user_id OR EXISTS (SELECT 1 \
     FROM individual_client_notes own WHERE own.org_id = g.org_id \
     AND own.form_answer_group_id = g.id AND own.user_id = e.user_id)))",
    to: "form_answer_group_id",
    from: "patient_encounter_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    made::bind(b);
    episode_fields(b);
    encounter_fields(b);
    diagnosis_fields(b);
    b.query_one("patientEncounter", &PATIENT_ENCOUNTERS, listing::encounter)
        .args(listing::ENCOUNTER_ARGS);
    b.query_list("episodesOfCare", &EPISODES_OF_CARE, listing::episodes)
        .args(listing::EPISODES_ARGS)
        .orders(listing::BEGUN, "START_DATE_DESC");
    const EPISODE: &[(&str, Returns)] = &[("episode_of_care", Returns::One(&EPISODES_OF_CARE))];
    b.mutation("createEpisodeOfCare", EPISODE, op!(change::create));
    b.mutation("updateEpisodeOfCare", EPISODE, op!(change::update));
    b.mutation("deleteEpisodeOfCare", EPISODE, op!(change::delete));
    b.value_object("LinkUnlinkEncounterToEpisodeOfCare", link::MEMBERS);
    const RESULTS: &[(&str, Returns)] = &[("results", Returns::Leaf)];
    b.mutation("linkEncounterToEpisodeOfCare", RESULTS, op!(link::link));
    b.mutation("unlinkEncounterToEpisodeOfCare", RESULTS, op!(link::unlink));
}

fn episode_fields(b: &mut Bindings) {
    b.object(OF, &EPISODES_OF_CARE);
    b.one(OF, "patient", &USERS, Link::Key(episode::user_id));
    // Whoever gives the care, in public to the client.
    b.one(OF, "provider", &USERS, Link::Key(episode::provider_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.one(OF, "diagnosis", &HEALTH_CONCERNS, Link::Key(episode::diagnosis_id))
        .listing(listing::diagnosis);
    let linked = Link::Join { parent: episode::id, join: LINKED };
    b.many(OF, "patient_encounters", &PATIENT_ENCOUNTERS, linked)
        .orders(listing::MADE, "CREATED_AT_ASC");
}

/// Claims and payments of an encounter are of domains to come.
fn encounter_fields(b: &mut Bindings) {
    b.object(ENCOUNTER, &PATIENT_ENCOUNTERS);
    b.one(ENCOUNTER, "patient", &USERS, Link::Key(encounter::user_id));
    b.one(ENCOUNTER, "appointment", &APPOINTMENTS, Link::Key(encounter::appointment_id));
    let filled = Link::Join { parent: encounter::id, join: FILLED };
    b.many(ENCOUNTER, "charting_notes", &FORM_ANSWER_GROUPS, filled)
        .listing(listing::notes)
        .orders(ORDERS, "CREATED_AT_DESC");
}

/// A diagnosis is a client's health concern with a code of ICD-10-CM. Its words are the client's
/// list's: a table of codes is not kept.
fn diagnosis_fields(b: &mut Bindings) {
    b.object(DIAGNOSIS, &HEALTH_CONCERNS);
    b.column(DIAGNOSIS, "first_symptom_date", concern::effective_time);
    b.one(DIAGNOSIS, "user", &USERS, Link::Key(concern::user_id));
    b.computed(DIAGNOSIS, "active", &[concern::deleted_at], |_, row, _| {
        row.get(concern::deleted_at).is_null().into()
    });
    b.computed(DIAGNOSIS, "display_name", &[concern::code, concern::display_name], |_, row, _| {
        rules::called(row.text(concern::code), row.text(concern::display_name)).into()
    });
}
