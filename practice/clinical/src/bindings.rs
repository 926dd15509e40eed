//! What answers each contract field of the domain, one line a field.

use ward_engine::{Bindings, Kind, Link, Listing, OrderOption, Out, Request, Returns, op};
use ward_identity::tables::{USERS, User, users};
use ward_store::{Entity, Role};

use crate::tables::{
    ALLERGY_SENSITIVITIES, FAMILY_HISTORY_CONDITIONS, HEALTH_CONCERNS, IMMUNIZATIONS, MEDICATIONS,
    Medication, PROCEDURES, SMOKING_STATUSES, allergy_sensitivities as allergies,
    family_history_conditions as family, medications,
};
use crate::{
    allergy, care_plan, comment, concern, entry, episode, goal, immunization, medication, options,
    procedure, smoking,
};

/// A list of a client's, from the client.
const OF_CLIENT: Link = Link::Column { parent: users::id, child: "user_id" };

const UPDATED: &[OrderOption] = &[OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" }];

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    medication_fields(b);
    offered(b);
    allergy_fields(b);
    family_fields(b);
    plain_lists(b);
    mutations(b);
    entry::bindings::bind(b);
    episode::bindings::bind(b);
    comment::bindings::bind(b);
    goal::bindings::bind(b);
    care_plan::bindings::bind(b);
}

fn medication_fields(b: &mut Bindings) {
    const OF: &str = "MedicationType";
    b.object(OF, &MEDICATIONS);
    b.computed(OF, "normalized_status", &[medications::active], |_, row, _| {
        (if row.get(medications::active).truth() { "ACTIVE" } else { "INACTIVE" }).into()
    });
    own_records(b, OF);
    b.query_one("medication", &MEDICATIONS, medication::one)
        .args(&[("id", Kind::Id(Medication::NAME))]);
    b.query_list("medications", &MEDICATIONS, medication::listing)
        .args(&[("patient_id", Kind::Id(User::NAME)), ("active", Kind::Plain)]);
    b.query_count("medications_count", &MEDICATIONS, medication::listing)
        .args(&[("patient_id", Kind::Id(User::NAME)), ("active", Kind::Plain)]);
}

/// What is written here is the record itself: no copy of another system's, and nothing that was
/// read from a document and waits to be looked at.
fn own_records(b: &mut Bindings, of: &'static str) {
    b.computed(of, "mirrored", &[], |_, _, _| Out::Bool(false));
    b.computed(of, "requires_consolidation", &[], |_, _, _| Out::Bool(false));
}

/// Strangers may ask for the list of medications and for nothing else (behaviour 3.4).
fn is_stranger(request: &Request) -> bool {
    request.actor.role == Role::Anonymous
}

fn offered(b: &mut Bindings) {
    b.value_object("MedicationOptionType", options::MEMBERS);
    b.value_object("DosageType", options::DOSAGE_MEMBERS);
    b.batch("Query", "medication_options", &[], |_, _, rows, args| {
        let answer = options::list(args);
        Box::pin(async move { Ok(rows.iter().map(|_| answer.clone()).collect()) })
    })
    .args(&[("keywords", Kind::Plain)])
    .public();
    b.batch("Query", "medication_option", &[], |request, _, rows, args| {
        let answer = match is_stranger(request) {
            true => Ok(Out::Null),
            false => options::one(args, request.instance.ids()),
        };
        Box::pin(async move { answer.map(|it| rows.iter().map(|_| it.clone()).collect()) })
    })
    .args(&[("id", Kind::Plain)]);
    b.batch("Query", "allergySuggestions", &[], |request, _, rows, args| {
        let answer = match is_stranger(request) {
            true => Out::Null,
            false => options::suggestions(args),
        };
        Box::pin(async move { Ok(rows.iter().map(|_| answer.clone()).collect()) })
    })
    .args(&[("category", Kind::Plain)]);
}

