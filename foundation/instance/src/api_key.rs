//! API keys: `ward_<prefix>_<tag>_<kid:8><secret:32><checksum:6>`.
//!
//! A key's text says which environment and which instance it belongs to, inside the part that the
//! checksum covers. What a key is gets decided from the text alone, in the order shape, checksum,
//! environment, instance; only then may anything be looked up (ISO-11, ISO-12).

use std::fmt;

use zeroize::Zeroizing;

use crate::error::InstanceError;
use crate::kind::{Kind, Tag};
use crate::mac::sha256_fields;
use crate::random::Random;
use crate::text::{checksum, is_base62};

/// Matches every key of every instance; published for secret scanners (ISO-14).
pub const PUBLISHED_REGEX: &str =
    r"\bward_(?:sbx|live|sbxagt|liveagt|sbxeph)_[0-9A-HJKMNP-TV-Z]{5}_[0-9A-Za-z]{46}\b";

const KID: usize = 8;
const SECRET: usize = 32;
const CHECKSUM: usize = 6;

/// Whom a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// A user's or an integration's.
    User,
    /// An AI agent's; in Production it reads metadata only.
    Agent,
    /// Of a Sandbox that dies with its process.
    Ephemeral,
}

const PREFIXES: [(&str, Kind, KeyRole); 5] = [
    ("sbx", Kind::Sandbox, KeyRole::User),
    ("live", Kind::Production, KeyRole::User),
    ("sbxagt", Kind::Sandbox, KeyRole::Agent),
    ("liveagt", Kind::Production, KeyRole::Agent),
    ("sbxeph", Kind::Sandbox, KeyRole::Ephemeral),
];

impl KeyRole {
    /// The word in the key; `None` for an ephemeral key in Production, which does not exist.
    pub fn prefix(self, kind: Kind) -> Option<&'static str> {
        let row = PREFIXES.into_iter().find(|(_, of, role)| (*of, *role) == (kind, self));
        row.map(|(prefix, _, _)| prefix)
    }

    /// The word in the database: `user`, `agent` or `ephemeral`.
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyRole::User => "user",
            KeyRole::Agent => "agent",
            KeyRole::Ephemeral => "ephemeral",
        }
    }
}

/// A new key: the text is shown once, the rest is stored.
pub struct MintedKey {
    /// What the caller is given, and what nobody keeps.
    pub text: Zeroizing<String>,
    /// Eight characters to look the key up by; safe to log.
    pub kid: String,
    /// SHA-256 over kid and secret, each length-prefixed.
    pub secret_hash: [u8; 32],
}

impl fmt::Debug for MintedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MintedKey({}…)", self.kid)
    }
}

/// What a presented text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// No key of this product.
    Malformed,
    /// Shaped like a key, but mistyped or invented.
    WrongChecksum,
    /// A key of the other environment, of the instance with this tag.
    WrongEnvironment(Kind, Tag),
    /// A key of another instance of this environment.
    WrongInstance(Tag),
    /// A key that this instance may have given out; look `kid` up and compare `secret_hash`.
    Ours {
        /// Whom the key is for.
        class: KeyRole,
        /// The look-up handle.
        kid: String,
        /// What the stored hash must equal, compared in constant time.
        secret_hash: [u8; 32],
    },
}

impl KeyClass {
    /// The contract's extension code for a refusal; `None` for a key of ours.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Malformed | Self::WrongChecksum => Some("UNAUTHENTICATED"),
            Self::WrongEnvironment(..) => Some("WRONG_ENVIRONMENT_KEY"),
            Self::WrongInstance(_) => Some("WRONG_INSTANCE_KEY"),
            Self::Ours { .. } => None,
        }
    }

    /// The sentence for a refusal on a server of kind `here`; never repeats the key.
    pub fn message(&self, here: Kind) -> String {
        match self {
            Self::WrongEnvironment(named, _) => {
                let exposed = match named {
                    Kind::Production => "; treat this key as exposed, rotate it",
                    Kind::Sandbox => "",
                };
                format!(
                    "API Key is Invalid: {} key, this server is {}; nothing was executed{exposed}",
                    named.title(),
                    here.title()
                )
            }
            Self::WrongInstance(tag) => format!(
                "API Key is Invalid: key of {} {tag}, this server is another {}; nothing was executed",
                here.title(),
                here.title()
            ),
            Self::Malformed | Self::WrongChecksum | Self::Ours { .. } => {
                "API Key is Invalid".to_owned()
            }
        }
    }
}

/// Minting and classifying.
pub struct ApiKey;

impl ApiKey {
    /// Makes a key of this instance; an error for an ephemeral key in Production.
    pub fn mint(
        kind: Kind,
        tag: &Tag,
        class: KeyRole,
        random: &Random,
    ) -> Result<MintedKey, InstanceError> {
        let prefix = class
            .prefix(kind)
            .ok_or_else(|| InstanceError::config("Production has no ephemeral keys"))?;
        let kid = random.base62(KID);
        let secret = Zeroizing::new(random.base62(SECRET));
        let mut text = Zeroizing::new(String::with_capacity(72));
        for part in ["ward_", prefix, "_", tag.as_str(), "_", &kid, &secret] {
            text.push_str(part);
        }
        let sum = checksum(&text);
        text.push_str(&sum);
        let secret_hash = sha256_fields(&[kid.as_bytes(), secret.as_bytes()]);
        Ok(MintedKey { text, kid, secret_hash })
    }

    /// What `text` is, to the instance `kind` `tag`. Looks nothing up.
    pub fn classify(text: &str, kind: Kind, tag: &Tag) -> KeyClass {
        let Some(parts) = Parts::of(text) else {
            return KeyClass::Malformed;
        };
        if !parts.checksum_fits {
            KeyClass::WrongChecksum
        } else if parts.kind != kind {
            KeyClass::WrongEnvironment(parts.kind, parts.tag)
        } else if parts.tag != *tag {
            KeyClass::WrongInstance(parts.tag)
        } else {
            KeyClass::Ours {
                class: parts.role,
                kid: parts.kid.to_owned(),
                secret_hash: sha256_fields(&[parts.kid.as_bytes(), parts.secret.as_bytes()]),
            }
        }
    }

    /// What is shown of a key after its birth: prefix, kid, dots.
    pub fn displayable(kind: Kind, tag: &Tag, class: KeyRole, kid: &str) -> String {
        format!("ward_{}_{tag}_{kid}........", class.prefix(kind).unwrap_or(kind.short()))
    }
}

struct Parts<'a> {
    kind: Kind,
    role: KeyRole,
    tag: Tag,
    kid: &'a str,
    secret: &'a str,
    checksum_fits: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut words = text.strip_prefix("ward_")?.split('_');
        let prefix = words.next()?;
        let (_, kind, role) = PREFIXES.into_iter().find(|(known, _, _)| *known == prefix)?;
        let tag = words.next()?.parse().ok()?;
        let body = words.next()?;
        let shaped = body.len() == KID + SECRET + CHECKSUM && is_base62(body);
        if !shaped || words.next().is_some() {
            return None;
        }
        let (kid, rest) = body.split_at_checked(KID)?;
        let (secret, _) = rest.split_at_checked(SECRET)?;
        let (summed, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
        Some(Self { kind, role, tag, kid, secret, checksum_fits: checksum(summed) == sum })
    }
}
