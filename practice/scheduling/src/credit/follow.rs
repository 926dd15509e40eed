//! What whoever changes an appointment, or who attends it, tells the ledger. One
//! credit is taken when a client is booked, whichever way; whatever happens after
//! that takes no second one of the same appointment and gives none back twice, since
//! it goes by what the appointment holds.

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Query, Sql};

use super::ledger;
use super::rule::{self, Says, Step, change, is_due};
use super::table::CreditCause;
use crate::appointment::table::Appointment;
use crate::settings::layers::{Settings, layers, resolve};
use crate::settings::read::{own_of, unit_of};
use crate::settings::table::AppointmentSetting;

/// A client's part in an appointment begins or ends.
pub async fn part(
    call: &mut Call<'_>,
    row: &Appointment,
    client: Id<User>,
    step: Step,
) -> Answer<()> {
    match (is_due(row), step) {
        (false, _) => Ok(()),
        (true, Step::Begins) => begins(call, row, client).await,
        (true, Step::Ends) => ends(call, row, client, CreditCause::Left).await,
    }
}

/// An appointment is called off or deleted; before it is written who attends it no
/// longer.
pub async fn ended(call: &mut Call<'_>, before: &Appointment, after: &Appointment) -> Answer<()> {
    if !is_due(before) || is_due(after) {
        return Ok(());
    }
    let cause = match after.deleted_at {
        Some(_) => CreditCause::Deleted,
        None => CreditCause::CalledOff,
    };
    for client in attending(call, after).await? {
        ends(call, after, client, cause).await?;
    }
    Ok(())
}

/// An appointment takes place again, or is of another type; once it is written who
/// attends it now.
pub async fn resumed(call: &mut Call<'_>, before: &Appointment, after: &Appointment) -> Answer<()> {
    let is_other = before.appointment_type_id != after.appointment_type_id;
    if !is_due(after) || (is_due(before) && !is_other) {
        return Ok(());
    }
    for client in attending(call, after).await? {
        begins(call, after, client).await?;
    }
    Ok(())
}

/// Credits of types that an appointment is no longer of are the client's again,
/// whatever the settings say: nothing was called off.
async fn swapped(call: &mut Call<'_>, row: &Appointment, client: Id<User>) -> Answer<()> {
    for (of, held) in ledger::held(call, row.id, client).await? {
        let of = Id::new(of);
        if row.appointment_type_id != Some(of) {
            let whose = (client, of);
            ledger::write(call, whose, Some(row.id), CreditCause::TypeChanged, held).await?;
        }
    }
    Ok(())
}

async fn begins(call: &mut Call<'_>, row: &Appointment, client: Id<User>) -> Answer<()> {
    swapped(call, row, client).await?;
    let Some(of) = row.appointment_type_id else { return Ok(()) };
    let settings = settings(call, row).await?;
    let says = says(&settings);
    if !says.takes {
        return Ok(());
    }
    let held = ledger::held(call, row.id, client).await?.values().sum();
    let more = change(Step::Begins, held, says);
    if more == 0 {
        return Ok(());
    }
    // Staff are warned of it and may; of a visitor nothing is known (behaviour 23.3).
    if settings.prevent_no_credit_booking && call.actor.is_client() {
        ledger::lock(call, &[client.0]).await?;
        if rule::lacks(ledger::balance(call, of.0, client.0).await?, 0, -more) {
            return Err(Refused::base("You have no credit left for this appointment type"));
        }
    }
    ledger::write(call, (client, of), Some(row.id), CreditCause::Booked, more).await
}

/// Whether a client has too few credits to get a part in an appointment without staff:
/// by themselves, or by moving up a line.
pub async fn lacks(call: &mut Call<'_>, row: &Appointment, client: Id<User>) -> Answer<bool> {
    let Some(of) = row.appointment_type_id.filter(|_| is_due(row)) else { return Ok(false) };
    let settings = settings(call, row).await?;
    if !settings.use_client_credit_system || !settings.prevent_no_credit_booking {
        return Ok(false);
    }
    let held = ledger::held(call, row.id, client).await?.get(&of.0).copied().unwrap_or(0);
    let more = change(Step::Begins, held, says(&settings));
    if more == 0 {
        return Ok(false);
    }
    ledger::lock(call, &[client.0]).await?;
    Ok(rule::lacks(ledger::balance(call, of.0, client.0).await?, 0, -more))
}

async fn ends(
    call: &mut Call<'_>,
    row: &Appointment,
    client: Id<User>,
    cause: CreditCause,
) -> Answer<()> {
    let all = ledger::held(call, row.id, client).await?;
    if all.is_empty() {
        return Ok(());
    }
    let says = says(&settings(call, row).await?);
    for (of, held) in all {
        let more = change(Step::Ends, held, says);
        if more != 0 {
            ledger::write(call, (client, Id::new(of)), Some(row.id), cause, more).await?;
        }
    }
    Ok(())
}

fn says(settings: &Settings) -> Says {
    Says { takes: settings.use_client_credit_system, restores: settings.restore_credit_on_cancel }
}

/// What applies to an appointment as it is now, in one statement.
async fn settings(call: &mut Call<'_>, row: &Appointment) -> Answer<Settings> {
    let of = row.appointment_type_id.map_or(0, |of| of.0);
    let own = "{t}.appointment_type_id = ? AND EXISTS (SELECT 1 FROM appointment_types o \
         WHERE o.org_id = {t}.org_id AND o.id = {t}.appointment_type_id \
         AND o.has_specific_appointment_settings = TRUE)";
    let neither = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    let which = Cond::sql(own, [of.into()])
        .or(Cond::eq("user_id", row.provider_id.0))
        .or(Cond::eq("unit_id", row.unit_id.0).and(neither));
    let found: Vec<AppointmentSetting> = call.list(which, &[]).await?;
    let provider = found.iter().find(|it| it.user_id == Some(row.provider_id));
    Ok(resolve(&layers(own_of(&found, of), provider, unit_of(&found, row.unit_id.0))))
}

/// The clients who attend, in order of their ids.
async fn attending(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<Id<User>>> {
    let sql = Sql::fixed(
        "SELECT i.user_id FROM appointment_inclusions i JOIN users u ON u.org_id = i.org_id \
         AND u.id = i.user_id WHERE i.org_id = $1 AND i.appointment_id = $2 \
         AND i.cancelled = FALSE AND u.is_patient = TRUE ORDER BY i.user_id",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int().map(Id::new)).collect())
}
