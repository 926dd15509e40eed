//! Settings as a caller sees them: what applies, and which layer says so
//! (behaviour 21, public by 3.4).

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};
use ward_engine::{Answer, Args, Out, Request, RowView, ViewId, baseline_instant, iso_instant};
use ward_identity::tables::{USERS, User, users};
use ward_store::{Cond, Id, Level, Query, Record, Value};

use super::layers::{self, Settings};
use super::table::{APPOINTMENT_SETTINGS, AppointmentSetting};
use crate::appointment_location::read::{Places, of_layers};
use crate::contact_type::ContactType;
use crate::listing;

/// The members of the contract's `AppointmentSetting` that are served.
pub const MEMBERS: &[&str] = &[
    "allow_clients_to_cancel_appt",
    "allow_clients_to_reschedule_appt",
    "allow_past_appointment_rescheduling",
    "appointment_locations",
    "ask_clients_to_confirm",
    "base_calendar_interval",
    "booking_interval_restriction",
    "buffer",
    "client_cancel_reason_required",
    "client_should_call_provider",
    "confirm_by_default",
    "contact_type_overrides",
    "enable_appointment_requests",
    "enable_checked_in_status",
    "enable_late_cancellation_status",
    "end_time",
    "hide_link",
    "id",
    "max_days_in_future",
    "minimum_advance_cancel_time",
    "minimum_advance_reschedule_time",
    "minimum_advance_schedule_time",
    "patient_reschedule_count_cap",
    "pm_statuses",
    "prevent_client_booking",
    "prevent_no_credit_booking",
    "provider_cancel_reason_required",
    "require_selected_location_for_all_contact_types",
    "restore_credit_on_cancel",
    "same_day_appointments",
    "send_appointment_cancellation_email",
    "send_appointment_update_email",
    "send_booking_notice",
    "send_email_before_appointment",
    "send_push_before_appointment",
    "send_reminder_four_days_before",
    "send_reminder_one_day_before",
    "send_reminder_one_hour_before",
    "send_reminder_three_days_before",
    "send_reminder_two_days_before",
    "send_reminder_two_hours_before",
    "send_text_reminder_five_minutes_before",
    "send_text_reminder_four_days_before",
    "send_text_reminder_one_day_before",
    "send_text_reminder_one_hour_before",
    "send_text_reminder_three_days_before",
    "send_text_reminder_two_days_before",
    "send_text_reminder_two_hours_before",
    "start_time",
    "times_by_appointment_type",
    "times_by_contact_type",
    "times_by_location",
    "updated_at",
    "use_client_credit_system",
    "user_id",
];

/// The layers that the caller may read and that meet the condition.
pub async fn read(
    request: &Request,
    q: &mut dyn Query,
    filter: Cond,
) -> Answer<Vec<AppointmentSetting>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = listing::seen(request, &APPOINTMENT_SETTINGS, Level::Public);
    select.columns = (0..APPOINTMENT_SETTINGS.columns.len()).collect();
    select.filter = filter;
    let rows = q.rows(&select.sql()).await?;
    let layer = |row: &[Value]| {
        AppointmentSetting::from_values(row)
            .map_err(|column| ward_store::StoreError::internal(format!("settings: {column}")))
    };
    let layers: Result<Vec<_>, _> = rows.iter().map(layer).collect();
    Ok(layers?)
}

/// The layer of a unit itself.
fn of_units(units: &[i64]) -> Cond {
    let own = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    Cond::is_in("unit_id", units).and(own)
}

/// A list of layers with what applies; nothing when there is no layer at all.
pub(super) fn shown(request: &Request, layers: &[&AppointmentSetting], places: &Places) -> Out {
    let Some(nearest) = layers.first() else { return Out::Null };
    let mut members = members(request, nearest, &layers::resolve(layers));
    members.insert("appointment_locations".into(), places.of(layers));
    Out::Json(Json::Object(members))
}

