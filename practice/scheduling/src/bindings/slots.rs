//! Slots: values, as they are computed and never stored.

use ward_engine::{Bindings, Returns};

use crate::appointment::table::APPOINTMENTS;
use crate::checkout::{book, steps, who};
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
    checkout(b);
}

fn checkout(b: &mut Bindings) {
    b.value_object("EmbedWidgetStepType", steps::MEMBERS);
    b.batch("Query", "embedWidgetSteps", &[], |request, q, rows, args| {
        Box::pin(steps::list(request, q, rows, args))
    })
    .args(steps::ARGS)
    .public();
    const BOOKED: &[(&str, Returns)] = &[
        ("appointment", Returns::One(&APPOINTMENTS)),
        ("appointments", Returns::Many(&APPOINTMENTS)),
    ];
    b.mutation_prepared(
        "completeCheckout",
        BOOKED,
        |request, input| Box::pin(who::prepare(request, input)),
        |call, input| Box::pin(book::complete(call, input)),
    )
    .public();
}
