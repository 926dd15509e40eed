//! Whether a type can be had: its providers have times, and a licence where the
//! client lives (behaviour 21, 22). What a booking page asks before it shows a type.

use std::collections::HashSet;

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_identity::tables::{STATE_LICENSES, User};
use ward_identity::visibility::seen;
use ward_store::{Cond, Entity, Join, Level, Query, Value};

use crate::appointment_location::listing::BY_PLACE;
use crate::appointment_location::table::{APPOINTMENT_LOCATIONS, AppointmentLocation};
use crate::listing;
use crate::settings::layers::resolve;
use crate::settings::read;
use crate::tables::{APPOINTMENT_TYPES, AVAILABILITIES, appointment_types as at};

const OF: &str = "AppointmentType";
const USER: Kind = Kind::Id(User::NAME);
const USERS: Kind = Kind::Ids(User::NAME);
const DAY_MICROS: i64 = 86_400_000_000;

/// Types that times are for, the only one or one of several, of who offers them.
const TIED: Join = Join {
    table: concat!(
        "(SELECT a.org_id, a.id AS availability_id, o.id AS appointment_type_id \
         FROM availabilities a JOIN appointment_types o ON o.org_id = a.org_id \
         JOIN users gives ON gives.org_id = a.org_id AND gives.id = a.user_id \
         WHERE (o.id = a.appointment_type_id OR EXISTS (SELECT 1 \
         FROM availability_appointment_types m WHERE m.org_id = a.org_id \
         AND m.availability_id = a.id AND m.appointment_type_id = o.id)) AND ",
        crate::visibility::offered_by!("o"),
        ")"
    ),
    to: "availability_id",
    from: "appointment_type_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.batch(OF, "availability_exists_for", &[at::id, at::unit_id], |request, q, rows, args| {
        Box::pin(has_times(request, q, rows, args))
    })
    .args(&[
        ("appointment_location_id", Kind::Id(AppointmentLocation::NAME)),
        ("org_level", Kind::Plain),
        ("provider_id", USER),
        ("provider_ids", USERS),
    ])
    .public();
    const NEEDS: &[usize] = &[at::id, at::unit_id, at::require_in_state_clients];
    b.batch(OF, "valid_state_licensing_for", NEEDS, |request, q, rows, args| {
        Box::pin(is_licensed(request, q, rows, args))
    })
    .args(&[
        ("client_state_of_residence", Kind::Plain),
        ("org_level", Kind::Plain),
        ("provider_id", USER),
        ("provider_ids", USERS),
    ])
    .public();
}

/// The providers that are meant: those who are named, else all of the type's unit.
fn providers(request: &Request, args: &Args) -> Answer<Cond> {
    let mut ids = listing::ids::<User>(args, "provider_ids", request)?.unwrap_or_default();
    ids.extend(listing::id::<User>(args, "provider_id", request)?.map(|id| id.0));
    Ok(match ids.is_empty() || args.flag("org_level") {
        true => Cond::Always,
        false => Cond::is_in("user_id", &ids),
    })
}

fn units(rows: &[RowView<'_>]) -> Vec<i64> {
    let mut units: Vec<i64> = rows.iter().filter_map(|row| row.get(at::unit_id).int()).collect();
    units.sort_unstable();
    units.dedup();
    units
}

/// Whether there is a time from now on at which somebody who offers a type can be
/// booked for it. Times are a type's own where the unit sets them by type, else
/// everything's.
async fn has_times(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let units = units(&rows);
    let layers = read::of_types(request, q, &[], &units).await?;
    let to_come = Cond::sql(
        "(({t}.is_repeating = FALSE AND {t}.end_at > ?) OR ({t}.is_repeating = TRUE \
         AND ({t}.end_on IS NULL OR {t}.end_on >= ?)))",
        [request.now.0.into(), yesterday(request).into()],
    );
    let which = providers(request, args)?.and(Cond::is_in("unit_id", &units)).and(to_come);
    let which = which.and(there(request, args)?);
    let by_type = |row: &RowView<'_>| {
        let unit = row.get(at::unit_id).int().and_then(|unit| read::unit_of(&layers, unit));
        let own: Vec<_> = unit.into_iter().collect();
        resolve(&own).times_by_appointment_type
    };
    let of_types = match rows.iter().any(by_type) {
        true => counted(request, q, which.clone(), Some(TIED), "j.appointment_type_id").await?,
        false => HashSet::new(),
    };
    let givers = match rows.iter().all(by_type) {
        true => HashSet::new(),
        false => counted(request, q, which, None, "t.user_id").await?,
    };
    let offered = offered(request, q, &rows, &givers).await?;
    let value = |row: &RowView<'_>| {
        let known = if by_type(row) { &of_types } else { &offered };
        Out::from(row.get(at::id).int().is_some_and(|id| known.contains(&id)))
    };
    Ok(rows.iter().map(value).collect())
}

