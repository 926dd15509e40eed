//! `appointmentBookingWarnings`: what a member should know before they book over
//! something (behaviour 22). It tells of the calendars that they may see, and of
//! appointments whose clients they do not see no more than that the time is taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use ward_engine::{Answer, Args, Kind, Out, Refused, Request, RowView, moment};
use ward_identity::flags::CAN_SEE_CALENDAR;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::{USERS, User, users};
use ward_instance::Timestamp;
use ward_store::{Cond, Entity, Id, Level, Query, Value};

use super::deficits;
use super::reading::{records, seen};
use crate::appointment::calendar::{self, Taken};
use crate::appointment::series::rule::{RepeatInterval, TIMES_MAX, occurrences};
use crate::appointment::series::table::RecurringAppointment;
use crate::appointment::table::{APPOINTMENTS, Appointment, appointments};
use crate::appointment_type::input::LENGTH_MINUTES_MAX;
use crate::availability::wall::{self, Interval, minute_of};
use crate::listing;
use crate::tables::{APPOINTMENT_TYPES, AppointmentType, appointment_types as at};

/// The members of the contract's `AppointmentBookingWarning`.
pub const MEMBERS: &[&str] = &["category", "potential_issue_ids", "potential_issues", "subtitle"];

/// Arguments of `appointmentBookingWarnings`.
pub const ARGS: &[(&str, Kind)] = &[
    ("additional_providers", Kind::Ids(User::NAME)),
    ("appointment_type_id", Kind::Id(AppointmentType::NAME)),
    ("attendee_ids", Kind::Ids(User::NAME)),
    ("current_appt_id", Kind::Id(Appointment::NAME)),
    ("date", Kind::Plain),
    ("is_repeating", Kind::Plain),
    ("length_in_minutes", Kind::Plain),
    ("provider_id", Kind::Id(User::NAME)),
    ("recurring_appt_id", Kind::Id(RecurringAppointment::NAME)),
    ("repeat_interval", Kind::Plain),
    ("repeat_times", Kind::Plain),
    ("time", Kind::Plain),
    ("timezone", Kind::Plain),
];

/// So many further providers it looks at.
pub const FURTHER_MAX: usize = 20;
const MINUTE: i64 = 60_000_000;
const CATEGORY: &str = "Event Conflicts";

/// The warnings: of what is booked at the same time, and of clients who have too few
/// credits; at most one of each.
pub async fn list(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    members_only(&request.actor)?;
    let zone = zone(request, args)?;
    let members = members(request, q, args).await?;
    let edited = Edited::of(request, args)?;
    let attendees = deficits::attendees(request, args)?;
    let warnings = match interval_minutes(request, q, args).await? {
        Some(minutes) if !members.is_empty() => {
            let times = times(args, &zone, minutes, request.now)?;
            let taken = taken(request, q, &edited, &members, &times).await?;
            let mut warnings = conflicts(request, q, &taken, &zone).await?;
            warnings.extend(
                deficits::warning(request, q, args, &attendees, &edited, times.len()).await?,
            );
            warnings
        }
        _ => Vec::new(),
    };
    let list = Out::List(warnings);
    Ok(vec![list; rows.len()])
}

fn zone(request: &Request, args: &Args) -> Answer<TimeZone> {
    let Some(name) = args.text("timezone") else { return Ok(request.zone.clone()) };
    moment::zone(name).ok_or_else(|| Refused::on("timezone", moment::unknown_zone("timezone")))
}

