//! What is sent of an availability, and what it comes to. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_engine::{Given, Problems, input, moment};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Day, Id};

use super::wall::{self, DAY_MINUTES, Interval, minute_of};
use crate::appointment_location::table::AppointmentLocation;
use crate::contact_type::ContactType;
use crate::id_list::IdList;
use crate::tables::{AppointmentType, Availability};

/// The farthest day that an availability can be on, in days from now.
pub const DAYS_AHEAD_MAX: i64 = 3_650;
/// The first year that an availability can begin in.
pub const FIRST_YEAR: i16 = 1970;
/// So many can be made, or deleted, by one call.
pub const AT_ONCE_MAX: usize = 200;
const DAY_MICROS: i64 = 86_400_000_000;

macro_rules! sent {
    ($(#[$doc:meta])* $name:ident { $($more:ident: $kind:ty),* }) => {
        input! {
            $(#[$doc])*
            pub struct $name {
                appointment_location_id: IdOrBlank<AppointmentLocation>,
                appointment_type_id: IdOrBlank<AppointmentType>,
                contact_type_id: String,
                day_of_week: i64,
                end_time: String,
                is_repeating: bool,
                range_end: String,
                range_start: String,
                time: String,
                timezone: String,
                user_id: IdOrBlank<User>,
                $($more: $kind),*
            }
        }
    };
}

sent! {
    /// `AvailabilityInput`.
    OneOfMany {}
}
sent! {
    /// `createAvailabilityInput`.
    CreateAvailability { end_datetime: String, end_on: String, start_datetime: String }
}
sent! {
    /// `editAvailabilityInput`.
    EditAvailability { end_on: String, id: String }
}

input! {
    /// `bulkCreateAvailabilityInput`: what the single ones leave out stands beside
    /// them.
    pub struct BulkCreate {
        appointment_location_id: IdOrBlank<AppointmentLocation>,
        appointment_type_id: IdOrBlank<AppointmentType>,
        availabilities: Vec<OneOfMany>,
        contact_type_id: String,
        end_on: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `CreateAvailabilityWithAppointmentTypesInput`.
    pub struct CreateWithTypes {
        appointment_location_id: IdOrBlank<AppointmentLocation>,
        appointment_type_ids: IdList<AppointmentType>,
        contact_type_id: i64,
        end_datetime: String,
        link_all_non_group_types: bool,
        start_datetime: String,
        timezone: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `EditAvailabilityWithAppointmentTypesInput`.
    pub struct EditWithTypes {
        appointment_location_id: IdOrBlank<AppointmentLocation>,
        appointment_type_ids: IdList<AppointmentType>,
        contact_type_id: i64,
        end_datetime: String,
        id: Id<Availability>,
        start_datetime: String,
        timezone: String,
    }
}

input! {
    /// `deleteAvailabilityInput`.
    pub struct DeleteAvailability { id: String }
}

input! {
    /// `BulkDeleteAvailabilityInput`.
    pub struct BulkDelete { ids: Vec<String> }
}

/// The times that an input names, each as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Times<'a> {
    /// Whether it comes back every week.
    pub is_repeating: bool,
    /// 0 for Sunday to 6 for Saturday.
    pub day_of_week: Option<i64>,
    /// The first day, or the start itself.
    pub range_start: Option<&'a str>,
    /// The end itself.
    pub range_end: Option<&'a str>,
    /// The time of day of the start.
    pub time: Option<&'a str>,
    /// The time of day of the end.
    pub end_time: Option<&'a str>,
    /// The last day.
    pub end_on: Option<&'a str>,
}

impl<'a> Times<'a> {
    /// Of `createAvailability`.
    pub fn of_create(input: &'a CreateAvailability) -> Self {
        Times {
            is_repeating: input.is_repeating.is_true(),
            day_of_week: input.day_of_week.value().copied(),
            range_start: input.start_datetime.trimmed().or(input.range_start.trimmed()),
            range_end: input.end_datetime.trimmed().or(input.range_end.trimmed()),
            time: input.time.trimmed(),
            end_time: input.end_time.trimmed(),
            end_on: input.end_on.trimmed(),
        }
    }

    /// Of one of `bulkCreateAvailability`.
    pub fn of_many(input: &'a OneOfMany, end_on: &'a Given<String>) -> Self {
        Times {
            is_repeating: input.is_repeating.is_true(),
            day_of_week: input.day_of_week.value().copied(),
            range_start: input.range_start.trimmed(),
            range_end: input.range_end.trimmed(),
            time: input.time.trimmed(),
            end_time: input.end_time.trimmed(),
            end_on: end_on.trimmed(),
        }
    }
}

/// When an availability is: what its columns hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct When {
    /// Every week, or once.
    pub weekly: Option<(i64, Option<Date>)>,
    /// The first day.
    pub first: Date,
    /// Minutes of the day.
    pub start_minute: i64,
    /// Minutes of the day.
    pub end_minute: i64,
    /// The instants of the first, or only, one.
    pub interval: Interval,
}

/// What times come to in a zone on a grid of minutes, or all that is wrong.
pub fn when(
    times: &Times<'_>,
    zone: &TimeZone,
    grid_minutes: i64,
    now: Timestamp,
) -> Result<When, Problems> {
    let mut problems = Problems::new();
    let (first, start) = point("range_start", times.range_start, times.time, zone, &mut problems);
    let end_at = times.range_end.or(times.range_start.filter(|_| times.end_time.is_some()));
    let (last, end) = point("range_end", end_at, times.end_time, zone, &mut problems);
    if times.range_end.is_none() && times.end_time.is_none() {
        problems.add("end_time", "End time can't be blank");
    }
    let end_on = times.end_on.map(|text| moment::day(text).map(|day| day.0));
    if end_on == Some(None) {
        problems.add("end_on", "End on must be a date such as 2026-03-04");
    }
    if times.day_of_week.is_some_and(|day| !(0..=6).contains(&day)) {
        problems.add("day_of_week", "Day of week must be from 0 (Sunday) to 6 (Saturday)");
    }
    let (Some(first), Some(last), Some(start), Some(end)) = (first, last, start, end) else {
        return Err(missing(problems));
    };
    let end_minute = match times.is_repeating || times.range_end.is_none() {
        // Midnight at the end of the day.
        true if end == 0 && start > 0 => DAY_MINUTES,
        _ => end,
    };
    if start % grid_minutes != 0 || end_minute % grid_minutes != 0 {
        let sentence =
            format!("Availability must begin and end on the grid of {grid_minutes} minutes");
        problems.add("time", sentence);
    }
    let interval = span(times, zone, (first, start), (last, end_minute));
    let Some(interval) = interval else {
        problems.add("end_time", "End time must be after the start");
        return Err(missing(problems));
    };
    if interval.end.0 - interval.start.0 > DAY_MICROS {
        problems.add("end_time", "An availability can't be longer than 24 hours");
    }
    if first.year() < FIRST_YEAR {
        problems.add("range_start", format!("Range start can't be before {FIRST_YEAR}"));
    }
    if interval.start.0 > now.0 + DAYS_AHEAD_MAX * DAY_MICROS {
        problems.add("range_start", format!("Range start must be within {DAYS_AHEAD_MAX} days"));
    }
    let end_on = end_on.flatten();
    if times.is_repeating && end_on.is_some_and(|end_on| end_on < first) {
        problems.add("end_on", "End on can't be before the first day");
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let weekday = i64::from(first.weekday().to_sunday_zero_offset());
    let weekly = times.is_repeating.then(|| (times.day_of_week.unwrap_or(weekday), end_on));
    Ok(When { weekly, first, start_minute: start, end_minute, interval })
}

fn missing(mut problems: Problems) -> Problems {
    if problems.is_empty() {
        problems.add("range_start", "Range start can't be blank");
    }
    problems
}

/// The interval of the first day. Of a weekly one only the wall counts.
fn span(
    times: &Times<'_>,
    zone: &TimeZone,
    (first, start): (Date, i64),
    (last, end): (Date, i64),
) -> Option<Interval> {
    if times.is_repeating {
        let (start, end) = (start < end).then_some((start, end))?;
        // The first day itself may be one on which the clocks leave nothing of it.
        let on = |date| {
            Interval::new(wall::instant(zone, date, start)?, wall::instant(zone, date, end)?)
        };
        let next = |date: Date| date.checked_add(jiff::ToSpan::days(1)).ok();
        return on(first).or_else(|| on(next(first)?)).or_else(|| on(next(next(first)?)?));
    }
    let explicit = |text: Option<&str>, time: Option<&str>| match time {
        None => text.and_then(|text| moment::instant(text, zone)),
        Some(_) => None,
    };
    let from = explicit(times.range_start, times.time).or(wall::instant(zone, first, start))?;
    let to = explicit(times.range_end, times.end_time).or(wall::instant(zone, last, end))?;
    Interval::new(from, to)
}

/// A day and the minute of it: of a day with a time of day beside it, or of a
/// moment.
fn point(
    field: &str,
    text: Option<&str>,
    time: Option<&str>,
    zone: &TimeZone,
    problems: &mut Problems,
) -> (Option<Date>, Option<i64>) {
    let label = ward_identity::lines::label(field);
    let Some(text) = text else {
        if field == "range_start" {
            problems.add(field, format!("{label} can't be blank"));
        }
        return (None, None);
    };
    if let Some(time) = time {
        let minute = minute_of(time);
        let at = if field == "range_start" { "time" } else { "end_time" };
        if minute.is_none() {
            let label = ward_identity::lines::label(at);
            problems.add(at, format!("{label} must be a time of day such as 09 30"));
        }
        let day = day_in(text, zone);
        if day.is_none() && field == "range_start" {
            problems.add(field, format!("{label} must be a date such as August 16, 2026"));
        }
        return (day, minute);
    }
    let at = moment::instant(text, zone).and_then(|at| {
        let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
        Some(at.to_zoned_datetime(zone.clone()))
    });
    match at {
        Some(at) if at.time().second() != 0 || at.time().subsec_nanosecond() != 0 => {
            problems.add(field, format!("{label} must be a whole minute"));
            (Some(at.date()), None)
        }
        Some(at) => {
            let minute = i64::from(at.time().hour()) * 60 + i64::from(at.time().minute());
            (Some(at.date()), Some(minute))
        }
        None => {
            problems.add(field, format!("{label} must be a moment such as 2026-03-04T09:30:00"));
            (None, None)
        }
    }
}

/// The day of a date, or the day on the wall of a moment.
fn day_in(text: &str, zone: &TimeZone) -> Option<Date> {
    match text.contains(':') {
        true => moment::instant(text, zone).and_then(|at| wall::day_of(zone, at)),
        false => moment::day(text).map(|Day(day)| day),
    }
}

/// The way to meet that an input names by its number or name; a blank text is none.
pub fn contact_type(text: Option<&str>, problems: &mut Problems) -> Option<i64> {
    let text = text?;
    let by_number = text.parse().ok().and_then(ContactType::of_number);
    let found = by_number.or_else(|| ContactType::of_text(text));
    if found.is_none() {
        problems.add("contact_type_id", "Contact type must be 1, 2 or 3");
    }
    found.map(ContactType::number)
}
