//! What applies to one appointment, for the rules of an operation: whoever asks,
//! the rules are the same.

use ward_engine::Answer;
use ward_store::{Cond, Id, Scope};

use super::layers::{Settings, layers, resolve};
use super::table::AppointmentSetting;
use crate::tables::AppointmentType;

/// What applies to a provider of a unit, for a type or none: the type's own
/// settings where they count, the provider's, the unit's (behaviour 21).
pub async fn applies(
    scope: &mut Scope<'_>,
    of: Option<&AppointmentType>,
    provider: i64,
    unit: i64,
) -> Answer<Settings> {
    let own = of.filter(|of| of.has_specific_appointment_settings).map(|of| of.id);
    let own = match own {
        Some(id) => one(scope, Cond::eq("appointment_type_id", id.0)).await?,
        None => None,
    };
    let providers = one(scope, Cond::eq("user_id", provider)).await?;
    let neither = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    let units = one(scope, Cond::eq("unit_id", unit).and(neither)).await?;
    Ok(resolve(&layers(own.as_ref(), providers.as_ref(), units.as_ref())))
}

async fn one(scope: &mut Scope<'_>, which: Cond) -> Answer<Option<AppointmentSetting>> {
    Ok(scope.find_by(which).await?)
}

/// A type as it is kept, deleted or not: what was booked with it goes on by it.
pub async fn type_of(
    scope: &mut Scope<'_>,
    id: Option<Id<AppointmentType>>,
) -> Answer<Option<AppointmentType>> {
    match id {
        Some(id) => Ok(scope.find_deleted_too(id).await?),
        None => Ok(None),
    }
}
