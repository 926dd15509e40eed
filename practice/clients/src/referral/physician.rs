//! Referring providers: `createReferringPhysician` and its siblings. They are
//! settings of the organization (behaviour 16.3, `can_edit_settings`).

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_store::{Cond, Id, Level, OrderKey, Query, Select, Value};

use crate::access::{self, IdOrBlank};
use crate::referral::address::{self, PhysicianLocation};
use crate::referral::details::{Details, details, is_nameless};
use crate::referral::referrals::{self, PhysicianReferral};
use crate::referral::tables::referring_physicians as at;
use crate::referral::{REFERRING_PHYSICIANS, ReferringPhysician, events};

const NPI_TAKEN: &str = "NPI has already been taken by another referring provider";

input! {
    /// `createReferringPhysicianInput`.
    pub struct CreateReferringPhysician {
        first_name: String,
        last_name: String,
        business_name: String,
        speciality: String,
        npi: String,
        other_id: String,
        other_id_qualifier: String,
        email: String,
        phone_number: String,
        fax_number: String,
        website: String,
        notes: String,
        metadata: String,
        accepts_insurance: bool,
        location: PhysicianLocation,
        referrals: Vec<PhysicianReferral>,
    }
}

input! {
    /// `updateReferringPhysicianInput`.
    pub struct UpdateReferringPhysician {
        id: IdOrBlank<ReferringPhysician>,
        first_name: String,
        last_name: String,
        business_name: String,
        speciality: String,
        npi: String,
        other_id: String,
        other_id_qualifier: String,
        email: String,
        phone_number: String,
        fax_number: String,
        website: String,
        notes: String,
        metadata: String,
        accepts_insurance: bool,
        location: PhysicianLocation,
        referrals: Vec<PhysicianReferral>,
    }
}

input! {
    /// `deleteReferringPhysicianInput`.
    pub struct DeleteReferringPhysician { id: IdOrBlank<ReferringPhysician> }
}

macro_rules! all_details {
    ($input:expr) => {
        Details {
            accepts_insurance: $input.accepts_insurance.clone(),
            metadata: $input.metadata.clone(),
            ..details!($input; first_name, last_name, business_name, speciality, npi, other_id,
                other_id_qualifier, email, phone_number, fax_number, website, notes)
        }
    };
}

/// Adds a referring provider, with an address and referrals when they are sent.
/// Whose NPI is known already is not added a second time: the answer is the one
/// who has it, and a message.
pub async fn create(call: &mut Call<'_>, input: &CreateReferringPhysician) -> Answer<Payload> {
    access::requires(call.actor, CAN_EDIT_SETTINGS)?;
    let details = all_details!(input);
    check(&details, &input.location, &input.referrals)?;
    if let Some(other) = duplicate(call, input.npi.trimmed(), None).await? {
        return Ok(Payload::new().one("duplicated_physician", other.0).remark("npi", NPI_TAKEN));
    }
    let physician = add(call, &details, input.location.value()).await?;
    let list = input.referrals.value().map(Vec::as_slice).unwrap_or_default();
    referrals::write_all(call, &physician, list).await?;
    Ok(Payload::new().one("referring_physician", physician.id.0))
}

/// Changes a referring provider.
pub async fn update(call: &mut Call<'_>, input: &UpdateReferringPhysician) -> Answer<Payload> {
    access::requires(call.actor, CAN_EDIT_SETTINGS)?;
    let before = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    let details = all_details!(input);
    check(&details, &input.location, &input.referrals)?;
    let physician = change(call, &before, &details, input.location.value()).await?;
    let list = input.referrals.value().map(Vec::as_slice).unwrap_or_default();
    referrals::write_all(call, &physician, list).await?;
    Ok(Payload::new().one("referring_physician", physician.id.0))
}

/// Takes a referring provider off the list. Referrals keep naming them.
pub async fn delete(call: &mut Call<'_>, input: &DeleteReferringPhysician) -> Answer<Payload> {
    access::requires(call.actor, CAN_EDIT_SETTINGS)?;
    let physician = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    call.destroy(&physician).await?;
    call.emit(events::of_physician("referring_physician.deleted", &physician, &[]));
    Ok(Payload::new().one("referringPhysician", physician.id.0))
}

fn check(
    details: &Details,
    location: &Given<PhysicianLocation>,
    list: &Given<Vec<PhysicianReferral>>,
) -> Answer<()> {
    let mut problems = Problems::new();
    details.check(&mut problems);
    if let Some(location) = location.value() {
        address::check(location, &mut problems);
    }
    referrals::check_all(list, &mut problems);
    problems.check()
}

