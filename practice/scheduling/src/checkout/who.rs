//! Who books: a client by themselves, or a visitor, who is a client of the provider
//! from then on if they were not before (behaviour 23.3).

use std::sync::Arc;

use ward_clients::client as clients;
use ward_clients::feature_toggle::{self, Switch};
use ward_clients::visitor::{self, Visitor};
use ward_engine::{Answer, Call, Given, Refused, Request};
use ward_identity::allowance::{self, Allowance, take};
use ward_identity::attempt::network_of;
use ward_identity::email;
use ward_identity::tables::{User, UserGroup};
use ward_store::{Id, Query, Role, Sql, Value};

use super::input::{CompleteCheckout, problems};
use crate::appointment::table::Appointment;
use crate::tables::AppointmentType;

/// Attempts of visitors from a network.
const OF_NETWORK: Allowance = Allowance { kind: "checkout_network", most: 30, seconds: 60 };
/// Attempts from a network for one e-mail address: of no other network, whose is
/// whoever's the address is.
const OF_ADDRESS: Allowance = Allowance { kind: "checkout_address", most: 5, seconds: 15 * 60 };
/// What visitors from a network book with a provider: less than what all may, so that one
/// of them leaves something to the others.
const OF_NETWORK_AND_PROVIDER: Allowance =
    Allowance { kind: "checkout_network_provider", most: 10, seconds: 360 };
/// What visitors book with a provider.
const OF_PROVIDER: Allowance = Allowance { kind: "checkout_provider", most: 20, seconds: 180 };
/// Seats in one appointment that visitors take, or wait for, with one e-mail address.
const SEATS_OF_ADDRESS: Allowance =
    Allowance { kind: "checkout_seats", most: 4, seconds: 6 * 3_600 };
/// Seats in all of a practice's appointments, the same.
const GROUPS_OF_ADDRESS: Allowance =
    Allowance { kind: "checkout_groups", most: 20, seconds: 3_600 };
/// What a client books, called off or not.
const OF_CLIENT: Allowance = Allowance { kind: "checkout_client", most: 30, seconds: 120 };
/// So many appointments to come a client has by booking them.
pub const COMING_MAX: i64 = 10;
/// So many a client has whom visitors booked for.
pub const COMING_OF_VISITOR_MAX: i64 = 3;

/// Before the transaction: what is wrong is told, and a visitor's attempt is counted,
/// by their network and the e-mail that they say is theirs, whatever comes of it.
pub async fn prepare(request: Arc<Request>, input: CompleteCheckout) -> Answer<CompleteCheckout> {
    let is_visitor = request.actor.role == Role::Anonymous;
    if !is_visitor && !request.actor.is_client() {
        return Err(Refused::base("Members book with createAppointment"));
    }
    problems(&input, is_visitor).check()?;
    if is_visitor {
        let network = network_of(&request.address);
        let address = email::key(input.email.trimmed().unwrap_or_default());
        let of_address = (OF_ADDRESS, format!("{network}\u{1f}{address}"));
        allowance::spend(&request.db, &[of_address, (OF_NETWORK, network)]).await?;
    }
    Ok(input)
}

/// Whether the client who asks may schedule at all (behaviour 19).
pub async fn may_schedule(call: &mut Call<'_>) -> Answer<()> {
    let (org, client) = (call.actor.org_id, call.actor.user_id);
    match client == 0 || feature_toggle::is_on(call.tx, org, client, Switch::Scheduling).await? {
        true => Ok(()),
        false => Err(Refused::base("Scheduling is switched off for you")),
    }
}

/// The client who books, no longer archived. Behind the calendar's lock, so that
/// nobody becomes a client for a time that is gone.
pub async fn client(call: &mut Call<'_>, said: &Visitor, provider: &User) -> Answer<User> {
    if call.actor.role == Role::Anonymous {
        return visitor::client_of(call, said, provider).await;
    }
    let own = Id::new(call.actor.user_id);
    let own: Option<User> = call.find(own).await?;
    let own = own.filter(|own| own.unit_id == provider.unit_id);
    let own = own.ok_or_else(|| Refused::not_found("provider_id"))?;
    call.scope.subject_id = Some(own.id.0);
    visitor::unarchived(call, own).await
}

