//! Which clients have too few credits for what is to be booked: the second of the
//! warnings (behaviour 22).

use std::collections::BTreeSet;

use ward_engine::{Answer, Args, Out, Refused, Request};
use ward_identity::tables::{USERS, User, users};
use ward_store::{Cond, Id, Level, Query, Select, Value};

use super::reading::{records, seen};
use super::warnings::Edited;
use crate::appointment::input::ATTENDEES_MAX;
use crate::credit::ledger;
use crate::credit::rule::lacks;
use crate::credit::table::APPOINTMENT_CREDIT_CHANGES;
use crate::listing;
use crate::settings::layers::{layers, resolve};
use crate::settings::read::{self, own_of, unit_of};
use crate::tables::{APPOINTMENT_TYPES, AppointmentType};

const CATEGORY: &str = "Credit Deficits";

/// Who is to attend, by the argument.
pub fn attendees(request: &Request, args: &Args) -> Answer<Vec<i64>> {
    let ids = listing::ids::<User>(args, "attendee_ids", request)?.unwrap_or_default();
    if ids.len() > ATTENDEES_MAX {
        let sentence = format!("attendee_ids can name at most {ATTENDEES_MAX}");
        return Err(Refused::on("attendee_ids", sentence));
    }
    Ok(ids)
}

/// The warning, if any client whom the caller sees has fewer credits for the type than
/// there are to be appointments. Who has one in what is being changed needs none for it.
pub async fn warning(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
    attendees: &[i64],
    edited: &Edited,
    times: usize,
) -> Answer<Option<Out>> {
    let of = listing::id::<AppointmentType>(args, "appointment_type_id", request)?;
    let Some(of) = of.filter(|_| !attendees.is_empty()) else { return Ok(None) };
    let Some(of) = type_with_credits(request, q, args, of).await? else { return Ok(None) };
    let clients = clients(request, q, attendees).await?;
    let ids: Vec<i64> = clients.iter().map(|(id, _)| *id).collect();
    let has = ledger::balances(q, request.actor.org_id, of.id.0, &ids).await?;
    let paid = paid(request, q, edited, of.id).await?;
    let needs = i64::try_from(times).unwrap_or(i64::MAX);
    let is_short =
        |id: i64| lacks(has.get(&id).copied().unwrap_or(0), i64::from(paid.contains(&id)), needs);
    let short: Vec<&(i64, String)> = clients.iter().filter(|(id, _)| is_short(*id)).collect();
    if short.is_empty() {
        return Ok(None);
    }
    let label = |(id, name): &&(i64, String)| {
        let left = has.get(id).copied().unwrap_or(0);
        format!("{name} - {} ({left} left)", of.name)
    };
    let subtitle = match short.len() {
        1 => "1 client has too few credits".to_owned(),
        many => format!("{many} clients have too few credits"),
    };
    Ok(Some(Out::Object(vec![
        ("category", CATEGORY.into()),
        (
            "potential_issue_ids",
            short.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().into(),
        ),
        ("potential_issues", short.iter().map(label).collect::<Vec<_>>().into()),
        ("subtitle", subtitle.into()),
    ])))
}

/// The type, where booking it with the provider takes credits.
async fn type_with_credits(
    request: &Request,
    q: &mut dyn Query,
    args: &Args,
    id: Id<AppointmentType>,
) -> Answer<Option<AppointmentType>> {
    let mut select = seen(&request.actor, &APPOINTMENT_TYPES);
    select.least = Level::Full;
    select.filter = Cond::eq("id", id.0);
    let of: Vec<AppointmentType> = records(q, select).await?;
    let Some(of) = of.into_iter().next() else { return Ok(None) };
    let own = request.actor.user_id;
    let provider = listing::id::<User>(args, "provider_id", request)?.map_or(own, |id| id.0);
    let neither = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    let which = Cond::eq("user_id", provider)
        .or(Cond::eq("appointment_type_id", of.id.0))
        .or(Cond::eq("unit_id", of.unit_id.0).and(neither));
    let found = read::read(request, q, which).await?;
    let types = own_of(&found, of.id.0).filter(|_| of.has_specific_appointment_settings);
    let providers = found.iter().find(|it| it.user_id.is_some_and(|user| user.0 == provider));
    let settings = resolve(&layers(types, providers, unit_of(&found, of.unit_id.0)));
    Ok(Some(of).filter(|_| settings.use_client_credit_system))
}

/// The clients among these whom the caller sees, with their names.
async fn clients(request: &Request, q: &mut dyn Query, ids: &[i64]) -> Answer<Vec<(i64, String)>> {
    let mut select = seen(&request.actor, &USERS);
    select.columns = vec![users::id, users::first_name, users::last_name];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", ids).and(Cond::eq("is_patient", true));
    let rows = q.rows(&select.ordered(Vec::new()).sql()).await?;
    let client = |row: &[Value]| {
        let text = |at: usize| row.get(at).and_then(Value::text).unwrap_or_default();
        Some((row.first()?.int()?, format!("{} {}", text(1), text(2)).trim().to_owned()))
    };
    Ok(rows.iter().filter_map(client).collect())
}

/// Whose credit the appointment that is being changed holds.
async fn paid(
    request: &Request,
    q: &mut dyn Query,
    edited: &Edited,
    of: Id<AppointmentType>,
) -> Answer<BTreeSet<i64>> {
    let Some(id) = edited.appointment else { return Ok(BTreeSet::new()) };
    let mut select = Select::new(&APPOINTMENT_CREDIT_CHANGES, &request.actor);
    select.least = Level::Full;
    select.filter = Cond::eq("appointment_id", id.0).and(Cond::eq("appointment_type_id", of.0));
    let rows = q.rows(&select.sum_by_sql("t.credit_quantity", "t.user_id")).await?;
    let holds = |row: &[Value]| row.get(1)?.int().filter(|sum| *sum < 0).and(row.first()?.int());
    Ok(rows.iter().filter_map(holds).collect())
}
