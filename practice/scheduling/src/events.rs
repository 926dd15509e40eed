//! Events that the domain emits (behaviour 14).

use ward_store::Event;

use crate::tables::Availability;

/// A provider can be booked at more times.
pub fn availability_created(row: &Availability) -> Event {
    availability("availability.created", row)
}

/// These facts of an availability changed.
pub fn availability_updated(row: &Availability, columns: &[&'static str]) -> Event {
    availability("availability.updated", row).changed(columns)
}

/// A provider can be booked at fewer times.
pub fn availability_deleted(row: &Availability) -> Event {
    availability("availability.deleted", row)
}

fn availability(kind: &'static str, row: &Availability) -> Event {
    Event::new(kind, "Availability", row.id.0).of_unit(row.unit_id.0)
}
