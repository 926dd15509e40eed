//! `updateOrganizationMembership` and `deleteOrganizationMembership`
//! (behaviour 16.1): flags, role, template, status and clients of a member.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_store::{Flags, Id, Json, Level};

use crate::flag_input::flag_input;
use crate::flags::{self, CAN_EDIT_MEMBERS, NOT_OF_SUPPORT};
use crate::id_or_blank::{IdOrBlank, named};
use crate::lines;
use crate::membership::create::{of_role, role};
use crate::membership::handover;
use crate::membership::profile::{self, MemberProfile};
use crate::membership::rights;
use crate::permit;
use crate::person::Person;
use crate::profile::{self as shown, ProfessionEntry, Profile, SpecialtyEntry};
use crate::tables::{
    InviteKind, OrgRole, Organization, OrganizationMembership, PermissionTemplate, User,
};
use crate::{account, events, grant, key, link, member_mail, rank_of, session, template};

/// Entries of a saved filter.
const FILTER_ENTRIES_MAX: usize = 200;

/// The highest `scheduling_priority`.
const PRIORITY_MAX: i64 = 1_000;

/// What is answered to a deactivation that ends API keys, unless it is meant.
pub const KEYS_WARNING: &str = "This member has API keys, which end for good when the member is \
     deactivated. Send bypass_api_key_warning: true to go on";

input! {
    /// What of `updateOrganizationMembershipInput` is no flag.
    pub struct MembershipFields {
        id: Id<OrganizationMembership>,
        active: bool,
        org_role: String,
        title: String,
        position: i64,
        scheduling_priority: String,
        permission_template_id: IdOrBlank<PermissionTemplate>,
        permission_template_applied: bool,
        provider_to_receive_clients: IdOrBlank<User>,
        bypass_api_key_warning: bool,
        first_name: String,
        last_name: String,
        email: String,
        phone_number: String,
        qualifications: String,
        timezone: String,
        selected_licensed_in_filter: Vec<String>,
        selected_locations_filter: Vec<String>,
        selected_statuses_filter: Vec<String>,
        selected_tags_filter: Vec<String>,
        professions: Vec<ProfessionEntry>,
        specialties: Vec<SpecialtyEntry>,
    }
}

flag_input! {
    /// `updateOrganizationMembershipInput`.
    pub struct UpdateMembership { own: MembershipFields, flags: flags::settable() }
}

input! {
    /// `deleteOrganizationMembershipInput`.
    pub struct DeleteMembership { id: Id<OrganizationMembership> }
}

/// Changes a member's place, or nothing of it.
pub async fn update(call: &mut Call<'_>, input: &UpdateMembership) -> Answer<Payload> {
    let before = target_of(call, input.own.id.value().copied()).await?;
    let own = &input.own;
    let profile = profile_of(own);
    check(own, &profile).check()?;
    let (user, _) = call
        .visible_for_update(before.user_id, Level::Full)
        .await?
        .ok_or_else(|| Refused::not_found("id"))?;
    let target = profile::loaded(call, &user).await?;
    let after = wanted(call, input, &before).await?;
    let address = profile.new_address(&user);
    rights::check(call.actor, &target, &before, &after)?;
    if address.is_some() {
        rank_of::may_take_over(call, &target).await?;
    }
    let mut user_after = user.clone();
    profile.write(&mut user_after);
    // Whoever asked for another address may have held no more than the member
    // did then.
    if rights::changes_power(&before, &after) {
        user_after.unconfirmed_email = None;
    }
    let is_invited_anew = match &address {
        Some(address) => profile::readdress(call, &mut user_after, address).await?,
        None => false,
    };
    settle_provider(call, input, &target, &after, &mut user_after).await?;
    settle_status(call, own, &before, &after, &mut user_after).await?;
    save(call, (&before, &after), (&user, &user_after)).await?;
    let shown = shown::write(call, &user_after, &shown_of(own)).await?;
    if !shown.is_empty() {
        call.emit(events::member_updated(&user_after, &shown));
    }
    if is_invited_anew {
        member_mail::invite(call, &user_after).await?;
    }
    Ok(Payload::new().one("organizationMembership", after.id.0))
}

/// Memberships are never destroyed (behaviour 16.1).
pub async fn delete(call: &mut Call<'_>, input: &DeleteMembership) -> Answer<Payload> {
    permit::requires(call.actor, CAN_EDIT_MEMBERS)?;
    target_of(call, input.id.value().copied()).await?;
    Err(Refused::base(
        "Memberships can't be deleted. Deactivate the member with updateOrganizationMembership and active: false",
    ))
}

