//! What an organization is to payers: its primary name, numbers and address,
//! which are the organization's own, and further ones (behaviour 14, 15).

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Level, Scope, StoreError};

use crate::flags::CAN_EDIT_SETTINGS;
use crate::tables::{Location, Organization, OrganizationInfo};
use crate::{events, npi, permit};

/// Characters of a line.
const LINE_CHARACTERS_MAX: usize = 255;

input! {
    /// `OrgLocationInput`. An organization has one address a name, so its `id`
    /// need not be sent.
    pub struct InfoLocation {
        id: Id<Location>,
        name: String,
        line1: String,
        line2: String,
        city: String,
        state: String,
        zip: String,
        country: String,
        npi: String,
        other_id: String,
        other_id_qual: String,
    }
}

input! {
    /// `PrimaryOrganizationInfoInput`: with `id` that one changes, without it
    /// the primary one, or with `primary: false` a further one is added.
    pub struct InfoChange {
        id: Id<OrganizationInfo>,
        _destroy: bool,
        primary: bool,
        name: String,
        npi: String,
        tax_id: String,
        tax_id_type: String,
        other_id: String,
        other_id_qual: String,
        phone_number: String,
        external_id: String,
        id_number_type: String,
        location: InfoLocation,
    }
}

input! {
    /// `deleteOrganizationInfoInput`.
    pub struct DeleteInfo { id: Id<OrganizationInfo> }
}

