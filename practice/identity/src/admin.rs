//! Administration from the command line: organizations, people, links, keys.
//! Every act is the system's and stands in the audit log.

use ward_store::{Cond, Id, Query, Role, Scope, Sql, StoreError, Tx, Value};
use zeroize::Zeroizing;

use crate::account;
use crate::key::{self, Minting, NewKey};
use crate::key_limits::Limits;
use crate::person;
use crate::practice::{self, Founded, NewMember, Place};
use crate::tables::{
    ApiKey, CredentialClass, LinkPurpose, OrgRole, Organization, OrganizationMembership, User,
};
use crate::{email, link, second_factor};

/// Whom an account is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A second pair of hands of the owner: an administrator.
    Administrator,
    /// A provider.
    Provider,
    /// A coordinator.
    Support,
    /// A program: no log-in, only keys.
    Integration,
}

impl Preset {
    /// The preset of this name.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "administrator" | "admin" | "owner" => Preset::Administrator,
            "provider" => Preset::Provider,
            "support" => Preset::Support,
            "integration" => Preset::Integration,
            _ => return None,
        })
    }

    /// What such an account may do.
    pub fn place(self) -> Place {
        match self {
            Preset::Administrator => Place::administrator(),
            Preset::Provider => Place::of(OrgRole::Standard),
            Preset::Support => Place::of(OrgRole::Support),
            Preset::Integration => Place::integration(),
        }
    }
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was asked for can't be; one sentence.
    #[error("{0}")]
    Refused(String),
}

impl ward_store::Failure for AdminError {
    fn store(&self) -> Option<&StoreError> {
        match self {
            AdminError::Store(error) => Some(error),
            AdminError::Refused(_) => None,
        }
    }
}

fn refused<T>(sentence: &str) -> Result<T, AdminError> {
    Err(AdminError::Refused(sentence.to_owned()))
}

/// Makes an organization with its owner, who has no password yet: give them a
/// [`one_time_link`].
pub async fn create_organization_with_owner(
    tx: &mut Tx,
    name: &str,
    owner: &NewMember,
) -> Result<Founded, AdminError> {
    check_email(owner.email.as_deref())?;
    Ok(practice::found(tx, name, owner, false).await?)
}

fn check_email(address: Option<&str>) -> Result<(), AdminError> {
    match address {
        Some(address) if email::is_valid(address) => Ok(()),
        _ => refused("the e-mail address is not one"),
    }
}

/// An organization, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrganization {
    /// Its id.
    pub id: i64,
    /// The root organization's; the same for a root.
    pub org_id: i64,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner_id: Option<i64>,
}

/// An account, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// Its id.
    pub id: i64,
    /// The root organization.
    pub org_id: i64,
    /// E-mail address.
    pub email: Option<String>,
    /// First and last name.
    pub name: String,
    /// `owner`, `administrator`, `provider`, `support`, `integration` or `client`.
    pub role: &'static str,
    /// Whether they may act.
    pub active: bool,
    /// Whether they have a password.
    pub has_password: bool,
}

const LISTED: &str = "SELECT u.id, u.org_id, u.email, u.first_name, u.last_name, u.is_patient, \
     u.is_integration, u.active, CASE WHEN u.password_hash IS NULL THEN 0 ELSE 1 END, \
     o.owner_id, m.active, m.is_admin, m.is_provider FROM users u \
     LEFT JOIN organization_memberships m ON m.org_id = u.org_id AND m.user_id = u.id \
     LEFT JOIN organizations o ON o.org_id = u.org_id AND o.id = u.unit_id ";

fn listed(row: &[Value]) -> Option<ListedUser> {
    let text = |at: usize| row.get(at).and_then(Value::text);
    let truth = |at: usize| row.get(at).is_some_and(Value::truth);
    let id = row.first()?.int()?;
    let role = match () {
        () if truth(5) => "client",
        () if truth(6) => "integration",
        () if row.get(9)?.int() == Some(id) => "owner",
        () if truth(11) => "administrator",
        () if truth(12) => "provider",
        () => "support",
    };
    Some(ListedUser {
        id,
        org_id: row.get(1)?.int()?,
        email: text(2).map(str::to_owned),
        name: account::joined([text(3), text(4)]),
        role,
        active: truth(5) || (truth(7) && truth(10)),
        has_password: truth(8),
    })
}

/// The staff of every organization, in the order they were made.
pub async fn list_staff(q: &mut impl Query) -> Result<Vec<ListedUser>, StoreError> {
    let mut sql = Sql::fixed(LISTED, []);
    sql.push("WHERE u.is_patient = FALSE ORDER BY u.id");
    Ok(q.rows(&sql).await?.iter().filter_map(listed).collect())
}

/// The accounts of an e-mail address, or the one of an id, in all
/// organizations: addresses may repeat, then the id is to be asked for.
pub async fn find_users(q: &mut impl Query, who: &str) -> Result<Vec<ListedUser>, StoreError> {
    let id = who.trim().parse::<i64>().unwrap_or(0);
    let mut sql = Sql::fixed(LISTED, [id.into(), email::key(who).into()]);
    sql.push("WHERE u.id = $1 OR u.email_fold = $2 ORDER BY u.id LIMIT 100");
    Ok(q.rows(&sql).await?.iter().filter_map(listed).collect())
}

