//! From the text of a credential to the person it names (behaviour 3.1, 3.5).
//!
//! What a text is gets decided from the text alone: a key of the other
//! environment or of another instance is refused before anything is looked up
//! (ISO-11, ISO-12). Then one statement loads the credential, the user, the
//! membership with its flags, and the organization, so every change acts on
//! the next request (SEC-05).

mod by_proxy;
mod held;
mod of_user;
mod touch;

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_instance::api_key::KeyClass;
use ward_instance::token::{TokenClass, TokenPurpose};
use ward_instance::{Instance, Timestamp};
use ward_store::{Actor, Db, Flags, Query, Role, Sql, StoreError, Value};

use crate::flags;
use crate::key::Bound;
use crate::network::Networks;
use crate::person::DEFAULT_ZONE;
use crate::session::{self, Stage};

use by_proxy::{FROM_PROXY, OF_PROXY, PROXY_COLUMNS};

pub use held::{Held, hold, identify_held};
pub use of_user::{actor_of_link, actor_of_user};
pub use touch::touch;

/// Longer texts are no credential.
const CHARACTERS_MAX: usize = 512;

/// A refused credential. It begins as the contract's does (behaviour 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// `UNAUTHENTICATED`, `WRONG_ENVIRONMENT_KEY`, `WRONG_INSTANCE_KEY` or
    /// `WRONG_ENVIRONMENT_TOKEN`.
    pub code: &'static str,
    /// One sentence; never repeats the credential.
    pub message: String,
}

impl Rejection {
    fn invalid() -> Self {
        Rejection { code: "UNAUTHENTICATED", message: "API Key is Invalid".to_owned() }
    }
}

/// What a text asks to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// An API key.
    Key {
        /// The look-up handle.
        kid: String,
        /// What the stored digest must be.
        secret_hash: [u8; 32],
    },
    /// A session's token.
    Session {
        /// What to look up.
        lookup: [u8; 32],
    },
}

/// What a credential is, besides whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// `user`, `agent` or `ephemeral` for keys, `session` for sessions,
    /// `half_session` for those that await their second factor.
    pub class: String,
    /// The session's id, if it is one.
    pub session: Option<String>,
    /// The key's row, if it is one.
    pub key_id: Option<i64>,
    /// Its use is to be written down: a key's once a day, a session's once a
    /// minute.
    pub wants_touch: bool,
}

/// Why nobody could be identified.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The credential is refused.
    #[error("{}", .0.message)]
    Rejected(Rejection),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person and the credential they came with.
#[derive(Clone, Debug)]
pub struct Identified {
    /// As whom the request runs.
    pub actor: Actor,
    /// The session's id, if the credential is one.
    pub session: Option<String>,
    /// More of the credential.
    pub facts: KeyFacts,
}

/// The credential in an `Authorization` value: `Basic <key>`, `Bearer <key>`,
/// the bare key, or what HTTP Basic makes of it: base64 of a pair with the key
/// on one side. Nothing for an empty value.
pub fn credential_in(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = text
        .split_once(char::is_whitespace)
        .filter(|(scheme, _)| ["basic", "bearer"].iter().any(|it| scheme.eq_ignore_ascii_case(it)))
        .map_or(text, |(_, rest)| rest.trim());
    let is_scheme = ["basic", "bearer"].iter().any(|it| bare.eq_ignore_ascii_case(it));
    if bare.is_empty() || is_scheme {
        return None;
    }
    Some(out_of_pair(bare).unwrap_or_else(|| bare.to_owned()))
}

