//! `updateOrganization` and `createOrganization` (behaviour 15): what a
//! practice is called and known by, and sub-organizations, one level deep.

use std::sync::Arc;

use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, input};
use ward_store::{Actor, Cond, Id, OrderKey};

use crate::flags::{CAN_EDIT_SETTINGS, IS_OWNER};
use crate::id_or_blank::{IdOrBlank, named};
use crate::membership::{Newcomer, add_owner, unit_of};
use crate::organization_info::{self, InfoChange};
use crate::permit::requires;
use crate::tables::{Organization, OrganizationInfo};
use crate::{autolock, lines, member_mail, practice, upload_scan};

/// Sub-organizations of one organization.
const SUBORGANIZATIONS_MAX: usize = 1_000;

input! {
    /// `updateOrganizationInput`.
    pub struct UpdateOrganization {
        /// The caller's own when there is none.
        id: IdOrBlank<Organization>,
        organization_email: String,
        organization_info: InfoChange,
        requires_webhook_validation: bool,
        upload_scan: String,
        chart_note_autolock_hours: i64,
    }
}

input! {
    /// `createOrganizationInput`: a sub-organization and its owner.
    pub struct CreateOrganization {
        create_as_suborganization: bool,
        organization_email: String,
        organization_info: InfoChange,
        first_name: String,
        last_name: String,
        email: String,
        password: String,
        send_invite_email: bool,
    }
}

/// Changes an organization that the caller belongs to or that is below it.
pub async fn update(call: &mut Call<'_>, input: &UpdateOrganization) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_SETTINGS)?;
    let mut problems = Problems::new();
    lines::not_emptied("organization_email", &input.organization_email, &mut problems);
    lines::address("organization_email", &input.organization_email, &mut problems);
    if let Some(info) = input.organization_info.value() {
        organization_info::check(info, &mut problems);
    }
    autolock::check(&input.chart_note_autolock_hours, &mut problems);
    problems.check()?;
    let before = unit_of(call, named(&input.id), "id").await?;
    let mut after = before.clone();
    if let Some(address) = input.organization_email.trimmed() {
        address.clone_into(&mut after.organization_email);
    }
    if let Some(&requires) = input.requires_webhook_validation.value() {
        after.requires_webhook_validation = requires;
    }
    if let Some(asked) = input.upload_scan.trimmed() {
        upload_scan::set(&mut after, asked)?;
    }
    autolock::write(&input.chart_note_autolock_hours, &mut after, call.now());
    let mut payload = Payload::new().one("organization", after.id.0);
    if let Some(info) = input.organization_info.value() {
        organization_info::write(call, &mut after, info).await?;
        if let Some(id) = changed_info(call, &after, info).await? {
            payload = payload.one("updated_organization_info", id.0);
        }
    }
    call.update(&before, &after).await?;
    upload_scan::changed(call, &before, &after).await?;
    autolock::changed(call, &before, &after).await?;
    Ok(payload)
}

/// What an input changed: the one it names, a further one that it added, or the
/// primary one.
async fn changed_info(
    call: &mut Call<'_>,
    unit: &Organization,
    input: &InfoChange,
) -> Answer<Option<Id<OrganizationInfo>>> {
    if let Some(id) = input.id.value() {
        return Ok(Some(*id));
    }
    let of_unit = Cond::eq("unit_id", unit.id.0);
    let newest = [OrderKey::column("id", true)];
    let infos: Vec<OrganizationInfo> = call.list(of_unit, &newest).await?;
    let wants_primary = input.primary.value() != Some(&false);
    let changed = infos.iter().find(|info| info.primary_info == wants_primary);
    Ok(changed.map(|info| info.id))
}

/// The input, with its password hashed.
pub struct Prepared {
    input: CreateOrganization,
    hash: Option<String>,
}

