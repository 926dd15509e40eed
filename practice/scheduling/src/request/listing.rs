//! Which requests a list answers, by its arguments, and in which orders (behaviour 7,
//! 24). Visibility comes on top and is not here.

use std::collections::HashMap;

use ward_engine::{
    Answer, Args, Kind, Listing, OrderOption, Out, Refused, Request, RowView, moment,
};
use ward_store::{Cond, Entity, Level, Query, Select, Value};

use super::table::{APPOINTMENT_REQUESTS, AppointmentRequest, RequestStatus, appointment_requests};
use crate::appointment::table::appointments as at;
use crate::availability::wall;
use crate::listing::id;

/// Arguments of `appointmentRequests`.
pub const ARGS: &[(&str, Kind)] = &[
    ("current_status", Kind::Plain),
    ("current_statuses", Kind::Plain),
    ("range_end", Kind::Plain),
    ("range_start", Kind::Plain),
    ("with_org", Kind::Plain),
];
/// Arguments of `appointmentRequest`.
pub const ONE_ARGS: &[(&str, Kind)] = &[("id", Kind::Id(AppointmentRequest::NAME))];

/// What requests can be ordered by.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "DATE", expression: "{t}.created_at" },
    OrderOption { name: "REQUESTED_DATE", expression: "{t}.requested_at" },
    OrderOption { name: "CLIENT_NAME", expression: "{t}.last_name_fold" },
    OrderOption {
        name: "APPT_TYPE",
        expression: "COALESCE((SELECT o.name_fold FROM appointment_types o \
             WHERE o.org_id = {t}.org_id AND o.id = {t}.appointment_type_id), '')",
    },
    OrderOption {
        name: "REQ_PROVIDER",
        expression: "COALESCE((SELECT p.last_name_fold FROM users p WHERE p.org_id = {t}.org_id \
             AND p.id = {t}.provider_id), '')",
    },
    OrderOption {
        name: "NEW_CLIENTS",
        expression: "CASE WHEN {t}.patient_id IS NULL THEN 0 ELSE 1 END",
    },
    OrderOption {
        name: "ACTIVE_CLIENTS",
        expression: "CASE WHEN {t}.patient_id IS NULL THEN 1 ELSE 0 END",
    },
];
/// What the times of a request are ordered by.
pub const SLOT_ORDERS: &[OrderOption] =
    &[OrderOption { name: "SLOT_START", expression: "{t}.slot_start" }];

/// `appointmentRequest`.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = id::<AppointmentRequest>(args, "id", request)?;
    Ok(id.map_or_else(Listing::none, |id| Listing::of(Cond::eq("id", id.0))))
}

/// `appointmentRequests`: those to the caller and to nobody, with `with_org` the
/// others' as well.
pub fn list(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if !args.flag("with_org") {
        let own = Cond::eq("provider_id", request.actor.user_id);
        cond = cond.and(own.or(Cond::is_null("provider_id")));
    }
    let many: Option<Vec<String>> = args.get("current_statuses", request)?;
    let mut statuses = many.unwrap_or_default();
    if statuses.is_empty() {
        statuses.extend(args.text("current_status").map(str::to_owned));
    }
    if !statuses.is_empty() {
        let known = statuses.iter().filter_map(|text| RequestStatus::from_text(text));
        let of = |cond: Cond, status: RequestStatus| {
            cond.or(Cond::eq("current_status", status.as_str()))
        };
        cond = cond.and(known.fold(Cond::Never, of));
    }
    Ok(Listing::of(cond.and(made_within(request, args)?)))
}

/// Made within days, the last one included, in the zone of the caller.
fn made_within(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = Cond::Always;
    for (name, days, sql) in
        [("range_start", 0, "{t}.created_at >= ?"), ("range_end", 1, "{t}.created_at < ?")]
    {
        let Some(text) = args.text(name) else { continue };
        let instant = moment::day(text).and_then(|day| {
            let day = day.0.checked_add(jiff::Span::new().days(days)).ok()?;
            wall::instant(&request.zone, day, 0)
        });
        let instant = instant.ok_or_else(|| Refused::on(name, format!("{name} must be a day")))?;
        cond = cond.and(Cond::sql(sql, [instant.0.into()]));
    }
    Ok(cond)
}

/// `Appointment.appointment_request_id`: the request that it was the answer to, as far
/// as the caller sees it.
pub async fn of_appointments(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let mut select = Select::new(&APPOINTMENT_REQUESTS, &request.actor);
    select.columns = vec![appointment_requests::id, appointment_requests::first_appointment_id];
    select.least = Level::Full;
    select.filter = Cond::is_in("first_appointment_id", &ids);
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.get(1)?.int()?, row.first()?.int()?));
    let of: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let out = |row: &RowView<'_>| {
        let id = row.get(at::id).int().and_then(|id| of.get(&id));
        id.map(ToString::to_string).into()
    };
    Ok(rows.iter().map(out).collect())
}
