//! Making, changing and deleting types, with `can_edit_appointment_types`
//! (behaviour 16.3, 21).

use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_EDIT_APPOINTMENT_TYPES;
use ward_identity::permit::requires;
use ward_store::{Id, Level};

use super::input::{
    self, CreateAppointmentType, DeleteAppointmentType, PRICING_OPTION, UpdateAppointmentType,
};
use super::{circle, order};
use crate::settings::change as settings;
use crate::tables::AppointmentType;

/// Makes a type of the caller's, last in the list of their unit.
pub async fn create(call: &mut Call<'_>, input: &CreateAppointmentType) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_APPOINTMENT_TYPES)?;
    input::check_new(input).check()?;
    let mut of = blank(call).await?;
    input.write(&mut of);
    input.write_ways(&mut of);
    if let Some(group) = input.user_group_id.value() {
        of.user_group_id = circle::joined(call, of.unit_id, group).await?;
    }
    input::check_whole(&of).check()?;
    of.has_specific_appointment_settings =
        input.appointment_setting.value().is_some_and(|own| !own._destroy.is_true());
    call.create(&of).await?;
    settings::of_type(call, &of, &input.appointment_setting).await?;
    circle::write_groups(call, &of, &input.bookable_group_ids).await?;
    circle::write_providers(call, &of, &input.provider_ids_for_appt_type_connections).await?;
    Ok(Payload::new().one("appointmentType", of.id.0))
}

async fn blank(call: &mut Call<'_>) -> Answer<AppointmentType> {
    let now = call.now();
    Ok(AppointmentType {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        user_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        name: String::new(),
        client_facing_display_name: None,
        client_display_description: None,
        length: 0,
        is_group: false,
        is_waitlist_enabled: false,
        clients_can_book: false,
        bookable_by_groups: true,
        bookable_without_group: true,
        specific_groups: false,
        user_group_id: None,
        require_specific_providers: false,
        require_in_state_clients: false,
        dont_ask_for_reason: false,
        offers_video: None,
        offers_in_person: None,
        offers_phone: None,
        pricing_cents: None,
        pricing_option: PRICING_OPTION.to_owned(),
        has_specific_appointment_settings: false,
        metadata: None,
        position: order::next(call).await?,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Changes a type. Lists that are sent replace those before.
pub async fn update(call: &mut Call<'_>, input: &UpdateAppointmentType) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_APPOINTMENT_TYPES)?;
    let before = to_change(call, input.id.value().copied()).await?;
    input::check_change(input).check()?;
    let mut after = before.clone();
    input.write(&mut after);
    input.write_ways(&mut after);
    if let Some(group) = input.user_group_id.value() {
        after.user_group_id = circle::joined(call, before.unit_id, group).await?;
    } else if input.user_group_id.is_given() {
        after.user_group_id = None;
    }
    input::check_whole(&after).check()?;
    let has_own = settings::of_type(call, &before, &input.appointment_setting).await?;
    if input.appointment_setting.is_given() {
        after.has_specific_appointment_settings = has_own;
    }
    if let Some(wanted) = input.has_specific_appointment_settings.value() {
        after.has_specific_appointment_settings = *wanted && has_own;
    }
    circle::write_groups(call, &before, &input.bookable_group_ids).await?;
    circle::write_providers(call, &before, &input.provider_ids_for_appt_type_connections).await?;
    call.update(&before, &after).await?;
    if let Some(place) = input.row_order.value() {
        order::place(call, &before, *place).await?;
    }
    Ok(Payload::new().one("appointmentType", before.id.0))
}

/// Deletes a type: nothing more is booked with it, and what was booked keeps it.
pub async fn delete(call: &mut Call<'_>, input: &DeleteAppointmentType) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_APPOINTMENT_TYPES)?;
    let of = to_change(call, input.id.value().copied()).await?;
    call.destroy(&of).await?;
    Ok(Payload::new().one("appointmentType", of.id.0))
}

async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<AppointmentType>>,
) -> Answer<AppointmentType> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(of, _)| of).ok_or_else(|| Refused::not_found("id"))
}
