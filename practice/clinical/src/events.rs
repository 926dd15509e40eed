//! Events that the domain emits (behaviour 14). The catalogue has those of medications and
//! allergies; what happens to the other lists is in the audit log alone.

use ward_store::Event;

use crate::tables::{AllergySensitivity, Medication};

/// `medication.created`, `.updated` or `.deleted`.
pub fn of_medication(kind: &'static str, row: &Medication, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "Medication", row.id.0);
    event
        .changed(columns)
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("user_id", row.user_id.0.to_string())
}

/// `allergy_sensitivity.created`, `.updated` or `.deleted`.
pub fn of_allergy(kind: &'static str, row: &AllergySensitivity, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "AllergySensitivity", row.id.0);
    event
        .changed(columns)
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("user_id", row.user_id.0.to_string())
}