/// Before the transaction: who asks, what is wrong, and the password.
pub async fn prepare(request: Arc<Request>, input: CreateOrganization) -> Answer<Prepared> {
    may_create(&request.actor)?;
    let newcomer = newcomer_of(&input);
    let mut problems = Problems::new();
    if !input.create_as_suborganization.is_true() {
        problems.add(
            "create_as_suborganization",
            "Send create_as_suborganization: true; other organizations sign up for themselves",
        );
    }
    newcomer.check(&mut problems);
    lines::address("organization_email", &input.organization_email, &mut problems);
    let info = input.organization_info.value().cloned().unwrap_or_default();
    if info.name.trimmed().is_none() {
        problems.add("organization_info", "Name can't be blank");
    } else {
        organization_info::check(&info, &mut problems);
    }
    problems.check()?;
    let hash = newcomer.hash(&request).await?;
    Ok(Prepared { input, hash })
}

/// The owner of a root organization: whoever owns one below it holds every
/// permission there, so nobody else can give that (trust SEC-04).
fn may_create(actor: &Actor) -> Answer<()> {
    if !actor.is_member() || !actor.is_owner {
        return Err(Refused::Denied(IS_OWNER));
    }
    match actor.is_at_root() {
        true => Ok(()),
        false => Err(Refused::base("A sub-organization can't have sub-organizations")),
    }
}

fn newcomer_of(input: &CreateOrganization) -> Newcomer {
    Newcomer {
        first_name: input.first_name.clone(),
        last_name: input.last_name.clone(),
        email: input.email.clone(),
        password: input.password.clone(),
        ..Newcomer::default()
    }
}

/// Makes a sub-organization of the caller's with its owner, who is invited.
pub async fn create(call: &mut Call<'_>, prepared: &Prepared) -> Answer<Payload> {
    let input = &prepared.input;
    may_create(call.actor)?;
    let root = unit_of(call, None, "base").await?;
    if !root.can_have_suborgs {
        return Err(Refused::base("This organization can't have sub-organizations"));
    }
    let below = Cond::eq("parent_organization_id", root.id.0);
    if call.list::<Organization>(below, &[]).await?.len() >= SUBORGANIZATIONS_MAX {
        return Err(Refused::base("An organization can have 1,000 sub-organizations"));
    }
    let unit = new_unit(call, input, &root).await?;
    let member = newcomer_of(input).member(prepared.hash.clone());
    let owner = add_owner(call, &unit, &member).await?;
    let owned = Organization { owner_id: Some(owner.id), ..unit.clone() };
    call.update(&unit, &owned).await?;
    if input.send_invite_email.value() != Some(&false) {
        member_mail::invite(call, &owner).await?;
    }
    Ok(Payload::new().one("organization", unit.id.0).one("currentUser", call.actor.user_id))
}

async fn new_unit(
    call: &mut Call<'_>,
    input: &CreateOrganization,
    root: &Organization,
) -> Answer<Organization> {
    let info = input.organization_info.value().cloned().unwrap_or_default();
    let name = info.name.trimmed().unwrap_or_default();
    let address = input.organization_email.trimmed().or(input.email.trimmed()).unwrap_or_default();
    let id = call.next_id().await?;
    let mut unit = practice::blank_organization(id, root.id, name, address, call.now());
    info.npi.set_text(&mut unit.npi);
    info.tax_id.set_text(&mut unit.tax_id);
    info.tax_id_type.set_text(&mut unit.tax_id_type);
    info.other_id.set_text(&mut unit.other_id);
    info.other_id_qual.set_text(&mut unit.other_id_qual);
    info.phone_number.set_text(&mut unit.phone_number);
    call.create(&unit).await?;
    organization_info::create_primary(&mut call.scope, &unit).await?;
    // The rest of it: address, numbers of other systems.
    let rest = InfoChange { primary: ward_engine::Given::Value(true), ..info };
    organization_info::write(call, &mut unit, &rest).await?;
    Ok(unit)
}
