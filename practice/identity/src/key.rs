//! API keys (behaviour 17): making, showing and revoking them.

use ward_engine::{Answer, Call, Out, Payload, Refused, ViewId, input};
use ward_instance::api_key::{ApiKey as KeyText, KeyRole};
use ward_instance::{Instance, Timestamp};
use ward_store::{Cond, Id, Level, Scope, StoreError, search};
use zeroize::Zeroizing;

use crate::flags::{IS_ADMIN, IS_DEVELOPER};
use crate::key_limits::Limits;
use crate::permit::not_by_proxy;
use crate::person::{self, Person};
use crate::tables::{ApiKey, CredentialClass, RevokedKey, User};
use crate::{grant, rank_of, session};

/// Live keys that one user can have.
pub const KEYS_OF_A_USER_MAX: usize = 50;
/// Characters of a key's name.
const NAME_CHARACTERS_MAX: usize = 255;

impl CredentialClass {
    /// As the instance calls it.
    pub const fn role(self) -> KeyRole {
        match self {
            CredentialClass::User => KeyRole::User,
            CredentialClass::Agent => KeyRole::Agent,
            CredentialClass::Ephemeral => KeyRole::Ephemeral,
        }
    }
}

/// What of a key its MAC binds: whose it is, what it opens, how long (ISO-13).
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The row.
    pub id: i64,
    /// The root organization.
    pub org_id: i64,
    /// Whose key it is.
    pub user_id: i64,
    /// Whom it is for.
    pub class: &'a str,
    /// The look-up handle.
    pub kid: &'a str,
    /// Digest of handle and secret.
    pub secret_hash: &'a [u8],
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used, as the row keeps it.
    pub allowed_addresses: Option<&'a str>,
}

impl Bound<'_> {
    fn fields(&self) -> [Vec<u8>; 8] {
        [
            self.id.to_be_bytes().to_vec(),
            self.org_id.to_be_bytes().to_vec(),
            self.user_id.to_be_bytes().to_vec(),
            self.class.as_bytes().to_vec(),
            self.kid.as_bytes().to_vec(),
            self.secret_hash.to_vec(),
            self.expires_at.map_or(Vec::new(), |at| at.0.to_be_bytes().to_vec()),
            self.allowed_addresses.unwrap_or_default().as_bytes().to_vec(),
        ]
    }

    /// The MAC, bound to the instance.
    pub fn sign(&self, instance: &Instance) -> Vec<u8> {
        let fields = self.fields();
        instance.row_mac("api_keys", &fields.each_ref().map(Vec::as_slice)).to_vec()
    }

    /// Whether a row's MAC is that of these values; constant time.
    pub fn fits(&self, instance: &Instance, tag: &[u8]) -> bool {
        let fields = self.fields();
        instance.row_mac_fits("api_keys", &fields.each_ref().map(Vec::as_slice), tag)
    }
}

/// A key just made; its text is shown once.
pub struct NewKey {
    /// What the caller gets.
    pub text: Zeroizing<String>,
    /// What is kept.
    pub row: ApiKey,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({}…)", self.row.kid)
    }
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct Minting {
    /// What it is for.
    pub name: Option<String>,
    /// Whom it is for.
    pub class: CredentialClass,
    /// Its bounds.
    pub limits: Limits,
    /// Whether it stands for a session.
    pub at_sign_in: bool,
}

impl Minting {
    /// A key of a user without bounds.
    pub fn named(name: &str) -> Self {
        let class = CredentialClass::User;
        Minting { name: Some(name.to_owned()), class, limits: Limits::default(), at_sign_in: false }
    }
}

/// Makes a key of a user.
pub async fn mint(
    scope: &mut Scope<'_>,
    user: &User,
    minting: Minting,
) -> Result<NewKey, StoreError> {
    let Minting { name, class, limits, at_sign_in } = minting;
    let minted = scope.instance().mint_key(class.role());
    let minted = minted.map_err(|error| StoreError::internal(error.to_string()))?;
    let now = scope.now();
    let mut row = ApiKey {
        id: scope.next_id().await?,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        class,
        name,
        kid: minted.kid,
        secret_hash: minted.secret_hash.to_vec(),
        row_mac: Vec::new(),
        last_used_day: None,
        expires_at: limits.expires_at,
        allowed_addresses: limits.allowed_addresses,
        made_at_sign_in: at_sign_in,
        created_by_id: (scope.actor.user_id != 0).then(|| Id::new(scope.actor.user_id)),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    row.row_mac = bound(&row).sign(scope.instance());
    scope.create(&row).await?;
    Ok(NewKey { text: minted.text, row })
}

/// What of a stored key its MAC binds.
pub fn bound(row: &ApiKey) -> Bound<'_> {
    Bound {
        id: row.id.0,
        org_id: row.org_id.0,
        user_id: row.user_id.0,
        class: row.class.as_str(),
        kid: &row.kid,
        secret_hash: &row.secret_hash,
        expires_at: row.expires_at,
        allowed_addresses: row.allowed_addresses.as_ref().map(|json| json.0.as_str()),
    }
}