/// A primary one with the organization's own name and numbers.
pub fn primary_of(
    id: Id<OrganizationInfo>,
    unit: &Organization,
    now: Timestamp,
) -> OrganizationInfo {
    OrganizationInfo {
        id,
        org_id: unit.org_id,
        unit_id: unit.id,
        primary_info: true,
        name: Some(unit.name.clone()),
        npi: unit.npi.clone(),
        tax_id: unit.tax_id.clone(),
        tax_id_type: unit.tax_id_type.clone(),
        other_id: unit.other_id.clone(),
        other_id_qual: unit.other_id_qual.clone(),
        phone_number: unit.phone_number.clone(),
        external_id: None,
        id_number_type: None,
        location_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

/// Makes the primary one of a new organization.
pub async fn create_primary(
    scope: &mut Scope<'_>,
    unit: &Organization,
) -> Result<OrganizationInfo, StoreError> {
    let (id, now) = (scope.next_id().await?, scope.now());
    let info = primary_of(id, unit, now);
    scope.create(&info).await?;
    scope.emit(events::organization_info_created(&info));
    Ok(info)
}

/// What is wrong with a change.
pub fn check(input: &InfoChange, problems: &mut Problems) {
    let at = "organization_info";
    let place = input.location.value().cloned().unwrap_or_default();
    let texts = [
        ("Name", &input.name),
        ("NPI", &input.npi),
        ("Tax id", &input.tax_id),
        ("Tax id type", &input.tax_id_type),
        ("Other id", &input.other_id),
        ("Other id qual", &input.other_id_qual),
        ("Phone number", &input.phone_number),
        ("External id", &input.external_id),
        ("Id number type", &input.id_number_type),
        ("Name of the address", &place.name),
        ("Line1", &place.line1),
        ("Line2", &place.line2),
        ("City", &place.city),
        ("State", &place.state),
        ("Zip", &place.zip),
        ("Country", &place.country),
        ("NPI of the address", &place.npi),
        ("Other id of the address", &place.other_id),
        ("Other id qual of the address", &place.other_id_qual),
    ];
    for (label, given) in texts {
        if given.value().is_some_and(|text| text.chars().count() > LINE_CHARACTERS_MAX) {
            let text = format!("{label} is too long (maximum is {LINE_CHARACTERS_MAX} characters)");
            problems.add(at, text);
        }
        if label.starts_with("NPI") {
            npi::check(at, given, problems);
        }
    }
    if input.name.is_given() && input.name.trimmed().is_none() && !input._destroy.is_true() {
        problems.add(at, "Name can't be blank");
    }
}

/// Writes a change that [`check`] found nothing wrong with. What becomes of the
/// primary one is set on `unit`, which the caller saves. Whether anything
/// changed.
pub async fn write(
    call: &mut Call<'_>,
    unit: &mut Organization,
    input: &InfoChange,
) -> Answer<bool> {
    let at = "organization_info";
    let cond = Cond::eq("unit_id", unit.id.0);
    let held: Vec<OrganizationInfo> = call.list(cond, &[]).await?;
    let primary = held.iter().find(|info| info.primary_info);
    let named = match input.id.value() {
        Some(id) => {
            let found = held.iter().find(|info| info.id == *id);
            Some(found.ok_or_else(|| Refused::not_found(at))?)
        }
        None if input.primary == Given::Value(false) => None,
        None => primary,
    };
    if input._destroy.is_true() {
        let info = named.ok_or_else(|| Refused::not_found(at))?;
        destroy(call, info, at).await?;
        return Ok(true);
    }
    let becomes_primary = match (named, input.primary.value()) {
        (Some(info), Some(wanted)) if info.primary_info && !wanted => {
            return Err(Refused::on(at, "Make another one primary instead"));
        }
        (Some(info), wanted) => info.primary_info || wanted == Some(&true),
        (None, wanted) => wanted != Some(&false),
    };
    let mut changed = false;
    if becomes_primary
        && let Some(old) = primary.filter(|old| named.is_none_or(|info| info.id != old.id))
    {
        let after = OrganizationInfo { primary_info: false, ..old.clone() };
        let changes = call.update(old, &after).await?;
        if let Some(place) = place_of(call, &after).await? {
            let other = Location { organization_id: None, ..place.clone() };
            call.update(&place, &other).await?;
        }
        call.emit(events::organization_info_updated(&after, &changes.columns));
        changed = true;
    }
    let info = match named {
        Some(before) => {
            let mut after = OrganizationInfo { primary_info: becomes_primary, ..before.clone() };
            fill(call, unit, input, &mut after).await?;
            let changes = call.update(before, &after).await?;
            if !changes.is_empty() {
                call.emit(events::organization_info_updated(&after, &changes.columns));
                changed = true;
            }
            after
        }
        None => {
            let (id, now) = (call.next_id().await?, call.now());
            let mut info =
                OrganizationInfo { primary_info: becomes_primary, ..further(id, unit, now) };
            fill(call, unit, input, &mut info).await?;
            if info.name.is_none() {
                return Err(Refused::on(at, "Name can't be blank"));
            }
            call.create(&info).await?;
            call.emit(events::organization_info_created(&info));
            changed = true;
            info
        }
    };
    if info.primary_info {
        mirror(&info, unit);
    }
    Ok(changed)
}

/// One that says nothing yet.
fn further(id: Id<OrganizationInfo>, unit: &Organization, now: Timestamp) -> OrganizationInfo {
    OrganizationInfo {
        primary_info: false,
        name: None,
        npi: None,
        tax_id: None,
        tax_id_type: None,
        other_id: None,
        other_id_qual: None,
        phone_number: None,
        ..primary_of(id, unit, now)
    }
}

/// The organization's own name and numbers are the primary one's.
fn mirror(info: &OrganizationInfo, unit: &mut Organization) {
    if let Some(name) = &info.name {
        unit.name.clone_from(name);
    }
    unit.npi.clone_from(&info.npi);
    unit.tax_id.clone_from(&info.tax_id);
    unit.tax_id_type.clone_from(&info.tax_id_type);
    unit.other_id.clone_from(&info.other_id);
    unit.other_id_qual.clone_from(&info.other_id_qual);
    unit.phone_number.clone_from(&info.phone_number);
}

async fn fill(
    call: &mut Call<'_>,
    unit: &Organization,
    input: &InfoChange,
    info: &mut OrganizationInfo,
) -> Answer<()> {
    input.name.set_text(&mut info.name);
    input.npi.set_text(&mut info.npi);
    input.tax_id.set_text(&mut info.tax_id);
    input.tax_id_type.set_text(&mut info.tax_id_type);
    input.other_id.set_text(&mut info.other_id);
    input.other_id_qual.set_text(&mut info.other_id_qual);
    input.phone_number.set_text(&mut info.phone_number);
    input.external_id.set_text(&mut info.external_id);
    input.id_number_type.set_text(&mut info.id_number_type);
    let place = place_of(call, info).await?;
    // The primary one's address is the organization's own.
    let own = info.primary_info.then_some(unit.id);
    let Some(lines) = input.location.value() else {
        if let Some(place) = place.filter(|place| place.organization_id != own) {
            let after = Location { organization_id: own, ..place.clone() };
            call.update(&place, &after).await?;
        }
        return Ok(());
    };
    let is_new = place.is_none();
    if let Some(id) = lines.id.value()
        && place.as_ref().is_none_or(|place| place.id != *id)
    {
        return Err(Refused::not_found("organization_info"));
    }
    let before = match place {
        Some(place) => place,
        None => Location::blank(call.next_id().await?, unit.org_id, unit.id, call.now()),
    };
    let mut after = Location { organization_id: own, ..before.clone() };
    write_lines(lines, &mut after);
    if is_new {
        call.create(&after).await?;
        call.emit(events::location_created(&after));
    } else {
        let changes = call.update(&before, &after).await?;
        if !changes.is_empty() {
            call.emit(events::location_updated(&after, &changes.columns));
        }
    }
    info.location_id = Some(after.id);
    Ok(())
}

fn write_lines(lines: &InfoLocation, location: &mut Location) {
    lines.name.set_text(&mut location.name);
    lines.line1.set_text(&mut location.line1);
    lines.line2.set_text(&mut location.line2);
    lines.city.set_text(&mut location.city);
    lines.state.set_text(&mut location.state);
    lines.zip.set_text(&mut location.zip);
    lines.country.set_text(&mut location.country);
    lines.npi.set_text(&mut location.npi);
    lines.other_id.set_text(&mut location.other_id);
    lines.other_id_qual.set_text(&mut location.other_id_qual);
}

async fn place_of(call: &mut Call<'_>, info: &OrganizationInfo) -> Answer<Option<Location>> {
    match info.location_id {
        Some(id) => Ok(call.find(id).await?),
        None => Ok(None),
    }
}

/// Removes a further one; the primary one stays.
async fn destroy(call: &mut Call<'_>, info: &OrganizationInfo, at: &str) -> Answer<()> {
    if info.primary_info {
        return Err(Refused::on(at, "The primary one can't be deleted"));
    }
    let place = place_of(call, info).await?;
    call.destroy(info).await?;
    call.emit(events::organization_info_deleted(info));
    if let Some(place) = place {
        call.destroy(&place).await?;
        call.emit(events::location_deleted(&place));
    }
    Ok(())
}

/// `deleteOrganizationInfo`.
pub async fn delete(call: &mut Call<'_>, input: &DeleteInfo) -> Answer<Payload> {
    permit::requires(call.actor, CAN_EDIT_SETTINGS)?;
    let id = *input.id.value().ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (info, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    destroy(call, &info, "id").await?;
    Ok(Payload::new().one("organizationInfo", info.id.0))
}
