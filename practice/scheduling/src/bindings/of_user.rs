//! What a user's page says of appointments, and how far the work on each is.

use ward_engine::{Answer, Args, Bindings, Link, Listing, Out, Request, RowView};
use ward_identity::tables::{USERS, users};

use crate::appointment::of_user::{self, ATTENDS, BY_START};
use crate::appointment::table::{APPOINTMENTS, appointments as at};
use crate::appointment::{listing, workflow};
use crate::settings;

const USER: &str = "User";
const THEIRS: Link = Link::Join { parent: users::id, join: ATTENDS };

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_one("nextAppointment", &APPOINTMENTS, of_user::next).orders(BY_START, "DATE_ASC");
    b.batch("Query", "showScheduledTab", &[], |request, q, rows, _| {
        Box::pin(of_user::shows_scheduled(request, q, rows))
    });
    b.many(USER, "appointments", &APPOINTMENTS, THEIRS)
        .listing(|_, _| Ok(Listing::all()))
        .orders(BY_START, "DATE_DESC");
    b.many(USER, "upcoming_appointments", &APPOINTMENTS, THEIRS)
        .listing(of_user::coming)
        .orders(BY_START, "DATE_ASC");
    b.one(USER, "next_app", &APPOINTMENTS, THEIRS)
        .listing(of_user::coming)
        .orders(BY_START, "DATE_ASC");
    b.one(USER, "last_app", &APPOINTMENTS, THEIRS)
        .listing(of_user::past)
        .orders(BY_START, "DATE_DESC");
    for field in ["next_appointment", "next_appt_date"] {
        b.batch(USER, field, &[users::id], |request, q, rows, _| {
            Box::pin(of_user::next_dates(request, q, rows))
        });
    }
    b.batch(USER, "has_own_appointment_setting", &[users::id], |request, q, rows, _| {
        Box::pin(settings::of_user::has_own(request, q, rows))
    });
    workflow(b);
}

fn workflow(b: &mut Bindings) {
    const WORK: &str = "AppointmentWorkflowStatus";
    const WHAT: &str = "AppointmentWorkflowStatusAppointmentType";
    b.query_list("appointmentWorkflowStatuses", &APPOINTMENTS, workflow::list)
        .args(workflow::ARGS)
        .orders(listing::ORDERS, "DATE_DESC");
    b.object(WORK, &APPOINTMENTS);
    b.one(WORK, "appointment", &APPOINTMENTS, Link::Key(at::id));
    b.one(WORK, "client", &USERS, Link::Key(at::user_id)).listing(anybody);
    b.one(WORK, "provider", &USERS, Link::Key(at::provider_id)).listing(anybody);
    b.object(WHAT, &APPOINTMENTS);
    b.column(WHAT, "date", at::start_at);
    b.column(WHAT, "status", at::pm_status);
    for person in ["AppointmentWorkflowStatusClientType", "AppointmentWorkflowStatusProviderType"] {
        b.column(person, "id", users::id).public();
        b.computed(person, "name", &[users::first_name, users::last_name], |_, row, _| name(row))
            .public();
    }
}

/// People of an appointment, as much of them as the caller may know.
fn anybody(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}

fn name(row: &RowView<'_>) -> Out {
    let text = |column: usize| row.text(column).unwrap_or_default();
    format!("{} {}", text(users::first_name), text(users::last_name)).trim().into()
}
