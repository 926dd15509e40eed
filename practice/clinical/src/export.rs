//! A client's clinical records in their export (DOM-39): medications, allergies, concerns,
//! immunizations, procedures, metrics and smoking as resources of FHIR R4. What has none there
//! (goals, comments, meals) is in the rows.

use serde_json::{Value as Json, json};
use ward_clients::export::fhir::{Part, coded, concept, notes, period, refer};
use ward_clients::export::{ClientRecord, Row};

use crate::entry::rules::number;
use crate::entry::table::Kind;

const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const ALLERGY: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
const CVX: &str = "http://hl7.org/fhir/sid/cvx";
const SNOMED: &str = "http://snomed.info/sct";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const LOINC: &str = "http://loinc.org";
/// LOINC: tobacco smoking status.
const SMOKING: &str = "72166-2";

/// The clinical records.
pub fn resources(record: &ClientRecord) -> Vec<Json> {
    let patient = refer(format!("Patient/{}", record.client_id));
    let all = |table: &str, make: fn(&Row, Json) -> Option<Json>| -> Vec<Json> {
        record.of(table).iter().filter_map(|row| make(row, patient.clone())).collect()
    };
    [
        all("medications", medication),
        all("allergy_sensitivities", allergy),
        all("health_concerns", concern),
        all("immunizations", immunization),
        all("procedures", procedure),
        all("entries", metric),
        all("smoking_statuses", smoking),
    ]
    .concat()
}

fn medication(row: &Row, patient: Json) -> Option<Json> {
    let dose = [row.text("dosage"), row.text("frequency"), row.text("directions")];
    let dose: Vec<&str> = dose.into_iter().flatten().collect();
    let dosage = Part::default()
        .text("text", Some(dose.join(", ").as_str()))
        .maybe("route", concept(row.text("route")));
    let name = coded(RXNORM, row.text("code"), row.text("name"))?;
    let taken = Part::resource("MedicationStatement", row.id())
        .with("status", if row.is("active") { "active" } else { "completed" })
        .with("medicationCodeableConcept", name)
        .with("subject", patient)
        .maybe("effectivePeriod", period(row.moment("start_date"), row.moment("end_date")))
        .at("dateAsserted", row.moment("created_at"))
        .list("note", notes(&[row.text("comment")]))
        .list("dosage", dosage.some().into_iter().collect());
    Some(taken.json())
}

fn allergy(row: &Row, patient: Json) -> Option<Json> {
    let status = row.text("status").unwrap_or("ACTIVE").to_lowercase();
    let kind = match row.text("category") {
        Some("ALLERGY") => Some("allergy"),
        Some("INTOLERANCE" | "SENSITIVITY") => Some("intolerance"),
        _ => None,
    };
    let severity = row.text("severity").map(str::to_lowercase);
    let severity = severity.filter(|it| ["mild", "moderate", "severe"].contains(&it.as_str()));
    let reaction = concept(row.text("reaction")).map(|shown| {
        Part::default().with("manifestation", vec![shown]).maybe("severity", severity).json()
    });
    let told = [row.text("category_type"), row.text("reaction_type"), row.text("severity")];
    let allergy = Part::resource("AllergyIntolerance", row.id())
        .maybe("clinicalStatus", coded(ALLERGY, Some(status.as_str()), None))
        .maybe("type", kind)
        .maybe("code", concept(row.text("name")))
        .with("patient", patient)
        .at("onsetDateTime", row.text("onset_date").map(str::to_owned))
        .at("recordedDate", row.moment("created_at"))
        .list("note", notes(&told))
        .list("reaction", reaction.into_iter().collect());
    Some(allergy.json())
}

fn concern(row: &Row, patient: Json) -> Option<Json> {
    // A code of ICD-10-CM begins with a letter, one of SNOMED CT is a number.
    let is_number = row.text("code").is_some_and(|it| it.bytes().all(|it| it.is_ascii_digit()));
    let system = if is_number { SNOMED } else { ICD };
    let code = coded(system, row.text("code"), row.text("display_name"));
    let condition = Part::resource("Condition", row.id())
        .maybe("clinicalStatus", coded(CLINICAL, Some("active"), None))
        .maybe("code", code)
        .with("subject", patient)
        .at("onsetDateTime", row.text("effective_time").map(str::to_owned))
        .at("recordedDate", row.moment("created_at"))
        .list("note", notes(&[row.text("description")]));
    Some(condition.json())
}

fn immunization(row: &Row, patient: Json) -> Option<Json> {
    let code = row.int("cvx_code").map(|code| format!("{code:02}"));
    let given = row.moment("received_at")?;
    let status = match row.text("status").unwrap_or_default().to_lowercase().as_str() {
        "not-done" | "not done" | "refused" => "not-done",
        "entered-in-error" => "entered-in-error",
        _ => "completed",
    };
    let shot = Part::resource("Immunization", row.id())
        .with("status", status)
        .with("vaccineCode", coded(CVX, code.as_deref(), row.text("vaccine_name"))?)
        .with("patient", patient)
        .at("occurrenceDateTime", Some(given))
        .at("recorded", row.moment("created_at"))
        .list("note", notes(&[row.text("additional_notes")]));
    Some(shot.json())
}

fn procedure(row: &Row, patient: Json) -> Option<Json> {
    let system = match row.text("code_system_name").unwrap_or_default().to_uppercase() {
        name if name.contains("CPT") => "http://www.ama-assn.org/go/cpt",
        name if name.contains("LOINC") => LOINC,
        name if name.contains("ICD") => "http://hl7.org/fhir/sid/icd-10-pcs",
        _ => SNOMED,
    };
    let status = match row.text("status").unwrap_or_default().to_lowercase().as_str() {
        "active" | "in-progress" => "in-progress",
        "aborted" | "stopped" => "stopped",
        "cancelled" | "not-done" => "not-done",
        "completed" => "completed",
        _ => "unknown",
    };
    let start = row.moment("procedure_start_datetime");
    let done = Part::resource("Procedure", row.id())
        .with("status", status)
        .maybe("code", coded(system, row.text("code"), row.text("display_name")))
        .with("subject", patient)
        .maybe("performedPeriod", period(start, row.moment("procedure_end_datetime")))
        .list("bodySite", concept(row.text("target_site")).into_iter().collect());
    Some(done.json())
}

/// A number that was measured; what else is in the journal is in the rows.
fn metric(row: &Row, patient: Json) -> Option<Json> {
    row.text("kind").and_then(Kind::from_text).filter(|kind| *kind == Kind::Metric)?;
    let said = row.text("metric_stat")?;
    let measured = Part::resource("Observation", row.id())
        .with("status", "final")
        .with("code", concept(row.text("category").or(Some("Metric")))?)
        .with("subject", patient)
        .at("effectiveDateTime", row.moment("noted_at"));
    let measured = match number(said) {
        Some(number) => measured.with("valueQuantity", json!({ "value": number })),
        None => measured.text("valueString", Some(said)),
    };
    Some(measured.list("note", notes(&[row.text("description")])).json())
}

fn smoking(row: &Row, patient: Json) -> Option<Json> {
    let times = period(row.moment("status_start_datetime"), row.moment("status_end_datetime"));
    let smokes = Part::resource("Observation", format!("smoking-{}", row.id()))
        .with("status", "final")
        .with("code", coded(LOINC, Some(SMOKING), Some("Tobacco smoking status"))?)
        .with("subject", patient)
        .maybe("effectivePeriod", times)
        .maybe("valueCodeableConcept", coded(SNOMED, row.text("smoking_status_code"), None));
    Some(smokes.json())
}
