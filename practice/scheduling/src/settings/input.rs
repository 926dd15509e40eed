//! What inputs say of settings, and what is wrong with it (behaviour 21).

use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, Problems, Refused, input, last_step};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::lines::label;
use ward_identity::tables::User;
use ward_store::Id;

use super::table::{AppointmentSetting, BaseCalendarInterval};
use crate::appointment_location::input::PlaceInput;
use crate::contact_type::ContactType;

/// Start times that clients can be bound to, in minutes (behaviour 21); 0 for
/// none.
pub const BOOKING_INTERVALS: [i64; 4] = [0, 20, 30, 60];
/// The longest time between two appointments, in minutes.
pub const BUFFER_MINUTES_MAX: i64 = 480;
/// The longest notice, in minutes.
pub const NOTICE_MINUTES_MAX: i64 = 525_600;
/// The farthest that clients can book ahead, in days.
pub const DAYS_AHEAD_MAX: i64 = 3_650;
/// The most times that a client can move an appointment.
pub const RESCHEDULES_MAX: i64 = 1_000;

/// A whole number, sent as a number or a text; a blank text is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole(pub Option<i64>);

impl FromIn for Whole {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        match value {
            In::Text(text) if text.trim().is_empty() => Ok(Whole(None)),
            other => i64::from_in(other, at, ids).map(|n| Whole(Some(n))).map_err(|_| {
                let field = last_step(at);
                Refused::on(field, format!("{} must be a whole number", label(field)))
            }),
        }
    }
}

input! {
    /// `ContactTypeOverrideInput`: whether a way to meet is offered.
    pub struct ContactTypeOverride { name: String, show: bool }
}

input! {
    /// `createAppointmentSettingInput`.
    pub struct CreateAppointmentSetting {
        user_id: IdOrBlank<User>,
        allow_clients_to_cancel_appt: bool,
        appointment_locations: Vec<PlaceInput>,
        ask_clients_to_confirm: bool,
        base_calendar_interval: BaseCalendarInterval,
        booking_interval_restriction: Whole,
        buffer: Whole,
        client_cancel_reason_required: bool,
        client_should_call_provider: bool,
        confirm_by_default: bool,
        contact_type_overrides: Vec<ContactTypeOverride>,
        enable_appointment_requests: bool,
        enable_checked_in_status: bool,
        enable_late_cancellation_status: bool,
        end_time: String,
        hide_link: bool,
        max_days_in_future: Whole,
        minimum_advance_cancel_time: Whole,
        minimum_advance_reschedule_time: Whole,
        minimum_advance_schedule_time: Whole,
        prevent_client_booking: bool,
        prevent_no_credit_booking: bool,
        provider_cancel_reason_required: bool,
        require_selected_location_for_all_contact_types: bool,
        restore_credit_on_cancel: bool,
        same_day_appointments: bool,
        send_appointment_cancellation_email: bool,
        send_appointment_update_email: bool,
        send_booking_notice: bool,
        send_email_before_appointment: bool,
        send_push_before_appointment: bool,
        send_reminder_four_days_before: bool,
        send_reminder_one_day_before: bool,
        send_reminder_one_hour_before: bool,
        send_reminder_three_days_before: bool,
        send_reminder_two_days_before: bool,
        send_reminder_two_hours_before: bool,
        send_text_reminder_five_minutes_before: bool,
        send_text_reminder_four_days_before: bool,
        send_text_reminder_one_day_before: bool,
        send_text_reminder_one_hour_before: bool,
        send_text_reminder_three_days_before: bool,
        send_text_reminder_two_days_before: bool,
        send_text_reminder_two_hours_before: bool,
        start_time: String,
        times_by_appointment_type: bool,
        times_by_contact_type: bool,
        times_by_location: bool,
        use_client_credit_system: bool,
    }
}

