//! Fields of appointments and of those who attend them.

use jiff::tz::TimeZone;
use serde_json::Value as Json;
use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, Returns, RowView,
    moment, op,
};
use ward_identity::tables::USERS;
use ward_store::{Cond, Entity, Join};

use crate::appointment::series::table::{
    RECURRING_APPOINTMENTS, recurring_appointments as recurring,
};
use crate::appointment::status::CancelledBy;
use crate::appointment::table::{
    APPOINTMENT_INCLUSIONS, APPOINTMENTS, Appointment, AppointmentInclusion,
    appointment_inclusions as part, appointments as at,
};
use crate::appointment::{create, delete, inclusion, listing, reason, shown, update, video};
use crate::contact_type::ContactType;
use crate::tables::APPOINTMENT_TYPES;

const OF: &str = "Appointment";
const PART: &str = "AppointmentInclusionType";
const ID: Kind = Kind::Id(Appointment::NAME);

/// Everybody who gives an appointment.
const GIVERS: Join = Join {
    table: "(SELECT m.org_id, m.id AS appointment_id, m.provider_id AS user_id FROM appointments m \
     UNION ALL SELECT a.org_id, a.appointment_id, a.user_id FROM appointment_providers a)",
    to: "user_id",
    from: "appointment_id",
};
/// Everybody who attends one.
const COMERS: Join = Join {
    table: "(SELECT c.org_id, c.appointment_id, c.user_id FROM appointment_inclusions c \
     WHERE c.cancelled = FALSE)",
    to: "user_id",
    from: "appointment_id",
};
/// Everybody who waits for a seat.
const WAITERS: Join = Join {
    table: "(SELECT w.org_id, w.appointment_id, w.user_id, w.position FROM waitlist_places w)",
    to: "user_id",
    from: "appointment_id",
};
/// Who moves in next is the first.
const NEXT: &[OrderOption] = &[OrderOption { name: "POSITION", expression: "j.position" }];
const PARTS: Link = Link::Column { parent: at::id, child: "appointment_id" };

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    roots(b);
    b.object(OF, &APPOINTMENTS);
    b.cursor(OF);
    b.column(OF, "organization_id", at::unit_id);
    b.column(OF, "other_party_id", at::provider_id);
    for (field, column) in [("date", at::start_at), ("start", at::start_at), ("end", at::end_at)] {
        b.column(OF, field, column);
    }
    b.one(OF, "provider", &USERS, Link::Key(at::provider_id)).listing(anybody).public();
    b.one(OF, "user", &USERS, Link::Key(at::user_id)).listing(anybody);
    b.one(OF, "appointment_type", &APPOINTMENT_TYPES, Link::Key(at::appointment_type_id))
        .listing(deleted_too)
        .public();
    b.many(OF, "providers", &USERS, Link::Join { parent: at::id, join: GIVERS }).listing(anybody);
    b.many(OF, "attendees", &USERS, Link::Join { parent: at::id, join: COMERS }).listing(anybody);
    let waiters = Link::Join { parent: at::id, join: WAITERS };
    b.many(OF, "attendees_on_waitlist", &USERS, waiters)
        .listing(anybody)
        .orders(NEXT, "POSITION_ASC")
        .public();
    b.many(OF, "attended_clients", &APPOINTMENT_INCLUSIONS, PARTS)
        .orders(listing::ADDED, "CREATED_AT_ASC");
    b.count(OF, "appointment_inclusions_count", &APPOINTMENT_INCLUSIONS, PARTS)
        .listing(|_, _| Ok(Listing::of(Cond::eq("cancelled", false))));
    facts(b);
    words(b);
    rules(b);
    names(b);
    parts(b);
    series(b);
    room(b);
    b.value_object("CancellationReason", reason::MEMBERS);
    b.computed("Organization", "cancellation_reasons", &[], |_, _, args| {
        let kind = args.text("reason_type").unwrap_or("client");
        let all = reason::of_kind(CancelledBy::from_text(kind));
        Out::List(all.into_iter().map(Out::Json).collect())
    })
    .args(&[("reason_type", Kind::Plain)])
    .public();
}

