//! Which appointments a list answers, by its arguments, and in which orders
//! (behaviour 7, 23.6). Visibility comes on top and is not here.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ward_clients::tables::Tag;
use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request, moment};
use ward_identity::tables::{self, Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Entity, Value};

use super::asked;
use super::series::table::RecurringAppointment;
use super::status::PmStatus;
use super::table::{Appointment, AppointmentInclusion};
use crate::appointment_location::table::AppointmentLocation;
use crate::availability::wall;
use crate::contact_type::ContactType;
use crate::listing::{id, ids};
use crate::providers;
use crate::tables::AppointmentType;

const USER: Kind = Kind::Id(User::NAME);
const USERS: Kind = Kind::Ids(User::NAME);
const TYPE: Kind = Kind::Id(AppointmentType::NAME);

/// Arguments of `appointments`.
pub const ARGS: &[(&str, Kind)] = &[
    ("attendee_ids", USERS),
    ("currentWeek", Kind::Plain),
    ("endDate", Kind::Plain),
    ("filter", Kind::Plain),
    ("filter_by_appointment_location_ids", Kind::Ids(AppointmentLocation::NAME)),
    ("filter_by_appointment_status", Kind::Plain),
    ("filter_by_appointment_statuses", Kind::Plain),
    ("filter_by_appointment_type_id", TYPE),
    ("filter_by_appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("filter_by_client_confirmed", Kind::Plain),
    ("filter_by_contact_types", Kind::Plain),
    ("filter_by_location_id", Kind::Id(AppointmentLocation::NAME)),
    ("filter_by_provider_confirmed", Kind::Plain),
    ("include_blockers", Kind::Plain),
    ("include_suborganizations", Kind::Plain),
    ("is_active", Kind::Plain),
    ("is_confirmed", Kind::Plain),
    ("is_org", Kind::Plain),
    ("is_upcoming", Kind::Plain),
    ("is_with_clients", Kind::Plain),
    ("keywords", Kind::Plain),
    ("organization_id", Kind::Id(Organization::NAME)),
    ("provider_id", USER),
    ("provider_ids", USERS),
    ("show_appointments", Kind::Plain),
    ("specificDay", Kind::Plain),
    ("startDate", Kind::Plain),
    ("state_license", Kind::Plain),
    ("tag_ids", Kind::Ids(Tag::NAME)),
    ("unconfirmed", Kind::Plain),
    ("use_provider_inclusions", Kind::Plain),
    ("user_id", USER),
    ("with_all_statuses", Kind::Plain),
    ("without_status", Kind::Plain),
];

/// Arguments of `appointmentsCount`.
pub const COUNT_ARGS: &[(&str, Kind)] = &[
    ("currentWeek", Kind::Plain),
    ("endDate", Kind::Plain),
    ("filter", Kind::Plain),
    ("filter_by_appointment_location_ids", Kind::Ids(AppointmentLocation::NAME)),
    ("filter_by_appointment_status", Kind::Plain),
    ("filter_by_appointment_type_id", TYPE),
    ("filter_by_appointment_type_ids", Kind::Ids(AppointmentType::NAME)),
    ("filter_by_location_id", Kind::Id(AppointmentLocation::NAME)),
    ("include_blockers", Kind::Plain),
    ("include_suborganizations", Kind::Plain),
    ("is_active", Kind::Plain),
    ("is_confirmed", Kind::Plain),
    ("is_org", Kind::Plain),
    ("is_upcoming", Kind::Plain),
    ("is_with_clients", Kind::Plain),
    ("keywords", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", USERS),
    ("show_appointments", Kind::Plain),
    ("specificDay", Kind::Plain),
    ("startDate", Kind::Plain),
    ("unconfirmed", Kind::Plain),
    ("user_id", USER),
    ("with_all_statuses", Kind::Plain),
    ("without_status", Kind::Plain),
];

/// What appointments can be ordered by.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "DATE", expression: "{t}.start_at" },
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "UPDATED_AT", expression: "{t}.updated_at" },
];