/// A user's live keys.
pub async fn of_user(scope: &mut Scope<'_>, user_id: Id<User>) -> Result<Vec<ApiKey>, StoreError> {
    scope.list(Cond::eq("user_id", user_id.0), &[]).await
}

/// Revokes a key for good: its tombstone stays, so that the row put back by
/// hand opens nothing (ISO-13).
pub async fn revoke(scope: &mut Scope<'_>, key: &ApiKey) -> Result<(), StoreError> {
    scope.destroy(key).await?;
    let revoked_at = scope.now();
    scope.create(&RevokedKey { kid: key.kid.clone(), root_id: key.org_id, revoked_at }).await
}

/// Revokes all keys of a user.
pub async fn revoke_all(scope: &mut Scope<'_>, user_id: Id<User>) -> Result<(), StoreError> {
    for key in of_user(scope, user_id).await? {
        revoke(scope, &key).await?;
    }
    Ok(())
}

/// Revokes the keys that a user's sign-ins made, but the one in use.
pub async fn revoke_of_sign_ins(
    scope: &mut Scope<'_>,
    user_id: Id<User>,
    kept: Option<&str>,
) -> Result<(), StoreError> {
    for key in of_user(scope, user_id).await? {
        if key.made_at_sign_in && kept != Some(key.kid.as_str()) {
            revoke(scope, &key).await?;
        }
    }
    Ok(())
}

input! {
    /// `createApiKey`.
    pub struct CreateApiKey {
        name: String,
        user_id: Id<User>,
        expires_at: String,
        allowed_addresses: Vec<String>,
    }
}

input! {
    /// `deleteApiKey`.
    pub struct DeleteApiKey {
        id: Id<ApiKey>,
    }
}

/// Makes a key and shows it, this once.
pub async fn create_api_key(call: &mut Call<'_>, input: &CreateApiKey) -> Answer<Payload> {
    if !call.actor.is_member() || !call.actor.has(IS_DEVELOPER.flag) {
        return Err(Refused::Denied(IS_DEVELOPER));
    }
    let Some(&user_id) = input.user_id.value() else {
        return Err(Refused::on("user_id", "User can't be blank"));
    };
    let name = input.name.trimmed().map(str::to_owned);
    if name.as_ref().is_some_and(|name| name.chars().count() > NAME_CHARACTERS_MAX) {
        return Err(Refused::on("name", "Name is too long (maximum is 255 characters)"));
    }
    may_mint(call).await?;
    let zone = &call.request.zone;
    let wall = call.tx.wall();
    let limits = Limits::given(&input.expires_at, &input.allowed_addresses, zone, wall)?;
    let target = target(call, user_id, "user_id").await?;
    check_count(call, user_id).await?;
    let minting = Minting { name, class: CredentialClass::User, limits, at_sign_in: false };
    let key = mint(call, &target.user, minting).await?;
    Ok(Payload::new()
        .leaf("api_key", key.text.to_string())
        .leaf("api_key_object", shown_once(call, &key)))
}

/// Whether the caller may make keys at all: developers, no programs (SEC-06),
/// and with a session only after a fresh sign-in (SEC-10).
pub(crate) async fn may_mint(call: &mut Call<'_>) -> Answer<()> {
    let actor = call.actor;
    if !actor.is_member() || !actor.has(IS_DEVELOPER.flag) {
        return Err(Refused::Denied(IS_DEVELOPER));
    }
    let own = person::load(call.tx, actor.org_id, actor.user_id).await?;
    if own.is_none_or(|own| own.user.is_integration) {
        return Err(Refused::Denied(IS_DEVELOPER));
    }
    session::require_fresh(call, "make or delete API keys").await
}

