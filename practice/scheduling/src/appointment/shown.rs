//! Fields of appointments that take a look at others: what clients may do by the
//! settings, and names. Each is answered for all rows of a level at once.

use std::collections::{HashMap, HashSet};

use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Args, BatchFn, Out, Request, RowView};
use ward_identity::tables::{USERS, users};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Level, Query, Record, Select, Sql, StoreError, Table, Value};

use super::rules::{Facts, cant_cancel, cant_reschedule};
use super::series::table::{RECURRING_APPOINTMENTS, recurring_appointments as series};
use super::status::PmStatus;
use super::table::appointments as at;
use crate::appointment_location::table::{APPOINTMENT_LOCATIONS, appointment_locations as places};
use crate::listing::numbers;
use crate::settings::layers::{Settings, layers, resolve};
use crate::settings::read::{own_of, unit_of};
use crate::settings::table::{APPOINTMENT_SETTINGS, AppointmentSetting};
use crate::tables::{APPOINTMENT_TYPES, appointment_types as types};

/// A field with what answers it.
pub struct Field {
    /// The contract's name.
    pub name: &'static str,
    /// What answers it.
    pub run: BatchFn,
}

/// Columns that the fields of [`RULES`] read.
pub const RULE_NEEDS: &[usize] = &[
    at::appointment_type_id,
    at::id,
    at::is_group,
    at::patient_reschedule_count,
    at::pm_status,
    at::provider_id,
    at::start_at,
    at::unit_id,
];

/// What clients may do.
pub const RULES: &[Field] = &[
    Field {
        name: "can_client_cancel",
        run: |request, q, rows, args| {
            Box::pin(by_rule(request, q, rows, args, |facts, settings, now| {
                cant_cancel(facts, settings, now).is_none().into()
            }))
        },
    },
    Field {
        name: "can_client_reschedule",
        run: |request, q, rows, args| {
            Box::pin(by_rule(request, q, rows, args, |facts, settings, now| {
                cant_reschedule(facts, settings, now).is_none().into()
            }))
        },
    },
    Field {
        name: "minimum_advance_cancel_time",
        run: |request, q, rows, args| {
            Box::pin(by_rule(request, q, rows, args, |_, settings, _| {
                settings.minimum_advance_cancel_time.into()
            }))
        },
    },
    Field {
        name: "minimum_advance_reschedule_time",
        run: |request, q, rows, args| {
            Box::pin(by_rule(request, q, rows, args, |_, settings, _| {
                settings.minimum_advance_reschedule_time.into()
            }))
        },
    },
];

/// Columns that the fields of [`NAMES`] read.
pub const NAME_NEEDS: &[usize] =
    &[at::appointment_type_id, at::initiator_id, at::is_blocker, at::provider_id, at::user_id];

/// What appointments and people are called.
pub const NAMES: &[Field] = &[
    Field {
        name: "appointment_label",
        run: |request, q, rows, _| Box::pin(labels(request, q, rows)),
    },
    Field { name: "provider_name", run: |request, q, rows, _| Box::pin(givers(request, q, rows)) },
    Field { name: "scheduled_by", run: |request, q, rows, _| Box::pin(bookers(request, q, rows)) },
    Field { name: "title", run: |request, q, rows, _| Box::pin(titles(request, q, rows)) },
];

/// What the series of an appointment says, as fields of its own.
pub const SERIES: &[Field] = &[
    Field {
        name: "repeat_interval",
        run: |request, q, rows, _| Box::pin(by_series(request, q, rows, series::repeat_interval)),
    },
    Field {
        name: "repeat_times",
        run: |request, q, rows, _| Box::pin(by_series(request, q, rows, series::repeat_times)),
    },
];

/// A column of each row's series, which is seen with the row.
async fn by_series(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    column: usize,
) -> Answer<Vec<Out>> {
    let system = Actor::system(request.actor.org_id);
    let ids = Cond::is_in("id", &numbers(&rows, at::recurring_appointment_id));
    let columns = vec![series::id, column];
    let found = read(q, &system, &RECURRING_APPOINTMENTS, columns, ids).await?;
    let fact = |row: &Vec<Value>| {
        let fact = row.get(1)?;
        let out = fact.int().map(Out::Int).or(fact.text().map(Out::from))?;
        Some((row.first()?.int()?, out))
    };
    let known: HashMap<i64, Out> = found.iter().filter_map(fact).collect();
    let of = |row: &RowView<'_>| row.get(at::recurring_appointment_id).int();
    let value = |row: &RowView<'_>| of(row).and_then(|id| known.get(&id).cloned());
    Ok(rows.iter().map(|row| value(row).unwrap_or(Out::Null)).collect())
}

