//! Availability as a caller sees it: weekly ones day by day (behaviour 20).

use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_clients::tables::Tag;
use ward_engine::{
    Answer, Args, Kind, Out, Refused, Request, RowView, ViewId, baseline_instant, iso_instant,
    moment, parse_id,
};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Cond, Day, Entity, Id, Level, Query, Record, Select, StoreError, Value};

use super::wall::{self, Interval, Weekly};
use crate::appointment_location::table::AppointmentLocation;
use crate::tables::{AVAILABILITIES, AppointmentType, Availability};
use crate::{listing, providers};

/// The longest window that one list answers, in days.
pub const WINDOW_DAYS_MAX: i64 = 400;
/// How far a list reaches that names no end, in days.
pub const WINDOW_DAYS: i64 = 31;
/// So many occurrences one list answers.
pub const OCCURRENCES_MAX: usize = 5_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// The members of the contract's `Availability` that are served.
pub const MEMBERS: &[&str] = &[
    "appointment_location_id",
    "appointment_type_id",
    "contact_type_id",
    "created_at",
    "day_of_week",
    "duration_string",
    "end_on",
    "id",
    "is_repeating",
    "origin_start_date",
    "range_end",
    "range_start",
    "repeating_availability_id",
    "resourceId",
    "timezone",
    "timezone_abbr",
    "updated_at",
    "user_id",
];

const USER: Kind = Kind::Id(User::NAME);
const PLACE: Kind = Kind::Id(AppointmentLocation::NAME);
const TYPE: Kind = Kind::Id(AppointmentType::NAME);

