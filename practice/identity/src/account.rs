//! Making and changing accounts: the one place that keeps users, the sign-in
//! lookup and humans in step (behaviour 15, 18.1).

use std::collections::HashMap;

use ward_instance::Timestamp;
use ward_store::{Changes, Cond, Flags, Id, OrderKey, Query, Role, Scope, Sql, StoreError, search};

use crate::tables::{
    Human, InviteCode, InviteKind, Login, LoginStanding, OrgRole, Organization,
    OrganizationMembership, User,
};
use crate::{email, flags, key, link, proxy, session};

/// The authentication space when none is named (behaviour 3.2).
pub const NAMESPACE: &str = "healthie";

/// Characters of an invite code: 62^10 is more than anybody can try.
const INVITE_CODE_CHARACTERS: usize = 10;

impl User {
    /// An active account of which nothing else is known yet.
    pub fn blank(
        id: Id<User>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        human_id: Id<Human>,
        now: Timestamp,
    ) -> Self {
        User {
            id,
            org_id,
            unit_id,
            is_patient: false,
            active: true,
            archived_at: None,
            merged_into_id: None,
            is_integration: false,
            namespace: NAMESPACE.to_owned(),
            human_id,
            email: None,
            unconfirmed_email: None,
            skipped_email: false,
            first_name: None,
            last_name: None,
            legal_name: None,
            phone_number: None,
            additional_phone_number: None,
            dob: None,
            deceased_on: None,
            gender: None,
            gender_identity: None,
            gender_identity_code: None,
            sex: None,
            pronouns: None,
            sexual_orientation: None,
            sexual_orientation_code: None,
            sexual_orientation_other: None,
            primary_race: None,
            primary_race_code: None,
            secondary_race: None,
            secondary_race_code: None,
            primary_ethnicity: None,
            primary_ethnicity_code: None,
            secondary_ethnicity: None,
            secondary_ethnicity_code: None,
            preferred_language_code: None,
            timezone: None,
            qualifications: None,
            bio: None,
            profession: None,
            license_num: None,
            npi: None,
            height: None,
            weight: None,
            record_identifier: None,
            additional_record_identifier: None,
            dietitian_id: None,
            user_group_id: None,
            default_billing_type: None,
            restricted: false,
            metadata: None,
            ssn: None,
            quick_notes: None,
            invite_code: None,
            avatar_id: None,
            uploaded_avatar_file_name: None,
            password_hash: None,
            password_set_by: None,
            last_sign_in_at: None,
            last_active: None,
            created_by_id: None,
            consented_to_labs: false,
            submit_labs_immediately: false,
            assign_tasks_seen: false,
            blast_seen: false,
            seen_welcome: false,
            seen_onboarding_complete_page: false,
            dismissed_calendar_prompt: false,
            dismissed_charting_note_addendum_warning: false,
            dismissed_insurance_eligibility_warning: false,
            dismissed_fullscript: false,
            dismissed_products_tab: false,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }

    /// First and last name.
    pub fn full_name(&self) -> String {
        joined([self.first_name.as_deref(), self.last_name.as_deref()])
    }
}

/// Names with one space between.
pub fn joined<const N: usize>(names: [Option<&str>; N]) -> String {
    let names: Vec<&str> =
        names.into_iter().flatten().map(str::trim).filter(|name| !name.is_empty()).collect();
    names.join(" ")
}

impl OrganizationMembership {
    /// A new member's place, with the role's default flags.
    pub fn new(id: Id<Self>, user: &User, org_role: OrgRole, now: Timestamp) -> Self {
        let mut membership = crate::tables::blank_membership(id, user, org_role, now);
        membership.set_flags(flags::defaults(org_role));
        membership
    }

    /// The flags as they are stored.
    pub fn flags(&self) -> Flags {
        flags::stored(self)
    }

