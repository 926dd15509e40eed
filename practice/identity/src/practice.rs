//! New practices and new members, as rows: what sign-up, the command line and
//! seeding share.

use ward_engine::{Answer, Request};
use ward_instance::Timestamp;
use ward_store::{Actor, Flags, Id, Query, Scope, Sql, StoreError, Tx, Value, keyring};

use crate::flags::{self, Governs};
use crate::tables::{
    InviteKind, OrgRole, Organization, OrganizationMembership, PasswordSetBy, UploadScan, User,
};
use crate::{account, organization_info, person};

/// Who a new member is.
#[derive(Clone, Debug, Default)]
pub struct NewMember {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// E-mail address; integrations may have none.
    pub email: Option<String>,
    /// Telephone number.
    pub phone_number: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Letters behind the name.
    pub qualifications: Option<String>,
    /// Title in the organization.
    pub title: Option<String>,
    /// Hash of a password that the person chose.
    pub password_hash: Option<String>,
    /// A program's account.
    pub is_integration: bool,
}

/// What a new member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Standard or Support.
    pub role: OrgRole,
    /// Exactly these flags.
    pub held: Flags,
}

impl Place {
    /// A role with its default flags (behaviour 16.3, end).
    pub fn of(role: OrgRole) -> Self {
        Place { role, held: flags::defaults(role) }
    }

    /// The owner of an organization: everything but what the operator sets and
    /// what only changes the display.
    pub fn owner() -> Self {
        let operator_set = [
            flags::CAN_REQUEST_TO_PRESCRIBE_CONTROLLED_SUBSTANCES,
            flags::CAN_SUBMIT_CMS_1500S_TO_CANDID_HEALTH,
        ];
        let lines = flags::ALL.iter().filter(|line| line.governs != Governs::Display);
        let all = lines.fold(Flags::default(), |held, line| held.with(line.permission.flag));
        let held = operator_set.iter().fold(all, |held, it| held.without(it.flag));
        Place { role: OrgRole::Standard, held: held.with(flags::SHOW_ORG_TAB.flag) }
    }

    /// An administrator who is also a provider.
    pub fn administrator() -> Self {
        let held = Self::owner().held;
        Place { role: OrgRole::Standard, held }
    }

    /// A program that reads and writes clients, calendars and notes: no
    /// provider, no administrator, no developer.
    pub fn integration() -> Self {
        let lines = [
            flags::CAN_SEE_CLIENTS,
            flags::SEES_ALL_CLIENTS,
            flags::CAN_ADD_CLIENTS,
            flags::CAN_CREATE_TAGS,
            flags::CAN_SEE_CALENDAR,
            flags::CAN_EDIT_CALENDAR,
            flags::CAN_ADD_OTHERS_APPOINTMENTS,
            flags::CAN_EDIT_FORMS,
            flags::CAN_SEE_DOCS,
        ];
        let held = lines.iter().fold(Flags::default(), |held, it| held.with(it.flag));
        Place { role: OrgRole::Support, held }
    }
}

/// A practice with its first member.
#[derive(Clone, Debug)]
pub struct Founded {
    /// The root organization.
    pub organization: Organization,
    /// Its owner.
    pub owner: User,
    /// The owner's membership.
    pub membership: OrganizationMembership,
}