input! {
    /// `updateAppointmentSettingInput`.
    pub struct UpdateAppointmentSetting {
        id: IdOrBlank<AppointmentSetting>,
        user_id: IdOrBlank<User>,
        allow_clients_to_cancel_appt: bool,
        allow_clients_to_reschedule_appt: bool,
        appointment_locations: Vec<PlaceInput>,
        ask_clients_to_confirm: bool,
        base_calendar_interval: BaseCalendarInterval,
        booking_interval_restriction: Whole,
        buffer: Whole,
        client_cancel_reason_required: bool,
        client_should_call_provider: bool,
        confirm_by_default: bool,
        contact_type_overrides: Vec<ContactTypeOverride>,
        enable_appointment_requests: bool,
        enable_checked_in_status: bool,
        enable_late_cancellation_status: bool,
        end_time: String,
        hide_link: bool,
        max_days_in_future: Whole,
        minimum_advance_cancel_time: Whole,
        minimum_advance_reschedule_time: Whole,
        minimum_advance_schedule_time: Whole,
        prevent_client_booking: bool,
        prevent_no_credit_booking: bool,
        provider_cancel_reason_required: bool,
        require_selected_location_for_all_contact_types: bool,
        restore_credit_on_cancel: bool,
        same_day_appointments: bool,
        send_appointment_cancellation_email: bool,
        send_appointment_update_email: bool,
        send_booking_notice: bool,
        send_email_before_appointment: bool,
        send_push_before_appointment: bool,
        send_reminder_four_days_before: bool,
        send_reminder_one_day_before: bool,
        send_reminder_one_hour_before: bool,
        send_reminder_three_days_before: bool,
        send_reminder_two_days_before: bool,
        send_reminder_two_hours_before: bool,
        send_text_reminder_five_minutes_before: bool,
        send_text_reminder_four_days_before: bool,
        send_text_reminder_one_day_before: bool,
        send_text_reminder_one_hour_before: bool,
        send_text_reminder_three_days_before: bool,
        send_text_reminder_two_days_before: bool,
        send_text_reminder_two_hours_before: bool,
        start_time: String,
        times_by_appointment_type: bool,
        times_by_contact_type: bool,
        times_by_location: bool,
        use_client_credit_system: bool,
    }
}

input! {
    /// `AppointmentTypeAppointmentSettingInput`: a type's own settings.
    pub struct TypeSetting {
        id: Id<AppointmentSetting>,
        _destroy: bool,
        allow_clients_to_cancel_appt: bool,
        allow_clients_to_reschedule_appt: bool,
        allow_past_appointment_rescheduling: bool,
        booking_interval_restriction: Whole,
        buffer: Whole,
        enable_appointment_requests: bool,
        max_days_in_future: Whole,
        minimum_advance_cancel_time: Whole,
        minimum_advance_reschedule_time: Whole,
        minimum_advance_schedule_time: Whole,
        patient_reschedule_count_cap: Whole,
        prevent_no_credit_booking: bool,
        same_day_appointments: bool,
        send_appointment_cancellation_email: bool,
        send_appointment_update_email: bool,
        send_booking_notice: bool,
        send_reminder_four_days_before: bool,
        send_reminder_one_day_before: bool,
        send_reminder_one_hour_before: bool,
        send_reminder_three_days_before: bool,
        send_reminder_two_days_before: bool,
        send_reminder_two_hours_before: bool,
        send_text_reminder_four_days_before: bool,
        send_text_reminder_one_day_before: bool,
        send_text_reminder_one_hour_before: bool,
        send_text_reminder_three_days_before: bool,
        send_text_reminder_two_days_before: bool,
        send_text_reminder_two_hours_before: bool,
        use_client_credit_system: bool,
    }
}

/// What an input says of one layer.
pub trait Says {
    /// What is wrong with it.
    fn check(&self, problems: &mut Problems);
    /// Writes it into the layer; null takes back what the layer said.
    fn write(&self, layer: &mut AppointmentSetting);
}