/// Arguments of `availabilities`.
pub const ARGS: &[(&str, Kind)] = &[
    ("appointment_location_id", PLACE),
    ("appointment_type_id", TYPE),
    ("appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("availability_provider_id", USER),
    ("contact_type_id", Kind::Plain),
    ("endDate", Kind::Plain),
    ("includeRepeating", Kind::Plain),
    ("include_suborganizations", Kind::Plain),
    ("is_org", Kind::Plain),
    ("is_repeating", Kind::Plain),
    ("one_time", Kind::Plain),
    ("organization_id", Kind::Id(Organization::NAME)),
    ("provider_id", USER),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("show_availability", Kind::Plain),
    ("startDate", Kind::Plain),
    ("state_license", Kind::Plain),
    ("tag_ids", Kind::Ids(Tag::NAME)),
    ("timezone", Kind::Plain),
    ("user_id", USER),
];

/// Arguments of `availabilitiesCount`.
pub const COUNT_ARGS: &[(&str, Kind)] = &[
    ("appointment_location_id", PLACE),
    ("appointment_type_id", TYPE),
    ("endDate", Kind::Plain),
    ("is_org", Kind::Plain),
    ("provider_id", USER),
    ("startDate", Kind::Plain),
];

fn zone_of(row: &Availability) -> TimeZone {
    moment::zone(&row.timezone).unwrap_or(TimeZone::UTC)
}

/// A weekly row's rule.
pub fn weekly(row: &Availability) -> Option<Weekly> {
    Some(Weekly {
        zone: zone_of(row),
        weekday: i8::try_from(row.day_of_week?).ok()?,
        first: row.first_day.0,
        last: row.end_on.map(|day| day.0),
        start_minute: row.start_minute,
        end_minute: row.end_minute,
    })
}

/// When a row is within a window, with the days of a weekly one.
pub fn occurrences(row: &Availability, window: &Interval) -> Vec<(Option<Date>, Interval)> {
    match weekly(row) {
        Some(rule) => {
            let days = rule.within(window).into_iter();
            days.map(|(date, interval)| (Some(date), interval)).collect()
        }
        None => {
            let once = row.start_at.zip(row.end_at);
            let once = once.and_then(|(start, end)| Interval::new(start, end));
            once.filter(|it| it.meets(window)).map(|it| (None, it)).into_iter().collect()
        }
    }
}

/// The id of a weekly row's day: `2026-03-04-2000000001`.
fn occurrence_id(date: Date, id: i64) -> String {
    format!("{:04}-{:02}-{:02}-{id}", date.year(), date.month(), date.day())
}

/// The day and the row's id of such an id.
pub fn of_occurrence(text: &str) -> Option<(Date, &str)> {
    let date = text.get(..10)?.parse::<Date>().ok()?;
    Some((date, text.get(10..)?.strip_prefix('-')?))
}

/// A row itself; a weekly one with the times of its first day.
pub fn shown(request: &Request, row: &Availability) -> Out {
    let first = weekly(row).and_then(|rule| {
        let start = wall::instant(&rule.zone, rule.first, 0)?;
        let window = Interval::new(start, Timestamp(start.0 + 15 * DAY_MICROS))?;
        rule.within(&window).into_iter().next().map(|(_, interval)| interval)
    });
    let once = row.start_at.zip(row.end_at).and_then(|(start, end)| Interval::new(start, end));
    members(request, row, None, first.or(once))
}

fn members(
    request: &Request,
    row: &Availability,
    date: Option<Date>,
    interval: Option<Interval>,
) -> Out {
    let instant = |at: Timestamp| match request.view {
        ViewId::Baseline => baseline_instant(at, &request.zone),
        ViewId::V2026 => iso_instant(at, &request.zone),
    };
    let zone = zone_of(row);
    let abbreviation = |at: Timestamp| {
        let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
        Some(at.to_zoned_datetime(zone.clone()).strftime("%Z").to_string())
    };
    let id = match date {
        Some(date) => occurrence_id(date, row.id.0),
        None => row.id.0.to_string(),
    };
    let origin = wall::instant(&zone, row.first_day.0, row.start_minute);
    Out::Object(vec![
        ("appointment_location_id", row.appointment_location_id.map(|id| id.0.to_string()).into()),
        ("appointment_type_id", row.appointment_type_id.map(|id| id.0).into()),
        ("contact_type_id", row.contact_type_id.into()),
        ("created_at", iso_instant(row.created_at, &request.zone).into()),
        ("day_of_week", row.day_of_week.into()),
        ("duration_string", interval.map(|it| wall::duration(it.minutes())).into()),
        ("end_on", row.end_on.map(|day| day.to_string()).into()),
        ("id", id.into()),
        ("is_repeating", row.is_repeating.into()),
        ("origin_start_date", origin.map(instant).into()),
        ("range_end", interval.map(|it| instant(it.end)).into()),
        ("range_start", interval.map(|it| instant(it.start)).into()),
        ("repeating_availability_id", row.is_repeating.then(|| row.id.0.to_string()).into()),
        ("resourceId", row.user_id.0.to_string().into()),
        ("timezone", row.timezone.as_str().into()),
        ("timezone_abbr", interval.and_then(|it| abbreviation(it.start)).into()),
        ("updated_at", iso_instant(row.updated_at, &request.zone).into()),
        ("user_id", row.user_id.0.into()),
    ])
}

/// Rows that the caller sees.
async fn read(request: &Request, q: &mut dyn Query, filter: Cond) -> Answer<Vec<Availability>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = Select::new(&AVAILABILITIES, &request.actor);
    select.columns = (0..AVAILABILITIES.columns.len()).collect();
    select.least = Level::Full;
    select.filter = filter;
    select.limit = i64::try_from(OCCURRENCES_MAX + 1).ok();
    let rows = q.rows(&select.sql()).await?;
    let row = |row: &[Value]| {
        Availability::from_values(row)
            .map_err(|column| StoreError::internal(format!("availabilities: {column}")))
    };
    let found: Result<Vec<_>, _> = rows.iter().map(row).collect();
    Ok(found?)
}