fn out_of_pair(text: &str) -> Option<String> {
    if text.contains('_') || text.len() > CHARACTERS_MAX {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let ours = |part: &&str| part.starts_with("ward_") || part.starts_with("wts_");
    let (user, password) = plain.split_once(':')?;
    [user, password].iter().find(|part| ours(part)).map(|part| (*part).to_owned())
}

/// What a credential claims, by its text alone; nothing for none.
pub fn classify(instance: &Instance, text: &str) -> Result<Option<Claim>, Rejection> {
    let Some(text) = credential_in(text) else { return Ok(None) };
    if text.len() > CHARACTERS_MAX {
        return Err(Rejection::invalid());
    }
    if text.starts_with("wt") {
        return classify_token(instance, &text).map(Some);
    }
    match instance.classify_key(&text) {
        KeyClass::Ours { kid, secret_hash, .. } => Ok(Some(Claim::Key { kid, secret_hash })),
        other => Err(Rejection {
            code: other.code().unwrap_or("UNAUTHENTICATED"),
            message: other.message(instance.kind()),
        }),
    }
}

fn classify_token(instance: &Instance, text: &str) -> Result<Claim, Rejection> {
    let class = instance.classify_token(TokenPurpose::Session, text);
    let here = instance.kind().title();
    let message = match class {
        TokenClass::Ours { lookup } => return Ok(Claim::Session { lookup }),
        TokenClass::Malformed | TokenClass::WrongPurpose(_) => return Err(Rejection::invalid()),
        TokenClass::WrongEnvironment(named, _) => format!(
            "API Key is Invalid: {} session token, this server is {here}; nothing was executed",
            named.title()
        ),
        TokenClass::WrongInstance(tag) => format!(
            "API Key is Invalid: session token of {here} {tag}, this server is another {here}; \
             nothing was executed"
        ),
    };
    Err(Rejection { code: class.code().unwrap_or("UNAUTHENTICATED"), message })
}

/// Columns that both statements answer behind their own, before the flags: the fifth is whether
/// they may act, as [`crate::person::may_act`] has it.
pub(crate) const PERSON: &str = "u.id, u.org_id, u.unit_id, u.is_patient, \
     CASE WHEN u.is_patient = TRUE THEN u.deceased_on IS NULL \
     ELSE u.active = TRUE AND COALESCE(m.active, FALSE) = TRUE END, \
     u.timezone, p.timezone, o.owner_id";
const PERSON_COLUMNS: usize = 8;
pub(crate) const FROM_PERSON: &str = "LEFT JOIN organization_memberships m ON m.org_id = u.org_id AND m.user_id = u.id \
     LEFT JOIN organizations o ON o.org_id = u.org_id AND o.id = u.unit_id \
     LEFT JOIN users p ON p.org_id = u.org_id AND p.id = u.dietitian_id";

pub(crate) fn flag_columns() -> String {
    let names = flags::ALL.iter().map(|line| format!("m.{}", line.permission.name));
    names.collect::<Vec<_>>().join(", ")
}

const OF_KEY: &str = "k.id, k.class, k.row_mac, k.last_used_day, k.expires_at, \
     k.allowed_addresses";
static KEY_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {OF_KEY}, {PERSON}, {} FROM api_keys k \
         JOIN users u ON u.org_id = k.org_id AND u.id = k.user_id {FROM_PERSON} \
         WHERE k.kid = $1 AND k.deleted_at IS NULL AND u.deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM revoked_keys r WHERE r.kid = k.kid)",
        flag_columns()
    )
});

const OF_SESSION: &str = "s.id, s.created_at, s.last_used_at, s.awaits_code";
static SESSION_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {OF_SESSION}, {OF_PROXY}, {PERSON}, {} FROM sessions s \
         JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id {FROM_PROXY} {FROM_PERSON} \
         WHERE s.lookup = $1 AND s.ended_at IS NULL AND u.deleted_at IS NULL \
         AND u.is_integration = FALSE",
        flag_columns()
    )
});

/// The person of an `Authorization` value that came from a network address;
/// nothing when it is empty.
pub async fn actor_of_key(
    reader: &mut dyn Query,
    instance: &Instance,
    text: &str,
    address: &str,
) -> Result<Option<(Actor, KeyFacts)>, AuthenticateError> {
    let claim = classify(instance, text).map_err(AuthenticateError::Rejected)?;
    let found = match claim {
        None => return Ok(None),
        Some(Claim::Key { kid, secret_hash }) => {
            of_key(reader, instance, &kid, &secret_hash, address).await?
        }
        Some(Claim::Session { lookup }) => of_session(reader, instance, &lookup).await?,
    };
    match found {
        Some(found) => Ok(Some(found)),
        None => Err(AuthenticateError::Rejected(Rejection::invalid())),
    }
}

