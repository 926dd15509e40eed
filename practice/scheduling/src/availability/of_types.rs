//! One-time availability that is for several types (behaviour 20).

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, iso_instant};
use ward_identity::id_or_blank::named;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level};

use super::change::{at_place, blank, bounded, checked, provider, put, to_change, write, zone};
use super::input::{self, CreateWithTypes, EditWithTypes, Times};
use super::read;
use crate::appointment_type::circle::NAMED_MAX;
use crate::events;
use crate::id_list::IdList;
use crate::tables::{AppointmentType, Availability, AvailabilityAppointmentType};
use crate::visibility;

const AT: &str = "appointment_type_ids";

/// Makes a one-time one that is for several types (behaviour 20).
pub async fn create_with_types(call: &mut Call<'_>, input: &CreateWithTypes) -> Answer<Payload> {
    let provider = provider(call, named(&input.user_id)).await?;
    let (zone, name) = zone(call, input.timezone.trimmed(), &provider)?;
    let times = Times {
        range_start: input.start_datetime.trimmed(),
        range_end: input.end_datetime.trimmed(),
        ..Times::default()
    };
    let when = checked(call, &times, &zone, &provider).await?;
    let contact_type_id = way(&input.contact_type_id)?;
    bounded(call, &provider, 1).await?;
    let mut row = blank(call, &provider, name, &when).await?;
    row.contact_type_id = contact_type_id;
    let place = named(&input.appointment_location_id);
    row.appointment_location_id = at_place(call, place, &provider).await?;
    call.create(&row).await?;
    let mut types = named_types(&input.appointment_type_ids)?;
    if input.link_all_non_group_types.is_true() {
        let single = Cond::eq("unit_id", provider.unit_id.0).and(Cond::eq("is_group", false));
        let seen = visibility::appointment_types(call.actor).at_least(Level::Full);
        let all = call.list::<AppointmentType>(single.and(seen), &[]).await?;
        types.extend(all.iter().map(|of| of.id));
    }
    not_blank(&types)?;
    tie(call, &row, &types, &provider).await?;
    call.emit(events::availability_created(&row));
    Ok(Payload::new().leaf("availability", read::shown(call.request, &row)))
}

/// Changes one that is for several types; the types are those that are sent.
pub async fn edit_with_types(call: &mut Call<'_>, input: &EditWithTypes) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let before = to_change(call, id, "id").await?;
    if before.is_repeating {
        return Err(Refused::on("id", "A weekly availability is changed with editAvailability"));
    }
    let provider = access::seen_user(call, before.user_id, "id").await?;
    let mut after = before.clone();
    if let Some(name) = input.timezone.trimmed() {
        after.timezone = zone(call, Some(name), &provider)?.1;
    }
    let (zone, _) = zone(call, Some(&after.timezone), &provider)?;
    if input.start_datetime.is_given() || input.end_datetime.is_given() {
        let text = |at: Option<ward_instance::Timestamp>| at.map(|at| iso_instant(at, &zone));
        let kept = (text(before.start_at), text(before.end_at));
        let times = Times {
            range_start: input.start_datetime.trimmed().or(kept.0.as_deref()),
            range_end: input.end_datetime.trimmed().or(kept.1.as_deref()),
            ..Times::default()
        };
        let when = checked(call, &times, &zone, &provider).await?;
        put(&mut after, &when);
    }
    if input.contact_type_id.is_given() {
        after.contact_type_id = way(&input.contact_type_id)?;
    }
    let place = named(&input.appointment_location_id);
    if input.appointment_location_id.is_given() && place != before.appointment_location_id {
        after.appointment_location_id = at_place(call, place, &provider).await?;
    }
    let types = named_types(&input.appointment_type_ids)?;
    not_blank(&types)?;
    after.appointment_type_id = None;
    let retied = tie(call, &before, &types, &provider).await?;
    write(call, &before, &after, retied).await
}

fn named_types(given: &Given<IdList<AppointmentType>>) -> Answer<Vec<Id<AppointmentType>>> {
    let types = given.value().map(|list| list.0.clone()).unwrap_or_default();
    match types.len() > NAMED_MAX {
        true => Err(Refused::on(AT, format!("At most {NAMED_MAX} can be named"))),
        false => Ok(types),
    }
}

/// Without any it would be for all of them.
fn not_blank(types: &[Id<AppointmentType>]) -> Answer<()> {
    match types.is_empty() {
        true => Err(Refused::on(AT, "Appointment type ids can't be blank")),
        false => Ok(()),
    }
}

fn way(given: &Given<i64>) -> Answer<Option<i64>> {
    let text = given.value().map(i64::to_string);
    let mut problems = Problems::new();
    let way = input::contact_type(text.as_deref(), &mut problems);
    problems.check()?;
    Ok(way)
}

/// Takes all types from an availability that is for several; whether there were
/// any.
pub(super) async fn untie(call: &mut Call<'_>, row: &Availability) -> Answer<bool> {
    let of = Cond::eq("availability_id", row.id.0);
    let ties: Vec<AvailabilityAppointmentType> = call.list(of, &[]).await?;
    for tie in &ties {
        call.destroy(tie).await?;
    }
    Ok(!ties.is_empty())
}

/// Replaces the types that an availability is for; whether they are others now.
async fn tie(
    call: &mut Call<'_>,
    row: &Availability,
    types: &[Id<AppointmentType>],
    provider: &User,
) -> Answer<bool> {
    let mut wanted = types.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let of = Cond::eq("availability_id", row.id.0);
    let old: Vec<AvailabilityAppointmentType> = call.list(of, &[]).await?;
    let mut changed = false;
    for gone in old.iter().filter(|tie| !wanted.contains(&tie.appointment_type_id)) {
        call.destroy(gone).await?;
        changed = true;
    }
    for id in wanted {
        if old.iter().any(|tie| tie.appointment_type_id == id) {
            continue;
        }
        let found = call.visible_for_reference(id, Level::Full).await?;
        let of: Option<AppointmentType> = found.map(|(of, _)| of);
        let of = of.filter(|of| of.unit_id == provider.unit_id);
        let of = of.ok_or_else(|| Refused::not_found(AT))?;
        let row = AvailabilityAppointmentType {
            org_id: row.org_id,
            availability_id: row.id,
            appointment_type_id: of.id,
            created_at: call.now(),
        };
        call.create(&row).await?;
        changed = true;
    }
    Ok(changed)
}
