//! What is sent to ask for an appointment, and what is wrong with it. Pure.

use jiff::tz::TimeZone;
use ward_clients::rules;
use ward_engine::{Given, Problems, input, moment};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::states;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::Id;

use super::table::{AppointmentRequest, RequestStatus};
use crate::appointment::input::Metadata;
use crate::appointment_type::input::DESCRIPTION_CHARS_MAX;
use crate::availability::wall::Interval;
use crate::tables::AppointmentType;

/// So many times one request names.
pub const SLOTS_MAX: usize = 20;
/// The longest name of a way to meet (behaviour 24).
pub const CONTACT_TYPE_CHARS_MAX: usize = 25;
/// The most that a booking page keeps with a request, in bytes.
pub const PARAMS_BYTES_MAX: usize = 10_000;
/// The longest time that one slot names.
const SLOT_HOURS_MAX: i64 = 24;
/// A request is for a time within so many days.
const DAYS_AHEAD_MAX: i64 = 3_650;
const HOUR: i64 = 3_600_000_000;

input! {
    /// `AppointmentRequestSlotInput`.
    pub struct WantedSlot { slot_start: String, slot_end: String }
}

input! {
    /// `createAppointmentRequestInput`.
    pub struct CreateRequest {
        organization_id: IdOrBlank<Organization>,
        first_name: String,
        last_name: String,
        phone: String,
        email: String,
        timezone: String,
        reason: String,
        provider_id: IdOrBlank<User>,
        patient_id: IdOrBlank<User>,
        appointment_type_id: IdOrBlank<AppointmentType>,
        selected_contact_type: String,
        selected_state: String,
        slots: Vec<WantedSlot>,
        booking_params: Metadata,
        should_assign_provider: bool,
    }
}

input! {
    /// `updateAppointmentRequestInput`.
    pub struct UpdateRequest {
        id: Id<AppointmentRequest>,
        provider_notes: String,
        patient_id: IdOrBlank<User>,
        status: RequestStatus,
    }
}

input! {
    /// `deleteAppointmentRequestInput`.
    pub struct DeleteRequest { id: Id<AppointmentRequest> }
}

/// What is wrong with it by itself; who asks has to be said where it is not known.
pub fn problems(input: &CreateRequest, is_known: bool) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    let people = [
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("email", &input.email),
    ];
    for (field, value) in people.iter().filter(|_| !is_known) {
        rules::required(field, value, p);
    }
    rules::required("timezone", &input.timezone, p);
    rules::required("reason", &input.reason, p);
    rules::email("email", &input.email, p);
    for (field, value) in [("first_name", &input.first_name), ("last_name", &input.last_name)] {
        rules::plain_name(field, value, p);
    }
    for (field, value) in people.into_iter().chain([("phone", &input.phone)]) {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, p);
    }
    rules::time_zone("timezone", &input.timezone, p);
    rules::bounded("reason", &input.reason, DESCRIPTION_CHARS_MAX, p);
    let way = &input.selected_contact_type;
    rules::bounded("selected_contact_type", way, CONTACT_TYPE_CHARS_MAX, p);
    if input.selected_state.trimmed().is_some_and(|it| it.len() != 2 || states::code(it).is_none())
    {
        p.add("selected_state", "Selected state must be the two letters of a state");
    }
    if input.booking_params.value().is_some_and(|it| it.0.len() > PARAMS_BYTES_MAX) {
        let sentence = format!("Booking params is too long (maximum is {PARAMS_BYTES_MAX} bytes)");
        p.add("booking_params", sentence);
    }
    problems
}

/// The times that are asked for, each once and in order.
pub fn slots(
    given: &Given<Vec<WantedSlot>>,
    zone: &TimeZone,
    now: Timestamp,
    problems: &mut Problems,
) -> Vec<Interval> {
    const AT: &str = "slots";
    let sent = given.value().map(Vec::as_slice).unwrap_or_default();
    if sent.len() > SLOTS_MAX {
        problems.add(AT, format!("At most {SLOTS_MAX} slots can be named"));
        return Vec::new();
    }
    let mut slots: Vec<Interval> = Vec::with_capacity(sent.len());
    for one in sent {
        match interval(one, zone, now) {
            Ok(interval) => slots.push(interval),
            Err(sentence) => problems.add(AT, sentence),
        }
    }
    slots.sort_unstable_by_key(|it| (it.start, it.end));
    slots.dedup();
    slots
}

fn interval(one: &WantedSlot, zone: &TimeZone, now: Timestamp) -> Result<Interval, &'static str> {
    let instant = |text: &Given<String>| text.trimmed().and_then(|it| moment::instant(it, zone));
    let (start, end) = instant(&one.slot_start)
        .zip(instant(&one.slot_end))
        .ok_or("A slot must begin and end at a moment such as 2026-03-04T09:30:00Z")?;
    let interval = Interval::new(start, end).ok_or("A slot must end after it begins")?;
    if end.0 - start.0 > SLOT_HOURS_MAX * HOUR {
        return Err("A slot can be at most 24 hours long");
    }
    if start.0 > now.0.saturating_add(DAYS_AHEAD_MAX * 24 * HOUR) || end <= now {
        return Err("A slot must be to come, within ten years");
    }
    Ok(interval)
}