/// The user whom the caller makes a key for: themselves or, as owner or
/// administrator, a member who is in no way stronger (SEC-04). `at` is the input
/// field that names them.
pub(crate) async fn target(
    call: &mut Call<'_>,
    user_id: Id<User>,
    at: &'static str,
) -> Answer<Person> {
    let actor = call.actor;
    if user_id.0 != actor.user_id {
        call.visible(user_id, Level::Full).await?.ok_or_else(|| Refused::not_found(at))?;
    }
    let target = person::load(call.tx, actor.org_id, user_id.0).await?;
    let target = target.ok_or_else(|| Refused::not_found(at))?;
    let is_ruler = actor.is_owner || actor.has(IS_ADMIN.flag);
    if user_id.0 != actor.user_id && (!is_ruler || target.user.is_patient) {
        return Err(Refused::Denied(IS_ADMIN));
    }
    rank_of::may_take_over(call, &target).await?;
    if !person::may_act(&target.user, target.membership.as_ref()) {
        return Err(Refused::on(at, "User is not active"));
    }
    Ok(target)
}

/// Refuses one key more than a user can have.
pub async fn check_count(scope: &mut Scope<'_>, user_id: Id<User>) -> Answer<()> {
    match of_user(scope, user_id).await?.len() < KEYS_OF_A_USER_MAX {
        true => Ok(()),
        false => Err(Refused::base("A user can have 50 API keys. Delete one that is not used")),
    }
}

/// The new key as an object whose `displayable_key` is the real key; read
/// again, it is masked (behaviour 17).
pub(crate) fn shown_once(call: &Call<'_>, key: &NewKey) -> Out {
    let row = &key.row;
    let request = call.request;
    let cursor_keys = [Some(format!("#{}", row.created_at.0)), Some(row.id.to_string())];
    Out::Json(serde_json::json!({
        "id": row.id.0,
        "name": row.name,
        "displayable_key": key.text.as_str(),
        "created_at": instant(row.created_at, request.view, &request.zone),
        "expires_at": row.expires_at.map(|at| instant(at, request.view, &request.zone)),
        "allowed_addresses": addresses(row.allowed_addresses.as_ref().map(|it| it.0.as_str())),
        "cursor": request.instance.cursor_encode("api_keys CREATED_AT desc", &cursor_keys),
    }))
}

/// A key's networks as a JSON list, as the row keeps them.
pub(crate) fn addresses(kept: Option<&str>) -> Option<serde_json::Value> {
    kept.and_then(|kept| serde_json::from_str(kept).ok())
}

/// An instant as the view writes it; only for objects that are not rows.
fn instant(at: Timestamp, view: ViewId, zone: &jiff::tz::TimeZone) -> String {
    let Ok(moment) = jiff::Timestamp::from_microsecond(at.0) else { return at.to_string() };
    let local = moment.to_zoned_datetime(zone.clone());
    let format = match view {
        ViewId::Baseline => "%Y-%m-%d %H:%M:%S %z",
        ViewId::V2026 if local.offset().is_zero() => "%Y-%m-%dT%H:%M:%SZ",
        ViewId::V2026 => "%Y-%m-%dT%H:%M:%S%:z",
    };
    local.strftime(format).to_string()
}

/// Revokes a key; the next request with it is refused. Keys of others
/// by who may make keys and is no weaker than their holder (SEC-04).
pub async fn delete_api_key(call: &mut Call<'_>, input: &DeleteApiKey) -> Answer<Payload> {
    not_by_proxy(call.actor, "deleting API keys")?;
    let Some(&id) = input.id.value() else {
        return Err(Refused::on("id", "Id can't be blank"));
    };
    let found = call.visible_for_update(id, Level::Full).await?;
    let (key, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    if key.user_id.0 != call.actor.user_id {
        may_mint(call).await?;
        let holder = person::load(call.tx, key.org_id.0, key.user_id.0).await?;
        grant::is_covered(call.actor, &holder.ok_or_else(|| Refused::not_found("id"))?)?;
    }
    revoke(call, &key).await?;
    Ok(Payload::new().one("api_key", id.0))
}

/// A key as it is shown after its birth: prefix, handle, dots.
pub fn masked(instance: &Instance, class: &str, kid: &str) -> String {
    let role = CredentialClass::from_text(class).unwrap_or(CredentialClass::User).role();
    KeyText::displayable(instance.kind(), &instance.tag(), role, kid)
}

/// Keys whose name contains every keyword.
pub fn keyword_cond(org_id: i64, keywords: Option<&str>) -> Cond {
    keywords.map_or(Cond::Always, |keywords| {
        search::keyword_cond(&crate::tables::API_KEYS, org_id, keywords)
    })
}