/// The membership that is named: the caller's own, or a colleague's with
/// `can_edit_members`.
async fn target_of(
    call: &mut Call<'_>,
    id: Option<Id<OrganizationMembership>>,
) -> Answer<OrganizationMembership> {
    let is_editor = permit::requires(call.actor, CAN_EDIT_MEMBERS);
    if !call.actor.is_member() {
        is_editor?;
        return Err(Refused::not_found("id"));
    }
    let id = id.ok_or_else(|| Refused::on("id", "Id can't be blank"))?;
    let found = call.visible_for_update(id, Level::Full).await?.map(|(membership, _)| membership);
    match found {
        Some(membership) if membership.user_id.0 == call.actor.user_id => Ok(membership),
        found => {
            is_editor?;
            found.ok_or_else(|| Refused::not_found("id"))
        }
    }
}

fn profile_of(own: &MembershipFields) -> MemberProfile {
    MemberProfile {
        first_name: own.first_name.clone(),
        last_name: own.last_name.clone(),
        email: own.email.clone(),
        phone_number: own.phone_number.clone(),
        qualifications: own.qualifications.clone(),
        timezone: own.timezone.clone(),
    }
}

fn shown_of(own: &MembershipFields) -> Profile {
    Profile {
        professions: own.professions.clone(),
        specialties: own.specialties.clone(),
        ..Profile::default()
    }
}

