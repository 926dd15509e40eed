//! A client's appointments in their export (DOM-39): `Appointment`, and `Encounter` of what
//! occurred (behaviour 38).

use serde_json::{Value as Json, json};
use ward_clients::export::fhir::{Part, concept, period, refer};
use ward_clients::export::{ClientRecord, Row};

use crate::appointment::status::PmStatus;
use crate::contact_type::ContactType;

/// The code system of kinds of encounters.
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Appointments and encounters.
pub fn resources(record: &ClientRecord) -> Vec<Json> {
    let rows = record.of("appointments").iter().filter(|row| !row.is("is_blocker"));
    rows.flat_map(|row| [Some(appointment(record, row)), encounter(record, row)])
        .flatten()
        .collect()
}

fn status(row: &Row) -> Option<PmStatus> {
    row.text("pm_status").and_then(PmStatus::from_text)
}

/// The word of FHIR for a status (behaviour 22).
const fn word(status: Option<PmStatus>) -> &'static str {
    match status {
        None => "booked",
        Some(PmStatus::Occurred) => "fulfilled",
        Some(PmStatus::NoShow) => "noshow",
        Some(PmStatus::CheckedIn) => "checked-in",
        Some(PmStatus::ReScheduled | PmStatus::Cancelled | PmStatus::LateCancellation) => {
            "cancelled"
        }
    }
}

fn appointment(record: &ClientRecord, row: &Row) -> Json {
    let kind = record.by_id("appointment_types", row.int("appointment_type_id"));
    let status = word(status(row));
    let because = row.text("other_cancellation_reason").filter(|_| status == "cancelled");
    let minutes = row.int("length").filter(|minutes| *minutes > 0);
    Part::resource("Appointment", row.id())
        .with("status", status)
        .maybe("cancelationReason", concept(because))
        .maybe("appointmentType", concept(kind.and_then(|kind| kind.text("name"))))
        .list("reasonCode", concept(row.text("reason")).into_iter().collect())
        .at("start", row.moment("start_at"))
        .at("end", row.moment("end_at"))
        .maybe("minutesDuration", minutes)
        .at("created", row.moment("created_at"))
        .text("comment", row.text("notes"))
        .list("participant", participants(record, row))
        .json()
}

/// The client, and the member who meets them.
fn participants(record: &ClientRecord, row: &Row) -> Vec<Json> {
    let mut inclusions = record.of("appointment_inclusions").iter();
    let own = inclusions.find(|it| it.int("appointment_id") == Some(row.id()));
    let status = match own.is_some_and(|own| own.is("cancelled")) {
        true => "declined",
        false => "accepted",
    };
    let client = json!({
        "actor": refer(format!("Patient/{}", record.client_id)), "status": status,
    });
    let provider = record.person(row.int("provider_id"));
    let provider =
        provider.map(|provider| json!({ "actor": refer(provider), "status": "accepted" }));
    std::iter::once(client).chain(provider).collect()
}

fn encounter(record: &ClientRecord, row: &Row) -> Option<Json> {
    status(row).filter(|status| *status == PmStatus::Occurred)?;
    let is_video = row.int("contact_type_id") == Some(ContactType::Video.number());
    let code = if is_video { "VR" } else { "AMB" };
    let provider = record.person(row.int("provider_id"));
    let provider = provider.map(|provider| json!({ "individual": refer(provider) }));
    let times = period(row.moment("start_at"), row.moment("end_at"));
    let encounter = Part::resource("Encounter", row.id())
        .with("status", "finished")
        .with("class", json!({ "system": ACT, "code": code }))
        .with("subject", refer(format!("Patient/{}", record.client_id)))
        .list("participant", provider.into_iter().collect())
        .with("appointment", json!([refer(format!("Appointment/{}", row.id()))]))
        .maybe("period", times);
    Some(encounter.json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_word() {
        let words = PmStatus::TEXTS.iter().map(|text| word(PmStatus::from_text(text)));
        let words: Vec<&str> = words.collect();
        let known = ["fulfilled", "noshow", "cancelled", "cancelled", "cancelled", "checked-in"];
        assert_eq!(words, known);
        assert_eq!(word(None), "booked");
    }
}