fn roots(b: &mut Bindings) {
    b.query_one("appointment", &APPOINTMENTS, listing::one)
        .args(&[("id", ID), ("include_deleted", Kind::Plain)]);
    b.query_list("appointments", &APPOINTMENTS, listing::list)
        .args(listing::ARGS)
        .orders(listing::ORDERS, "DATE_DESC");
    b.query_count("appointmentsCount", &APPOINTMENTS, listing::list).args(listing::COUNT_ARGS);
    b.query_one("appointmentInclusion", &APPOINTMENT_INCLUSIONS, listing::inclusion)
        .args(&[("id", Kind::Id(AppointmentInclusion::NAME))]);
    const BOOKED: &[(&str, Returns)] = &[("appointment", Returns::One(&APPOINTMENTS))];
    const COMES: &[(&str, Returns)] =
        &[("appointment_inclusion", Returns::One(&APPOINTMENT_INCLUSIONS))];
    b.mutation("createAppointment", BOOKED, op!(create::create));
    b.mutation("updateAppointment", BOOKED, op!(update::update));
    b.mutation("deleteAppointment", BOOKED, op!(delete::delete));
    b.mutation("updateAppointmentInclusion", COMES, op!(inclusion::update));
}

/// People of an appointment, as much of them as the caller may know.
fn anybody(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing::all().public())
}

/// What was booked keeps its type.
fn deleted_too(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { deleted: true, ..Listing::all().public() })
}

fn facts(b: &mut Bindings) {
    b.computed(OF, "contact_type", &[at::contact_type_id], |_, row, _| {
        let way = row.get(at::contact_type_id).int().and_then(ContactType::of_number);
        way.map(ContactType::name).into()
    })
    .public();
    b.computed(OF, "add_to_gcal_link", &[at::start_at, at::end_at], |_, row, _| {
        let ends = row.get(at::start_at).int().zip(row.get(at::end_at).int());
        ends.and_then(|(start, end)| calendar_link(start, end)).into()
    })
    .public();
    b.computed(OF, "resourceId", &[at::provider_id], |_, row, _| {
        row.get(at::provider_id).int().map(|id| id.to_string()).into()
    });
    b.batch(OF, "location", shown::PLACE_NEEDS, |request, q, rows, _| {
        Box::pin(shown::whereabouts(request, q, rows))
    })
    .public();
    b.computed(OF, "locationResource", &[at::appointment_location_id], |_, row, _| {
        row.get(at::appointment_location_id).int().map(|id| id.to_string()).into()
    });
    b.computed(OF, "timezone_abbr", &[at::timezone, at::start_at], |_, row, _| {
        abbreviation(row).into()
    });
    // What staff write for themselves, and a program's own data, is nothing to
    // clients (behaviour 9).
    b.computed(OF, "notes", &[at::notes], |request, row, _| {
        row.text(at::notes).filter(|_| request.actor.is_member()).into()
    });
    b.computed(OF, "metadata", &[at::metadata], |request, row, _| {
        let text = row.text(at::metadata).filter(|_| request.actor.is_member());
        match text.map(serde_json::from_str::<Json>) {
            Some(Ok(json)) => Out::Json(json),
            _ => Out::Null,
        }
    });
}

/// Who is the client of an individual appointment, who did what to it, and their
/// words: nothing to another client who comes along (DOM-09).
fn words(b: &mut Bindings) {
    const CLIENT: usize = at::user_id;
    const INITIATOR: usize = at::initiator_id;
    const UPDATER: usize = at::last_updated_by_id;
    const SETTER: usize = at::pm_status_last_changed_by_id;
    const REASON: usize = at::reason;
    const OTHER: usize = at::other_cancellation_reason;
    b.computed(OF, "user_id", &[CLIENT], own_id::<CLIENT>);
    b.computed(OF, "initiator_id", &[INITIATOR, CLIENT], own_id::<INITIATOR>);
    b.computed(OF, "last_updated_by_id", &[UPDATER, CLIENT], own_id::<UPDATER>);
    b.computed(OF, "pm_status_last_changed_by_id", &[SETTER, CLIENT], own_id::<SETTER>);
    b.computed(OF, "reason", &[REASON, CLIENT], own_text::<REASON>);
    b.computed(OF, "other_cancellation_reason", &[OTHER, CLIENT], own_text::<OTHER>);
    b.computed(
        OF,
        "cancellation_reason",
        &[at::cancellation_reason_id, CLIENT],
        |request, row, _| {
            let number = row.get(at::cancellation_reason_id).int();
            let number = number.filter(|_| !is_anothers(request, row));
            number.and_then(reason::of_number).map_or(Out::Null, |it| Out::Json(it.shown()))
        },
    );
}

