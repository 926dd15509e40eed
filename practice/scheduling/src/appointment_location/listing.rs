//! Which places the lists answer, by their arguments. Visibility comes on top and is
//! not here.

use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request, moment};
use ward_identity::tables::{USERS, User};
use ward_identity::visibility::seen;
use ward_store::{Cond, Day, Entity, Level, Value};

use super::table::{APPOINTMENT_LOCATIONS, AppointmentLocation};
use crate::availability::wall;
use crate::listing::{id, ids};
use crate::tables::{APPOINTMENT_TYPES, AppointmentType};

const PLACES: Kind = Kind::Ids(AppointmentLocation::NAME);
const USER: Kind = Kind::Id(User::NAME);

/// Arguments of `appointmentLocations`.
pub const ARGS: &[(&str, Kind)] = &[
    ("appointment_date", Kind::Plain),
    ("appointment_type_id", Kind::Id(AppointmentType::NAME)),
    ("ids", PLACES),
    ("keywords", Kind::Plain),
    ("location_ids", PLACES),
    ("org_level", Kind::Plain),
    ("provider_id", USER),
    ("provider_ids", Kind::Ids(User::NAME)),
    ("with_availability", Kind::Plain),
];

/// So many providers can be named.
pub const PROVIDERS_MAX: usize = 500;

/// What places and rooms are ordered by: as they were made.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// `appointmentLocation`.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<AppointmentLocation>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0)).public()))
}

/// `providerAppointmentLocations`: of the provider who is named, else of the caller.
pub fn of_provider(request: &Request, args: &Args) -> Answer<Listing> {
    let cond = match id::<User>(args, "provider_id", request)? {
        Some(provider) => of_providers(request, &[provider.0]),
        None => of_caller(request),
    };
    Ok(Listing::of(cond).public())
}

/// `appointmentLocations`. A stranger names a provider or places: there is no list of
/// all practices' places.
pub fn list(request: &Request, args: &Args) -> Answer<Listing> {
    let mut named = ids::<AppointmentLocation>(args, "ids", request)?.unwrap_or_default();
    named.extend(ids::<AppointmentLocation>(args, "location_ids", request)?.unwrap_or_default());
    let mut providers = ids::<User>(args, "provider_ids", request)?.unwrap_or_default();
    providers.extend(id::<User>(args, "provider_id", request)?.map(|id| id.0));
    if providers.len() > PROVIDERS_MAX {
        let sentence = format!("provider_ids can name at most {PROVIDERS_MAX}");
        return Err(Refused::on("provider_ids", sentence));
    }
    let is_somebody = request.actor.user_id != 0;
    let mut cond = match (args.flag("org_level"), providers.is_empty(), named.is_empty()) {
        (true, _, _) if is_somebody => Cond::eq("unit_id", request.actor.unit_id),
        (_, false, _) => of_providers(request, &providers),
        (_, true, false) => Cond::Always,
        (_, true, true) if is_somebody => of_caller(request),
        (_, true, true) => return Ok(Listing::none()),
    };
    if !named.is_empty() {
        cond = cond.and(Cond::is_in("id", &named));
    }
    if let Some(of) = id::<AppointmentType>(args, "appointment_type_id", request)? {
        cond = cond.and(of_type(request, of.0));
    }
    if let Some(text) = args.text("appointment_date") {
        cond = cond.and(has_times(&on_day(text, request)?));
    }
    if args.flag("with_availability") {
        cond = cond.and(has_times(&to_come(request)));
    }
    let keywords = args.text("keywords");
    Ok(Listing::of(cond).public().searching(&APPOINTMENT_LOCATIONS, request, keywords))
}