/// Rows of a table that meet the condition, as far as the actor sees them, deleted
/// or not.
async fn read(
    q: &mut dyn Query,
    actor: &Actor,
    table: &'static Table,
    columns: Vec<usize>,
    filter: Cond,
) -> Answer<Vec<Vec<Value>>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = Select::new(table, actor);
    select.columns = columns;
    select.least = Level::Public;
    select.deleted = true;
    select.filter = filter;
    let rows = q.rows(&select.sql()).await?;
    Ok(rows.iter().map(<[Value]>::to_vec).collect())
}

/// A fact by the settings that apply to each appointment: the rules are the same
/// whoever asks.
async fn by_rule(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    _: &Args,
    rule: fn(&Facts, &Settings, Timestamp) -> Out,
) -> Answer<Vec<Out>> {
    let system = Actor::system(request.actor.org_id);
    let ids = numbers(&rows, at::appointment_type_id);
    let own = [types::id, types::has_specific_appointment_settings].to_vec();
    let found = read(q, &system, &APPOINTMENT_TYPES, own, Cond::is_in("id", &ids)).await?;
    let has_own = |row: &Vec<Value>| row.get(1).is_some_and(Value::truth);
    let with_own = found.iter().filter(|row| has_own(row));
    let with_own: Vec<i64> = with_own.filter_map(|row| row.first()?.int()).collect();
    let neither = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    let which = Cond::is_in("appointment_type_id", &with_own)
        .or(Cond::is_in("user_id", &numbers(&rows, at::provider_id)))
        .or(Cond::is_in("unit_id", &numbers(&rows, at::unit_id)).and(neither));
    let all = (0..APPOINTMENT_SETTINGS.columns.len()).collect();
    let found = read(q, &system, &APPOINTMENT_SETTINGS, all, which).await?;
    let layer = |row: &Vec<Value>| {
        AppointmentSetting::from_values(row)
            .map_err(|column| StoreError::internal(format!("settings: {column}")))
    };
    let found: Vec<AppointmentSetting> = found.iter().map(layer).collect::<Result<_, _>>()?;
    let parts = Parts::read(request, q, &rows).await?;
    let value = |row: &RowView<'_>| {
        let number = |column: usize| row.get(column).int();
        let id = number(at::id).unwrap_or_default();
        let of = number(at::appointment_type_id).and_then(|id| own_of(&found, id));
        let provider = number(at::provider_id)
            .and_then(|id| found.iter().find(|it| it.user_id.is_some_and(|user| user.0 == id)));
        let unit = number(at::unit_id).and_then(|unit| unit_of(&found, unit));
        let settings = resolve(&layers(of, provider, unit));
        let facts = Facts {
            start_at: Timestamp(number(at::start_at).unwrap_or_default()),
            pm_status: row.text(at::pm_status).and_then(PmStatus::from_text),
            is_shared: row.get(at::is_group).truth() || parts.shared.contains(&id),
            is_off: parts.off.contains(&id),
            may_schedule: parts.may_schedule,
            reschedules: number(at::patient_reschedule_count).unwrap_or_default(),
        };
        rule(&facts, &settings, request.now)
    };
    Ok(rows.iter().map(value).collect())
}

/// What the rules ask of those who attend.
struct Parts {
    /// Appointments that several clients attend.
    shared: HashSet<i64>,
    /// Appointments in which the client who asks has called their part off.
    off: HashSet<i64>,
    /// Whether the client who asks may schedule; of whoever else asks nothing is known.
    may_schedule: bool,
}