/// An organization of which only the name is known.
pub fn blank_organization(
    id: Id<Organization>,
    root: Id<Organization>,
    name: &str,
    email: &str,
    now: Timestamp,
) -> Organization {
    Organization {
        id,
        org_id: root,
        parent_organization_id: (root != id).then_some(root),
        name: name.to_owned(),
        organization_email: email.to_owned(),
        phone_number: None,
        npi: None,
        tax_id: None,
        tax_id_type: None,
        other_id: None,
        other_id_qual: None,
        is_active: true,
        can_have_suborgs: root == id,
        owner_id: None,
        require_insurance_card_upload: false,
        requires_webhook_validation: false,
        upload_scan: UploadScan::Off,
        chart_note_autolock_hours: None,
        chart_note_autolock_since: None,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// Makes a root organization, its data keys and its owner. Everything is
/// audited as the owner's own act when `by_owner`, else as the system's.
pub async fn found(
    tx: &mut Tx,
    name: &str,
    owner: &NewMember,
    by_owner: bool,
) -> Result<Founded, StoreError> {
    let id = Id::<Organization>::new(tx.next_id_of("Organization").await?);
    let user_id = Id::<User>::new(tx.next_id_of("User").await?);
    keyring::create_for(tx, id.0).await?;
    let mut actor = Actor::system(id.0);
    if by_owner {
        actor = Actor {
            role: ward_store::Role::Member,
            user_id: user_id.0,
            time_zone: owner.timezone.as_deref().unwrap_or(person::DEFAULT_ZONE).into(),
            ..actor
        };
    }
    let mut scope = Scope::new(tx, &actor);
    let now = scope.now();
    let address = owner.email.clone().unwrap_or_default();
    let organization = blank_organization(id, id, name, &address, now);
    scope.create(&organization).await?;
    organization_info::create_primary(&mut scope, &organization).await?;
    let (user, membership) =
        add_member_as(&mut scope, user_id, &organization, owner, Place::owner()).await?;
    let owned = Organization { owner_id: Some(user.id), ..organization.clone() };
    let changes = scope.update(&organization, &owned).await?;
    let organization = Organization { version: changes.version.unwrap_or(1), ..owned };
    Ok(Founded { organization, owner: user, membership })
}

/// Makes a member of a unit of the scope's organization.
pub async fn add_member(
    scope: &mut Scope<'_>,
    unit: &Organization,
    member: &NewMember,
    place: Place,
) -> Result<(User, OrganizationMembership), StoreError> {
    let id = scope.next_id::<User>().await?;
    add_member_as(scope, id, unit, member, place).await
}

/// The same, with an id that is reserved already.
pub async fn add_member_as(
    scope: &mut Scope<'_>,
    id: Id<User>,
    unit: &Organization,
    member: &NewMember,
    place: Place,
) -> Result<(User, OrganizationMembership), StoreError> {
    write_member(scope, id, unit, member, (place, PasswordSetBy::Person)).await
}

/// The same, with a password that whoever adds the member chose.
pub async fn add_member_by_staff(
    scope: &mut Scope<'_>,
    unit: &Organization,
    member: &NewMember,
    place: Place,
) -> Result<(User, OrganizationMembership), StoreError> {
    let id = scope.next_id::<User>().await?;
    write_member(scope, id, unit, member, (place, PasswordSetBy::Staff)).await
}

async fn write_member(
    scope: &mut Scope<'_>,
    id: Id<User>,
    unit: &Organization,
    member: &NewMember,
    (place, set_by): (Place, PasswordSetBy),
) -> Result<(User, OrganizationMembership), StoreError> {
    let now = scope.now();
    let email = member.email.as_deref();
    let human = account::human_of(scope, account::NAMESPACE, email, false).await?;
    let mut user = User::blank(id, unit.org_id, unit.id, human, now);
    user.email.clone_from(&member.email);
    user.first_name = Some(member.first_name.clone());
    user.last_name = Some(member.last_name.clone());
    user.phone_number.clone_from(&member.phone_number);
    user.timezone.clone_from(&member.timezone);
    user.qualifications.clone_from(&member.qualifications);
    user.is_integration = member.is_integration;
    user.password_hash.clone_from(&member.password_hash);
    user.password_set_by = member.password_hash.as_ref().map(|_| set_by);
    user.created_by_id = creator(scope, id);
    if place.held.has(flags::IS_PROVIDER.flag) {
        let code = account::new_invite_code(scope, InviteKind::Provider, id.0).await?;
        user.invite_code = Some(code);
    }
    account::create(scope, &user).await?;
    let membership_id = scope.next_id::<OrganizationMembership>().await?;
    let mut membership = OrganizationMembership::new(membership_id, &user, place.role, now);
    membership.title.clone_from(&member.title);
    membership.set_flags(place.held);
    let membership = account::create_membership(scope, membership).await?;
    scope.emit(crate::events::membership_created(&membership));
    Ok((user, membership))
}

/// Whoever made the account, unless it was the person or the system.
fn creator(scope: &Scope<'_>, id: Id<User>) -> Option<Id<User>> {
    let by = scope.actor.user_id;
    (by != 0 && by != id.0).then(|| Id::new(by))
}

/// The name of the caller's organization, read before a transaction: no password is built from it.
pub async fn name(request: &Request) -> Answer<Option<String>> {
    let sql = Sql::fixed(
        "SELECT o.name FROM organizations o WHERE o.org_id = $1 AND o.id = $2",
        [request.actor.org_id.into(), request.actor.unit_id.into()],
    );
    let rows = request.db.read().await?.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::text).map(str::to_owned))
}
