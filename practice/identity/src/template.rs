//! Permission templates (behaviour 16.1): flags under a name. A template is
//! never stronger than whoever writes it, and whoever applies one must hold what
//! it gives (trust SEC-04). A root organization's templates serve the units
//! below it (behaviour 15).

use ward_engine::{Answer, Call, Payload, Permission, Problems, Refused, input};
use ward_store::{Flags, Id, Level};

use crate::flag_input::flag_input;
use crate::flags::{self, CAN_EDIT_MEMBERS, NOT_OF_SUPPORT};
use crate::id_or_blank::{IdOrBlank, named};
use crate::membership::{of_role, role, unit_of};
use crate::permit::requires;
use crate::tables::{OrgRole, Organization, PermissionTemplate};
use crate::{grant, lines};

/// Templates of one unit.
const TEMPLATES_MAX: usize = 200;

/// Settable flags that no template holds (behaviour 16.3).
const NEVER_HELD: [Permission; 3] = [
    flags::CAN_LOCK_FORM_ANSWER_GROUPS,
    flags::CAN_SEE_OPTION_TO_USE_ERX_DOSESPOT,
    flags::HIDE_CALENDAR_TAB,
];

/// Flags that only `updatePermissionTemplate` takes.
const NOT_AT_BIRTH: [Permission; 4] = [
    flags::CAN_DELETE_AUTOMATIONS,
    flags::CAN_EDIT_AUTOMATIONS,
    flags::CAN_VIEW_AUTOMATIONS,
    flags::CAN_SUBMIT_CMS_1500S_TO_CHANGE_HEALTH,
];

/// Flags that only `createPermissionTemplate` takes.
const AT_BIRTH_ONLY: [Permission; 1] = [flags::SHARE_USER_GROUPS];

fn held() -> impl Iterator<Item = Permission> {
    flags::settable().filter(|it| !NEVER_HELD.contains(it))
}

/// The flags that a template can hold.
pub fn holdable() -> Flags {
    flags::set_of(held())
}

input! {
    /// What of `createPermissionTemplateInput` is no flag.
    pub struct NewTemplate { name: String, org_role: String, organization_id: IdOrBlank<Organization> }
}

flag_input! {
    /// `createPermissionTemplateInput`.
    pub struct CreateTemplate {
        own: NewTemplate,
        flags: held().filter(|it| !NOT_AT_BIRTH.contains(it)),
    }
}

input! {
    /// What of `updatePermissionTemplateInput` is no flag.
    pub struct TemplateFields {
        id: Id<PermissionTemplate>,
        name: String,
        org_role: String,
        /// A template stays where it is: no other organization is found.
        organization_id: IdOrBlank<Organization>,
    }
}

flag_input! {
    /// `updatePermissionTemplateInput`.
    pub struct UpdateTemplate {
        own: TemplateFields,
        flags: held().filter(|it| !AT_BIRTH_ONLY.contains(it)),
    }
}

input! {
    /// `deletePermissionTemplateInput`.
    pub struct DeleteTemplate { id: Id<PermissionTemplate> }
}

/// Makes a template of the caller's organization or, from the root, of one below.
pub async fn create(call: &mut Call<'_>, input: &CreateTemplate) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_MEMBERS)?;
    let mut problems = Problems::new();
    lines::required("name", &input.own.name, &mut problems);
    lines::bounded([("name", &input.own.name)], &mut problems);
    let role = role(&input.own.org_role, &mut problems).unwrap_or(OrgRole::Standard);
    refuse_of_support(role, input.flags.on(), &mut problems);
    problems.check()?;
    let unit = unit_of(call, named(&input.own.organization_id), "organization_id").await?;
    let of_unit = ward_store::Cond::eq("unit_id", unit.id.0);
    if call.list::<PermissionTemplate>(of_unit, &[]).await?.len() >= TEMPLATES_MAX {
        let most = format!("An organization can have {TEMPLATES_MAX} permission templates");
        return Err(Refused::base(most));
    }
    let author = (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id));
    let id = call.next_id().await?;
    let mut template = PermissionTemplate::blank(id, &unit, author, call.now());
    template.name = input.own.name.trimmed().unwrap_or_default().to_owned();
    template.org_role = role;
    template.set_flags(input.flags.on());
    grant::may_grant(call.actor, Flags::default(), template.flags())?;
    call.create(&template).await?;
    Ok(Payload::new().one("newPermissionTemplate", template.id.0))
}