fn own_id<const COLUMN: usize>(request: &Request, row: &RowView<'_>, _: &Args) -> Out {
    let id = row.get(COLUMN).int().filter(|_| !is_anothers(request, row));
    id.map(|id| id.to_string()).into()
}

fn own_text<const COLUMN: usize>(request: &Request, row: &RowView<'_>, _: &Args) -> Out {
    row.text(COLUMN).filter(|_| !is_anothers(request, row)).into()
}

/// Whether a client reads an appointment that is another's.
fn is_anothers(request: &Request, row: &RowView<'_>) -> bool {
    let client = row.get(at::user_id).int();
    !request.actor.is_member() && client.is_some_and(|id| id != request.actor.user_id)
}

/// Where somebody puts the time into a calendar of their own. It says no more than
/// that there is an appointment (DOM-33).
fn calendar_link(start: i64, end: i64) -> Option<String> {
    let shown = |at: i64| {
        let at = jiff::Timestamp::from_microsecond(at).ok()?;
        Some(at.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string())
    };
    let (start, end) = (shown(start)?, shown(end)?);
    let page = "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Appointment";
    Some(format!("{page}&dates={start}/{end}"))
}

/// The name of the zone on a clock at the start.
fn abbreviation(row: &RowView<'_>) -> Option<String> {
    let zone: TimeZone = moment::zone(row.text(at::timezone)?)?;
    let start = jiff::Timestamp::from_microsecond(row.get(at::start_at).int()?).ok()?;
    Some(start.to_zoned_datetime(zone).strftime("%Z").to_string())
}

fn rules(b: &mut Bindings) {
    for field in shown::RULES {
        b.batch(OF, field.name, shown::RULE_NEEDS, field.run);
    }
}

fn names(b: &mut Bindings) {
    for field in shown::NAMES {
        b.batch(OF, field.name, shown::NAME_NEEDS, field.run);
    }
}

/// The room of a video call.
fn room(b: &mut Bindings) {
    for field in video::shown::FIELDS {
        b.batch(OF, field.name, video::shown::NEEDS, field.run);
    }
    b.computed(OF, "use_zoom", &[at::is_zoom_chat, at::contact_type_id], |_, row, _| {
        let way = row.get(at::contact_type_id).int().and_then(ContactType::of_number);
        (way == Some(ContactType::Video) && row.get(at::is_zoom_chat).truth()).into()
    });
}

fn series(b: &mut Bindings) {
    const SERIES: &str = "RecurringAppointment";
    b.query_one("recurringAppointment", &RECURRING_APPOINTMENTS, listing::series)
        .args(&[("id", Kind::Id(SERIES))]);
    b.object(SERIES, &RECURRING_APPOINTMENTS);
    let of = Link::Column { parent: recurring::id, child: "recurring_appointment_id" };
    b.many(SERIES, "appointments", &APPOINTMENTS, of).orders(listing::ORDERS, "DATE_ASC");
    let series = Link::Key(at::recurring_appointment_id);
    b.one(OF, "recurring_appointment", &RECURRING_APPOINTMENTS, series);
    b.computed(OF, "repeat", &[at::recurring_appointment_id], |_, row, _| {
        row.get(at::recurring_appointment_id).int().is_some().into()
    });
    for field in shown::SERIES {
        b.batch(OF, field.name, &[at::recurring_appointment_id], field.run);
    }
}

fn parts(b: &mut Bindings) {
    b.object(PART, &APPOINTMENT_INCLUSIONS);
    b.one(PART, "appointment", &APPOINTMENTS, Link::Key(part::appointment_id));
    b.one(PART, "user", &USERS, Link::Key(part::user_id)).listing(anybody);
    b.one(PART, "cancelled_by", &USERS, Link::Key(part::cancelled_by_id)).listing(anybody);
    // Whether somebody booked in their name is the practice's to find out.
    b.computed(PART, "seats_held", &[part::seats_held], |request, row, _| {
        row.get(part::seats_held).int().filter(|_| request.actor.is_member()).into()
    });
}
