//! The two kinds of instance, and the names an instance carries: its id and its five-character tag.

use std::fmt;
use std::str::FromStr;

use crate::random::Random;
use crate::text::{CROCKFORD, hex, unhex};

/// Sandbox or Production: decided once, at birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Synthetic data, simulated effects.
    Sandbox,
    /// Real people, real effects.
    Production,
}

impl Kind {
    /// Both kinds, for tables and tests.
    pub const ALL: [Kind; 2] = [Kind::Sandbox, Kind::Production];

    /// The word in headers, files and keys' derivation: `sandbox` or `production`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Sandbox => "sandbox",
            Kind::Production => "production",
        }
    }

    /// The word inside keys, tokens and webhook secrets: `sbx` or `live`.
    pub const fn short(self) -> &'static str {
        match self {
            Kind::Sandbox => "sbx",
            Kind::Production => "live",
        }
    }

    /// The word in sentences: `Sandbox` or `Production`.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Sandbox => "Sandbox",
            Kind::Production => "Production",
        }
    }

    /// The tag that marks resources of FHIR as test data (v3-ActReason); none of real people's.
    pub const fn fhir_tag(self) -> Option<&'static str> {
        match self {
            Kind::Sandbox => Some("HTEST"),
            Kind::Production => None,
        }
    }

    /// The words on pages, beside the instance's tag: nobody takes one for the other (ISO-36).
    pub const fn words(self) -> &'static str {
        match self {
            Kind::Sandbox => "SANDBOX, synthetic data",
            Kind::Production => "PRODUCTION, live patients",
        }
    }

    /// The kind that this one is not.
    pub const fn other(self) -> Kind {
        match self {
            Kind::Sandbox => Kind::Production,
            Kind::Production => Kind::Sandbox,
        }
    }

    /// The kind whose `short` word this is.
    pub fn from_short(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.short() == text)
    }

    /// SQLite header `application_id`: "SBX1" or "PRD1", so even `file` tells them apart (ISO-02).
    pub const fn sqlite_application_id(self) -> i32 {
        match self {
            Kind::Sandbox => 0x5342_5831,
            Kind::Production => 0x5052_4431,
        }
    }

    /// The kind that a SQLite header declares; `None` when the file is not ours.
    pub fn from_application_id(id: i32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.sqlite_application_id() == id)
    }

    /// The beginning of this kind's configuration variables, with the last underscore.
    pub const fn variable_prefix(self) -> &'static str {
        match self {
            Kind::Sandbox => "WARD_SANDBOX_",
            Kind::Production => "WARD_PRODUCTION_",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names neither kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the kind is `sandbox` or `production`")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(NotAKind)
    }
}

/// 128 random bits drawn at birth; the salt of every key of the instance.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceId(pub [u8; 16]);

impl InstanceId {
    /// Draws the id of a new instance.
    pub fn draw(random: &Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The short name for people: the first 25 bits in Crockford base32.
    pub fn tag(&self) -> Tag {
        let [a, b, c, d, ..] = self.0;
        let bits = u32::from_be_bytes([a, b, c, d]) >> 7;
        Tag(std::array::from_fn(|i| CROCKFORD[(bits >> (20 - 5 * i) & 31) as usize]))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceId({self})")
    }
}

/// A text that is not 32 lower-case hexadecimal characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance id is 32 lower-case hexadecimal characters")]
pub struct NotAnInstanceId;

impl FromStr for InstanceId {
    type Err = NotAnInstanceId;

    fn from_str(text: &str) -> Result<Self, NotAnInstanceId> {
        unhex(text).map(Self).ok_or(NotAnInstanceId)
    }
}

/// Five Crockford characters shown to people wherever the instance is named, for example `K7QF2`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag([u8; 5]);

impl Tag {
    /// The five characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 25 bits behind the characters.
    pub fn bits(&self) -> u32 {
        self.0.iter().fold(0, |bits, letter| {
            let digit = CROCKFORD.iter().position(|c| c == letter).unwrap_or_default();
            bits << 5 | digit as u32
        })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// A text that is not five upper-case Crockford characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance tag is five upper-case Crockford base32 characters")]
pub struct NotATag;

impl FromStr for Tag {
    type Err = NotATag;

    fn from_str(text: &str) -> Result<Self, NotATag> {
        let letters: [u8; 5] = text.as_bytes().try_into().map_err(|_| NotATag)?;
        match letters.iter().all(|letter| CROCKFORD.contains(letter)) {
            true => Ok(Self(letters)),
            false => Err(NotATag),
        }
    }
}