macro_rules! says {
    ($input:ty; switches: $($switch:ident)*; numbers: $($number:ident $most:expr),*; times: $($time:ident)*; ways: $($ways:ident)?) => {
        impl Says for $input {
            fn check(&self, problems: &mut Problems) {
                $( at_most(stringify!($number), &self.$number, $most, problems); )*
                interval(&self.booking_interval_restriction, problems);
                $( time_of_day(stringify!($time), &self.$time, problems); )*
                $( check_ways(&self.$ways, problems); )?
            }

            fn write(&self, layer: &mut AppointmentSetting) {
                $( self.$switch.set(&mut layer.$switch); )*
                $( set(&self.$number, &mut layer.$number); )*
                set(&self.booking_interval_restriction, &mut layer.booking_interval_restriction);
                $( self.$time.set_text(&mut layer.$time); )*
                $( write_ways(&self.$ways, layer); )?
            }
        }
    };
}

says!(CreateAppointmentSetting;
    switches: allow_clients_to_cancel_appt ask_clients_to_confirm base_calendar_interval
        client_cancel_reason_required client_should_call_provider confirm_by_default
        enable_appointment_requests enable_checked_in_status enable_late_cancellation_status
        hide_link prevent_client_booking prevent_no_credit_booking
        provider_cancel_reason_required require_selected_location_for_all_contact_types
        restore_credit_on_cancel same_day_appointments use_client_credit_system
        times_by_appointment_type times_by_contact_type times_by_location
        send_appointment_cancellation_email send_appointment_update_email send_booking_notice
        send_email_before_appointment send_push_before_appointment
        send_reminder_four_days_before send_reminder_one_day_before
        send_reminder_one_hour_before send_reminder_three_days_before
        send_reminder_two_days_before send_reminder_two_hours_before
        send_text_reminder_five_minutes_before send_text_reminder_four_days_before
        send_text_reminder_one_day_before send_text_reminder_one_hour_before
        send_text_reminder_three_days_before send_text_reminder_two_days_before
        send_text_reminder_two_hours_before;
    numbers: buffer BUFFER_MINUTES_MAX, max_days_in_future DAYS_AHEAD_MAX,
        minimum_advance_cancel_time NOTICE_MINUTES_MAX,
        minimum_advance_reschedule_time NOTICE_MINUTES_MAX,
        minimum_advance_schedule_time NOTICE_MINUTES_MAX;
    times: start_time end_time;
    ways: contact_type_overrides);

says!(UpdateAppointmentSetting;
    switches: allow_clients_to_cancel_appt allow_clients_to_reschedule_appt
        ask_clients_to_confirm base_calendar_interval client_cancel_reason_required
        client_should_call_provider confirm_by_default enable_appointment_requests
        enable_checked_in_status enable_late_cancellation_status hide_link prevent_client_booking
        prevent_no_credit_booking provider_cancel_reason_required
        require_selected_location_for_all_contact_types restore_credit_on_cancel
        same_day_appointments times_by_appointment_type times_by_contact_type
        times_by_location use_client_credit_system
        send_appointment_cancellation_email send_appointment_update_email send_booking_notice
        send_email_before_appointment send_push_before_appointment
        send_reminder_four_days_before send_reminder_one_day_before
        send_reminder_one_hour_before send_reminder_three_days_before
        send_reminder_two_days_before send_reminder_two_hours_before
        send_text_reminder_five_minutes_before send_text_reminder_four_days_before
        send_text_reminder_one_day_before send_text_reminder_one_hour_before
        send_text_reminder_three_days_before send_text_reminder_two_days_before
        send_text_reminder_two_hours_before;
    numbers: buffer BUFFER_MINUTES_MAX, max_days_in_future DAYS_AHEAD_MAX,
        minimum_advance_cancel_time NOTICE_MINUTES_MAX,
        minimum_advance_reschedule_time NOTICE_MINUTES_MAX,
        minimum_advance_schedule_time NOTICE_MINUTES_MAX;
    times: start_time end_time;
    ways: contact_type_overrides);