impl Parts {
    async fn read(request: &Request, q: &mut dyn Query, rows: &[RowView<'_>]) -> Answer<Self> {
        let actor = &request.actor;
        let ids = Value::Ints(numbers(rows, at::id).into());
        let sql = Sql::fixed(
            "SELECT i.appointment_id FROM appointment_inclusions i JOIN users u \
             ON u.org_id = i.org_id AND u.id = i.user_id WHERE i.org_id = $1 \
             AND i.appointment_id IN_LIST($2) AND i.cancelled = FALSE AND u.is_patient = TRUE \
             GROUP BY i.appointment_id HAVING COUNT(*) > 1",
            [actor.org_id.into(), ids.clone()],
        );
        let shared = found_ids(q, &sql).await?;
        if !actor.is_client() {
            return Ok(Parts { shared, off: HashSet::new(), may_schedule: true });
        }
        let sql = Sql::fixed(
            "SELECT i.appointment_id FROM appointment_inclusions i WHERE i.org_id = $1 \
             AND i.appointment_id IN_LIST($2) AND i.user_id = $3 AND i.cancelled = TRUE",
            [actor.org_id.into(), ids, actor.user_id.into()],
        );
        let off = found_ids(q, &sql).await?;
        let may_schedule =
            feature_toggle::is_on(q, actor.org_id, actor.user_id, Switch::Scheduling).await?;
        Ok(Parts { shared, off, may_schedule })
    }
}

pub(super) async fn found_ids(q: &mut dyn Query, sql: &Sql) -> Answer<HashSet<i64>> {
    let rows = q.rows(sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// Names of people, as far as the actor knows of them.
async fn people(q: &mut dyn Query, actor: &Actor, ids: &[i64]) -> Answer<HashMap<i64, String>> {
    let columns = vec![users::id, users::first_name, users::last_name];
    let found = read(q, actor, &USERS, columns, Cond::is_in("id", ids)).await?;
    let name = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::text).unwrap_or_default();
        Some((row.first()?.int()?, format!("{} {}", text(1), text(2)).trim().to_owned()))
    };
    Ok(found.iter().filter_map(name).collect())
}

/// Names of types: what clients read instead, to clients.
async fn type_names(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
) -> Answer<HashMap<i64, String>> {
    let system = Actor::system(request.actor.org_id);
    let columns = vec![types::id, types::name, types::client_facing_display_name];
    let found = read(q, &system, &APPOINTMENT_TYPES, columns, Cond::is_in("id", ids)).await?;
    let is_member = request.actor.is_member();
    let name = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::text);
        let shown = text(2).filter(|_| !is_member).or(text(1))?;
        Some((row.first()?.int()?, shown.to_owned()))
    };
    Ok(found.iter().filter_map(name).collect())
}

fn looked_up(rows: &[RowView<'_>], column: usize, names: &HashMap<i64, String>) -> Vec<Out> {
    let name = |row: &RowView<'_>| row.get(column).int().and_then(|id| names.get(&id).cloned());
    rows.iter().map(|row| name(row).into()).collect()
}

async fn labels(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let ids = numbers(&rows, at::appointment_type_id);
    let names = type_names(request, q, &ids).await?;
    Ok(looked_up(&rows, at::appointment_type_id, &names))
}

/// Who gives an appointment is known to whoever sees it.
async fn givers(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let system = Actor::system(request.actor.org_id);
    let names = people(q, &system, &numbers(&rows, at::provider_id)).await?;
    Ok(looked_up(&rows, at::provider_id, &names))
}

async fn bookers(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let names = people(q, &request.actor, &numbers(&rows, at::initiator_id)).await?;
    Ok(looked_up(&rows, at::initiator_id, &names))
}

/// What a calendar shows: the client of an individual one, to members who know of
/// them; else the type.
async fn titles(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let of = type_names(request, q, &numbers(&rows, at::appointment_type_id)).await?;
    let clients = match request.actor.is_member() {
        true => people(q, &request.actor, &numbers(&rows, at::user_id)).await?,
        false => HashMap::new(),
    };
    let title = |row: &RowView<'_>| {
        let client = row.get(at::user_id).int().and_then(|id| clients.get(&id));
        let of = row.get(at::appointment_type_id).int().and_then(|id| of.get(&id));
        match row.get(at::is_blocker).truth() {
            true => Some("Blocked".to_owned()),
            false => client.or(of).cloned(),
        }
    };
    Ok(rows.iter().map(|row| title(row).into()).collect())
}

/// Columns that [`whereabouts`] reads.
pub const PLACE_NEEDS: &[usize] = &[at::appointment_location_id, at::location];

/// Where they meet: as somebody wrote it, else what the place is called, which whoever
/// sees the appointment may know.
pub async fn whereabouts(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let own = |row: &RowView<'_>| row.text(at::location).map(str::to_owned);
    let unsaid: Vec<RowView<'_>> = rows.iter().filter(|row| own(row).is_none()).copied().collect();
    let ids = numbers(&unsaid, at::appointment_location_id);
    let names = match ids.is_empty() {
        true => HashMap::new(),
        false => place_names(request, q, &ids).await?,
    };
    let named = |row: &RowView<'_>| {
        row.get(at::appointment_location_id).int().and_then(|id| names.get(&id).cloned())
    };
    Ok(rows.iter().map(|row| own(row).or_else(|| named(row)).into()).collect())
}

async fn place_names(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
) -> Answer<HashMap<i64, String>> {
    let system = Actor::system(request.actor.org_id);
    let columns = vec![places::id, places::location];
    let found = read(q, &system, &APPOINTMENT_LOCATIONS, columns, Cond::is_in("id", ids)).await?;
    let name = |row: &Vec<Value>| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned()));
    Ok(found.iter().filter_map(name).collect())
}
