//! Who may do what to whom: permissions, and the people that inputs name.
//! Who is not visible is not found (behaviour 4.4).

use std::collections::BTreeSet;

use ward_engine::{Answer, Call, Refused};
use ward_identity::flags::{CAN_EDIT_MEMBERS, CAN_EDIT_SETTINGS, CAN_SET_CLIENT_PASSWORD};
use ward_identity::tables::{OrgRole, Organization, OrganizationMembership, User};
use ward_store::{Actor, Cond, Id, Level, Query, Sql};

use crate::tables::Location;

pub use ward_identity::care::may_entrust;
pub use ward_identity::id_or_blank::IdOrBlank;
pub use ward_identity::permit::{members_only, requires};

/// So many providers can be in a care team.
pub const CARE_TEAM_MAX: usize = 100;

/// Whether staff may give a client this e-mail: who reads its mails can set the
/// password of the account, so once there is access to it, that is what it takes.
pub fn may_redirect(actor: &Actor, before: &User, email: Option<&str>) -> Answer<()> {
    let has_access = before.password_hash.is_some() || before.last_sign_in_at.is_some();
    match has_access && before.email.as_deref() != email {
        true => requires(actor, CAN_SET_CLIENT_PASSWORD),
        false => Ok(()),
    }
}

/// From here on the mutation's audit entries and events are of this client, so
/// that only who sees the client finds them.
pub fn concerns(call: &mut Call<'_>, user: &User) {
    if user.is_patient {
        call.scope.subject_id = Some(user.id.0);
    }
}

/// A user whom the actor sees in full, to write something that refers to them:
/// they can't be merged into another before that is written.
pub async fn seen_user(call: &mut Call<'_>, id: Id<User>, at: &str) -> Answer<User> {
    let found = call.visible_for_reference(id, Level::Full).await?;
    found.map(|(user, _)| user).ok_or_else(|| Refused::not_found(at))
}

/// A client whom the actor sees in full, locked to be changed.
pub async fn client_to_change(call: &mut Call<'_>, id: Id<User>, at: &str) -> Answer<User> {
    let found = call.visible_for_update(id, Level::Full).await?;
    let client = found.map(|(user, _)| user).filter(|user| user.is_patient);
    client.ok_or_else(|| Refused::not_found(at))
}

/// A provider whom clients can have as their primary one: active, visible, of
/// the organization (behaviour 16.1: never a Support member).
pub async fn primary_provider(call: &mut Call<'_>, id: Id<User>, at: &str) -> Answer<User> {
    let user = seen_user(call, id, at).await?;
    match membership(call, &user).await? {
        Some(membership) if is_provider(&membership) => Ok(user),
        _ => Err(Refused::not_found(at)),
    }
}

/// Providers that can be in a care team, each once and in ascending order.
pub async fn care_team(call: &mut Call<'_>, ids: &[Id<User>], at: &str) -> Answer<Vec<User>> {
    let ids: BTreeSet<Id<User>> = ids.iter().copied().collect();
    if ids.len() > CARE_TEAM_MAX {
        let message = format!("A care team can have at most {CARE_TEAM_MAX} members");
        return Err(Refused::on(at, message));
    }
    let mut team = Vec::with_capacity(ids.len());
    for id in ids {
        let user = seen_user(call, id, at).await?;
        let membership = membership(call, &user).await?.ok_or_else(|| Refused::not_found(at))?;
        if !may_join_care_teams(call, &membership).await? {
            let message = format!("User {} can't be a care team member", user.id);
            return Err(Refused::on(at, message));
        }
        team.push(user);
    }
    Ok(team)
}

/// The active membership of a staff user.
pub async fn membership(
    call: &mut Call<'_>,
    user: &User,
) -> Answer<Option<OrganizationMembership>> {
    if user.is_patient || !user.active {
        return Ok(None);
    }
    let cond = Cond::eq("user_id", user.id.0).and(Cond::is_true("active"));
    Ok(call.find_by(cond).await?)
}

/// Whether clients can be assigned to the member.
pub fn is_provider(membership: &OrganizationMembership) -> bool {
    membership.active && membership.is_provider && membership.org_role != OrgRole::Support
}

/// Whether the member can be in care teams.
pub async fn may_join_care_teams(
    call: &mut Call<'_>,
    membership: &OrganizationMembership,
) -> Answer<bool> {
    if membership.org_role == OrgRole::Support {
        return Ok(false);
    }
    if membership.can_be_care_team_member {
        return Ok(true);
    }
    // The owner has every permission (behaviour 16.1).
    let unit: Option<Organization> = call.find(membership.unit_id).await?;
    Ok(unit.is_some_and(|unit| unit.owner_id == Some(membership.user_id)))
}

/// Whether the tenant and the unit are active, so that clients can be added
/// (behaviour 15).
pub async fn is_open(call: &mut Call<'_>, unit_id: Id<Organization>) -> Answer<bool> {
    let org_id = call.actor.org_id;
    let sql = Sql::fixed(
        "SELECT o.is_active FROM organizations o \
         WHERE o.org_id = $1 AND (o.id = $1 OR o.id = $2)",
        [org_id.into(), unit_id.0.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    Ok(!rows.is_empty() && rows.iter().all(|row| row.first().is_some_and(ward_store::Value::truth)))
}

/// Whether the actor may write addresses of this user: their own, a client's
/// whom they see, a colleague's with the right to edit members.
pub fn may_write_for(actor: &Actor, user: &User) -> Answer<()> {
    if user.id.0 == actor.user_id || (user.is_patient && actor.is_member()) {
        return Ok(());
    }
    requires(actor, CAN_EDIT_MEMBERS)
}

/// Whether the actor may change this address.
pub async fn may_change(call: &mut Call<'_>, location: &Location, at: &str) -> Answer<()> {
    match location.user_id {
        Some(user_id) => {
            let user = seen_user(call, user_id, at).await?;
            concerns(call, &user);
            may_write_for(call.actor, &user)
        }
        None => requires(call.actor, CAN_EDIT_SETTINGS),
    }
}