/// Times that are good for the place that is named: those at it, or all where times are
/// not set by place, of a provider who meets clients there.
fn there(request: &Request, args: &Args) -> Answer<Cond> {
    let id = listing::id::<AppointmentLocation>(args, "appointment_location_id", request)?;
    let Some(id) = id else { return Ok(Cond::Always) };
    let (known, params) = seen(&APPOINTMENT_LOCATIONS, &request.actor, Level::Public, "l");
    Ok(Cond::sql(
        format!(
            "EXISTS (SELECT 1 FROM appointment_locations l WHERE l.org_id = {{t}}.org_id \
             AND l.id = ? AND l.deleted_at IS NULL AND l.unit_id = {{t}}.unit_id \
             AND (l.user_id IS NULL OR l.user_id = {{t}}.user_id) AND ({known}) \
             AND ({{t}}.appointment_location_id = l.id OR NOT {BY_PLACE}))"
        ),
        std::iter::once(Value::from(id.0)).chain(params),
    ))
}

/// Which of the types one of these members offers.
async fn offered(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
    givers: &HashSet<i64>,
) -> Answer<HashSet<i64>> {
    let types: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    if types.is_empty() || givers.is_empty() {
        return Ok(HashSet::new());
    }
    let mut givers: Vec<i64> = givers.iter().copied().collect();
    givers.sort_unstable();
    let mut select = listing::seen(request, &APPOINTMENT_TYPES, Level::Public);
    select.columns = vec![at::id];
    select.filter = Cond::is_in("id", &types).and(listing::offered_by(&request.actor, &givers));
    let found = q.rows(&select.sql()).await?;
    Ok(found.iter().filter_map(|row| row.first()?.int()).collect())
}

/// The day that is over everywhere.
fn yesterday(request: &Request) -> String {
    let at = jiff::Timestamp::from_microsecond(request.now.0 - DAY_MICROS);
    let at = at.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    ward_store::Day(date).to_string()
}

async fn counted(
    request: &Request,
    q: &mut dyn Query,
    filter: Cond,
    join: Option<Join>,
    by: &str,
) -> Answer<HashSet<i64>> {
    if filter.is_never() {
        return Ok(HashSet::new());
    }
    let mut select = listing::seen(request, &AVAILABILITIES, Level::Public);
    select.filter = filter;
    select.join = join;
    let rows = q.rows(&select.count_by_sql(by)).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::int)).collect())
}

/// Whether one of those who offer a type may see a client who lives in a state.
/// Where the type asks for it and nobody says the state, that is not known.
async fn is_licensed(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let which = providers(request, args)?.and(Cond::is_in("unit_id", &units(&rows)));
    let state = args.text("client_state_of_residence").map(str::to_ascii_uppercase);
    let mut licensed = HashSet::new();
    if let (Some(state), false) = (&state, which.is_never()) {
        let mut select = listing::seen(request, &STATE_LICENSES, Level::Public);
        select.filter = which.and(Cond::eq("state", state.as_str()));
        let found = q.rows(&select.count_by_sql("t.user_id")).await?;
        let givers = found.iter().filter_map(|row| row.first().and_then(Value::int)).collect();
        licensed = offered(request, q, &rows, &givers).await?;
    }
    let value = |row: &RowView<'_>| match row.get(at::require_in_state_clients).truth() {
        false => true.into(),
        true if state.is_none() => Out::Null,
        true => row.get(at::id).int().is_some_and(|id| licensed.contains(&id)).into(),
    };
    Ok(rows.iter().map(value).collect())
}
