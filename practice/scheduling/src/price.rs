//! What a type costs one client, or with one provider (behaviour 21).

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Payload, Refused, input};
use ward_identity::flags::CAN_EDIT_APPOINTMENT_TYPES;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::requires;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, StoreError};

use crate::money;
use crate::tables::{AdvanceAppointmentPrice, AppointmentType};

/// So many prices one call can set.
pub const PRICES_MAX: usize = 200;
const AT: &str = "advance_appointment_prices";

input! {
    /// `AdvanceAppointmentPricesInput`.
    pub struct PriceInput {
        appointment_type_id: IdOrBlank<AppointmentType>,
        id: IdOrBlank<AdvanceAppointmentPrice>,
        price: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `updateUserAppointmentPricingInput`.
    pub struct UpdateUserAppointmentPricing {
        advance_appointment_prices: Vec<PriceInput>,
        user_id: IdOrBlank<User>,
    }
}

/// Sets prices of a client or provider; a blank price takes one back. With `id`
/// it is that one, else the person's for the type.
pub async fn update(call: &mut Call<'_>, input: &UpdateUserAppointmentPricing) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_APPOINTMENT_TYPES)?;
    let prices = input.advance_appointment_prices.value().map(Vec::as_slice).unwrap_or_default();
    if prices.len() > PRICES_MAX {
        return Err(Refused::on(AT, format!("At most {PRICES_MAX} prices can be set at once")));
    }
    for price in prices {
        if price.price.trimmed().is_some_and(|text| money::cents(text).is_none()) {
            return Err(Refused::on(AT, "Price must be an amount such as 120.50"));
        }
    }
    let whose = named(&input.user_id);
    let mut set = Vec::with_capacity(prices.len());
    for price in prices {
        let written = write(call, whose, price).await?;
        set.extend(written.filter(|id| !set.contains(id)));
    }
    Ok(Payload::new().many(AT, set))
}

async fn write(
    call: &mut Call<'_>,
    whose: Option<Id<User>>,
    input: &PriceInput,
) -> Answer<Option<i64>> {
    let (before, user) = match named(&input.id) {
        Some(id) => {
            let found = call.visible_for_update(id, Level::Full).await?;
            let before: AdvanceAppointmentPrice =
                found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(AT))?;
            let user = access::seen_user(call, before.user_id, AT).await?;
            (Some(before), user)
        }
        None => {
            let user = named(&input.user_id).or(whose);
            let user = user.ok_or_else(|| Refused::on("user_id", "User can't be blank"))?;
            (None, access::seen_user(call, user, "user_id").await?)
        }
    };
    let others = [whose, named(&input.user_id)];
    if others.into_iter().flatten().any(|other| other != user.id) {
        return Err(Refused::not_found("user_id"));
    }
    access::concerns(call, &user);
    let of = priced_type(call, before.as_ref(), input).await?;
    let before = match before {
        Some(before) => Some(before),
        None => {
            let same = Cond::eq("user_id", user.id.0).and(Cond::eq("appointment_type_id", of.0));
            call.find_by::<AdvanceAppointmentPrice>(same).await?
        }
    };
    let cents = input.price.trimmed().and_then(money::cents);
    match (before, cents) {
        (None, None) => Ok(None),
        (Some(before), None) => {
            if matches!(input.price, Given::Absent) {
                return Ok(Some(before.id.0));
            }
            call.destroy(&before).await?;
            Ok(None)
        }
        (Some(before), Some(price_cents)) => {
            let after = AdvanceAppointmentPrice { price_cents, ..before.clone() };
            call.update(&before, &after).await?;
            Ok(Some(after.id.0))
        }
        (None, Some(price_cents)) => {
            let now = call.now();
            let row = AdvanceAppointmentPrice {
                id: call.next_id().await?,
                org_id: user.org_id,
                appointment_type_id: of,
                user_id: user.id,
                price_cents,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            // Somebody else has set it at the same time.
            call.create(&row).await.map_err(|error| match error {
                StoreError::Unique(_) => StoreError::Conflict,
                other => other,
            })?;
            Ok(Some(row.id.0))
        }
    }
}

/// The type that a price is for; one that is there stays of its type.
async fn priced_type(
    call: &mut Call<'_>,
    before: Option<&AdvanceAppointmentPrice>,
    input: &PriceInput,
) -> Answer<Id<AppointmentType>> {
    let wanted = named(&input.appointment_type_id);
    if let Some(before) = before {
        return match wanted.is_none_or(|wanted| wanted == before.appointment_type_id) {
            true => Ok(before.appointment_type_id),
            false => Err(Refused::not_found("appointment_type_id")),
        };
    }
    let blank = || Refused::on("appointment_type_id", "Appointment type can't be blank");
    let id = wanted.ok_or_else(blank)?;
    let found = call.visible_for_reference(id, Level::Full).await?;
    let of: AppointmentType =
        found.map(|(of, _)| of).ok_or_else(|| Refused::not_found("appointment_type_id"))?;
    Ok(of.id)
}
