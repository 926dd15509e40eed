//! Availability: value objects, as a weekly row is many of them.

use ward_engine::{Bindings, Kind, Returns, op};

use crate::availability::{change, of_types, read, removal};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.value_object("Availability", read::MEMBERS);
    b.batch("Query", "availabilities", &[], |request, q, rows, args| {
        Box::pin(read::list(request, q, rows, args))
    })
    .args(read::ARGS);
    b.batch("Query", "availabilitiesCount", &[], |request, q, rows, args| {
        Box::pin(read::count(request, q, rows, args))
    })
    .args(read::COUNT_ARGS);
    b.batch("Query", "availability", &[], |request, q, rows, args| {
        Box::pin(read::one(request, q, rows, args))
    })
    .args(&[("id", Kind::Id("Availability"))]);
    const ONE: &[(&str, Returns)] = &[("availability", Returns::Leaf)];
    const MANY: &[(&str, Returns)] = &[("availabilities", Returns::Leaf)];
    const GONE: &[(&str, Returns)] =
        &[("deleted_count", Returns::Leaf), ("success", Returns::Leaf)];
    b.mutation("createAvailability", ONE, op!(change::create));
    b.mutation("editAvailability", ONE, op!(change::edit));
    b.mutation("deleteAvailability", ONE, op!(removal::delete));
    b.mutation("bulkCreateAvailability", MANY, op!(change::bulk_create));
    b.mutation("bulkDeleteAvailability", GONE, op!(removal::bulk_delete));
    b.mutation("createAvailabilityWithAppointmentTypes", ONE, op!(of_types::create_with_types));
    b.mutation("editAvailabilityWithAppointmentTypes", ONE, op!(of_types::edit_with_types));
}
