//! What is answered of credits, for all rows of a level at once.

use std::collections::{BTreeSet, HashMap};

use ward_engine::{Answer, Args, Kind, Listing, Out, Request, RowView};
use ward_identity::tables::User;
use ward_store::{Cond, Entity, Level, Query, Select, Value};

use super::table::{APPOINTMENT_CREDIT_CHANGES, appointment_type_credits as credits};
use crate::appointment::table::appointments as at;
use crate::listing::{self, numbers};
use crate::tables::{AppointmentType, appointment_types as types};

const TYPE: Kind = Kind::Id(AppointmentType::NAME);

/// Arguments of `appointmentTypeCreditChanges`.
pub const CHANGES_ARGS: &[(&str, Kind)] =
    &[("appointment_type_id", TYPE), ("user_id", Kind::Id(User::NAME))];
/// Arguments of `User.appointment_type_credits`.
pub const OF_USER_ARGS: &[(&str, Kind)] = &[("appointment_type_id", TYPE)];

/// `appointmentTypeCreditChanges`.
pub fn changes(request: &Request, args: &Args) -> Answer<Listing> {
    let mut listing = of_user(request, args)?;
    if let Some(user) = listing::id::<User>(args, "user_id", request)? {
        listing.filter = listing.filter.and(Cond::eq("user_id", user.0));
    }
    Ok(listing)
}

/// `User.appointment_type_credits`.
pub fn of_user(request: &Request, args: &Args) -> Answer<Listing> {
    let of = listing::id::<AppointmentType>(args, "appointment_type_id", request)?;
    Ok(of.map_or_else(Listing::all, |of| Listing::of(Cond::eq("appointment_type_id", of.0))))
}

/// `AppointmentTypeCredit.quantity`: the sum of the changes.
pub async fn quantities(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let users = Cond::is_in("user_id", &numbers(&rows, credits::user_id));
    let found = sums(request, q, users, "t.user_id, t.appointment_type_id").await?;
    let sum = |row: &[i64]| match row {
        [user, of, sum] => Some(((*user, *of), *sum)),
        _ => None,
    };
    let sums: HashMap<(i64, i64), i64> = found.iter().filter_map(|row| sum(row)).collect();
    let value = |row: &RowView<'_>| {
        let number = |column: usize| row.get(column).int();
        let whose = number(credits::user_id).zip(number(credits::appointment_type_id));
        whose.map(|whose| sums.get(&whose).copied().unwrap_or(0).to_string()).into()
    };
    Ok(rows.iter().map(value).collect())
}

/// `Appointment.credit_was_used`: whether it holds a credit; to a client, of their own.
pub async fn was_used(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let which = Cond::is_in("appointment_id", &numbers(&rows, at::id));
    let found = sums(request, q, which, "t.appointment_id").await?;
    let holds = found.iter().filter(|row| row.last().is_some_and(|sum| *sum < 0));
    let holds: Vec<i64> = holds.filter_map(|row| row.first().copied()).collect();
    let value = |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| holds.contains(&id));
    Ok(rows.iter().map(|row| value(row).into()).collect())
}

/// `AppointmentType.clients_have_credit`: whether a client whom the caller sees has
/// any left.
pub async fn clients_have(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let of = Cond::is_in("appointment_type_id", &numbers(&rows, types::id));
    let found = sums(request, q, of, "t.appointment_type_id, t.user_id").await?;
    let left = found.iter().filter(|row| row.last().is_some_and(|sum| *sum > 0));
    let left: BTreeSet<i64> = left.filter_map(|row| row.first().copied()).collect();
    let value = |row: &RowView<'_>| row.get(types::id).int().is_some_and(|id| left.contains(&id));
    Ok(rows.iter().map(|row| value(row).into()).collect())
}

/// Sums of the changes that the caller sees, behind what they are summed by.
async fn sums(
    request: &Request,
    q: &mut dyn Query,
    filter: Cond,
    by: &str,
) -> Answer<Vec<Vec<i64>>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = Select::new(&APPOINTMENT_CREDIT_CHANGES, &request.actor);
    select.least = Level::Full;
    select.filter = filter;
    let found = q.rows(&select.sum_by_sql("t.credit_quantity", by)).await?;
    Ok(found.iter().map(|row| row.iter().filter_map(Value::int).collect()).collect())
}
