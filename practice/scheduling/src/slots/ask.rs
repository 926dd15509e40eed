//! What is asked of slots: whose, of what, and on which days (behaviour 22).

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_clients::tables::Tag;
use ward_engine::{Answer, Args, Kind, Refused, Request, moment};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Entity, Id};

use crate::appointment::table::Appointment;
use crate::appointment_location::table::AppointmentLocation;
use crate::appointment_type::input::LENGTH_MINUTES_MAX;
use crate::availability::wall::{DAY_MINUTES, Interval, day_of, instant};
use crate::contact_type::ContactType;
use crate::listing;
use crate::providers;
use crate::tables::AppointmentType;

/// The longest window that is answered, in days.
pub const WINDOW_DAYS_MAX: i64 = 62;
/// How far a list reaches that names no end, in days.
pub const WINDOW_DAYS: i64 = 31;
/// How far the next slot is looked for, in days.
pub const NEXT_DAYS_MAX: i64 = 180;
/// So many providers can be named, or asked for by their organization.
pub const PROVIDERS_MAX: usize = 500;
/// So many types can be named.
pub const TYPES_MAX: usize = 100;
/// So many tags can be named.
pub const TAGS_MAX: usize = 50;

const TYPE: Kind = Kind::Id(AppointmentType::NAME);
const USER: Kind = Kind::Id(User::NAME);
const USERS: Kind = Kind::Ids(User::NAME);
const TAGS: Kind = Kind::Ids(Tag::NAME);
const LOCATION: Kind = Kind::Id(AppointmentLocation::NAME);
const MOVED: Kind = Kind::Id(Appointment::NAME);

/// Arguments of `availableSlotsForRange`.
pub const SLOTS_ARGS: &[(&str, Kind)] = &[
    ("appointment_to_reschedule_id", MOVED),
    ("appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("appt_loc_id", LOCATION),
    ("appt_type_id", TYPE),
    ("clients_can_join_waitlist", Kind::Plain),
    ("contact_type", Kind::Plain),
    ("end_date", Kind::Plain),
    ("end_date_boundary", Kind::Plain),
    ("exclude_provider_ids", USERS),
    ("length", Kind::Plain),
    ("licensed_in_state", Kind::Plain),
    ("make_unique", Kind::Plain),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", USERS),
    ("start_date", Kind::Plain),
    ("start_date_boundary", Kind::Plain),
    ("tag_ids", TAGS),
    ("timezone", Kind::Plain),
];

/// Arguments of `daysAvailableForRange`.
pub const DAYS_ARGS: &[(&str, Kind)] = &[
    ("appointment_to_reschedule_id", MOVED),
    ("appt_loc_id", LOCATION),
    ("appt_type_id", TYPE),
    ("clients_can_join_waitlist", Kind::Plain),
    ("contact_type", Kind::Plain),
    ("date_from_month", Kind::Plain),
    ("end_date", Kind::Plain),
    ("end_date_boundary", Kind::Plain),
    ("exclude_provider_ids", USERS),
    ("length", Kind::Plain),
    ("licensed_in_state", Kind::Plain),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", USERS),
    ("start_date", Kind::Plain),
    ("start_date_boundary", Kind::Plain),
    ("tag_ids", TAGS),
    ("timezone", Kind::Plain),
];

/// Arguments of `nextAvailableSlot`.
pub const NEXT_ARGS: &[(&str, Kind)] = &[
    ("appointment_to_reschedule_id", MOVED),
    ("appt_loc_id", LOCATION),
    ("appt_type_id", TYPE),
    ("contact_type", Kind::Plain),
    ("end_date_boundary", Kind::Plain),
    ("length", Kind::Plain),
    ("licensed_in_state", Kind::Plain),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", USERS),
    ("start_date_boundary", Kind::Plain),
    ("tag_ids", TAGS),
    ("timezone", Kind::Plain),
];

/// Everything that is asked, but for the days.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Whose slots; of the whole organization, which organization.
    pub provider: Option<i64>,
    /// Of these providers only.
    pub providers: Vec<i64>,
    /// Of any provider of the organization.
    pub org_level: bool,
    /// Not of these.
    pub excluded: Vec<i64>,
    /// Of providers who have all of these tags.
    pub tags: Vec<i64>,
    /// Of providers who are licensed there: two letters.
    pub state: Option<&'static str>,
    /// What is to be booked.
    pub type_id: Option<i64>,
    /// Group types, besides.
    pub group_types: Vec<i64>,
    /// How long, in minutes, where no type says it.
    pub length: Option<i64>,
    /// How they are to meet.
    pub contact: Option<ContactType>,
    /// Where they are to meet.
    pub location: Option<i64>,
    /// The appointment that is to be moved: its own time is free for it.
    pub moved: Option<i64>,
    /// Groups without a seat left, too, where they have a waitlist.
    pub full_too: bool,
    /// One slot of each time.
    pub unique: bool,
    /// The zone of the days.
    pub zone: Option<TimeZone>,
}