async fn of_key(
    reader: &mut dyn Query,
    instance: &Instance,
    kid: &str,
    secret_hash: &[u8],
    address: &str,
) -> Result<Option<(Actor, KeyFacts)>, StoreError> {
    let rows = reader.rows(&Sql::fixed(&KEY_SQL, [kid.into()])).await?;
    let wall = instance.clock().wall();
    Ok(rows.iter().find_map(|row| key_of_row(row, instance, kid, secret_hash, address, wall)))
}

/// Whose a key is by its row, if it may be used from there and now.
fn key_of_row(
    row: &[Value],
    instance: &Instance,
    kid: &str,
    secret_hash: &[u8],
    address: &str,
    wall: Timestamp,
) -> Option<(Actor, KeyFacts)> {
    let [id, class, row_mac, last_used, expires_at, allowed, rest @ ..] = row else { return None };
    let (id, class) = (id.int()?, class.text()?);
    let actor = actor(rest, kid)?;
    let expires_at = expires_at.int().map(Timestamp);
    // The presented digest, not the stored one: so the MAC compares both,
    // in constant time.
    let bound = Bound {
        id,
        org_id: actor.org_id,
        user_id: actor.user_id,
        class,
        kid,
        secret_hash,
        expires_at,
        allowed_addresses: allowed.text(),
    };
    let is_over = expires_at.is_some_and(|at| at <= wall);
    let is_elsewhere = !Networks::admits_kept(allowed.text(), address);
    if is_over || is_elsewhere || !bound.fits(instance, row_mac.bytes().unwrap_or_default()) {
        return None;
    }
    let facts = KeyFacts {
        class: class.to_owned(),
        session: None,
        key_id: Some(id),
        wants_touch: last_used.text() != Some(&day(wall)),
    };
    Some((actor, facts))
}

async fn of_session(
    reader: &mut dyn Query,
    instance: &Instance,
    lookup: &[u8],
) -> Result<Option<(Actor, KeyFacts)>, StoreError> {
    let rows = reader.rows(&Sql::fixed(&SESSION_SQL, [lookup.into()])).await?;
    Ok(rows.iter().next().and_then(|row| session_of_row(row, instance)))
}

/// Whose a session is by its row, while it lives; and, if somebody acts in it, while they may.
fn session_of_row(row: &[Value], instance: &Instance) -> Option<(Actor, KeyFacts)> {
    let [id, created_at, last_used_at, awaits_code, rest @ ..] = row else { return None };
    let (by, rest) = rest.split_at_checked(PROXY_COLUMNS)?;
    let wall = instance.clock().wall();
    let id = id.text()?;
    let (created_at, last_used_at) = (Timestamp(created_at.int()?), Timestamp(last_used_at.int()?));
    let actor = actor(rest, id)?;
    let proxy_id = by_proxy::who_acts(by, &actor, instance.now())?;
    let actor = Actor { proxy_id, ..actor };
    let stage = match awaits_code.truth() {
        true => Stage::AwaitsCode,
        false if actor.is_client() => Stage::Client,
        false => Stage::Member,
    };
    if !session::is_live(stage, created_at, last_used_at, wall) {
        return None;
    }
    if stage == Stage::AwaitsCode {
        return Some(awaiting(id));
    }
    let facts = KeyFacts {
        class: "session".to_owned(),
        session: Some(id.to_owned()),
        key_id: None,
        wants_touch: wall.micros_since(last_used_at) >= session::TOUCH_SECONDS * 1_000_000,
    };
    Some((actor, facts))
}

