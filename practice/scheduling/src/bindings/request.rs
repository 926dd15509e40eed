//! Fields of appointment requests.

use serde_json::Value as Json;
use ward_engine::{Bindings, Link, Listing, Out, Returns, op};
use ward_identity::tables::USERS;

use crate::appointment::table::{APPOINTMENTS, appointments};
use crate::request::table::{
    APPOINTMENT_REQUEST_SLOTS, APPOINTMENT_REQUESTS, appointment_requests as at,
};
use crate::request::{answer, ask, listing};
use crate::tables::APPOINTMENT_TYPES;

const OF: &str = "AppointmentRequestType";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_one("appointmentRequest", &APPOINTMENT_REQUESTS, listing::one).args(listing::ONE_ARGS);
    b.query_list("appointmentRequests", &APPOINTMENT_REQUESTS, listing::list)
        .args(listing::ARGS)
        .orders(listing::ORDERS, "DATE_DESC");
    const MADE: &[(&str, Returns)] = &[("appointmentRequest", Returns::One(&APPOINTMENT_REQUESTS))];
    b.mutation_prepared(
        "createAppointmentRequest",
        MADE,
        |request, input| Box::pin(ask::prepare(request, input)),
        |call, input| Box::pin(ask::create(call, input)),
    )
    .public();
    b.mutation("updateAppointmentRequest", MADE, op!(answer::update));
    b.mutation("deleteAppointmentRequest", MADE, op!(answer::delete));
    b.object(OF, &APPOINTMENT_REQUESTS);
    b.one(OF, "provider", &USERS, Link::Key(at::provider_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.one(OF, "patient", &USERS, Link::Key(at::patient_id));
    b.one(OF, "closed_by", &USERS, Link::Key(at::closed_by_id))
        .listing(|_, _| Ok(Listing::all().public()));
    b.one(OF, "first_appointment", &APPOINTMENTS, Link::Key(at::first_appointment_id));
    b.one(OF, "appointment_type", &APPOINTMENT_TYPES, Link::Key(at::appointment_type_id))
        .listing(|_, _| Ok(Listing { deleted: true, ..Listing::all().public() }))
        .public();
    let slots = Link::Column { parent: at::id, child: "appointment_request_id" };
    b.many(OF, "slots", &APPOINTMENT_REQUEST_SLOTS, slots)
        .listing(|_, _| Ok(Listing::all().public()))
        .orders(listing::SLOT_ORDERS, "SLOT_START_ASC")
        .public();
    b.computed(OF, "booking_params", &[at::booking_params], |_, row, _| {
        match row.text(at::booking_params).map(serde_json::from_str::<Json>) {
            Some(Ok(json)) => Out::Json(json),
            _ => Out::Null,
        }
    });
    b.object("AppointmentRequestSlotType", &APPOINTMENT_REQUEST_SLOTS);
    b.batch("Appointment", "appointment_request_id", &[appointments::id], |request, q, rows, _| {
        Box::pin(listing::of_appointments(request, q, rows))
    });
}
