//! Making and changing a layer of settings (behaviour 21): a provider's is their
//! own, the organization's and others' take `can_edit_settings`.

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Out, Payload, Problems, Refused};
use ward_identity::flags::{CAN_EDIT_APPOINTMENT_TYPES, CAN_EDIT_SETTINGS};
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, StoreError};

use super::input::{CreateAppointmentSetting, Says, TypeSetting, UpdateAppointmentSetting};
use super::layers::{Settings, layers, resolve};
use super::read;
use super::table::AppointmentSetting;
use crate::appointment_location::input::{PlaceInput, check};
use crate::appointment_location::{change as places, read as shown_places};
use crate::availability::removal;
use crate::tables::AppointmentType;

/// Makes the layer of the provider who is named, else of the caller's unit.
pub async fn create(call: &mut Call<'_>, input: &CreateAppointmentSetting) -> Answer<Payload> {
    members_only(call.actor)?;
    let id = call.next_id().await?;
    let (org_id, unit_id) = (Id::new(call.actor.org_id), Id::new(call.actor.unit_id));
    let mut layer = AppointmentSetting::blank(id, org_id, unit_id, call.now());
    let (taken, same) = match named(&input.user_id) {
        Some(user) => {
            let provider = access::primary_provider(call, user, "user_id").await?;
            may_write_of(call, provider.id)?;
            layer.user_id = Some(provider.id);
            layer.unit_id = provider.unit_id;
            let taken = || Refused::on("user_id", "User has already been taken");
            (taken as fn() -> Refused, Cond::eq("user_id", provider.id.0))
        }
        None => {
            requires(call.actor, CAN_EDIT_SETTINGS)?;
            let taken = || Refused::base("The organization has settings already");
            (taken as fn() -> Refused, of_unit(unit_id.0))
        }
    };
    checked(input, &input.appointment_locations)?;
    if call.find_by::<AppointmentSetting>(same).await?.is_some() {
        return Err(taken());
    }
    input.write(&mut layer);
    check_whole(&layer)?;
    call.create(&layer).await.map_err(|error| match error {
        StoreError::Unique(_) => taken(),
        other => other.into(),
    })?;
    rescoped(call, None, &layer).await?;
    places::apply(call, &layer, &input.appointment_locations).await?;
    answer(call, &layer).await
}

/// Changes the layer that is named by its id, else the provider's who is named,
/// else the organization's.
pub async fn update(call: &mut Call<'_>, input: &UpdateAppointmentSetting) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = to_change(call, input).await?;
    match (before.user_id, before.appointment_type_id) {
        (Some(user), _) => may_write_of(call, user)?,
        (None, Some(_)) => requires(call.actor, CAN_EDIT_APPOINTMENT_TYPES)?,
        (None, None) => requires(call.actor, CAN_EDIT_SETTINGS)?,
    }
    checked(input, &input.appointment_locations)?;
    let mut after = before.clone();
    input.write(&mut after);
    check_whole(&after)?;
    call.update(&before, &after).await?;
    rescoped(call, Some(&before), &after).await?;
    places::apply(call, &after, &input.appointment_locations).await?;
    answer(call, &after).await
}

/// What times of availability are set by; all of it, or one of three.
fn scope_of(layer: &AppointmentSetting) -> [bool; 3] {
    [layer.times_by_appointment_type, layer.times_by_contact_type, layer.times_by_location]
        .map(|it| it == Some(true))
}

/// Times are set by one thing at a time, and by the organization (behaviour 20); a
/// day has an end after its start.
fn check_whole(layer: &AppointmentSetting) -> Answer<()> {
    let time = |text: &Option<String>| text.as_deref()?.parse::<jiff::civil::Time>().ok();
    if let (Some(start), Some(end)) = (time(&layer.start_time), time(&layer.end_time))
        && start >= end
    {
        return Err(Refused::on("end_time", "End time must be after the start"));
    }
    let by = scope_of(layer).into_iter().filter(|by| *by).count();
    if by > 0 && (layer.user_id.is_some() || layer.appointment_type_id.is_some()) {
        return Err(Refused::base("What times are set by is the organization's to say"));
    }
    match by > 1 {
        true => {
            Err(Refused::base("Times can be set by one of type, contact type and location only"))
        }
        false => Ok(()),
    }
}