fn allergy_fields(b: &mut Bindings) {
    const OF: &str = "AllergySensitivity";
    b.object(OF, &ALLERGY_SENSITIVITIES);
    b.computed(OF, "is_current", &[allergies::status], |_, row, _| {
        (row.text(allergies::status) == Some("ACTIVE")).into()
    });
    own_records(b, OF);
    // Whoever wrote it, in public to the client.
    b.one(OF, "created_by", &USERS, Link::Key(allergies::created_by_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.many("User", "allergy_sensitivities", &ALLERGY_SENSITIVITIES, OF_CLIENT)
        .args(&[("category", Kind::Plain), ("is_current", Kind::Plain)])
        .listing(allergy::listing);
    b.one("User", "last_updated_allergy", &ALLERGY_SENSITIVITIES, OF_CLIENT)
        .args(&[("category", Kind::Plain)])
        .listing(allergy::last)
        .orders(UPDATED, "UPDATED_AT_DESC");
}

fn family_fields(b: &mut Bindings) {
    const OF: &str = "FamilyHistoryCondition";
    b.object(OF, &FAMILY_HISTORY_CONDITIONS);
    b.computed(OF, "relationships", &[family::relationships], |_, row, _| {
        crate::family::kept(row.text(family::relationships).unwrap_or_default()).into()
    });
    // Its words are licensed.
    b.value_object("SnomedTerm", &["concept_id"]);
    b.computed(OF, "snomed_term", &[family::concept_id], |_, row, _| {
        let concept = row.text(family::concept_id);
        concept.map_or(Out::Null, |id| Out::Object(vec![("concept_id", id.into())]))
    });
    b.many("User", "family_history_conditions", &FAMILY_HISTORY_CONDITIONS, OF_CLIENT);
}

fn plain_lists(b: &mut Bindings) {
    b.object("Immunization", &IMMUNIZATIONS);
    b.many("User", "immunizations", &IMMUNIZATIONS, OF_CLIENT);
    b.object("HealthConcern", &HEALTH_CONCERNS);
    b.many("User", "health_concerns", &HEALTH_CONCERNS, OF_CLIENT);
    b.object("Procedure", &PROCEDURES);
    b.many("User", "procedures", &PROCEDURES, OF_CLIENT);
    b.object("SmokingStatus", &SMOKING_STATUSES);
    b.many("User", "smoking_statuses", &SMOKING_STATUSES, OF_CLIENT);
}

fn mutations(b: &mut Bindings) {
    use crate::family as relatives;
    const MEDICATION: &[(&str, Returns)] = &[("medication", Returns::One(&MEDICATIONS))];
    b.mutation("createMedication", MEDICATION, op!(medication::create));
    b.mutation("updateMedication", MEDICATION, op!(medication::update));
    b.mutation("deleteMedication", MEDICATION, op!(medication::delete));
    const ALLERGY: &[(&str, Returns)] = &[
        ("allergy_sensitivity", Returns::One(&ALLERGY_SENSITIVITIES)),
        ("duplicate_allergy", Returns::One(&ALLERGY_SENSITIVITIES)),
    ];
    const ALLERGY_GONE: &[(&str, Returns)] =
        &[("allergy_sensitivity", Returns::One(&ALLERGY_SENSITIVITIES))];
    b.mutation("createAllergySensitivity", ALLERGY, op!(allergy::create));
    b.mutation("updateAllergySensitivity", ALLERGY, op!(allergy::update));
    b.mutation("deleteAllergySensitivity", ALLERGY_GONE, op!(allergy::delete));
    const FAMILY: &[(&str, Returns)] = &[
        ("family_history_condition", Returns::One(&FAMILY_HISTORY_CONDITIONS)),
        ("duplicate_family_history_condition", Returns::One(&FAMILY_HISTORY_CONDITIONS)),
    ];
    const FAMILY_GONE: &[(&str, Returns)] =
        &[("family_history_condition", Returns::One(&FAMILY_HISTORY_CONDITIONS))];
    b.mutation("createFamilyHistory", FAMILY, op!(relatives::create));
    b.mutation("updateFamilyHistory", FAMILY, op!(relatives::update));
    b.mutation("deleteFamilyHistory", FAMILY_GONE, op!(relatives::delete));
    const IMMUNIZATION: &[(&str, Returns)] = &[("immunization", Returns::One(&IMMUNIZATIONS))];
    b.mutation("createImmunization", IMMUNIZATION, op!(immunization::create));
    b.mutation("updateImmunization", IMMUNIZATION, op!(immunization::update));
    const CONCERN: &[(&str, Returns)] = &[("health_concern", Returns::One(&HEALTH_CONCERNS))];
    b.mutation("createHealthConcern", CONCERN, op!(concern::create));
    b.mutation("updateHealthConcern", CONCERN, op!(concern::update));
    b.mutation("deleteHealthConcern", CONCERN, op!(concern::delete));
    const PROCEDURE: &[(&str, Returns)] = &[("procedure", Returns::One(&PROCEDURES))];
    b.mutation("createProcedure", PROCEDURE, op!(procedure::create));
    b.mutation("updateProcedure", PROCEDURE, op!(procedure::update));
    b.mutation("deleteProcedure", PROCEDURE, op!(procedure::delete));
    const SMOKING: &[(&str, Returns)] = &[("smokingStatus", Returns::One(&SMOKING_STATUSES))];
    b.mutation("createSmokingStatus", SMOKING, op!(smoking::create));
    b.mutation("updateSmokingStatus", SMOKING, op!(smoking::update));
    b.mutation("deleteSmokingStatus", SMOKING, op!(smoking::delete));
}