impl Ask {
    /// By the arguments of a query.
    pub fn of(request: &Request, args: &Args) -> Answer<Self> {
        let one = |name| listing::id::<User>(args, name, request);
        let org_level = args.flag("org_level");
        let excluded = some::<User>(request, args, "exclude_provider_ids", PROVIDERS_MAX)?;
        Ok(Ask {
            provider: one("provider_id")?.map(|id| id.0),
            providers: some::<User>(request, args, "provider_ids", PROVIDERS_MAX)?,
            org_level,
            excluded: if org_level { excluded } else { Vec::new() },
            tags: some::<Tag>(request, args, "tag_ids", TAGS_MAX)?,
            state: providers::state(args, "licensed_in_state")?,
            type_id: listing::id::<AppointmentType>(args, "appt_type_id", request)?.map(|id| id.0),
            group_types: some::<AppointmentType>(request, args, "appointment_type_ids", TYPES_MAX)?,
            length: length(args)?,
            contact: contact(args)?,
            location: listing::id::<AppointmentLocation>(args, "appt_loc_id", request)?
                .map(|id| id.0),
            moved: listing::id::<Appointment>(args, "appointment_to_reschedule_id", request)?
                .map(|id| id.0),
            full_too: args.flag("clients_can_join_waitlist"),
            unique: args.bool("make_unique").unwrap_or(true),
            zone: zone(args)?,
        })
    }
}

fn some<R: Entity>(request: &Request, args: &Args, name: &str, most: usize) -> Answer<Vec<i64>>
where
    crate::id_list::IdList<R>: ward_engine::FromIn,
{
    let ids = listing::ids::<R>(args, name, request)?.unwrap_or_default();
    match ids.len() > most {
        true => Err(Refused::on(name, format!("{name} can name at most {most}"))),
        false => Ok(ids),
    }
}

fn length(args: &Args) -> Answer<Option<i64>> {
    let Some(text) = args.text("length") else { return Ok(None) };
    let minutes = text.parse().ok().filter(|it| (1..=LENGTH_MINUTES_MAX).contains(it));
    minutes.map(Some).ok_or_else(|| {
        Refused::on("length", format!("length must be from 1 to {LENGTH_MINUTES_MAX} minutes"))
    })
}

fn contact(args: &Args) -> Answer<Option<ContactType>> {
    let Some(text) = args.text("contact_type") else { return Ok(None) };
    ContactType::of_text(text).map(Some).ok_or_else(|| {
        let known = ContactType::ALL.map(ContactType::name).join(", ");
        Refused::on("contact_type", format!("contact_type must be one of {known}"))
    })
}

fn zone(args: &Args) -> Answer<Option<TimeZone>> {
    let Some(name) = args.text("timezone") else { return Ok(None) };
    let zone = moment::zone(name).map(Some);
    zone.ok_or_else(|| Refused::on("timezone", moment::unknown_zone("timezone")))
}

/// Which days a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From `start_date` to `end_date`.
    Range,
    /// The same, or the month of `date_from_month`.
    Month,
    /// From today on, at most so many days.
    Next(i64),
}