/// Refuses one more booking of a client or with a provider, where there are as many as
/// one can make. Behind the lock of the provider's calendar.
pub async fn bounded(call: &mut Call<'_>, client: &User, provider: &User) -> Answer<()> {
    let is_visitor = call.actor.role == Role::Anonymous;
    let (org, own) = (client.org_id.to_string(), client.id.to_string());
    // Two bookings of one client with two providers count each other.
    call.scope.tx.lock(&["bookings", &org, &own]).await?;
    let (most, has) = match is_visitor {
        true => (COMING_OF_VISITOR_MAX, coming_by_visitors(call, client).await?),
        false => (COMING_MAX, coming_by_client(call, client).await?),
    };
    if has >= most {
        let sentence = format!("No more than {most} appointments to come can be booked by oneself");
        return Err(Refused::base(sentence));
    }
    let network = network_of(&call.request.address);
    let tx = &mut *call.scope.tx;
    let may = match is_visitor {
        true => {
            let with = format!("{org}\u{1f}{}", provider.id);
            let of_both = format!("{network}\u{1f}{with}");
            take(tx, &OF_NETWORK_AND_PROVIDER, &of_both).await?
                && take(tx, &OF_PROVIDER, &with).await?
        }
        false => take(tx, &OF_CLIENT, &format!("{org}\u{1f}{own}")).await?,
    };
    match may {
        true => Ok(()),
        false => Err(Refused::base("Too much was booked within the last hour. Try again later.")),
    }
}

/// Refuses a visitor's further seats or places in an appointment's line, and in all of a
/// practice's, by the e-mail address that they say is theirs: whoever attends or waits
/// already, the refusal is the same.
pub async fn bounded_seats(
    call: &mut Call<'_>,
    row: &Appointment,
    address: &Given<String>,
) -> Answer<()> {
    if call.actor.role != Role::Anonymous {
        return Ok(());
    }
    let address = email::key(address.trimmed().unwrap_or_default());
    let (org, id) = (row.org_id.0, row.id.0);
    let tx = &mut *call.scope.tx;
    let may = take(tx, &SEATS_OF_ADDRESS, &format!("{org}\u{1f}{id}\u{1f}{address}")).await?
        && take(tx, &GROUPS_OF_ADDRESS, &format!("{org}\u{1f}{address}")).await?;
    match may {
        true => Ok(()),
        false => Err(Refused::base("Too many seats were taken lately. Try again later.")),
    }
}

/// Of several's, too, whoever put the client there.
async fn coming_by_client(call: &mut Call<'_>, client: &User) -> Answer<i64> {
    let whose = "AND (a.is_group = TRUE OR a.initiator_id IS NULL OR a.initiator_id = i.user_id)";
    coming(call, client, whose).await
}

/// Only what visitors booked: of anything else a visitor would learn by the refusal.
async fn coming_by_visitors(call: &mut Call<'_>, client: &User) -> Answer<i64> {
    coming(call, client, "AND a.is_group = FALSE AND a.initiator_id IS NULL").await
}

async fn coming(call: &mut Call<'_>, client: &User, which: &'static str) -> Answer<i64> {
    let mut sql = Sql::fixed(
        "SELECT COUNT(*) FROM appointment_inclusions i JOIN appointments a ON a.org_id = i.org_id \
         AND a.id = i.appointment_id WHERE i.org_id = $1 AND i.user_id = $2 \
         AND i.cancelled = FALSE AND a.start_at > $3 AND a.deleted_at IS NULL \
         AND (a.pm_status IS NULL OR a.pm_status IN ('Occurred', 'Checked-In')) ",
        [client.org_id.0.into(), client.id.0.into(), call.now().0.into()],
    );
    sql.push(which);
    let rows = call.tx.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::int).unwrap_or(0))
}

/// The client in the group that a type puts them into, where they are in none yet
/// (behaviour 21).
pub async fn placed(call: &mut Call<'_>, before: User, of: &AppointmentType) -> Answer<User> {
    let Some(group) = of.user_group_id.filter(|_| before.user_group_id.is_none()) else {
        return Ok(before);
    };
    let group: Option<UserGroup> = call.find(group).await?;
    let fits = |it: &UserGroup| it.unit_id == before.unit_id || it.unit_id == before.org_id;
    let Some(group) = group.filter(fits) else { return Ok(before) };
    let after = User { user_group_id: Some(group.id), ..before.clone() };
    clients::save(call, &before, after.clone(), &[]).await?;
    Ok(call.find(after.id).await?.unwrap_or(after))
}
