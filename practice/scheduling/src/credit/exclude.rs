//! `exclude_no_credits`: who has none is not booked by staff (behaviour 23.2).

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;

use super::ledger;
use super::rule::lacks;
use crate::appointment::table::Appointment;
use crate::settings::layers::Settings;

/// Those who attend without the clients who have too few credits for so many
/// appointments; all, where credits are not used. An individual one without its
/// client is refused. Behind the calendar's lock.
pub async fn with_credits(
    call: &mut Call<'_>,
    row: &Appointment,
    settings: &Settings,
    attendees: Vec<User>,
    times: usize,
) -> Answer<Vec<User>> {
    let Some(of) = row.appointment_type_id.filter(|_| settings.use_client_credit_system) else {
        return Ok(attendees);
    };
    let clients: Vec<i64> =
        attendees.iter().filter(|user| user.is_patient).map(|user| user.id.0).collect();
    ledger::lock(call, &clients).await?;
    let org = call.actor.org_id;
    let has = ledger::balances(&mut *call.scope.tx, org, of.0, &clients).await?;
    let needs = i64::try_from(times).unwrap_or(i64::MAX);
    let is_short = |user: &User| lacks(has.get(&user.id.0).copied().unwrap_or(0), 0, needs);
    let stays = |user: &User| !user.is_patient || !is_short(user);
    let attendees: Vec<User> = attendees.into_iter().filter(stays).collect();
    match row.user_id.is_some_and(|client| attendees.iter().all(|user| user.id != client)) {
        true => {
            Err(Refused::on("user_id", "The client has too few credits for this appointment type"))
        }
        false => Ok(attendees),
    }
}
