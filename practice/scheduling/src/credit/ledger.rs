//! Reading and writing the ledger.

use std::collections::BTreeMap;

use ward_engine::{Answer, Call};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Query, Sql, StoreError, Value};

use super::table::{AppointmentCreditChange, AppointmentTypeCredit, CreditCause};
use crate::appointment::table::Appointment;
use crate::tables::AppointmentType;

/// Makes whoever decides by what a client has wait for whoever else does, until the
/// transaction ends. Of several clients, in ascending order.
pub async fn lock(call: &mut Call<'_>, clients: &[i64]) -> Result<(), StoreError> {
    let mut clients = clients.to_vec();
    clients.sort_unstable();
    clients.dedup();
    let org = call.actor.org_id.to_string();
    for client in clients {
        call.scope.tx.lock(&["credits", &org, &client.to_string()]).await?;
    }
    Ok(())
}

/// How many credits for a type each of these clients has; who never had any is
/// missing.
pub async fn balances(
    q: &mut dyn Query,
    org_id: i64,
    of: i64,
    clients: &[i64],
) -> Result<BTreeMap<i64, i64>, StoreError> {
    let sql = Sql::fixed(
        "SELECT c.user_id, CAST(SUM(c.credit_quantity) AS BIGINT) \
         FROM appointment_credit_changes c WHERE c.org_id = $1 AND c.appointment_type_id = $2 \
         AND c.user_id IN_LIST($3) GROUP BY c.user_id",
        [org_id.into(), of.into(), Value::Ints(clients.into())],
    );
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

/// How many credits a client has for a type.
pub async fn balance(call: &mut Call<'_>, of: i64, client: i64) -> Result<i64, StoreError> {
    let org = call.actor.org_id;
    let found = balances(&mut *call.scope.tx, org, of, &[client]).await?;
    Ok(found.get(&client).copied().unwrap_or(0))
}

/// How many of a client's credits an appointment holds, by their types; more than
/// one where clients were merged who both attended it.
pub async fn held(
    call: &mut Call<'_>,
    appointment: Id<Appointment>,
    client: Id<User>,
) -> Result<BTreeMap<i64, i64>, StoreError> {
    let sql = Sql::fixed(
        "SELECT c.appointment_type_id, CAST(-SUM(c.credit_quantity) AS BIGINT) \
         FROM appointment_credit_changes c WHERE c.org_id = $1 AND c.appointment_id = $2 \
         AND c.user_id = $3 GROUP BY c.appointment_type_id",
        [call.actor.org_id.into(), appointment.0.into(), client.0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    Ok(rows.iter().filter_map(pair).filter(|(_, held)| *held != 0).collect())
}

/// Writes that a client has more credits, or fewer, and why.
pub async fn write(
    call: &mut Call<'_>,
    (client, of): (Id<User>, Id<AppointmentType>),
    appointment: Option<Id<Appointment>>,
    cause: CreditCause,
    credit_quantity: i64,
) -> Answer<()> {
    let subject = call.scope.subject_id.replace(client.0);
    opened(call, client, of).await?;
    let actor = call.actor.user_id;
    let change = AppointmentCreditChange {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        user_id: client,
        appointment_type_id: of,
        appointment_id: appointment,
        initiator_id: (actor != 0).then(|| Id::new(actor)),
        cause,
        credit_quantity,
        created_at: call.now(),
    };
    call.create(&change).await?;
    call.scope.subject_id = subject;
    Ok(())
}

/// What a client's credits for a type have as their id, made when there is none.
pub async fn opened(
    call: &mut Call<'_>,
    client: Id<User>,
    of: Id<AppointmentType>,
) -> Answer<AppointmentTypeCredit> {
    let which = Cond::eq("user_id", client.0).and(Cond::eq("appointment_type_id", of.0));
    if let Some(found) = call.find_by(which).await? {
        return Ok(found);
    }
    let made = AppointmentTypeCredit {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        user_id: client,
        appointment_type_id: of,
        created_at: call.now(),
    };
    // Somebody else has made it at the same time.
    call.create(&made).await.map_err(|error| match error {
        StoreError::Unique(_) => StoreError::Conflict,
        other => other,
    })?;
    Ok(made)
}