/// The window of the days that are asked for, whole days on the zone's wall and with
/// the last one; nothing where the boundaries leave no day.
pub fn window(
    args: &Args,
    span: Span,
    zone: &TimeZone,
    now: Timestamp,
) -> Answer<Option<Interval>> {
    let Some(today) = day_of(zone, now) else { return Ok(None) };
    let (first, last) = days(args, span, zone, today)?;
    let low = day(args, "start_date_boundary", zone)?;
    let high = day(args, "end_date_boundary", zone)?;
    let (first, last) = match span {
        Span::Next(days) => {
            let first = low.map_or(first, |low| low.max(first));
            let last = first.checked_add(days.days()).unwrap_or(Date::MAX);
            (first, high.map_or(last, |high| high.min(last)))
        }
        Span::Range | Span::Month => {
            (low.map_or(first, |low| low.max(first)), high.map_or(last, |high| high.min(last)))
        }
    };
    let ends = instant(zone, first, 0).zip(instant(zone, last, DAY_MINUTES));
    Ok(ends.and_then(|(start, end)| Interval::new(start, end)))
}

fn days(args: &Args, span: Span, zone: &TimeZone, today: Date) -> Answer<(Date, Date)> {
    if let Span::Next(_) = span {
        return Ok((today, today));
    }
    let from = day(args, "start_date", zone)?;
    let to = day(args, "end_date", zone)?;
    let month = match span {
        Span::Month => day(args, "date_from_month", zone)?,
        _ => None,
    };
    let (first, last) = match (span, from, to) {
        // One of the two says nothing of itself where there is a month.
        (Span::Month, from, to)
            if month.is_some() && (from.is_none() || to.is_none())
                || from.is_none() && to.is_none() =>
        {
            let of = month.unwrap_or(today);
            (of.first_of_month(), of.last_of_month())
        }
        (Span::Month, None, Some(_)) => return Err(half("start_date")),
        (Span::Month, Some(_), None) => return Err(half("end_date")),
        _ => {
            let first = from.unwrap_or(today);
            let after = first.checked_add((WINDOW_DAYS - 1).days()).unwrap_or(Date::MAX);
            (first, to.unwrap_or(after))
        }
    };
    if last < first {
        return Err(Refused::on("end_date", "end_date can't be before start_date"));
    }
    let long = first.until(last).map_or(i64::MAX, |span| i64::from(span.get_days()));
    match long >= WINDOW_DAYS_MAX {
        true => {
            let sentence = format!("end_date must be within {WINDOW_DAYS_MAX} days of start_date");
            Err(Refused::on("end_date", sentence))
        }
        false => Ok((first, last)),
    }
}

fn half(missing: &str) -> Refused {
    Refused::on(missing, "start_date and end_date are sent together, or neither")
}

fn day(args: &Args, name: &str, zone: &TimeZone) -> Answer<Option<Date>> {
    let Some(text) = args.text(name) else { return Ok(None) };
    day_in(text, zone)
        .map(Some)
        .ok_or_else(|| Refused::on(name, format!("{name} must be a date such as 2026-03-04")))
}

/// The day of a text on the zone's wall: a date, or a moment in any of the forms that
/// are taken (behaviour 9), or as browsers write one.
pub fn day_in(text: &str, zone: &TimeZone) -> Option<Date> {
    let at = moment::instant(text, zone).or_else(|| browser_instant(text))?;
    day_of(zone, at).filter(|day| day.year() >= 1)
}

/// `Wed Mar 04 2026 09:30:00 GMT-0500 (Eastern Standard Time)`: how a browser shows a
/// moment, which booking pages send as it is.
fn browser_instant(text: &str) -> Option<Timestamp> {
    let text = text.split(" (").next()?.trim();
    let at = jiff::Timestamp::strptime("%a %b %d %Y %H:%M:%S GMT%z", text).ok()?;
    Some(Timestamp(at.as_microsecond()))
}

/// The id of the appointment that is to be moved.
pub fn moved(ask: &Ask) -> Option<Id<Appointment>> {
    ask.moved.map(Id::new)
}