/// `availability`: a row, or one day of a weekly one.
pub async fn one(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let Some(text) = args.text("id") else { return Ok(vec![Out::Null; rows.len()]) };
    let (date, text) = match of_occurrence(text) {
        Some((date, id)) => (Some(date), id),
        None => (None, text),
    };
    let id: Id<Availability> = parse_id(text, "id", request.instance.ids())?;
    let found = read(request, q, Cond::eq("id", id.0)).await?;
    let out = match (found.first(), date) {
        (Some(row), None) => shown(request, row),
        (Some(row), Some(date)) => match weekly(row).filter(|rule| is_day(rule, date)) {
            Some(rule) => rule
                .on(date)
                .map_or(Out::Null, |interval| members(request, row, Some(date), Some(interval))),
            None => Out::Null,
        },
        (None, _) => Out::Null,
    };
    Ok(vec![out; rows.len()])
}

fn is_day(rule: &Weekly, date: Date) -> bool {
    date >= rule.first
        && rule.last.is_none_or(|last| date <= last)
        && date.weekday().to_sunday_zero_offset() == rule.weekday
}

/// The window that a list asks for: from `startDate` to `endDate`, without it.
fn window(request: &Request, args: &Args) -> Answer<Interval> {
    let zone = match args.text("timezone") {
        Some(name) => moment::zone(name)
            .ok_or_else(|| Refused::on("timezone", moment::unknown_zone("timezone")))?,
        None => request.zone.clone(),
    };
    let at = |name: &str| match args.text(name) {
        None => Ok(None),
        Some(text) => moment::instant(text, &zone).map(Some).ok_or_else(|| {
            Refused::on(name, format!("{name} must be a moment such as 2026-03-04T09:30:00Z"))
        }),
    };
    let start = at("startDate")?.unwrap_or(request.now);
    let end = at("endDate")?.unwrap_or(Timestamp(start.0.saturating_add(WINDOW_DAYS * DAY_MICROS)));
    if end.0.saturating_sub(start.0) > WINDOW_DAYS_MAX * DAY_MICROS {
        let sentence = format!("endDate must be within {WINDOW_DAYS_MAX} days of startDate");
        return Err(Refused::on("endDate", sentence));
    }
    Interval::new(start, end)
        .ok_or_else(|| Refused::on("endDate", "endDate must be after startDate"))
}

/// Whose: one provider's, some providers', an organization's, else one's own.
fn whose(request: &Request, args: &Args) -> Answer<Cond> {
    let one = |name| listing::id::<User>(args, name, request);
    let nearest = one("availability_provider_id")?;
    let named = one("provider_id")?.or(one("user_id")?);
    let some = listing::ids::<User>(args, "provider_ids", request)?;
    let unit = listing::id::<Organization>(args, "organization_id", request)?;
    let is_org = args.flag("is_org") || unit.is_some();
    Ok(match (nearest, is_org, named) {
        (Some(provider), _, _) => Cond::eq("user_id", provider.0),
        (None, true, _) => {
            let actor = &request.actor;
            let unit = unit.map_or(actor.unit_id, |unit| unit.0);
            let of_unit = match args.flag("include_suborganizations") && unit == actor.org_id {
                true => Cond::Always,
                false => Cond::eq("unit_id", unit),
            };
            some.map_or(Cond::Always, |ids| Cond::is_in("user_id", &ids)).and(of_unit)
        }
        (None, false, Some(provider)) => Cond::eq("user_id", provider.0),
        (None, false, None) => Cond::eq("user_id", request.actor.user_id),
    })
}

/// Rows for these types, by themselves or among several.
pub(crate) fn for_types(types: &[i64]) -> Cond {
    Cond::is_in("appointment_type_id", types).or(Cond::sql(
        "EXISTS (SELECT 1 FROM availability_appointment_types tie WHERE tie.org_id = {t}.org_id \
         AND tie.availability_id = {t}.id AND tie.appointment_type_id IN_LIST(?))",
        [Value::Ints(types.into())],
    ))
}

