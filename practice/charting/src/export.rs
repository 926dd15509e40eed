//! A client's filled forms and notes in their export (DOM-39): `QuestionnaireResponse`, each
//! question as it read when it was answered; records of treatment for a substance use disorder with
//! their security labels (DOM-31). A group note is in the export of each of its clients, with what it
//! says of them and nothing of what it says of another.

use std::collections::HashMap;

use serde_json::{Value as Json, json};
use ward_clients::export::fhir::{Part, refer, string};
use ward_clients::export::{ClientRecord, Row};

use crate::tables::Confidentiality;

/// The code systems of security labels.
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Filled forms and notes.
pub fn resources(record: &ClientRecord) -> Vec<Json> {
    let versions = record.of("question_versions").iter().map(|row| (row.id(), row));
    let versions: HashMap<i64, &Row> = versions.collect();
    let mut answers: HashMap<i64, Vec<&Row>> = HashMap::new();
    for answer in record.of("form_answers") {
        answers.entry(answer.int("form_answer_group_id").unwrap_or(0)).or_default().push(answer);
    }
    let filled = |row: &Row| {
        let mut own = answers.remove(&row.id()).unwrap_or_default();
        own.sort_by_key(|answer| (answer.int("place"), answer.id()));
        let items = own.into_iter().filter_map(|answer| item(&versions, answer)).collect();
        filled(record, row, items)
    };
    record.of("form_answer_groups").iter().map(filled).collect()
}

/// Whether a row is a record of treatment for a substance use disorder (42 CFR part 2).
fn is_part_2(row: &Row) -> bool {
    row.text("confidentiality") == Some(Confidentiality::Part2.as_str())
}

/// Whether such records are among a client's.
pub fn holds_part_2(record: &ClientRecord) -> bool {
    record.of("form_answer_groups").iter().any(is_part_2)
}

/// The security labels of a record: restricted, of a substance use disorder, by this law; or
/// restricted, psychotherapy notes.
fn labels(row: &Row) -> Vec<Json> {
    match row.text("confidentiality").and_then(Confidentiality::from_text) {
        Some(Confidentiality::Part2) => of_part_2(),
        Some(Confidentiality::CounsellingNotes) => {
            coded(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "PSYTHPN")])
        }
        Some(Confidentiality::Normal) | None => Vec::new(),
    }
}

/// The labels of a record of treatment for a substance use disorder (42 CFR part 2).
pub fn of_part_2() -> Vec<Json> {
    coded(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "SUD"), (ACT_CODE, "42CFRPart2")])
}

fn coded(codes: &[(&str, &str)]) -> Vec<Json> {
    codes.iter().map(|(system, code)| json!({ "system": system, "code": code })).collect()
}

/// The labels of all records of a client together: the whole is as confidential as its strictest part.
pub fn labels_of(record: &ClientRecord) -> Vec<Json> {
    let mut all: Vec<Json> = Vec::new();
    for label in record.of("form_answer_groups").iter().flat_map(labels) {
        if !all.contains(&label) {
            all.push(label);
        }
    }
    all
}

fn filled(record: &ClientRecord, row: &Row, items: Vec<Json>) -> Json {
    let status = match (row.is("finished"), row.int("locked_at").is_some()) {
        (false, false) => "in-progress",
        _ => "completed",
    };
    let authored = row.moment("completed_at").or_else(|| row.moment("created_at"));
    let own = |it: &&Row| it.int("form_answer_group_id") == Some(row.id());
    let addenda = record.of("charting_note_addendums").iter().filter(own).filter_map(addendum);
    let single = record.of("individual_client_notes").iter().filter(own).filter_map(individual);
    let meta = Part::default().list("security", labels(row)).some();
    Part::resource("QuestionnaireResponse", row.id())
        .maybe("meta", meta)
        .with("identifier", json!({ "value": row.id().to_string() }))
        .with("status", status)
        .with("subject", refer(format!("Patient/{}", record.client_id)))
        .at("authored", authored)
        .to("author", record.person(row.int("filler_id")))
        .list("item", items.into_iter().chain(single).chain(addenda).collect())
        .json()
}

fn item(versions: &HashMap<i64, &Row>, answer: &Row) -> Option<Json> {
    let version = answer.int("question_version_id").and_then(|id| versions.get(&id));
    let label = version.and_then(|version| version.text("label")).and_then(string);
    let said = answer.text("answer").and_then(string);
    if label.is_none() && said.is_none() {
        return None;
    }
    let said = said.map(|said| json!([{ "valueString": said }]));
    let link = answer.int("custom_module_id").unwrap_or(answer.id()).to_string();
    let item = Part::default().with("linkId", link).maybe("text", label).maybe("answer", said);
    Some(item.json())
}

/// What a group note says of the client stands behind its answers.
fn individual(row: &Row) -> Option<Json> {
    let said = string(row.text("content")?)?;
    let link = format!("individual-{}", row.id());
    Some(json!({ "linkId": link, "text": "Individual note", "answer": [{ "valueString": said }] }))
}

/// What was added to a locked note stands behind its answers.
fn addendum(row: &Row) -> Option<Json> {
    let said = string(row.text("content")?)?;
    let link = format!("addendum-{}", row.id());
    Some(json!({ "linkId": link, "text": "Addendum", "answer": [{ "valueString": said }] }))
}