/// Adds one, without asking for permission.
pub async fn add(
    call: &mut Call<'_>,
    details: &Details,
    location: Option<&PhysicianLocation>,
) -> Answer<ReferringPhysician> {
    if location.is_some_and(|location| location.id.value().is_some_and(|id| id.0.is_some())) {
        return Err(Refused::not_found("location"));
    }
    let mut row = blank(call).await?;
    details.write(&mut row);
    refuse_nameless(&row)?;
    // The row that the address refers to comes first, so its id is drawn before.
    let location_id = match location.filter(|location| address::says_anything(location)) {
        Some(_) => Some(call.next_id().await?),
        None => None,
    };
    row.location_id = location_id;
    call.create(&row).await?;
    if let (Some(location), Some(id)) = (location, location_id) {
        address::add(call, &row, id, location).await?;
    }
    call.emit(events::of_physician("referring_physician.created", &row, &[]));
    Ok(row)
}

/// Changes one, without asking for permission.
pub async fn change(
    call: &mut Call<'_>,
    before: &ReferringPhysician,
    details: &Details,
    location: Option<&PhysicianLocation>,
) -> Answer<ReferringPhysician> {
    let mut after = before.clone();
    details.write(&mut after);
    refuse_nameless(&after)?;
    let npi = after.npi.as_deref().filter(|_| before.npi != after.npi);
    if duplicate(call, npi, Some(before.id)).await?.is_some() {
        return Err(Refused::on("npi", NPI_TAKEN));
    }
    if let Some(location) = location.filter(|location| address::says_anything(location)) {
        after.location_id = Some(address::write(call, before, location).await?);
    }
    let changes = call.update(before, &after).await?;
    if !changes.is_empty() {
        let columns = &changes.columns;
        call.emit(events::of_physician("referring_physician.updated", &after, columns));
    }
    Ok(after)
}

/// Notes that the address of one was removed.
pub async fn forget_location(call: &mut Call<'_>, id: Id<ReferringPhysician>) -> Answer<()> {
    let Some(before) = call.find::<ReferringPhysician>(id).await? else { return Ok(()) };
    let after = ReferringPhysician { location_id: None, ..before.clone() };
    let changes = call.update(&before, &after).await?;
    call.emit(events::of_physician("referring_physician.updated", &after, &changes.columns));
    Ok(())
}

async fn blank(call: &mut Call<'_>) -> Answer<ReferringPhysician> {
    let now = call.now();
    Ok(ReferringPhysician {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        provider_id: Id::new(call.actor.user_id),
        first_name: None,
        last_name: None,
        business_name: None,
        speciality: None,
        npi: None,
        other_id: None,
        other_id_qualifier: None,
        email: None,
        phone_number: None,
        fax_number: None,
        website: None,
        accepts_insurance: None,
        notes: None,
        metadata: None,
        location_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

fn refuse_nameless(row: &ReferringPhysician) -> Answer<()> {
    match is_nameless(row) {
        true => Err(Refused::base("A referring provider needs a name or a business name")),
        false => Ok(()),
    }
}

/// Another one of this NPI whom the actor sees.
async fn duplicate(
    call: &mut Call<'_>,
    npi: Option<&str>,
    own: Option<Id<ReferringPhysician>>,
) -> Answer<Option<Id<ReferringPhysician>>> {
    let Some(npi) = npi else { return Ok(None) };
    let mut select = Select::new(&REFERRING_PHYSICIANS, call.scope.actor);
    select.columns = vec![at::id];
    let other = Cond::sql("{t}.id <> ?", [own.map_or(0, |id| id.0).into()]);
    select.filter = Cond::eq("npi", npi).and(other);
    select.order = vec![OrderKey::column("id", false)];
    select.limit = Some(1);
    let rows = call.scope.tx.rows(&select.sql()).await?;
    Ok(rows.scalar().and_then(Value::int).map(Id::new))
}

/// One whom the actor may name.
pub async fn seen(
    call: &mut Call<'_>,
    id: Option<Id<ReferringPhysician>>,
    field: &str,
) -> Answer<ReferringPhysician> {
    let id = id.ok_or_else(|| Refused::not_found(field))?;
    let found = call.visible(id, Level::Full).await?;
    found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(field))
}

/// The same, locked.
pub async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<ReferringPhysician>>,
    field: &str,
) -> Answer<ReferringPhysician> {
    let id = id.ok_or_else(|| Refused::not_found(field))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(field))
}
