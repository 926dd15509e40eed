//! What is sent of appointments, and what is wrong with it whatever they were.
//! Pure.

use ward_clients::rules;
use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, Problems, input, parse_id};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_store::{Entity, Id, Json};

use super::series::rule::{self as series, Recurring};
use super::status::CancelledBy;
use super::table::{Appointment, AppointmentInclusion};
use super::when::Times;
use crate::appointment_location::table::{AppointmentLocation, Room};
use crate::contact_type::ContactType;
use crate::id_list;
use crate::request::table::AppointmentRequest;
use crate::settings::input::Whole;
use crate::tables::AppointmentType;

/// So many can attend one appointment.
pub const ATTENDEES_MAX: usize = 200;
/// So many providers can give one together.
pub const PROVIDERS_MAX: usize = 20;
/// The longest that one can have taken, in minutes.
pub const DURATION_MINUTES_MAX: i64 = 10_080;

/// Ids in any form of a list, as often as they were sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<R>(pub Vec<Id<R>>);

impl<R: Entity> FromIn for Named<R> {
    const KIND: Kind = Kind::Ids(R::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        // More than can be named at all are not looked at one by one.
        let texts = id_list::texts(value, at, ids)?.into_iter().take(id_list::IDS_MAX);
        texts.map(|text| parse_id(&text, at, ids)).collect::<Answer<_>>().map(Named)
    }
}

/// A JSON value of a program's own, as text (behaviour 9).
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(pub String);

impl FromIn for Metadata {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        match value {
            In::Json(json) => Ok(Metadata(json.to_string())),
            other => String::from_in(other, at, ids)
                .map(|text| Metadata(serde_json::Value::from(text).to_string())),
        }
    }
}