fn members(
    request: &Request,
    nearest: &AppointmentSetting,
    settings: &Settings,
) -> Map<String, Json> {
    let mut members = settings.members();
    let text = |id: i64| Json::from(id.to_string());
    members.insert("id".into(), text(nearest.id.0));
    members.insert("user_id".into(), nearest.user_id.map_or(Json::Null, |id| text(id.0)));
    members.insert("pm_statuses".into(), settings.statuses().into());
    let updated = match request.view {
        ViewId::Baseline => baseline_instant(nearest.updated_at, &request.zone),
        ViewId::V2026 => iso_instant(nearest.updated_at, &request.zone),
    };
    members.insert("updated_at".into(), updated.into());
    let way = |it: ContactType| {
        json!({
            "id": it.number().to_string(),
            "name": it.name(),
            "show": settings.contact_types.contains(&it),
            "appointment_setting_id": nearest.id.0.to_string(),
            "user_id": nearest.user_id.map(|id| id.0.to_string()),
        })
    };
    let ways: Vec<Json> = ContactType::ALL.into_iter().map(way).collect();
    members.insert("contact_type_overrides".into(), ways.into());
    members
}

/// `appointmentSetting`: of a provider, of one layer by its id, or of the caller.
pub async fn one(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let id = listing::id::<AppointmentSetting>(args, "id", request)?;
    let provider = listing::id::<User>(args, "provider_id", request)?;
    let out = match (id, provider) {
        (Some(id), _) => by_id(request, q, id).await?,
        (None, Some(provider)) => of_provider(request, q, provider.0).await?,
        (None, None) => of_caller(request, q).await?,
    };
    Ok(vec![out; rows.len()])
}

async fn by_id(request: &Request, q: &mut dyn Query, id: Id<AppointmentSetting>) -> Answer<Out> {
    let found = read(request, q, Cond::eq("id", id.0)).await?;
    let Some(layer) = found.first() else { return Ok(Out::Null) };
    let is_unit = layer.user_id.is_none() && layer.appointment_type_id.is_none();
    let unit = match is_unit {
        true => Vec::new(),
        false => read(request, q, of_units(&[layer.unit_id.0])).await?,
    };
    let near = layers::layers(None, Some(layer), unit.first());
    let places = of_layers(request, q, near.iter().copied()).await?;
    Ok(shown(request, &near, &places))
}

/// Users whom the caller knows of, with their units.
async fn units_of(
    request: &Request,
    q: &mut dyn Query,
    filter: Cond,
) -> Answer<Vec<(i64, i64, Option<i64>)>> {
    let mut select = listing::seen(request, &USERS, Level::Public);
    select.columns = vec![users::id, users::unit_id, users::dietitian_id];
    select.filter = filter;
    let rows = q.rows(&select.sql()).await?;
    let user = |row: &[Value]| {
        Some((row.first()?.int()?, row.get(1)?.int()?, row.get(2).and_then(Value::int)))
    };
    Ok(rows.iter().filter_map(user).collect())
}

async fn of_provider(request: &Request, q: &mut dyn Query, provider: i64) -> Answer<Out> {
    let staff = Cond::eq("id", provider).and(Cond::eq("is_patient", false));
    let Some((id, unit, _)) = units_of(request, q, staff).await?.into_iter().next() else {
        return Ok(Out::Null);
    };
    let of = of_users(request, q, &[(id, unit)]).await?;
    Ok(of.into_values().next().unwrap_or(Out::Null))
}

/// What applies to the caller: a member as a provider, a client with their
/// primary provider.
async fn of_caller(request: &Request, q: &mut dyn Query) -> Answer<Out> {
    let actor = &request.actor;
    if actor.user_id == 0 {
        return Ok(Out::Null);
    }
    if actor.is_member() {
        let of = of_users(request, q, &[(actor.user_id, actor.unit_id)]).await?;
        return Ok(of.into_values().next().unwrap_or(Out::Null));
    }
    let own = units_of(request, q, Cond::eq("id", actor.user_id)).await?;
    match own.first().and_then(|(_, _, provider)| *provider) {
        Some(provider) => of_provider(request, q, provider).await,
        None => {
            let unit = read(request, q, of_units(&[actor.unit_id])).await?;
            let places = of_layers(request, q, unit.iter()).await?;
            Ok(shown(request, &layers::layers(None, None, unit.first()), &places))
        }
    }
}

