//! `updateClient(appointment_type_credits_attributes)`: staff say how many credits a
//! client has (behaviour 18.2).

use ward_engine::{Answer, Call, Given, Payload, Refused, input};
use ward_identity::flags::CAN_EDIT_CREDIT;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::requires;
use ward_identity::tables::User;
use ward_store::{Id, Level, StoreError};

use super::ledger;
use super::table::{AppointmentTypeCredit, CreditCause};
use crate::settings::input::Whole;
use crate::tables::AppointmentType;

/// So many types one call can set credits for.
pub const TYPES_MAX: usize = 200;
/// So many credits for a type a client can be given.
pub const CREDITS_MAX: i64 = 10_000;
const AT: &str = "appointment_type_credits_attributes";

input! {
    /// `AppointmentTypeCreditInput`.
    pub struct CreditInput {
        appointment_type_id: IdOrBlank<AppointmentType>,
        id: IdOrBlank<AppointmentTypeCredit>,
        quantity: Whole,
    }
}

input! {
    /// What of `updateClientInput` is of credits.
    pub struct SetCredits {
        appointment_type_credits_attributes: Vec<CreditInput>,
        /// Then nothing else is done (behaviour 18.2).
        resend_welcome: bool,
    }
}

/// Sets how many credits the client has whom `updateClient` has found.
pub async fn set(call: &mut Call<'_>, input: &SetCredits, payload: &Payload) -> Answer<()> {
    let Given::Value(credits) = &input.appointment_type_credits_attributes else { return Ok(()) };
    if credits.is_empty() || input.resend_welcome.is_true() {
        return Ok(());
    }
    requires(call.actor, CAN_EDIT_CREDIT)?;
    if credits.len() > TYPES_MAX {
        let sentence = format!("Credits of at most {TYPES_MAX} types can be set at once");
        return Err(Refused::on(AT, sentence));
    }
    let id = payload.id("user").map(Id::<User>::new);
    let client: Option<User> = match id {
        Some(id) => call.find(id).await?,
        None => None,
    };
    let client = client.ok_or(StoreError::Conflict)?;
    ledger::lock(call, &[client.id.0]).await?;
    for one in credits {
        let quantity = quantity(one)?;
        let of = of_type(call, &client, one).await?;
        ledger::opened(call, client.id, of).await?;
        let more = quantity - ledger::balance(call, of.0, client.id.0).await?;
        if more != 0 {
            ledger::write(call, (client.id, of), None, CreditCause::Set, more).await?;
        }
    }
    Ok(())
}

fn quantity(one: &CreditInput) -> Answer<i64> {
    let quantity = one.quantity.value().and_then(|it| it.0);
    let quantity = quantity.ok_or_else(|| Refused::on(AT, "Quantity can't be blank"))?;
    match (0..=CREDITS_MAX).contains(&quantity) {
        true => Ok(quantity),
        false => Err(Refused::on(AT, format!("Quantity must be from 0 to {CREDITS_MAX}"))),
    }
}

/// The type that is named, or of which the client's credits are that are named.
async fn of_type(
    call: &mut Call<'_>,
    client: &User,
    one: &CreditInput,
) -> Answer<Id<AppointmentType>> {
    let asked = named(&one.appointment_type_id);
    if let Some(id) = named(&one.id) {
        let found = call.visible_for_reference(id, Level::Full).await?;
        let of = found.map(|(row, _): (AppointmentTypeCredit, _)| row);
        let of = of.filter(|it| it.user_id == client.id).map(|it| it.appointment_type_id);
        let of = of.filter(|of| asked.is_none_or(|asked| asked == *of));
        return of.ok_or_else(|| Refused::not_found(AT));
    }
    let id = asked.ok_or_else(|| Refused::on(AT, "Appointment type can't be blank"))?;
    let found = call.visible_for_reference(id, Level::Full).await?;
    let of = found.map(|(of, _): (AppointmentType, _)| of);
    let of = of.filter(|of| of.unit_id == client.unit_id);
    of.map(|of| of.id).ok_or_else(|| Refused::not_found(AT))
}
