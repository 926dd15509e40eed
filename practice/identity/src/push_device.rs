//! The apps that people are notified on (behaviour 42): each person registers
//! their own with `updateUser(uniq_push_id)`, and nobody else's.

use ward_engine::{Answer, Call, Given, Problems, Refused};
use ward_instance::{Timestamp, mac};
use ward_store::intents;
use ward_store::system::EffectClass;
use ward_store::{Actor, Cond, Id, Key, OrderKey, Reference, Role, Rule, Scope, StoreError, Uuid};
use ward_store::{index, record, unique};

use crate::lines::label;
use crate::permit::not_by_proxy;
use crate::restricted;
use crate::tables::{Organization, User};

/// The most devices of a person; the one that was registered longest ago goes first.
pub const DEVICES_MAX: usize = 10;

/// The longest name of a device at its push service, in characters.
const TOKEN_CHARS_MAX: usize = 4_096;

/// What a digest is made over.
const PURPOSE: &[u8] = b"ward/push-device/v1";

record! {
    /// An app on a device, where its owner wants to be notified.
    pub struct PushDevice in PUSH_DEVICES, push_devices {
        id: Uuid,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        user_id: Id<User>,
        /// Its name at the push service.
        token: String [sealed secret],
        /// Finds a device that somebody else has by now.
        token_digest: Vec<u8> [secret],
        /// How often its owner has registered it: what was told of it before counts no more.
        registration: i64,
        /// When that was last.
        registered_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "token_digest"]),
        index(&["org_id", "user_id", "registered_at"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("PUSH_DEVICE"),
    subject: restricted::by_user_id,
    visible: nobodys,
}

/// A device is notified, and read by nobody.
fn nobodys(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member | Role::Client | Role::Anonymous => Rule::none(),
    }
}

/// What is wrong with a device's name.
pub fn check(field: &str, given: &Given<String>, problems: &mut Problems) {
    let Some(token) = given.trimmed() else { return };
    let is_plain = token.chars().all(|c| c.is_ascii_graphic());
    if !is_plain || token.len() > TOKEN_CHARS_MAX {
        let what = "must be at most 4,096 visible ASCII characters";
        problems.add(field, format!("{} {what}", label(field)));
    }
}

/// Writes what somebody sent of their own device; of another person it is refused, or
/// staff could have a client's notices sent to themselves. Blank forgets all of one's own.
pub async fn write(
    call: &mut Call<'_>,
    field: &str,
    given: &Given<String>,
    owner: &User,
) -> Answer<()> {
    if !given.is_given() {
        return Ok(());
    }
    not_by_proxy(call.actor, "registering devices")?;
    if owner.id.0 != call.actor.user_id {
        let sentence = "A device is registered by the person who carries it";
        return Err(Refused::on(field, sentence));
    }
    match given.trimmed() {
        Some(token) => register(&mut call.scope, owner, token).await,
        None => Ok(forget(&mut call.scope, owner.id).await?),
    }
}

/// Registers a device for its owner. Who had it before, in the same organization,
/// gave it away; who has it already keeps what is on its way there.
async fn register(scope: &mut Scope<'_>, owner: &User, token: &str) -> Answer<()> {
    let digest = digest(owner.org_id, token);
    let found: Option<PushDevice> = scope.find_by(Cond::eq("token_digest", digest.clone())).await?;
    match found {
        Some(before) if before.user_id == owner.id => {
            let registration = before.registration + 1;
            let after = PushDevice { registration, registered_at: scope.now(), ..before.clone() };
            scope.update(&before, &after).await?;
            return Ok(());
        }
        Some(before) => remove(scope, &before).await?,
        None => {}
    }
    let device = PushDevice {
        id: scope.uuid(),
        org_id: owner.org_id,
        unit_id: owner.unit_id,
        user_id: owner.id,
        token: token.to_owned(),
        token_digest: digest,
        registration: 1,
        registered_at: scope.now(),
    };
    let devices = of(scope, owner.id).await?;
    for oldest in devices.iter().skip(DEVICES_MAX - 1) {
        remove(scope, oldest).await?;
    }
    // Somebody else has registered it at the same time.
    scope.create(&device).await.map_err(|error| match error {
        StoreError::Unique(_) => StoreError::Conflict,
        other => other,
    })?;
    Ok(())
}

/// How the keys of all effects on a device end, as it is registered now.
pub fn key_end(device: &PushDevice) -> String {
    format!("{}{}", key_part(device), device.registration)
}

/// What the keys of all effects on a device have, however often it was registered.
fn key_part(device: &PushDevice) -> String {
    format!(":push:{}:", device.id.0)
}

/// Removes a device, and gives up what is still on its way there: it may be somebody else's in a
/// moment. The audit log tells it of the client whose it was.
pub async fn remove(scope: &mut Scope<'_>, device: &PushDevice) -> Result<(), StoreError> {
    let owner = device.user_id;
    let way = (EffectClass::Push, key_part(device));
    intents::withdraw(scope.tx, device.org_id.0, owner.0, way).await?;
    let was: Option<User> = scope.find_deleted_too(owner).await?;
    let client = was.filter(|was| was.is_patient).map(|was| was.id.0);
    let subject = std::mem::replace(&mut scope.subject_id, client);
    let removed = scope.destroy(device).await;
    scope.subject_id = subject;
    removed
}

/// Somebody's devices, the latest first.
pub async fn of(scope: &mut Scope<'_>, user: Id<User>) -> Result<Vec<PushDevice>, StoreError> {
    let latest = [OrderKey::column("registered_at", true), OrderKey::column("id", false)];
    scope.list(Cond::eq("user_id", user.0), &latest).await
}

/// Forgets all of somebody's devices: whoever is signed out everywhere is notified nowhere.
pub async fn forget(scope: &mut Scope<'_>, user: Id<User>) -> Result<(), StoreError> {
    for device in of(scope, user).await? {
        remove(scope, &device).await?;
    }
    Ok(())
}

fn digest(org_id: Id<Organization>, token: &str) -> Vec<u8> {
    mac::sha256_fields(&[PURPOSE, &org_id.0.to_be_bytes(), token.as_bytes()]).to_vec()
}