macro_rules! sent {
    ($(#[$doc:meta])* $name:ident { $($more:ident: $kind:ty),* $(,)? }) => {
        input! {
            $(#[$doc])*
            pub struct $name {
                appointment_location_id: IdOrBlank<AppointmentLocation>,
                appointment_type_id: IdOrBlank<AppointmentType>,
                attendee_ids: Named<User>,
                contact_type: String,
                date: String,
                datetime: String,
                end_date: String,
                end_time: String,
                enforce_availability: bool,
                external_videochat_url: String,
                is_blocker: bool,
                is_zoom_chat: bool,
                join_all: bool,
                location: String,
                max_attendees: Whole,
                metadata: Metadata,
                notes: String,
                other_party_id: IdOrBlank<User>,
                providers: Named<User>,
                recurring_appointment: Recurring,
                repeat: bool,
                repeat_interval: String,
                repeat_times: Whole,
                room_id: IdOrBlank<Room>,
                suppress_webhook_notifications: bool,
                time: String,
                timezone: String,
                user_id: IdOrBlank<User>,
                $($more: $kind,)*
            }
        }

        impl $name {
            /// The days and times that it names.
            pub fn times(&self) -> Times<'_> {
                Times {
                    datetime: self.datetime.trimmed(),
                    date: self.date.trimmed(),
                    time: self.time.trimmed(),
                    end_date: self.end_date.trimmed(),
                    end_time: self.end_time.trimmed(),
                }
            }

            /// What it says of a series; the fields beside the object are its older form.
            pub fn series(&self, problems: &mut Problems) -> series::Said {
                let older = Recurring {
                    join_all: self.join_all.clone(),
                    repeat_interval: self.repeat_interval.clone(),
                    repeat_times: self.repeat_times.clone(),
                };
                series::Said::of(&self.recurring_appointment, &older, &self.repeat, problems)
            }

            /// What is wrong with texts, lists and numbers.
            fn check_facts(&self, problems: &mut Problems) {
                for (field, given, most) in [
                    ("location", &self.location, rules::LINE_CHARS_MAX),
                    ("external_videochat_url", &self.external_videochat_url, rules::URL_CHARS_MAX),
                    ("notes", &self.notes, rules::NOTES_CHARS_MAX),
                ] {
                    rules::bounded(field, given, most, problems);
                }
                url(&self.external_videochat_url, problems);
                list("attendee_ids", &self.attendee_ids, ATTENDEES_MAX, problems);
                list("providers", &self.providers, PROVIDERS_MAX, problems);
                seats(&self.max_attendees, problems);
                if self.metadata.value().is_some_and(|it| it.0.len() > rules::METADATA_CHARS_MAX) {
                    let most = rules::METADATA_CHARS_MAX;
                    let sentence = format!("Metadata is too long (maximum is {most} characters)");
                    problems.add("metadata", sentence);
                }
                if self.contact_type.trimmed().is_some_and(|it| ContactType::of_text(it).is_none()) {
                    let known = ContactType::ALL.map(ContactType::name).join(", ");
                    problems.add("contact_type", format!("Contact type must be one of {known}"));
                }
            }

            /// Writes the facts that need no look at others.
            pub fn write(&self, row: &mut Appointment) {
                self.location.set_text(&mut row.location);
                self.external_videochat_url.set_text(&mut row.external_videochat_url);
                self.notes.set_text(&mut row.notes);
                if self.contact_type.is_given() {
                    let way = self.contact_type.trimmed().and_then(ContactType::of_text);
                    row.contact_type_id = way.map(ContactType::number);
                }
                if let Some(zoom) = self.is_zoom_chat.value() {
                    row.is_zoom_chat = *zoom;
                }
                if self.max_attendees.is_given() {
                    row.max_attendees = self.max_attendees.value().and_then(|it| it.0);
                }
                match &self.metadata {
                    Given::Absent => {}
                    Given::Null => row.metadata = None,
                    Given::Value(it) => row.metadata = Some(Json(it.0.clone())),
                }
            }
        }
    };
}

sent! {
    /// `createAppointmentInput`.
    CreateAppointment {
        appointment_request_id: IdOrBlank<AppointmentRequest>,
        exclude_no_credits: bool,
        start_immediately: bool,
    }
}
sent! {
    /// `updateAppointmentInput`.
    #[allow(non_snake_case, reason = "the contract's name")]
    UpdateAppointment {
        id: Id<Appointment>,
        actual_duration: Whole,
        attended_clients: Vec<AttendedClient>,
        cancellation_initiated_by: String,
        cancellation_reason_id: String,
        client_confirmed: bool,
        client_updating: bool,
        confirmed: bool,
        other_cancellation_reason: String,
        pm_status: String,
        skip_notification_email: bool,
        updateRecurring: bool,
    }
}

input! {
    /// `AttendedClientsInput`: what became of one who attends.
    pub struct AttendedClient {
        attended: bool,
        cancelled: bool,
        cancellation_reason: String,
        other_cancellation_reason: String,
        confirmed: bool,
        id: IdOrBlank<AppointmentInclusion>,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `CancellationReasonOptionInput`: why, by whose wish.
    pub struct CancellationReasonOption {
        id: String,
        initiated_by: String,
        other_cancellation_reason: String,
    }
}

input! {
    /// `deleteAppointmentInput`.
    #[allow(non_snake_case, reason = "the contract's name")]
    pub struct DeleteAppointment {
        id: Id<Appointment>,
        deleteRecurring: bool,
        cancellation_reason: CancellationReasonOption,
        suppress_webhook_notifications: bool,
    }
}

input! {
    /// `updateAppointmentInclusionInput`.
    pub struct UpdateInclusion {
        attended: bool,
        cancelled: bool,
        cancellation_reason: String,
        confirmed: bool,
        id: Id<AppointmentInclusion>,
        seats_held: Whole,
    }
}

/// What is wrong with a new appointment; required fields come first (behaviour 4.2).
pub fn check_new(input: &CreateAppointment, problems: &mut Problems) {
    if !input.is_blocker.is_true() {
        if input.appointment_type_id.value().is_none_or(|it| it.0.is_none()) {
            problems.add("appointment_type_id", "Appointment type can't be blank");
        }
        rules::required("contact_type", &input.contact_type, problems);
    }
    input.check_facts(problems);
}

/// What is wrong with a change, whatever else the appointment was than a blocker.
pub fn check_change(input: &UpdateAppointment, is_blocker: bool, problems: &mut Problems) {
    input.check_facts(problems);
    let of_type = &input.appointment_type_id;
    if !is_blocker {
        if of_type.is_given() && of_type.value().is_none_or(|it| it.0.is_none()) {
            problems.add("appointment_type_id", "Appointment type can't be blank");
        }
        rules::not_emptied("contact_type", &input.contact_type, problems);
    }
    let took = input.actual_duration.value().and_then(|it| it.0);
    if took.is_some_and(|minutes| !(0..=DURATION_MINUTES_MAX).contains(&minutes)) {
        let sentence = format!("Actual duration must be from 0 to {DURATION_MINUTES_MAX} minutes");
        problems.add("actual_duration", sentence);
    }
    let other = &input.other_cancellation_reason;
    bounded_reason("other_cancellation_reason", other, problems);
    initiated_by("cancellation_initiated_by", &input.cancellation_initiated_by, problems);
    if input.attended_clients.value().is_some_and(|list| list.len() > ATTENDEES_MAX) {
        problems.add("attended_clients", format!("At most {ATTENDEES_MAX} can be named"));
    }
}

/// A reason that is too long is a problem.
pub fn bounded_reason(field: &str, given: &Given<String>, problems: &mut Problems) {
    let most = rules::NOTES_CHARS_MAX;
    if given.value().is_some_and(|text| text.chars().count() > most) {
        let sentence = format!("Cancellation reason is too long (maximum is {most} characters)");
        problems.add(field, sentence);
    }
}

/// Who called it off, by the contract's word.
pub fn initiated_by(
    field: &str,
    given: &Given<String>,
    problems: &mut Problems,
) -> Option<CancelledBy> {
    let text = given.trimmed()?;
    let found = CancelledBy::from_text(text);
    if found.is_none() {
        let known = CancelledBy::TEXTS.join(", ");
        problems.add(field, format!("Cancellation initiated by must be one of {known}"));
    }
    found
}

fn url(given: &Given<String>, problems: &mut Problems) {
    let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    if given.trimmed().is_some_and(|text| !is_address(text) || text.contains(char::is_whitespace)) {
        let sentence = "External videochat url must be an address such as https://example.com/room";
        problems.add("external_videochat_url", sentence);
    }
}

fn list<R>(field: &str, given: &Given<Named<R>>, most: usize, problems: &mut Problems) {
    let Some(Named(ids)) = given.value() else { return };
    let mut once: Vec<i64> = ids.iter().map(|id| id.0).collect();
    once.sort_unstable();
    once.dedup();
    if once.len() > most {
        problems.add(field, format!("At most {most} can be named"));
    } else if once.len() < ids.len() {
        problems.add(field, "The same person can't be named twice");
    }
}

fn seats(given: &Given<Whole>, problems: &mut Problems) {
    let most = ATTENDEES_MAX;
    let is_few = |seats: i64| usize::try_from(seats).is_ok_and(|it| (1..=most).contains(&it));
    if given.value().and_then(|it| it.0).is_some_and(|seats| !is_few(seats)) {
        problems.add("max_attendees", format!("Max attendees must be from 1 to {most}"));
    }
}