/// A session whose second factor is still to come: nobody in particular.
fn awaiting(id: &str) -> (Actor, KeyFacts) {
    let actor = Actor { credential: Some(id.into()), ..Actor::anonymous() };
    let facts = KeyFacts {
        class: "half_session".to_owned(),
        session: Some(id.to_owned()),
        key_id: None,
        wants_touch: false,
    };
    (actor, facts)
}

/// The actor of the person's columns, unless they may not act at all.
pub(crate) fn actor(row: &[Value], credential: &str) -> Option<Actor> {
    let (person, held) = row.split_at_checked(PERSON_COLUMNS)?;
    let [id, org_id, unit_id, is_patient, may_act, zone, provider_zone, owner_id] = person else {
        return None;
    };
    if !may_act.truth() {
        return None;
    }
    let is_patient = is_patient.truth();
    let is_owner = !is_patient && owner_id.int().is_some() && owner_id.int() == id.int();
    let stored = flags::ALL
        .iter()
        .zip(held)
        .filter(|(_, value)| value.truth())
        .fold(Flags::default(), |flags, (line, _)| flags.with(line.permission.flag));
    let provider_zone = provider_zone.text().filter(|_| is_patient);
    Some(Actor {
        role: if is_patient { Role::Client } else { Role::Member },
        user_id: id.int()?,
        org_id: org_id.int()?,
        unit_id: unit_id.int()?,
        flags: if is_patient { Flags::default() } else { flags::effective(stored, is_owner) },
        is_owner,
        time_zone: zone.text().or(provider_zone).unwrap_or(DEFAULT_ZONE).into(),
        credential: Some(credential.into()),
        glass_at: Actor::NO_BREAK_GLASS,
        exercised: None,
        handed: Vec::new(),
        proxy_id: None,
    })
}

/// The day of a moment, in UTC.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

/// [`authenticate_from`] nowhere in particular: a key that is bound to networks
/// is refused.
pub async fn authenticate(
    db: &Db,
    text: &str,
) -> Result<Result<Identified, Rejection>, StoreError> {
    authenticate_from(db, text, "").await
}

/// The person of an `Authorization` value that came from a network address:
/// what a server calls at each request. Nobody in particular for an empty value.
/// Notes the use, if it is time to.
pub async fn authenticate_from(
    db: &Db,
    text: &str,
    address: &str,
) -> Result<Result<Identified, Rejection>, StoreError> {
    // A refused text must not even take a connection.
    let claim = match classify(db.instance(), text) {
        Ok(claim) => claim,
        Err(rejection) => return Ok(Err(rejection)),
    };
    if claim.is_none() {
        return Ok(Ok(nobody()));
    }
    let mut reader = db.read().await?;
    let found = actor_of_key(&mut reader, db.instance(), text, address).await;
    drop(reader);
    match found {
        Ok(Some((actor, facts))) => {
            if facts.wants_touch
                && let Err(error) = touch(db, &actor, &facts).await
            {
                // A full disk must not lock readers out.
                tracing::warn!(%error, "the use of a credential could not be written down");
            }
            let actor = Actor {
                glass_at: db.instance().clock().wall(),
                exercised: Some(Arc::default()),
                ..actor
            };
            Ok(Ok(Identified { actor, session: facts.session.clone(), facts }))
        }
        Ok(None) => Ok(Ok(nobody())),
        Err(AuthenticateError::Rejected(rejection)) => Ok(Err(rejection)),
        Err(AuthenticateError::Store(error)) => Err(error),
    }
}

fn nobody() -> Identified {
    let facts =
        KeyFacts { class: "none".to_owned(), session: None, key_id: None, wants_touch: false };
    Identified { actor: Actor::anonymous(), session: None, facts }
}

/// Whether the actor administers their organization.
pub fn is_admin(actor: &Actor) -> bool {
    actor.is_member() && (actor.is_owner || actor.has(flags::IS_ADMIN.flag))
}

/// Whether the actor may see keys, webhooks and requests of their organization.
pub fn is_developer(actor: &Actor) -> bool {
    actor.is_member() && actor.has(flags::IS_DEVELOPER.flag)
}