/// Whose calendars are meant, each of which the caller has to be allowed to see.
async fn members(request: &Request, q: &mut dyn Query, args: &Args) -> Answer<Vec<i64>> {
    let own = request.actor.user_id;
    let main = listing::id::<User>(args, "provider_id", request)?.map_or(own, |id| id.0);
    let further = listing::ids::<User>(args, "additional_providers", request)?.unwrap_or_default();
    if further.len() > FURTHER_MAX {
        let sentence = format!("additional_providers can name at most {FURTHER_MAX}");
        return Err(Refused::on("additional_providers", sentence));
    }
    let all: BTreeSet<i64> = std::iter::once(main).chain(further).collect();
    if all.iter().any(|id| *id != own) {
        requires(&request.actor, CAN_SEE_CALENDAR)?;
    }
    let ids: Vec<i64> = all.into_iter().collect();
    let mut select = seen(&request.actor, &USERS);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", &ids).and(Cond::eq("is_patient", false));
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// How long it is to be: as long as its type, else as is said.
async fn interval_minutes(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
) -> Answer<Option<i64>> {
    if let Some(of) = listing::id::<AppointmentType>(args, "appointment_type_id", request)? {
        let mut select = seen(&request.actor, &APPOINTMENT_TYPES);
        select.columns = vec![at::length];
        select.filter = Cond::eq("id", of.0);
        return Ok(q.rows(&select.sql()).await?.scalar().and_then(Value::int));
    }
    match args.int("length_in_minutes") {
        Some(minutes) if !(1..=LENGTH_MINUTES_MAX).contains(&minutes) => {
            let sentence =
                format!("length_in_minutes must be from 1 to {LENGTH_MINUTES_MAX} minutes");
            Err(Refused::on("length_in_minutes", sentence))
        }
        minutes => Ok(minutes),
    }
}

/// When it is to be, each time.
fn times(args: &Args, zone: &TimeZone, minutes: i64, now: Timestamp) -> Answer<Vec<Interval>> {
    let bad = |at: &str| Refused::on(at, format!("{at} must be a date such as March 4, 2026"));
    let text = args.text("date").ok_or_else(|| Refused::on("date", "date can't be blank"))?;
    let first = moment::instant(text, zone).ok_or_else(|| bad("date"))?;
    let day = wall::day_of(zone, first).filter(|day| day.year() >= 1).ok_or_else(|| bad("date"))?;
    let minute = match args.text("time") {
        Some(time) => minute_of(time)
            .ok_or_else(|| Refused::on("time", "time must be hours and minutes such as 12 00"))?,
        None => of_day(zone, first).ok_or_else(|| bad("date"))?,
    };
    let start = wall::instant(zone, day, minute).ok_or_else(|| bad("date"))?;
    let first = Interval::new(start, Timestamp(start.0 + minutes * MINUTE));
    repeated(args, zone, first.ok_or_else(|| bad("date"))?, now)
}

/// The minute of the day on the wall.
fn of_day(zone: &TimeZone, at: Timestamp) -> Option<i64> {
    let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
    let time = at.to_zoned_datetime(zone.clone()).time();
    Some(i64::from(time.hour()) * 60 + i64::from(time.minute()))
}

/// The times of a repeated one, at the same time on the wall (behaviour 23.5).
fn repeated(
    args: &Args,
    zone: &TimeZone,
    first: Interval,
    now: Timestamp,
) -> Answer<Vec<Interval>> {
    if !args.flag("is_repeating") {
        return Ok(vec![first]);
    }
    let times = args.text("repeat_times").map_or(Some(1), |text| text.parse().ok());
    let times = times.filter(|it| (1..=TIMES_MAX).contains(it)).ok_or_else(|| {
        Refused::on("repeat_times", format!("repeat_times must be from 1 to {TIMES_MAX}"))
    })?;
    let text = args.text("repeat_interval").unwrap_or(RepeatInterval::Weekly.as_str());
    let every = RepeatInterval::from_text(text).ok_or_else(|| {
        let known = RepeatInterval::TEXTS.join(", ");
        Refused::on("repeat_interval", format!("repeat_interval must be one of {known}"))
    })?;
    occurrences(&first, zone, every, times, now)
        .ok_or_else(|| Refused::on("repeat_times", "repeat_times goes beyond what can be booked"))
}

/// What is being changed, which does not stand in its own way.
pub(super) struct Edited {
    pub appointment: Option<Id<Appointment>>,
    series: Option<Id<RecurringAppointment>>,
}

impl Edited {
    fn of(request: &Request, args: &Args) -> Answer<Self> {
        Ok(Edited {
            appointment: listing::id(args, "current_appt_id", request)?,
            series: listing::id(args, "recurring_appt_id", request)?,
        })
    }
}

/// What is booked at these times, each appointment once.
async fn taken(
    request: &Request,
    q: &mut dyn Query,
    edited: &Edited,
    members: &[i64],
    times: &[Interval],
) -> Answer<Vec<Taken>> {
    let mut found: BTreeMap<(Timestamp, i64), Taken> = BTreeMap::new();
    for time in times {
        for it in
            calendar::taken(q, request.actor.org_id, members, time, edited.appointment).await?
        {
            found.insert((it.interval.start, it.appointment_id), it);
        }
    }
    let Some(series) = edited.series else { return Ok(found.into_values().collect()) };
    let ids: Vec<i64> = found.values().map(|it| it.appointment_id).collect();
    let mut select = seen(&request.actor, &APPOINTMENTS);
    select.columns = vec![appointments::id];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", &ids).and(Cond::eq("recurring_appointment_id", series.0));
    let rows = q.rows(&select.sql()).await?;
    let own: BTreeSet<i64> = rows.iter().filter_map(|row| row.first()?.int()).collect();
    Ok(found.into_values().filter(|it| !own.contains(&it.appointment_id)).collect())
}

async fn conflicts(
    request: &Request,
    q: &mut dyn Query,
    taken: &[Taken],
    zone: &TimeZone,
) -> Answer<Vec<Out>> {
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let names = names(request, q, taken).await?;
    let label = |it: &Taken| {
        let name = names.get(&it.appointment_id).map_or("Busy", String::as_str);
        format!("{name} - {}", shown(it.interval.start, zone))
    };
    let known = taken.iter().filter(|it| names.contains_key(&it.appointment_id));
    let ids: Vec<String> = known.map(|it| it.appointment_id.to_string()).collect();
    let subtitle = match taken.len() {
        1 => "1 event is at the same time".to_owned(),
        many => format!("{many} events are at the same time"),
    };
    Ok(vec![Out::Object(vec![
        ("category", CATEGORY.into()),
        ("potential_issue_ids", ids.into()),
        ("potential_issues", taken.iter().map(label).collect::<Vec<_>>().into()),
        ("subtitle", subtitle.into()),
    ])])
}

/// `Mar 4, 12:00 PM EST`.
fn shown(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::MAX);
    at.to_zoned_datetime(zone.clone()).strftime("%b %-d, %-I:%M %p %Z").to_string()
}