fn filters(own: &MembershipFields) -> [(&'static str, &Given<Vec<String>>); 4] {
    [
        ("selected_licensed_in_filter", &own.selected_licensed_in_filter),
        ("selected_locations_filter", &own.selected_locations_filter),
        ("selected_statuses_filter", &own.selected_statuses_filter),
        ("selected_tags_filter", &own.selected_tags_filter),
    ]
}

/// What is wrong with the input by itself.
pub fn check(own: &MembershipFields, profile: &MemberProfile) -> Problems {
    let mut problems = Problems::new();
    profile.check(&mut problems);
    role(&own.org_role, &mut problems);
    lines::bounded([("title", &own.title)], &mut problems);
    if own.scheduling_priority.trimmed().is_some_and(|text| priority(text).is_none()) {
        let sentence =
            format!("Scheduling priority must be a whole number from 0 to {PRIORITY_MAX}");
        problems.add("scheduling_priority", sentence);
    }
    shown::check(&shown_of(own), &mut problems);
    for (field, given) in filters(own) {
        let is_too_long = |text: &String| text.chars().count() > lines::LINE_CHARACTERS_MAX;
        if given
            .value()
            .is_some_and(|texts| texts.len() > FILTER_ENTRIES_MAX || texts.iter().any(is_too_long))
        {
            let label = lines::label(field);
            problems.add(
                field,
                format!("{label} can have at most {FILTER_ENTRIES_MAX} entries of 255 characters"),
            );
        }
    }
    problems
}

fn priority(text: &str) -> Option<i64> {
    text.parse().ok().filter(|it| (0..=PRIORITY_MAX).contains(it))
}

/// The membership as the input wants it; whether the actor may is asked after.
async fn wanted(
    call: &mut Call<'_>,
    input: &UpdateMembership,
    before: &OrganizationMembership,
) -> Answer<OrganizationMembership> {
    let own = &input.own;
    let mut after = before.clone();
    own.title.set_text(&mut after.title);
    if let Some(position) = own.position.value() {
        after.position = *position;
    }
    if own.scheduling_priority.is_given() {
        after.scheduling_priority = own.scheduling_priority.trimmed().and_then(priority);
    }
    if let Some(active) = own.active.value() {
        after.active = *active;
    }
    write_filters(own, &mut after);
    apply_template(call, own, &mut after).await?;
    after.org_role = role(&own.org_role, &mut Problems::new()).unwrap_or(after.org_role);
    if after.org_role == OrgRole::Support {
        refuse_of_support(input.flags.on())?;
    }
    let held = input.flags.apply(after.flags());
    after.set_flags(of_role(after.org_role, held));
    Ok(after)
}

fn refuse_of_support(on: Flags) -> Answer<()> {
    match NOT_OF_SUPPORT.iter().find(|permission| on.has(permission.flag)) {
        Some(permission) => Err(Refused::on(
            permission.name,
            format!("A Support member can't have {}", permission.name),
        )),
        None => Ok(()),
    }
}

fn write_filters(own: &MembershipFields, after: &mut OrganizationMembership) {
    let json = |texts: &Given<Vec<String>>| {
        let none = Vec::new();
        let texts = texts.value().unwrap_or(&none);
        Json(serde_json::Value::from(texts.clone()).to_string())
    };
    for (given, column) in [
        (&own.selected_licensed_in_filter, &mut after.selected_licensed_in_filter),
        (&own.selected_locations_filter, &mut after.selected_locations_filter),
        (&own.selected_statuses_filter, &mut after.selected_statuses_filter),
        (&own.selected_tags_filter, &mut after.selected_tags_filter),
    ] {
        if given.is_given() {
            *column = json(given);
        }
    }
}

/// Copies a template's flags and role, and stamps them (behaviour 16.1). What
/// templates do not hold stays as it is.
async fn apply_template(
    call: &mut Call<'_>,
    own: &MembershipFields,
    after: &mut OrganizationMembership,
) -> Answer<()> {
    let id = named(&own.permission_template_id);
    if !own.permission_template_applied.is_true() {
        if id.is_some() && id != after.permission_template_id {
            return Err(Refused::on(
                "permission_template_applied",
                "Send permission_template_applied: true to apply the template",
            ));
        }
        return Ok(());
    }
    let id = id.ok_or_else(|| {
        Refused::on("permission_template_id", "Permission template can't be blank")
    })?;
    let unit: Option<Organization> = call.find(after.unit_id).await?;
    let unit = unit.ok_or_else(|| Refused::not_found("id"))?;
    let template = template::usable(call, id, &unit, "permission_template_id").await?;
    let kept = Flags(after.flags().0 & !template::holdable().0);
    after.set_flags(Flags(template.flags().0 | kept.0));
    after.org_role = template.org_role;
    after.permission_template_id = Some(template.id);
    after.permission_template_applied_at = Some(call.now());
    Ok(())
}

/// Clients go to whom they are to go to; a Support member can't keep any. Who
/// becomes a provider gets a code that clients sign up with.
async fn settle_provider(
    call: &mut Call<'_>,
    input: &UpdateMembership,
    target: &Person,
    after: &OrganizationMembership,
    user: &mut User,
) -> Answer<()> {
    const AT: &str = "provider_to_receive_clients";
    if let Some(to) = named(&input.own.provider_to_receive_clients) {
        permit::requires(call.actor, CAN_EDIT_MEMBERS)?;
        if target.user.id.0 != call.actor.user_id {
            grant::may_rule(call.actor, target)?;
        }
        handover::hand_over(call, &target.user, to, AT).await?;
    }
    let was_support =
        target.membership.as_ref().is_some_and(|before| before.org_role == OrgRole::Support);
    let becomes_support = after.org_role == OrgRole::Support && !was_support;
    if becomes_support && handover::has_clients(call, &target.user).await? {
        return Err(Refused::on(AT, "A Support member can't have clients: name who receives them"));
    }
    if after.is_provider && user.invite_code.is_none() {
        let code =
            account::new_invite_code(&mut call.scope, InviteKind::Provider, user.id.0).await?;
        user.invite_code = Some(code);
    }
    Ok(())
}

/// Deactivation ends sessions, links and keys at once (trust SEC-05).
async fn settle_status(
    call: &mut Call<'_>,
    own: &MembershipFields,
    before: &OrganizationMembership,
    after: &OrganizationMembership,
    user: &mut User,
) -> Answer<()> {
    if after.active && !before.active {
        user.active = true;
        user.archived_at = None;
    }
    if after.active || !before.active {
        return Ok(());
    }
    let has_keys = !key::of_user(&mut call.scope, user.id).await?.is_empty();
    if has_keys && !own.bypass_api_key_warning.is_true() {
        return Err(Refused::base(KEYS_WARNING));
    }
    user.active = false;
    user.archived_at = Some(call.now());
    key::revoke_all(&mut call.scope, user.id).await?;
    link::void_all(&mut call.scope, user.id).await?;
    session::end_all(&mut call.scope, user.id.0).await?;
    Ok(())
}

async fn save(
    call: &mut Call<'_>,
    (before, after): (&OrganizationMembership, &OrganizationMembership),
    (user_before, user_after): (&User, &User),
) -> Answer<()> {
    let changes = call.update(before, after).await?;
    if !changes.is_empty() {
        call.emit(events::membership_updated(after, &changes.columns));
    }
    profile::save(call, user_before, user_after).await?;
    Ok(())
}