/// What applies to each of these providers, who are of these units.
async fn of_users(
    request: &Request,
    q: &mut dyn Query,
    users: &[(i64, i64)],
) -> Answer<HashMap<i64, Out>> {
    let ids: Vec<i64> = users.iter().map(|(id, _)| *id).collect();
    let mut units: Vec<i64> = users.iter().map(|(_, unit)| *unit).collect();
    units.sort_unstable();
    units.dedup();
    let found = read(request, q, Cond::is_in("user_id", &ids).or(of_units(&units))).await?;
    let own = |id: i64| found.iter().find(|it| it.user_id.is_some_and(|user| user.0 == id));
    let unit = |unit: i64| found.iter().find(|it| it.user_id.is_none() && it.unit_id.0 == unit);
    let places = of_layers(request, q, found.iter()).await?;
    let value = |(id, of): &(i64, i64)| {
        (*id, shown(request, &layers::layers(None, own(*id), unit(*of)), &places))
    };
    Ok(users.iter().map(value).collect())
}

/// `User.appointment_setting`: what applies to a provider; nobody else has any.
pub async fn of_rows(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let staff = |row: &RowView<'_>| {
        let is_patient = row.get(users::is_patient).truth();
        let id = row.get(users::id).int().filter(|_| !is_patient)?;
        Some((id, row.get(users::unit_id).int()?))
    };
    let asked: Vec<(i64, i64)> = rows.iter().filter_map(staff).collect();
    let of = of_users(request, q, &asked).await?;
    let value = |row: &RowView<'_>| {
        let id = row.get(users::id).int().unwrap_or_default();
        of.get(&id).cloned().unwrap_or(Out::Null)
    };
    Ok(rows.iter().map(value).collect())
}

/// The layers of these types and of their units.
pub async fn of_types(
    request: &Request,
    q: &mut dyn Query,
    types: &[i64],
    units: &[i64],
) -> Answer<Vec<AppointmentSetting>> {
    read(request, q, Cond::is_in("appointment_type_id", types).or(of_units(units))).await
}

/// A type's own settings over its unit's; nothing when it has none of its own.
pub fn of_type(
    request: &Request,
    (found, places): (&[AppointmentSetting], &Places),
    id: i64,
    unit: i64,
) -> Out {
    let own = own_of(found, id);
    match own {
        Some(own) => shown(request, &layers::layers(Some(own), None, unit_of(found, unit)), places),
        None => Out::Null,
    }
}

/// A type's own layer.
pub fn own_of(found: &[AppointmentSetting], id: i64) -> Option<&AppointmentSetting> {
    found.iter().find(|it| it.appointment_type_id.is_some_and(|of| of.0 == id))
}

/// A unit's layer.
pub fn unit_of(found: &[AppointmentSetting], unit: i64) -> Option<&AppointmentSetting> {
    let is_units = |it: &&AppointmentSetting| {
        it.user_id.is_none() && it.appointment_type_id.is_none() && it.unit_id.0 == unit
    };
    found.iter().find(is_units)
}

/// `contactTypes`: the ways to meet that the caller, or their provider, offers.
pub async fn contact_types(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    if request.actor.user_id == 0 {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let all = || ContactType::ALL.map(ContactType::name).map(Out::from).to_vec();
    let names = match of_caller(request, q).await? {
        Out::Json(setting) => {
            let ways = setting.get("contact_type_overrides").and_then(Json::as_array);
            let shown = ways.into_iter().flatten().filter(|it| it["show"] == true);
            shown.filter_map(|it| it["name"].as_str()).map(Out::from).collect()
        }
        _ => all(),
    };
    Ok(vec![Out::List(names); rows.len()])
}