/// What the appointments are called that the caller sees.
async fn names(
    request: &Request,
    q: &mut dyn Query,
    taken: &[Taken],
) -> Answer<HashMap<i64, String>> {
    let ids: Vec<i64> = taken.iter().map(|it| it.appointment_id).collect();
    let mut select = seen(&request.actor, &APPOINTMENTS);
    select.columns =
        vec![appointments::id, appointments::appointment_type_id, appointments::is_blocker];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", &ids);
    let rows = q.rows(&select.sql()).await?;
    let visible: Vec<(i64, Option<i64>, bool)> = rows
        .iter()
        .filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int(), row.get(2)?.truth())))
        .collect();
    let types: Vec<i64> = visible.iter().filter_map(|(_, of, _)| *of).collect();
    let mut select = seen(&request.actor, &APPOINTMENT_TYPES);
    select.deleted = true;
    select.filter = Cond::is_in("id", &types);
    let types: Vec<AppointmentType> = records(q, select).await?;
    let name = |(id, of, is_blocker): (i64, Option<i64>, bool)| {
        let of = of.map(Id::<AppointmentType>::new);
        let of = types.iter().find(|it| Some(it.id) == of).map(|it| it.name.clone());
        let other = if is_blocker { "Blocked" } else { "Appointment" };
        (id, of.unwrap_or_else(|| other.to_owned()))
    };
    Ok(visible.into_iter().map(name).collect())
}
