//! Whether a type can be had: its providers have times, and a licence where the
//! client lives (behaviour 21, 22). What a booking page asks before it shows a type.

use std::collections::HashSet;

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_identity::tables::{STATE_LICENSES, User};
use ward_store::{Cond, Entity, Join, Level, Query, Select, Value};

use crate::listing;
use crate::settings::layers::resolve;
use crate::settings::read;
use crate::tables::{AVAILABILITIES, appointment_types as at};

const OF: &str = "AppointmentType";
const USER: Kind = Kind::Id(User::NAME);
const USERS: Kind = Kind::Ids(User::NAME);
const DAY_MICROS: i64 = 86_400_000_000;

/// Types that times are for: the only one, or one of several.
const TIED: Join = Join {
    table: "(SELECT a.org_id, a.id AS availability_id, a.appointment_type_id FROM availabilities a \
            WHERE a.appointment_type_id IS NOT NULL UNION ALL \
            SELECT m.org_id, m.availability_id, m.appointment_type_id \
            FROM availability_appointment_types m)",
    to: "availability_id",
    from: "appointment_type_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.batch(OF, "availability_exists_for", &[at::id, at::unit_id], |request, q, rows, args| {
        Box::pin(has_times(request, q, rows, args))
    })
    .args(&[("org_level", Kind::Plain), ("provider_id", USER), ("provider_ids", USERS)])
    .public();
    const NEEDS: &[usize] = &[at::unit_id, at::require_in_state_clients];
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

/// Whether there is a time from now on at which a type can be had. Times are a
/// type's own where the unit sets them by type, else everything's.
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
    let of_units = counted(request, q, which.clone(), None, "t.unit_id").await?;
    let of_types = counted(request, q, which, Some(TIED), "j.appointment_type_id").await?;
    let value = |row: &RowView<'_>| {
        let (id, unit) = (row.get(at::id).int(), row.get(at::unit_id).int());
        let own: Vec<_> = unit.and_then(|unit| read::unit_of(&layers, unit)).into_iter().collect();
        let has = |known: &HashSet<i64>, id: Option<i64>| id.is_some_and(|id| known.contains(&id));
        Out::from(match resolve(&own).times_by_appointment_type {
            true => has(&of_types, id),
            false => has(&of_units, unit),
        })
    };
    Ok(rows.iter().map(value).collect())
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
    let mut select = Select::new(&AVAILABILITIES, &request.actor);
    if request.actor.user_id == 0 {
        select.org_id = None;
    }
    select.least = Level::Public;
    select.filter = filter;
    select.join = join;
    let rows = q.rows(&select.count_by_sql(by)).await?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::int)).collect())
}

/// Whether one of the providers may see a client who lives in a state. Where the
/// type asks for it and nobody says the state, that is not known.
async fn is_licensed(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let units = units(&rows);
    let which = providers(request, args)?.and(Cond::is_in("unit_id", &units));
    let state = args.text("client_state_of_residence").map(str::to_ascii_uppercase);
    let mut licensed = HashSet::new();
    if let (Some(state), false) = (&state, which.is_never()) {
        let mut select = Select::new(&STATE_LICENSES, &request.actor);
        if request.actor.user_id == 0 {
            select.org_id = None;
        }
        select.least = Level::Public;
        select.filter = which.and(Cond::eq("state", state.as_str()));
        let found = q.rows(&select.count_by_sql("t.unit_id")).await?;
        licensed = found.iter().filter_map(|row| row.first().and_then(Value::int)).collect();
    }
    let value = |row: &RowView<'_>| match row.get(at::require_in_state_clients).truth() {
        false => true.into(),
        true if state.is_none() => Out::Null,
        true => row.get(at::unit_id).int().is_some_and(|unit| licensed.contains(&unit)).into(),
    };
    Ok(rows.iter().map(value).collect())
}