/// Another scope deletes all availability of the unit (behaviour 20).
async fn rescoped(
    call: &mut Call<'_>,
    before: Option<&AppointmentSetting>,
    after: &AppointmentSetting,
) -> Answer<()> {
    let was = before.map_or([false; 3], scope_of);
    match was == scope_of(after) || after.user_id.is_some() {
        true => Ok(()),
        false => removal::delete_all(call, after.unit_id.0).await,
    }
}

/// What applies to a provider.
pub async fn of_provider(call: &mut Call<'_>, provider: &User) -> Answer<Settings> {
    let own = Cond::eq("user_id", provider.id.0);
    let own: Option<AppointmentSetting> = call.find_by(own).await?;
    let unit: Option<AppointmentSetting> = call.find_by(of_unit(provider.unit_id.0)).await?;
    Ok(resolve(&layers(None, own.as_ref(), unit.as_ref())))
}

async fn to_change(
    call: &mut Call<'_>,
    input: &UpdateAppointmentSetting,
) -> Answer<AppointmentSetting> {
    let user = named(&input.user_id);
    let (id, at) = match (named(&input.id), user) {
        (Some(id), _) => (Some(id), "id"),
        (None, Some(user)) => {
            let found = Cond::eq("user_id", user.0);
            (call.find_by::<AppointmentSetting>(found).await?.map(|it| it.id), "user_id")
        }
        (None, None) => {
            let found = of_unit(call.actor.unit_id);
            (call.find_by::<AppointmentSetting>(found).await?.map(|it| it.id), "id")
        }
    };
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let layer = found.map(|(layer, _)| layer).ok_or_else(|| Refused::not_found(at))?;
    if user.is_some_and(|user| layer.user_id != Some(user)) {
        return Err(Refused::not_found("user_id"));
    }
    Ok(layer)
}

fn of_unit(unit: i64) -> Cond {
    let own = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    Cond::eq("unit_id", unit).and(own)
}

fn may_write_of(call: &Call<'_>, user: Id<User>) -> Answer<()> {
    match user.0 == call.actor.user_id {
        true => Ok(()),
        false => requires(call.actor, CAN_EDIT_SETTINGS),
    }
}

fn checked(input: &impl Says, places: &Given<Vec<PlaceInput>>) -> Answer<()> {
    let mut problems = Problems::new();
    input.check(&mut problems);
    check(places, &mut problems);
    problems.check()
}

/// The layer with what applies, as a query would answer it.
async fn answer(call: &mut Call<'_>, layer: &AppointmentSetting) -> Answer<Payload> {
    let unit: Option<AppointmentSetting> = match layer.user_id.is_some() {
        true => call.find_by(of_unit(layer.unit_id.0)).await?,
        false => None,
    };
    // As the store has it, with the moment of the change.
    let kept: Option<AppointmentSetting> = call.find(layer.id).await?;
    let near: Vec<&AppointmentSetting> = kept.iter().chain(unit.iter()).collect();
    let (request, tx) = (call.request, &mut *call.scope.tx);
    let places = shown_places::of_layers(request, tx, near.iter().copied()).await?;
    let out: Out = read::shown(request, &near, &places);
    Ok(Payload::new().leaf("appointmentSetting", out))
}

/// Writes what an input of a type says of the type's own settings; whether it has
/// any from then on.
pub async fn of_type(
    call: &mut Call<'_>,
    of: &AppointmentType,
    given: &Given<TypeSetting>,
) -> Answer<bool> {
    let own = Cond::eq("appointment_type_id", of.id.0);
    let before: Option<AppointmentSetting> = call.find_by(own).await?;
    let Some(input) = given.value() else { return Ok(before.is_some()) };
    if input.id.value().is_some_and(|id| before.as_ref().map(|it| it.id) != Some(*id)) {
        return Err(Refused::not_found("appointment_setting"));
    }
    match before {
        Some(before) if input._destroy.is_true() => {
            call.destroy(&before).await?;
            Ok(false)
        }
        Some(before) => {
            let mut after = before.clone();
            input.write(&mut after);
            call.update(&before, &after).await?;
            Ok(true)
        }
        None if input._destroy.is_true() => Ok(false),
        None => {
            let id = call.next_id().await?;
            let mut layer = AppointmentSetting::blank(id, of.org_id, of.unit_id, call.now());
            layer.appointment_type_id = Some(of.id);
            input.write(&mut layer);
            call.create(&layer).await?;
            Ok(true)
        }
    }
}
