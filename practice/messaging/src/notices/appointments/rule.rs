//! When somebody is reminded of an appointment, and how its time is written
//! (behaviour 42). Pure.

use crate::notices::plan::Slots;
use crate::notices::tables::NoticeCategory;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use ward_instance::Timestamp;

use ward_scheduling::contact_type::ContactType;
use ward_scheduling::settings::layers::Settings;

const MINUTE: i64 = 60_000_000;

/// How long before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// At the same time of the day, by the client's clock.
    Days(i64),
    Minutes(i64),
}

/// One of the reminders that a practice can switch on.
#[derive(Clone, Copy)]
pub struct Reminding {
    /// Its name.
    pub slot: &'static str,
    /// By which way.
    pub category: NoticeCategory,
    before: Before,
    is_on: fn(&Settings) -> bool,
    /// Only of video calls.
    is_of_video: bool,
}

macro_rules! remindings {
    ($($slot:literal $way:ident $unit:ident($n:literal) $switch:ident $video:literal;)*) => {
        /// All of them.
        pub const ALL: &[Reminding] = &[$(Reminding {
            slot: $slot,
            category: NoticeCategory::$way,
            before: Before::$unit($n),
            is_on: |settings| settings.$switch,
            is_of_video: $video,
        }),*];
    };
}
remindings! {
    "email_4_days" Email Days(4) send_reminder_four_days_before false;
    "email_3_days" Email Days(3) send_reminder_three_days_before false;
    "email_2_days" Email Days(2) send_reminder_two_days_before false;
    "email_1_day" Email Days(1) send_reminder_one_day_before false;
    "email_2_hours" Email Minutes(120) send_reminder_two_hours_before false;
    "email_1_hour" Email Minutes(60) send_reminder_one_hour_before false;
    "email_5_minutes" Email Minutes(5) send_email_before_appointment true;
    "push_5_minutes" Push Minutes(5) send_push_before_appointment true;
    "sms_4_days" Sms Days(4) send_text_reminder_four_days_before false;
    "sms_3_days" Sms Days(3) send_text_reminder_three_days_before false;
    "sms_2_days" Sms Days(2) send_text_reminder_two_days_before false;
    "sms_1_day" Sms Days(1) send_text_reminder_one_day_before false;
    "sms_2_hours" Sms Minutes(120) send_text_reminder_two_hours_before false;
    "sms_1_hour" Sms Minutes(60) send_text_reminder_one_hour_before false;
    "sms_5_minutes" Sms Minutes(5) send_text_reminder_five_minutes_before false;
}

impl Reminding {
    /// The one of this name.
    pub fn named(slot: &str) -> Option<&'static Reminding> {
        ALL.iter().find(|it| it.slot == slot)
    }

    /// Whether it is given of appointments where people meet this way.
    pub fn is_wanted(&self, settings: &Settings, contact_type_id: Option<i64>) -> bool {
        let is_video = contact_type_id == Some(ContactType::Video.number());
        (self.is_on)(settings) && (is_video || !self.is_of_video)
    }

    /// When it is due, of an appointment that begins at `start`, for a client who
    /// lives in `zone`.
    pub fn due(&self, start: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self.before {
            Before::Minutes(minutes) => Some(Timestamp(start.0 - minutes * MINUTE)),
            Before::Days(days) => {
                let local = zone.to_datetime(instant(start)?).checked_sub(days.days()).ok()?;
                let due = zone.to_ambiguous_zoned_datetime(local).compatible().ok()?;
                Some(Timestamp(due.timestamp().as_microsecond()))
            }
        }
    }
}

/// The reminders that a client is to have of an appointment.
pub fn slots(
    start: Timestamp,
    zone: &TimeZone,
    settings: &Settings,
    contact_type_id: Option<i64>,
) -> Slots {
    let wanted = ALL.iter().filter(|it| it.is_wanted(settings, contact_type_id));
    wanted.filter_map(|it| Some((it.slot.to_owned(), it.due(start, zone)?))).collect()
}

fn instant(at: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(at.0).ok()
}

/// `Wednesday, March 4, 2026 at 9:00 AM EST`.
pub fn long(at: Timestamp, zone: &TimeZone) -> Option<String> {
    let zoned = instant(at)?.to_zoned_datetime(zone.clone());
    Some(zoned.strftime("%A, %B %-d, %Y at %-I:%M %p %Z").to_string())
}

/// `Wed, Mar 4, 9:00 AM EST`.
pub fn short(at: Timestamp, zone: &TimeZone) -> Option<String> {
    let zoned = instant(at)?.to_zoned_datetime(zone.clone());
    Some(zoned.strftime("%a, %b %-d, %-I:%M %p %Z").to_string())
}
