//! The client as a `Patient`, and the members whom the rows name as `Practitioner`s.

use serde_json::{Value as Json, json};

use super::fhir::{Part, string};
use super::{ClientRecord, Row};

/// The national number of providers.
const NPI: &str = "http://hl7.org/fhir/sid/us-npi";

/// The client and the members.
pub fn resources(record: &ClientRecord) -> Vec<Json> {
    let client = record.by_id("users", Some(record.client_id));
    let patient = client.map(|row| patient(record, row));
    patient.into_iter().chain(record.staff.iter().map(practitioner)).collect()
}

fn patient(record: &ClientRecord, row: &Row) -> Json {
    let numbers = [row.text("record_identifier"), row.text("additional_record_identifier")];
    let numbers = numbers.into_iter().flatten().filter_map(string);
    let identifiers = numbers.map(|value| json!({ "value": value })).collect();
    let legal = row.text("legal_name").and_then(string);
    let legal = legal.map(|text| json!({ "use": "official", "text": text }));
    let names = name(row).into_iter().chain(legal).collect();
    let telecom = [
        contact("phone", row.text("phone_number")),
        contact("phone", row.text("additional_phone_number")),
        contact("email", row.text("email")),
    ];
    let provider = record.person(row.int("dietitian_id"));
    let provider = provider.map(super::fhir::refer).into_iter().collect();
    let addresses = record.of("locations").iter().filter_map(address).collect();
    Part::resource("Patient", row.id())
        .list("identifier", identifiers)
        .with("active", row.is("active"))
        .list("name", names)
        .list("telecom", telecom.into_iter().flatten().collect())
        .maybe("gender", gender(row))
        .at("birthDate", row.text("dob").map(str::to_owned))
        .at("deceasedDateTime", row.text("deceased_on").map(str::to_owned))
        .list("address", addresses)
        .list("generalPractitioner", provider)
        .json()
}

fn name(row: &Row) -> Option<Json> {
    let given = row.text("first_name").and_then(string).into_iter().map(Json::String).collect();
    Part::default().text("family", row.text("last_name")).list("given", given).some()
}

fn contact(system: &str, value: Option<&str>) -> Option<Json> {
    let value = string(value?)?;
    Some(json!({ "system": system, "value": value }))
}

/// One of FHIR's four words: `sex` is what the insurance card says, `gender` what the client does.
fn gender(row: &Row) -> Option<&'static str> {
    let said = row.text("sex").or_else(|| row.text("gender"))?;
    Some(match said.to_lowercase().as_str() {
        "male" => "male",
        "female" => "female",
        "unknown" => "unknown",
        _ => "other",
    })
}

fn address(row: &Row) -> Option<Json> {
    let lines = [row.text("line1"), row.text("line2")];
    let lines = lines.into_iter().flatten().filter_map(string).map(Json::String).collect();
    Part::default()
        .list("line", lines)
        .text("city", row.text("city"))
        .text("state", row.text("state"))
        .text("postalCode", row.text("zip"))
        .text("country", row.text("country"))
        .some()
}

fn practitioner(row: &Row) -> Json {
    let npi = row.text("npi").and_then(string);
    let npi = npi.map(|value| json!({ "system": NPI, "value": value }));
    let title = row.text("qualifications").and_then(string);
    let title = title.map(|text| json!({ "code": { "text": text } }));
    Part::resource("Practitioner", row.id())
        .list("identifier", npi.into_iter().collect())
        .list("name", name(row).into_iter().collect())
        .list("qualification", title.into_iter().collect())
        .json()
}