/// Makes an account in a unit of the scope's organization.
pub async fn create_user(
    scope: &mut Scope<'_>,
    unit_id: Id<Organization>,
    preset: Preset,
    member: &NewMember,
) -> Result<(User, OrganizationMembership), AdminError> {
    require_system(scope)?;
    let is_integration = preset == Preset::Integration;
    if !is_integration || member.email.is_some() {
        check_email(member.email.as_deref())?;
    }
    if let Some(address) = &member.email
        && account::is_member_email_taken(scope, address, None).await?
    {
        return refused("a member of this organization has this e-mail address already");
    }
    let Some(unit) = scope.find_by::<Organization>(Cond::eq("id", unit_id.0)).await? else {
        return refused("there is no such organization");
    };
    let member = NewMember { is_integration, ..member.clone() };
    Ok(practice::add_member(scope, &unit, &member, preset.place()).await?)
}

fn require_system(scope: &Scope<'_>) -> Result<(), AdminError> {
    match scope.actor.role {
        Role::System => Ok(()),
        _ => refused("only the system administers the instance"),
    }
}

/// Bars an account: its sessions and keys end at once.
pub async fn disable_user(scope: &mut Scope<'_>, id: Id<User>) -> Result<User, AdminError> {
    require_system(scope)?;
    let Some(before) = scope.find(id).await? else { return refused("there is no such account") };
    if let Some(membership) = account::membership_of(scope, id).await? {
        let after = OrganizationMembership { active: false, ..membership.clone() };
        scope.update(&membership, &after).await?;
    }
    let now = scope.now();
    let after = User { active: false, archived_at: Some(now), ..before.clone() };
    account::update(scope, &before, &after).await?;
    key::revoke_all(scope, id).await?;
    link::void_all(scope, id).await?;
    crate::session::end_all(scope, id.0).await?;
    Ok(after)
}

/// A link that sets the account's password, once: the address of its page.
pub async fn one_time_link(
    scope: &mut Scope<'_>,
    id: Id<User>,
    base_url: &str,
) -> Result<Zeroizing<String>, AdminError> {
    require_system(scope)?;
    let Some(user) = scope.find(id).await? else { return refused("there is no such account") };
    let membership = account::membership_of(scope, id).await?;
    if !person::may_sign_in(&user, membership.as_ref()) {
        return refused("this account can't sign in");
    }
    let minted = link::issue(scope, &user, LinkPurpose::Invite).await?;
    Ok(Zeroizing::new(link::address(base_url, &minted.text)))
}

/// Makes a key of an account.
pub async fn create_key(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
    name: Option<&str>,
    class: CredentialClass,
) -> Result<NewKey, AdminError> {
    let name = name.map(str::to_owned);
    create_key_of(
        scope,
        user_id,
        Minting { name, class, limits: Limits::default(), at_sign_in: false },
    )
    .await
}

/// Makes a key of an account, with bounds.
pub async fn create_key_of(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
    minting: Minting,
) -> Result<NewKey, AdminError> {
    require_system(scope)?;
    let Some(user) = scope.find(user_id).await? else { return refused("there is no such account") };
    let membership = account::membership_of(scope, user_id).await?;
    if !person::may_act(&user, membership.as_ref()) {
        return refused("this account is not active");
    }
    if key::of_user(scope, user_id).await?.len() >= key::KEYS_OF_A_USER_MAX {
        return refused("a user can have 50 API keys; delete one that is not used");
    }
    Ok(key::mint(scope, &user, minting).await?)
}

/// Takes all second factors of an account away, and ends its sessions.
pub async fn reset_mfa(scope: &mut Scope<'_>, id: Id<User>) -> Result<User, AdminError> {
    require_system(scope)?;
    let Some(user) = scope.find(id).await? else { return refused("there is no such account") };
    if user.is_patient {
        return refused("clients have no second factor");
    }
    second_factor::remove_all(scope, &user).await?;
    crate::session::end_all(scope, id.0).await?;
    Ok(user)
}

/// The tenant of a live key, by its handle or its id.
pub async fn find_key(q: &mut impl Query, which: &str) -> Result<Option<(i64, i64)>, StoreError> {
    let id = which.trim().parse::<i64>().unwrap_or(0);
    let sql = Sql::fixed(
        "SELECT org_id, id FROM api_keys WHERE (id = $1 OR kid = $2) AND deleted_at IS NULL",
        [id.into(), which.trim().into()],
    );
    let rows = q.rows(&sql).await?;
    let row = rows.iter().next();
    Ok(row.and_then(|row| Some((row.first()?.int()?, row.get(1)?.int()?))))
}

/// Revokes a key at once.
pub async fn delete_key(scope: &mut Scope<'_>, id: Id<ApiKey>) -> Result<(), AdminError> {
    require_system(scope)?;
    match scope.find(id).await? {
        Some(key) if key.deleted_at.is_none() => Ok(key::revoke(scope, &key).await?),
        _ => refused("there is no such key"),
    }
}