/// What those who attend are ordered by: as they were added.
pub const ADDED: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// `appointment`; a deleted one to members who ask for it.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let Some(id) = id::<Appointment>(args, "id", request)? else { return Ok(Listing::none()) };
    let mut listing = Listing::of(Cond::eq("id", id.0));
    listing.deleted = request.actor.is_member() && args.flag("include_deleted");
    Ok(listing)
}

/// `appointmentInclusion`.
pub fn inclusion(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<AppointmentInclusion>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `recurringAppointment`.
pub fn series(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<RecurringAppointment>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `appointments` and `appointmentsCount`.
pub fn list(request: &Request, args: &Args) -> Answer<Listing> {
    if args.bool("show_appointments") == Some(false) {
        return Ok(Listing::none());
    }
    let (cond, either) = whose(request, args)?;
    let cond = cond
        .and(when(request, args)?)
        .and(became(args))
        .and(which(request, args)?)
        .and(with_clients(request, args))
        .and(confirmed(args))
        .and(providers::narrowed(request, args, "provider_id")?)
        .and(asked::found_by(request, args));
    let listing = Listing { either, ..Listing::of(cond) };
    Ok(listing.naming(&tables::USERS, asked::named(request, args)?))
}

/// Appointments that these members give; with others, besides those that they give
/// beside the main provider or attend. Of the former there are many, and an index has
/// them in order; of the latter few, which are found by their ids. Who attends is
/// nothing that clients learn (DOM-09).
pub(super) fn given_by(actor: &Actor, members: &[i64], with_others: bool) -> Vec<Cond> {
    let gives = Cond::is_in("provider_id", members);
    if !with_others {
        return vec![gives];
    }
    let list = || [Value::from(actor.org_id), Value::Ints(members.into())];
    let also = "SELECT also.appointment_id FROM appointment_providers also \
         WHERE also.org_id = ? AND also.user_id IN_LIST(?)";
    let others = match actor.is_member() {
        true => Cond::sql(
            format!(
                "{{t}}.id IN ({also} UNION ALL SELECT comes.appointment_id \
                 FROM appointment_inclusions comes \
                 WHERE comes.org_id = ? AND comes.user_id IN_LIST(?))"
            ),
            list().into_iter().chain(list()),
        ),
        false => Cond::sql(format!("{{t}}.id IN ({also})"), list()),
    };
    vec![gives.clone(), gives.negated().and(others)]
}

/// Appointments that one of these attends; the client of an individual one does.
/// Clients can ask of themselves only, and what they see they attend (DOM-09).
pub(super) fn attended_by(actor: &Actor, people: &[i64]) -> Cond {
    if !actor.is_member() {
        return match people.contains(&actor.user_id) {
            true => Cond::Always,
            false => Cond::Never,
        };
    }
    let org = actor.org_id;
    Cond::sql(
        "{t}.id IN (SELECT comes.appointment_id FROM appointment_inclusions comes \
         WHERE comes.org_id = ? AND comes.user_id IN_LIST(?))",
        [org.into(), Value::Ints(people.into())],
    )
}

/// Whose: a client's own are all that they see; a member's are those of the
/// providers, the client or the organization that is named, else their own. The second
/// is [`Listing::either`].
fn whose(request: &Request, args: &Args) -> Answer<(Cond, Vec<Cond>)> {
    let actor = &request.actor;
    let with_others = args.bool("use_provider_inclusions").unwrap_or(true);
    let (mut cond, mut either) = (Cond::Always, Vec::new());
    let mut is_named = false;
    let mut providers = ids::<User>(args, "provider_ids", request)?.unwrap_or_default();
    if providers.is_empty() {
        providers.extend(id::<User>(args, "provider_id", request)?.map(|id| id.0));
    }
    if !providers.is_empty() {
        either = given_by(actor, &providers, with_others);
        is_named = true;
    }
    if let Some(user) = id::<User>(args, "user_id", request)? {
        cond = cond.and(attended_by(actor, &[user.0]));
        is_named = true;
    }
    if let Some(people) = ids::<User>(args, "attendee_ids", request)? {
        cond = cond.and(attended_by(actor, &people));
        is_named = true;
    }
    let unit = id::<Organization>(args, "organization_id", request)?;
    if !actor.is_member() {
        // Organizations are staff's to ask for.
        return Ok((if unit.is_some() { Cond::Never } else { cond }, either));
    }
    if args.flag("is_org") || unit.is_some() {
        let unit = unit.map_or(actor.unit_id, |unit| unit.0);
        let is_all = args.flag("include_suborganizations") && unit == actor.org_id;
        return Ok((if is_all { cond } else { cond.and(Cond::eq("unit_id", unit)) }, either));
    }
    if !is_named {
        either = given_by(actor, &[actor.user_id], with_others);
    }
    Ok((cond, either))
}

/// When: days that are named count before the word of `filter` that is so by
/// default.
fn when(request: &Request, args: &Args) -> Answer<Cond> {
    let now = request.now;
    let days = days(request, args)?;
    let word = args.text("filter").unwrap_or("future");
    let mut cond = match word {
        "future" if days.is_some() => Cond::Always,
        "future" => after("start_at", now),
        "upcoming" => after("end_at", now),
        "past" => until("start_at", now),
        "ended" => until("end_at", now),
        _ => Cond::Always,
    };
    if args.flag("is_upcoming") {
        cond = cond.and(after("end_at", now));
    }
    if let Some((from, to)) = days {
        // What begins before the window and goes on in it is no part of it.
        let within = "{t}.start_at >= ? AND {t}.start_at < ?";
        cond = cond.and(Cond::sql(within, [from.0.into(), to.0.into()]));
    }
    Ok(cond)
}

fn after(column: &str, at: Timestamp) -> Cond {
    Cond::sql(format!("{{t}}.{column} > ?"), [at.0.into()])
}

fn until(column: &str, at: Timestamp) -> Cond {
    Cond::sql(format!("{{t}}.{column} <= ?"), [at.0.into()])
}

/// The days that are named, from the first instant to the one behind the last.
fn days(request: &Request, args: &Args) -> Answer<Option<(Timestamp, Timestamp)>> {
    let zone = &request.zone;
    if let Some(text) = args.text("specificDay") {
        let day = moment::day(text)
            .ok_or_else(|| Refused::on("specificDay", "specificDay must be a day"))?;
        return Ok(span(zone, day.0, 1));
    }
    if args.flag("currentWeek") {
        let today = wall::day_of(zone, request.now);
        let sunday = today.and_then(|day| {
            day.checked_sub(i64::from(day.weekday().to_sunday_zero_offset()).days()).ok()
        });
        return Ok(sunday.and_then(|sunday| span(zone, sunday, 7)));
    }
    let start = args.moment("startDate", request)?;
    let Some((start, end)) = start.zip(args.moment("endDate", request)?) else { return Ok(None) };
    // A day alone is the whole of it.
    let end = match args.text("endDate").filter(|text| !text.contains(':')) {
        Some(_) => {
            wall::day_of(zone, end).and_then(|day| span(zone, day, 1)).map_or(end, |it| it.1)
        }
        None => end,
    };
    match start < end {
        true => Ok(Some((start, end))),
        false => Err(Refused::on("endDate", "endDate must be after startDate")),
    }
}

fn span(zone: &TimeZone, first: Date, days: i64) -> Option<(Timestamp, Timestamp)> {
    let behind = first.checked_add(days.days()).ok()?;
    Some((wall::instant(zone, first, 0)?, wall::instant(zone, behind, 0)?))
}

/// What became of them. All statuses, when asked for, count before active ones and
/// those that did not occur.
fn became(args: &Args) -> Cond {
    let mut cond = Cond::Always;
    if !args.flag("with_all_statuses") {
        let active = is_active();
        match args.bool("is_active") {
            Some(true) => cond = cond.and(active.clone()),
            Some(false) => cond = cond.and(active.clone().negated()),
            None => {}
        }
        if args.text("filter") == Some("didnt-occur") {
            cond = cond.and(active.negated());
        }
    }
    if args.flag("without_status") {
        cond = cond.and(Cond::is_null("pm_status"));
    }
    cond
}

/// Those that take place, or did.
pub(super) fn is_active() -> Cond {
    let statuses = PmStatus::TEXTS.iter().filter_map(|text| PmStatus::from_text(text));
    let active: Vec<&str> = statuses.filter(|it| it.is_active()).map(PmStatus::as_str).collect();
    Cond::is_null("pm_status").or(of_status(&active))
}

fn of_status(texts: &[&str]) -> Cond {
    let any = |cond: Cond, text: &&str| cond.or(Cond::eq("pm_status", *text));
    texts.iter().fold(Cond::Never, any)
}

/// Of which status, type, way to meet and place; a list counts before a single one.
fn which(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = Cond::Always;
    let statuses: Option<Vec<String>> = args.get("filter_by_appointment_statuses", request)?;
    let mut statuses = statuses.unwrap_or_default();
    if statuses.is_empty() {
        statuses.extend(args.text("filter_by_appointment_status").map(str::to_owned));
    }
    if !statuses.is_empty() {
        let known = statuses.iter().filter_map(|text| PmStatus::from_text(text.trim()));
        cond = cond.and(of_status(&known.map(PmStatus::as_str).collect::<Vec<_>>()));
    }
    let mut types = ids::<AppointmentType>(args, "filter_by_appointment_type_ids", request)?
        .unwrap_or_default();
    if types.is_empty() {
        let one = id::<AppointmentType>(args, "filter_by_appointment_type_id", request)?;
        types.extend(one.map(|id| id.0));
    }
    if !types.is_empty() {
        cond = cond.and(Cond::is_in("appointment_type_id", &types));
    }
    let mut places =
        ids::<AppointmentLocation>(args, "filter_by_appointment_location_ids", request)?
            .unwrap_or_default();
    if places.is_empty() {
        let one = id::<AppointmentLocation>(args, "filter_by_location_id", request)?;
        places.extend(one.map(|id| id.0));
    }
    if !places.is_empty() {
        cond = cond.and(Cond::is_in("appointment_location_id", &places));
    }
    if let Some(text) = args.text("filter_by_contact_types") {
        let ways = text.split(',').filter_map(ContactType::of_text).map(ContactType::number);
        cond = cond.and(Cond::is_in("contact_type_id", &ways.collect::<Vec<i64>>()));
    }
    if args.bool("include_blockers") == Some(false) {
        cond = cond.and(Cond::eq("is_blocker", false));
    }
    Ok(cond)
}

/// Those that clients attend; for a client those that they attend themselves.
fn with_clients(request: &Request, args: &Args) -> Cond {
    if !args.flag("is_with_clients") {
        return Cond::Always;
    }
    let comes = "EXISTS (SELECT 1 FROM appointment_inclusions comes JOIN users client \
         ON client.org_id = comes.org_id AND client.id = comes.user_id \
         WHERE comes.org_id = {t}.org_id AND comes.appointment_id = {t}.id \
         AND comes.cancelled = FALSE AND client.is_patient = TRUE";
    match request.actor.is_member() {
        true => Cond::sql(format!("{comes})"), []),
        false => Cond::sql(format!("{comes} AND client.id = ?)"), [request.actor.user_id.into()]),
    }
}

/// Confirmed by the practice, or by the client.
fn confirmed(args: &Args) -> Cond {
    let mut cond = Cond::Always;
    for (name, column) in [
        ("is_confirmed", "confirmed"),
        ("filter_by_provider_confirmed", "confirmed"),
        ("filter_by_client_confirmed", "client_confirmed"),
    ] {
        if let Some(wanted) = args.bool(name) {
            cond = cond.and(Cond::eq(column, wanted));
        }
    }
    if args.flag("unconfirmed") {
        cond = cond.and(Cond::eq("confirmed", false));
    }
    cond
}
