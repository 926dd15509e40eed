//! Fields of credits.

use ward_engine::{Answer, Args, Bindings, Link, Listing, Out, Request};
use ward_identity::tables::{USERS, users};

use crate::appointment::table::{APPOINTMENTS, appointments as at};
use crate::credit::table::{
    APPOINTMENT_CREDIT_CHANGES, APPOINTMENT_TYPE_CREDITS, CreditCause,
    appointment_credit_changes as change, appointment_type_credits as credits,
};
use crate::credit::{set, shown};
use crate::listing;
use crate::settings::of_user;
use crate::tables::{APPOINTMENT_TYPES, appointment_types as types};

const OF: &str = "AppointmentTypeCredit";
const CHANGE: &str = "AppointmentCreditChange";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_list("appointmentTypeCreditChanges", &APPOINTMENT_CREDIT_CHANGES, shown::changes)
        .args(shown::CHANGES_ARGS)
        .orders(listing::MADE, "CREATED_AT_DESC");
    b.object(CHANGE, &APPOINTMENT_CREDIT_CHANGES);
    b.one(CHANGE, "appointment", &APPOINTMENTS, Link::Key(change::appointment_id));
    b.one(CHANGE, "initiator", &USERS, Link::Key(change::initiator_id)).listing(public);
    b.column(CHANGE, "credit_change_event_type", change::cause);
    b.computed(CHANGE, "credit_change_event", &[change::cause], |_, row, _| {
        let cause = row.text(change::cause).and_then(CreditCause::from_text);
        cause.map_or(Out::Null, |cause| cause.words().into())
    });
    b.object(OF, &APPOINTMENT_TYPE_CREDITS);
    b.one(OF, "appointment_type", &APPOINTMENT_TYPES, Link::Key(credits::appointment_type_id))
        .listing(deleted_too);
    const WHOSE: &[usize] = &[credits::user_id, credits::appointment_type_id];
    b.batch(OF, "quantity", WHOSE, |request, q, rows, _| {
        Box::pin(shown::quantities(request, q, rows))
    });
    let own = Link::Column { parent: users::id, child: "user_id" };
    b.many("User", "appointment_type_credits", &APPOINTMENT_TYPE_CREDITS, own)
        .args(shown::OF_USER_ARGS)
        .listing(shown::of_user)
        .orders(listing::MADE, "CREATED_AT_ASC");
    b.batch("User", "show_client_appointment_credits", of_user::NEEDS, |request, q, rows, _| {
        Box::pin(of_user::uses_credits(request, q, rows))
    });
    b.batch("Appointment", "credit_was_used", &[at::id], |request, q, rows, _| {
        Box::pin(shown::was_used(request, q, rows))
    });
    b.batch("AppointmentType", "clients_have_credit", &[types::id], |request, q, rows, _| {
        Box::pin(shown::clients_have(request, q, rows))
    });
    b.share("updateClient", |call, input, payload| Box::pin(set::set(call, input, payload)));
}

/// Who did it, as much of them as the caller may know.
fn public(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}

/// Credits of a type that is gone are still theirs.
fn deleted_too(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { deleted: true, ..Listing::all().public() })
}
