//! A user as the actor of a request: what they may do at this moment.

use ward_store::{Actor, Cond, Id, Query, Role, Scope, Sql, StoreError, Tx};

use crate::account;
use crate::flags;
use crate::tables::{Organization, OrganizationMembership, User};

/// The time zone of answers when nothing says another (behaviour 9).
pub const DEFAULT_ZONE: &str = "America/New_York";

/// Whether somebody may act at all. An archived client may (behaviour 18.3), one who
/// has died may not; a member may while both the account and the membership are active.
pub fn may_act(user: &User, membership: Option<&OrganizationMembership>) -> bool {
    match user.is_patient {
        true => user.deceased_on.is_none(),
        false => user.active && membership.is_some_and(|membership| membership.active),
    }
}

/// Whether somebody may sign in with a password or link (SEC-06).
pub fn may_sign_in(user: &User, membership: Option<&OrganizationMembership>) -> bool {
    !user.is_integration && may_act(user, membership)
}

/// A user with everything that decides what they may do.
#[derive(Clone, Debug)]
pub struct Person {
    /// The account.
    pub user: User,
    /// The membership, of staff.
    pub membership: Option<OrganizationMembership>,
    /// Whether they own their organization.
    pub is_owner: bool,
    /// The primary provider's time zone, of a client.
    pub provider_zone: Option<String>,
}

impl Person {
    /// As the actor of a request.
    pub fn actor(&self, credential: Option<&str>) -> Actor {
        let user = &self.user;
        let stored = self.membership.as_ref().map(OrganizationMembership::flags);
        let is_owner = self.is_owner && !user.is_patient;
        let zone = user.timezone.as_deref().or(self.provider_zone.as_deref());
        Actor {
            role: if user.is_patient { Role::Client } else { Role::Member },
            user_id: user.id.0,
            org_id: user.org_id.0,
            unit_id: user.unit_id.0,
            flags: flags::effective(stored.unwrap_or_default(), is_owner),
            is_owner,
            time_zone: zone.unwrap_or(DEFAULT_ZONE).into(),
            credential: credential.map(Into::into),
            glass_at: Actor::NO_BREAK_GLASS,
            exercised: None,
            handed: Vec::new(),
            proxy_id: None,
        }
    }

    /// Whether they may sign in with a password or link.
    pub fn may_sign_in(&self) -> bool {
        may_sign_in(&self.user, self.membership.as_ref())
    }
}

/// Loads a person, whom nobody changes until the transaction ends: so a session
/// or a key is never made by what a change at the same moment took away.
pub async fn load_held(
    tx: &mut Tx,
    org_id: i64,
    user_id: i64,
) -> Result<Option<Person>, StoreError> {
    let held = "SELECT id FROM users WHERE org_id = $1 AND id = $2 FOR_UPDATE";
    tx.rows(&Sql::fixed(held, [org_id.into(), user_id.into()])).await?;
    load(tx, org_id, user_id).await
}

/// Loads a person of a root organization.
pub async fn load(tx: &mut Tx, org_id: i64, user_id: i64) -> Result<Option<Person>, StoreError> {
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let Some(user) = scope.find(Id::<User>::new(user_id)).await? else { return Ok(None) };
    let membership = match user.is_patient {
        true => None,
        false => account::membership_of(&mut scope, user.id).await?,
    };
    let unit = scope.find_by::<Organization>(Cond::eq("id", user.unit_id.0)).await?;
    let provider = match user.dietitian_id {
        Some(id) => scope.find(id).await?,
        None => None,
    };
    Ok(Some(Person {
        is_owner: unit.is_some_and(|unit| unit.owner_id == Some(user.id)),
        provider_zone: provider.and_then(|provider| provider.timezone),
        membership,
        user,
    }))
}