    /// Replaces every flag.
    pub fn set_flags(&mut self, held: Flags) {
        flags::store(self, held);
    }
}

/// The human of a new account: that of the accounts of the same kind with the
/// same e-mail address in this root organization, or a new one. Members and
/// clients are never one human: a client's e-mail is whatever staff typed.
pub async fn human_of(
    scope: &mut Scope<'_>,
    namespace: &str,
    address: Option<&str>,
    is_patient: bool,
) -> Result<Id<Human>, StoreError> {
    if let Some(address) = address {
        let sql = Sql::fixed(
            // All accounts of the address have the same human. No order: an
            // order would make the planner walk all users in it.
            "SELECT human_id FROM users WHERE org_id = $1 AND email_fold = $2 \
             AND namespace = $3 AND is_patient = $4 AND deleted_at IS NULL LIMIT 1",
            [
                scope.actor.org_id.into(),
                email::key(address).into(),
                namespace.into(),
                is_patient.into(),
            ],
        );
        if let Some(id) = scope.tx.rows(&sql).await?.scalar().and_then(ward_store::Value::int) {
            return Ok(Id::new(id));
        }
    }
    scope.tx.next_id_of("Human").await.map(Id::new)
}

/// The humans of those addresses, as their keys, that accounts of the same kind
/// in this root organization have already.
pub async fn humans_of(
    scope: &mut Scope<'_>,
    namespace: &str,
    keys: Vec<String>,
    is_patient: bool,
) -> Result<HashMap<String, Id<Human>>, StoreError> {
    let keys: Vec<Box<str>> = keys.into_iter().map(String::into_boxed_str).collect();
    let mut sql = Sql::new();
    sql.push("SELECT email_fold, human_id FROM users WHERE org_id = ").bind(scope.actor.org_id);
    sql.push(" AND namespace = ").bind(namespace).push(" AND is_patient = ").bind(is_patient);
    sql.push(" AND email_fold").bind_in_texts(keys);
    let rows = scope.tx.rows(&sql).await?;
    let of = |row: &[ward_store::Value]| match row {
        [ward_store::Value::Text(key), ward_store::Value::Int(id)] => {
            Some((key.to_string(), Id::new(*id)))
        }
        _ => None,
    };
    Ok(rows.iter().filter_map(of).collect())
}

/// Writes a new account with its sign-in lookup.
pub async fn create(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    scope.create(user).await?;
    add_login(scope, user).await
}

/// The same for many new accounts at once.
pub async fn create_all(scope: &mut Scope<'_>, users: &[User]) -> Result<(), StoreError> {
    scope.create_all(users).await?;
    let logins: Vec<Login> = users.iter().filter_map(|user| login(scope, user)).collect();
    scope.create_all(&logins).await
}

/// Writes what changed, and keeps the sign-in lookup. A new password or address, a changed activation
/// and a death end sessions (SEC-09); all but the activation end open links and keys of sign-ins too. Another date of birth may end who acts.
pub async fn update(
    scope: &mut Scope<'_>,
    before: &User,
    after: &User,
) -> Result<Changes, StoreError> {
    let changes = scope.update(before, after).await?;
    if before.email != after.email || before.namespace != after.namespace {
        remove_logins(scope, after).await?;
        add_login(scope, after).await?;
    }
    let is_barred = before.active && !after.active && !after.is_patient;
    let is_other = before.password_hash != after.password_hash || before.email != after.email;
    let has_died = before.deceased_on.is_none() && after.deceased_on.is_some();
    if is_barred || is_other || has_died {
        session::end_all(scope, after.id.0).await?;
    }
    if is_other || has_died {
        link::void_all(scope, after.id).await?;
        key::revoke_of_sign_ins(scope, after.id, None).await?;
    }
    proxy::over::end_by(scope, before, after).await.map(|()| changes)
}

/// Ends an account for good: its sessions, links, keys and sign-in lines go, and
/// the row is kept as `after` has it.
pub async fn close(scope: &mut Scope<'_>, before: &User, after: &User) -> Result<(), StoreError> {
    scope.update(before, after).await?;
    proxy::grant::end_all(scope, before.id).await?;
    session::end_all(scope, before.id.0).await?;
    link::void_all(scope, before.id).await?;
    key::revoke_all(scope, before.id).await?;
    remove_logins(scope, before).await
}

async fn remove_logins(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "DELETE FROM logins WHERE root_id = $1 AND user_id = $2",
        [user.org_id.0.into(), user.id.0.into()],
    );
    scope.tx.execute(&sql).await.map(drop)
}

async fn add_login(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    match login(scope, user) {
        Some(login) => scope.create(&login).await,
        None => Ok(()),
    }
}

/// The account's line of the sign-in lookup, if it has an address.
fn login(scope: &Scope<'_>, user: &User) -> Option<Login> {
    Some(Login {
        namespace: user.namespace.clone(),
        email_key: email::key(user.email.as_deref()?),
        root_id: user.org_id,
        user_id: user.id,
        is_patient: user.is_patient,
        standing: standing(scope, user),
        created_at: scope.now(),
    })
}