/// Changes a template; members that it was applied to stay as they are.
pub async fn update(call: &mut Call<'_>, input: &UpdateTemplate) -> Answer<Payload> {
    let before = changeable(call, input.own.id.value().copied()).await?;
    if named(&input.own.organization_id).is_some_and(|unit_id| unit_id != before.unit_id) {
        return Err(Refused::not_found("organization_id"));
    }
    let mut problems = Problems::new();
    lines::not_emptied("name", &input.own.name, &mut problems);
    lines::bounded([("name", &input.own.name)], &mut problems);
    let role = role(&input.own.org_role, &mut problems).unwrap_or(before.org_role);
    refuse_of_support(role, input.flags.on(), &mut problems);
    problems.check()?;
    let mut after = before.clone();
    if let Some(name) = input.own.name.trimmed() {
        name.clone_into(&mut after.name);
    }
    after.org_role = role;
    after.set_flags(of_role(role, input.flags.apply(before.flags())));
    grant::may_grant(call.actor, before.flags(), after.flags())?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("permissionTemplate", after.id.0))
}

/// Deletes a template; members that it was applied to stay as they are.
pub async fn delete(call: &mut Call<'_>, input: &DeleteTemplate) -> Answer<Payload> {
    let template = changeable(call, input.id.value().copied()).await?;
    call.destroy(&template).await?;
    Ok(Payload::new().one("permission_template", template.id.0))
}

/// Whether the actor may change a template of these flags in this unit.
pub fn can_be_edited(actor: &ward_store::Actor, unit_id: i64, held: Flags) -> bool {
    requires(actor, CAN_EDIT_MEMBERS).is_ok()
        && (actor.is_at_root() || actor.unit_id == unit_id)
        && grant::may_grant(actor, Flags::default(), held).is_ok()
}

/// A template that members of the unit can be given: the unit's own or the
/// root's, and one that the actor sees.
pub async fn usable(
    call: &mut Call<'_>,
    id: Id<PermissionTemplate>,
    unit: &Organization,
    at: &str,
) -> Answer<PermissionTemplate> {
    let found = call.visible(id, Level::Full).await?.map(|(template, _)| template);
    let found = found.filter(|it| it.unit_id == unit.id || it.unit_id == it.org_id);
    found.ok_or_else(|| Refused::not_found(at))
}

/// A template that the actor may change: of their units, and in nothing stronger
/// than they are.
async fn changeable(
    call: &mut Call<'_>,
    id: Option<Id<PermissionTemplate>>,
) -> Answer<PermissionTemplate> {
    requires(call.actor, CAN_EDIT_MEMBERS)?;
    let id = id.ok_or_else(|| Refused::on("id", "Id can't be blank"))?;
    let found = call.visible_for_update(id, Level::Full).await?.map(|(template, _)| template);
    let is_own =
        |it: &PermissionTemplate| call.actor.is_at_root() || it.unit_id.0 == call.actor.unit_id;
    let template = found.filter(is_own).ok_or_else(|| Refused::not_found("id"))?;
    grant::may_grant(call.actor, Flags::default(), template.flags())?;
    Ok(template)
}

fn refuse_of_support(role: OrgRole, on: Flags, problems: &mut Problems) {
    if role == OrgRole::Support {
        for permission in NOT_OF_SUPPORT.iter().filter(|it| on.has(it.flag)) {
            problems
                .add(permission.name, format!("A Support member can't have {}", permission.name));
        }
    }
}
