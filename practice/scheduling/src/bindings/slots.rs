//! Slots: values, as they are computed and never stored.

use ward_engine::Bindings;

use crate::slots::{answer, ask, warnings};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.value_object("PotentialAppointmentSlot", answer::MEMBERS);
    b.batch("Query", "availableSlotsForRange", &[], |request, q, rows, args| {
        Box::pin(answer::list(request, q, rows, args))
    })
    .args(ask::SLOTS_ARGS)
    .public();
    b.batch("Query", "daysAvailableForRange", &[], |request, q, rows, args| {
        Box::pin(answer::days(request, q, rows, args))
    })
    .args(ask::DAYS_ARGS)
    .public();
    b.batch("Query", "nextAvailableSlot", &[], |request, q, rows, args| {
        Box::pin(answer::next(request, q, rows, args))
    })
    .args(ask::NEXT_ARGS)
    .public();
    b.value_object("AppointmentBookingWarning", warnings::MEMBERS);
    b.batch("Query", "appointmentBookingWarnings", &[], |request, q, rows, args| {
        Box::pin(warnings::list(request, q, rows, args))
    })
    .args(warnings::ARGS);
}