fn standing(scope: &Scope<'_>, user: &User) -> LoginStanding {
    match scope.actor.role {
        Role::System => LoginStanding::Proven,
        Role::Member if scope.actor.user_id != user.id.0 => LoginStanding::Vouched,
        _ => LoginStanding::Claimed,
    }
}

/// Notes that the account's person reads mail at its address.
pub async fn prove_login(scope: &mut Scope<'_>, user_id: Id<User>) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE logins SET standing = $1 WHERE root_id = $2 AND user_id = $3",
        [LoginStanding::Proven.as_str().into(), scope.actor.org_id.into(), user_id.0.into()],
    );
    scope.tx.execute(&sql).await.map(drop)
}

/// Before an account gets an e-mail address or a name: whoever does the same for
/// this address in this root organization at this moment waits, so that of two
/// equal clients one is refused and the accounts of an address are one human.
pub async fn lock_address(scope: &mut Scope<'_>, address: Option<&str>) -> Result<(), StoreError> {
    let Some(address) = address else { return Ok(()) };
    let org_id = scope.actor.org_id.to_string();
    scope.tx.lock(&["address", &org_id, &email::key(address)]).await
}

/// Whether the root organization has a client of the same namespace, e-mail,
/// first and last name already (behaviour 15), other than `except`.
pub async fn is_client_taken(
    scope: &mut Scope<'_>,
    client: &User,
    except: Option<Id<User>>,
) -> Result<bool, StoreError> {
    let Some(address) = client.email.as_deref() else { return Ok(false) };
    let folded = |name: &Option<String>| search::folded(&name.clone().into());
    let sql = Sql::fixed(
        "SELECT id FROM users WHERE org_id = $1 AND email_fold = $2 AND namespace = $3 \
         AND first_name_fold = $4 AND last_name_fold = $5 AND is_patient = TRUE AND id <> $6 \
         AND deleted_at IS NULL LIMIT 1",
        [
            client.org_id.0.into(),
            email::key(address).into(),
            client.namespace.as_str().into(),
            folded(&client.first_name),
            folded(&client.last_name),
            except.map_or(0, |id| id.0).into(),
        ],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

/// Whether a member of the root organization has this address already, other
/// than `except`. Other organizations never matter (SEC-02).
pub async fn is_member_email_taken(
    scope: &mut Scope<'_>,
    address: &str,
    except: Option<Id<User>>,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT id FROM users WHERE org_id = $1 AND email_fold = $2 \
         AND is_patient = FALSE AND id <> $3 LIMIT 1",
        [scope.actor.org_id.into(), email::key(address).into(), except.map_or(0, |id| id.0).into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

/// Whether a member of the unit has this address already, other than `except`.
/// Other units never matter: who works for two has two accounts (behaviour 15).
pub async fn is_unit_email_taken(
    scope: &mut Scope<'_>,
    unit_id: Id<Organization>,
    address: &str,
    except: Option<Id<User>>,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT id FROM users WHERE org_id = $1 AND email_fold = $2 \
         AND is_patient = FALSE AND unit_id = $3 AND id <> $4 LIMIT 1",
        [
            scope.actor.org_id.into(),
            email::key(address).into(),
            unit_id.0.into(),
            except.map_or(0, |id| id.0).into(),
        ],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

/// The membership of a member.
pub async fn membership_of(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
) -> Result<Option<OrganizationMembership>, StoreError> {
    scope.find_by(Cond::eq("user_id", user_id.0)).await
}

/// Writes a membership behind the members that its unit has.
pub async fn create_membership(
    scope: &mut Scope<'_>,
    mut membership: OrganizationMembership,
) -> Result<OrganizationMembership, StoreError> {
    let last = scope
        .list::<OrganizationMembership>(
            Cond::eq("unit_id", membership.unit_id.0),
            &[OrderKey::column("position", true)],
        )
        .await?;
    membership.position = last.first().map_or(1, |last| last.position + 1);
    scope.create(&membership).await?;
    Ok(membership)
}

/// Draws an invite code that leads to a provider, a group or an organization
/// of the actor's root organization.
pub async fn new_invite_code(
    scope: &mut Scope<'_>,
    kind: InviteKind,
    target_id: i64,
) -> Result<String, StoreError> {
    let code = scope.instance().random().base62(INVITE_CODE_CHARACTERS).to_lowercase();
    let row = InviteCode {
        code: code.clone(),
        root_id: Id::new(scope.actor.org_id),
        kind,
        target_id,
        created_at: scope.now(),
    };
    scope.create(&row).await?;
    Ok(code)
}