says!(TypeSetting;
    switches: allow_clients_to_cancel_appt allow_clients_to_reschedule_appt
        allow_past_appointment_rescheduling enable_appointment_requests prevent_no_credit_booking
        same_day_appointments use_client_credit_system
        send_appointment_cancellation_email send_appointment_update_email send_booking_notice
        send_reminder_four_days_before send_reminder_one_day_before send_reminder_one_hour_before
        send_reminder_three_days_before send_reminder_two_days_before
        send_reminder_two_hours_before send_text_reminder_four_days_before
        send_text_reminder_one_day_before send_text_reminder_one_hour_before
        send_text_reminder_three_days_before send_text_reminder_two_days_before
        send_text_reminder_two_hours_before;
    numbers: buffer BUFFER_MINUTES_MAX, max_days_in_future DAYS_AHEAD_MAX,
        minimum_advance_cancel_time NOTICE_MINUTES_MAX,
        minimum_advance_reschedule_time NOTICE_MINUTES_MAX,
        minimum_advance_schedule_time NOTICE_MINUTES_MAX,
        patient_reschedule_count_cap RESCHEDULES_MAX;
    times: ;
    ways:);

fn set(given: &Given<Whole>, column: &mut Option<i64>) {
    if given.is_given() {
        *column = given.value().and_then(|whole| whole.0);
    }
}

fn at_most(field: &str, given: &Given<Whole>, most: i64, problems: &mut Problems) {
    if given.value().and_then(|whole| whole.0).is_some_and(|n| !(0..=most).contains(&n)) {
        problems.add(field, format!("{} must be from 0 to {most}", label(field)));
    }
}

fn interval(given: &Given<Whole>, problems: &mut Problems) {
    let minutes = given.value().and_then(|whole| whole.0);
    if minutes.is_some_and(|minutes| !BOOKING_INTERVALS.contains(&minutes)) {
        problems.add(
            "booking_interval_restriction",
            "Booking interval restriction must be 0, 20, 30 or 60",
        );
    }
}

fn time_of_day(field: &str, given: &Given<String>, problems: &mut Problems) {
    if given.trimmed().is_some_and(|text| text.parse::<jiff::civil::Time>().is_err()) {
        problems.add(field, format!("{} must be a time of day such as 08:00", label(field)));
    }
}

/// The way to meet that an override names.
fn way(given: &ContactTypeOverride) -> Option<ContactType> {
    given.name.trimmed().and_then(ContactType::of_text)
}

fn check_ways(given: &Given<Vec<ContactTypeOverride>>, problems: &mut Problems) {
    let Some(ways) = given.value() else { return };
    if ways.iter().any(|it| way(it).is_none()) {
        let known = ContactType::ALL.map(ContactType::name).join(", ");
        problems.add("contact_type_overrides", format!("Contact types must be some of {known}"));
    }
    let hidden = |wanted: &ContactType| {
        ways.iter().any(|it| way(it) == Some(*wanted) && it.show.value() == Some(&false))
    };
    if ContactType::ALL.iter().all(hidden) {
        problems.add("contact_type_overrides", "At least one contact type must be offered");
    }
}

fn write_ways(given: &Given<Vec<ContactTypeOverride>>, layer: &mut AppointmentSetting) {
    if matches!(given, Given::Null) {
        (layer.offers_video, layer.offers_in_person, layer.offers_phone) = (None, None, None);
    }
    for one in given.value().map(Vec::as_slice).unwrap_or_default() {
        let column = match way(one) {
            Some(ContactType::Video) => &mut layer.offers_video,
            Some(ContactType::InPerson) => &mut layer.offers_in_person,
            Some(ContactType::Phone) => &mut layer.offers_phone,
            None => continue,
        };
        *column = Some(one.show.value() != Some(&false));
    }
}