fn which(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = whose(request, args)?;
    let mut types =
        listing::ids::<AppointmentType>(args, "appointment_type_ids", request)?.unwrap_or_default();
    let one = listing::id::<AppointmentType>(args, "appointment_type_id", request)?;
    types.extend(one.map(|id| id.0));
    if !types.is_empty() {
        cond = cond.and(for_types(&types));
    }
    if let Some(place) =
        listing::id::<AppointmentLocation>(args, "appointment_location_id", request)?
    {
        cond = cond.and(Cond::eq("appointment_location_id", place.0));
    }
    if let Some(text) = args.text("contact_type_id") {
        let way = text.parse().ok().and_then(crate::contact_type::ContactType::of_number);
        cond = cond.and(way.map_or(Cond::Never, |way| Cond::eq("contact_type_id", way.number())));
    }
    Ok(cond.and(providers::narrowed(request, args, "user_id")?))
}

/// Rows that may be within a window: by the day on whatever wall, a weekly one can
/// begin on the day before, and a shifted one on the next.
pub(crate) fn near(window: &Interval) -> Cond {
    let day = |at: Timestamp, days: i64| {
        let at = Timestamp(at.0.saturating_add(days * DAY_MICROS));
        wall::day_of(&TimeZone::UTC, at).map(|date| Value::from(Day(date).to_string()))
    };
    let (first, last) = (day(window.end, 2), day(window.start, -2));
    Cond::sql(
        "(({t}.is_repeating = FALSE AND {t}.start_at < ? AND {t}.end_at > ?) OR \
         ({t}.is_repeating = TRUE AND {t}.first_day <= ? \
         AND ({t}.end_on IS NULL OR {t}.end_on >= ?)))",
        [
            window.end.0.into(),
            window.start.0.into(),
            first.unwrap_or_else(|| "9999-12-31".into()),
            last.unwrap_or_else(|| "0001-01-01".into()),
        ],
    )
}

async fn listed(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
    (once, weekly): (bool, bool),
) -> Answer<Vec<(Availability, Option<Date>, Interval)>> {
    let (which, window) = (which(request, args)?, window(request, args)?);
    let kinds = match (once, weekly) {
        (true, true) => Cond::Always,
        (true, false) => Cond::eq("is_repeating", false),
        (false, true) => Cond::is_true("is_repeating"),
        (false, false) => return Ok(Vec::new()),
    };
    let rows = read(request, q, which.and(kinds).and(near(&window))).await?;
    let too_many = || {
        let sentence = format!(
            "More than {OCCURRENCES_MAX} occurrences: ask for a shorter time or fewer providers"
        );
        Refused::on("endDate", sentence)
    };
    if rows.len() > OCCURRENCES_MAX {
        return Err(too_many());
    }
    let mut found = Vec::new();
    for row in rows {
        for (date, interval) in occurrences(&row, &window) {
            found.push((row.clone(), date, interval));
        }
        if found.len() > OCCURRENCES_MAX {
            return Err(too_many());
        }
    }
    found.sort_by_key(|(row, _, interval)| (*interval, row.id));
    Ok(found)
}

/// `availabilities`: one-time or weekly ones must be asked for (behaviour 20).
pub async fn list(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let weekly = args.flag("is_repeating") || args.flag("includeRepeating");
    let kinds = match args.bool("show_availability") {
        Some(false) => (false, false),
        _ => (args.flag("one_time"), weekly),
    };
    let found = listed(request, q, args, kinds).await?;
    let outs =
        found.iter().map(|(row, date, interval)| members(request, row, *date, Some(*interval)));
    let list = Out::List(outs.collect());
    Ok(vec![list; rows.len()])
}

/// `availabilitiesCount`: of both kinds.
pub async fn count(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let found = listed(request, q, args, (true, true)).await?;
    let count = Out::Int(i64::try_from(found.len()).unwrap_or(i64::MAX));
    Ok(vec![count; rows.len()])
}
