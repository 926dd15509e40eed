//! Taking and leaving a place in the line (behaviour 24). Who writes one holds the
//! appointment, as who gives a seat does: so nobody waits for a seat that is free.

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Id, OrderKey, Query, Sql, Value};

use super::table::WaitlistPlace;
use crate::appointment::table::Appointment;
use crate::credit::follow;

/// So many wait for one appointment.
pub const WAITING_MAX: i64 = 200;
/// So many appointments to come one client waits for.
pub const WAITING_OF_CLIENT_MAX: i64 = 10;

/// Keeps the appointment, if it is a group's, from changing until the transaction
/// ends; as it is then.
pub async fn held(call: &mut Call<'_>, id: Id<Appointment>) -> Answer<Option<Appointment>> {
    let sql = Sql::fixed(
        "SELECT a.id FROM appointments a WHERE a.org_id = $1 AND a.id = $2 AND a.is_group = TRUE \
         FOR_NO_KEY_UPDATE",
        [call.actor.org_id.into(), id.0.into()],
    );
    match call.scope.tx.rows(&sql).await?.is_empty() {
        true => Ok(None),
        false => Ok(call.find_deleted_too(id).await?),
    }
}

/// The place of a client in an appointment's line.
pub async fn of(
    call: &mut Call<'_>,
    row: Id<Appointment>,
    user: i64,
) -> Answer<Option<WaitlistPlace>> {
    let own = Cond::eq("appointment_id", row.0).and(Cond::eq("user_id", user));
    Ok(call.find_by(own).await?)
}

/// The places in an appointment's line, the next one first.
pub async fn line(call: &mut Call<'_>, row: Id<Appointment>) -> Answer<Vec<WaitlistPlace>> {
    let order = [OrderKey::column("position", false)];
    Ok(call.list(Cond::eq("appointment_id", row.0), &order).await?)
}

/// Refuses one more in a line that is as long as it can be.
pub async fn has_room(call: &mut Call<'_>, row: &Appointment, at: &str) -> Answer<()> {
    match number(call, row, None).await? >= WAITING_MAX {
        true => Err(Refused::on(at, "So many wait for this appointment that nobody else can")),
        false => Ok(()),
    }
}

/// Refuses a client's one more wait where they wait for as many as they can, or could
/// not have the seat for want of a credit. Of a client whom a visitor names nothing is
/// asked, since the refusal would tell of them.
async fn may_wait(call: &mut Call<'_>, row: &Appointment, client: &User, at: &str) -> Answer<()> {
    if !call.actor.is_client() {
        return Ok(());
    }
    if number(call, row, Some(client)).await? >= WAITING_OF_CLIENT_MAX {
        let most = WAITING_OF_CLIENT_MAX;
        let sentence = format!("No more than {most} appointments can be waited for at once");
        return Err(Refused::on(at, sentence));
    }
    match follow::lacks(call, row, client.id).await? {
        true => Err(Refused::base("You have no credit left for this appointment type")),
        false => Ok(()),
    }
}

/// Puts a client at the end of the line, where they are not in it. The appointment is
/// held.
pub async fn join(call: &mut Call<'_>, row: &Appointment, client: &User, at: &str) -> Answer<()> {
    if of(call, row.id, client.id.0).await?.is_some() {
        return Ok(());
    }
    has_room(call, row, at).await?;
    may_wait(call, row, client, at).await?;
    let last = Sql::fixed(
        "SELECT MAX(w.position) FROM waitlist_places w WHERE w.org_id = $1 \
         AND w.appointment_id = $2",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let last = call.scope.tx.rows(&last).await?.scalar().and_then(Value::int).unwrap_or(0);
    let place = WaitlistPlace {
        id: call.next_id().await?,
        org_id: row.org_id,
        unit_id: row.unit_id,
        appointment_id: row.id,
        user_id: client.id,
        position: last + 1,
        created_at: call.now(),
    };
    write(call, &place, true).await
}

/// How many wait for an appointment, or how many that are to come one client waits
/// for.
async fn number(call: &mut Call<'_>, row: &Appointment, client: Option<&User>) -> Answer<i64> {
    let sql = match client {
        None => Sql::fixed(
            "SELECT COUNT(*) FROM waitlist_places w WHERE w.org_id = $1 AND w.appointment_id = $2",
            [row.org_id.0.into(), row.id.0.into()],
        ),
        Some(client) => Sql::fixed(
            "SELECT COUNT(*) FROM waitlist_places w JOIN appointments a ON a.org_id = w.org_id \
             AND a.id = w.appointment_id WHERE w.org_id = $1 AND w.user_id = $2 \
             AND a.start_at > $3 AND a.deleted_at IS NULL",
            [row.org_id.0.into(), client.id.0.into(), call.now().0.into()],
        ),
    };
    Ok(call.scope.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Takes a place out of the line.
pub async fn leave(call: &mut Call<'_>, place: &WaitlistPlace) -> Answer<()> {
    write(call, place, false).await
}

/// Takes the client who asks out of an appointment's line; whether they were in it.
pub async fn leave_own(call: &mut Call<'_>, id: Id<Appointment>) -> Answer<bool> {
    let own = call.actor.user_id;
    if of(call, id, own).await?.is_none() || held(call, id).await?.is_none() {
        return Ok(false);
    }
    // Read again: it may have become a seat meanwhile.
    match of(call, id, own).await? {
        Some(place) => leave(call, &place).await.map(|()| true),
        None => Ok(false),
    }
}

/// Writes a place as what concerns the client whose it is.
async fn write(call: &mut Call<'_>, place: &WaitlistPlace, is_new: bool) -> Answer<()> {
    let subject = call.scope.subject_id.replace(place.user_id.0);
    match is_new {
        true => call.create(place).await?,
        false => call.destroy(place).await?,
    };
    call.scope.subject_id = subject;
    Ok(())
}