/// Places of these providers whom the caller knows of: their units', and their own.
fn of_providers(request: &Request, providers: &[i64]) -> Cond {
    let (known, params) = seen(&USERS, &request.actor, Level::Public, "gives");
    let list = Value::Ints(providers.into());
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM users gives WHERE gives.org_id = {{t}}.org_id \
             AND gives.id IN_LIST(?) AND gives.is_patient = FALSE AND gives.deleted_at IS NULL \
             AND gives.unit_id = {{t}}.unit_id \
             AND ({{t}}.user_id IS NULL OR {{t}}.user_id = gives.id) AND ({known}))"
        ),
        std::iter::once(list).chain(params),
    )
}

/// A member's own, a client's primary provider's.
fn of_caller(request: &Request) -> Cond {
    let actor = &request.actor;
    if actor.is_member() {
        return of_providers(request, &[actor.user_id]);
    }
    Cond::sql(
        "EXISTS (SELECT 1 FROM users own JOIN users gives ON gives.org_id = own.org_id \
         AND gives.id = own.dietitian_id WHERE own.org_id = {t}.org_id AND own.id = ? \
         AND gives.unit_id = {t}.unit_id \
         AND ({t}.user_id IS NULL OR {t}.user_id = gives.id))",
        [actor.user_id.into()],
    )
}

/// Places of the unit of a type that the caller sees.
fn of_type(request: &Request, of: i64) -> Cond {
    let (known, params) = seen(&APPOINTMENT_TYPES, &request.actor, Level::Public, "o");
    Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM appointment_types o WHERE o.org_id = {{t}}.org_id \
             AND o.id = ? AND o.unit_id = {{t}}.unit_id AND o.deleted_at IS NULL AND ({known}))"
        ),
        std::iter::once(Value::from(of)).chain(params),
    )
}

/// SQL: that the unit of a row sets times by place (behaviour 20).
pub(crate) const BY_PLACE: &str = "EXISTS (SELECT 1 FROM appointment_settings by_place \
     WHERE by_place.org_id = {t}.org_id AND by_place.unit_id = {t}.unit_id \
     AND by_place.user_id IS NULL AND by_place.appointment_type_id IS NULL \
     AND by_place.times_by_location = TRUE)";

/// Places with times, where the unit sets times by place; elsewhere every place has
/// all of them (behaviour 20).
fn has_times((which, params): &(String, Vec<Value>)) -> Cond {
    Cond::sql(
        format!(
            "(NOT {BY_PLACE} OR EXISTS (SELECT 1 FROM availabilities open \
             WHERE open.org_id = {{t}}.org_id AND open.appointment_location_id = {{t}}.id \
             AND ({which})))"
        ),
        params.clone(),
    )
}

fn on_day(text: &str, request: &Request) -> Answer<(String, Vec<Value>)> {
    let day = crate::slots::ask::day_in(text, &request.zone)
        .or_else(|| moment::day(text).map(|Day(day)| day))
        .ok_or_else(|| {
            let sentence = "appointment_date must be a date such as 2026-03-04";
            Refused::on("appointment_date", sentence)
        })?;
    let weekday = i64::from(day.weekday().to_sunday_zero_offset());
    let shown = Day(day).to_string();
    let which = "(open.is_repeating = FALSE AND open.first_day = ?) OR \
         (open.is_repeating = TRUE AND open.day_of_week = ? AND open.first_day <= ? \
         AND (open.end_on IS NULL OR open.end_on >= ?))";
    let params = vec![shown.clone().into(), weekday.into(), shown.clone().into(), shown.into()];
    Ok((which.to_owned(), params))
}

fn to_come(request: &Request) -> (String, Vec<Value>) {
    let today = wall::day_of(&request.zone, request.now);
    let shown = today.map_or_else(|| "9999-12-31".to_owned(), |day| Day(day).to_string());
    let which = "(open.is_repeating = FALSE AND open.end_at > ?) OR \
         (open.is_repeating = TRUE AND (open.end_on IS NULL OR open.end_on >= ?))";
    (which.to_owned(), vec![request.now.0.into(), shown.into()])
}
