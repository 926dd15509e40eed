//! UUIDs that name their environment: version 8 (RFC 9562), with the environment in one bit.
//!
//! Layout: 48 bits of milliseconds, version 8, the first 12 bits of the instance tag, variant 10,
//! the environment bit (0 Sandbox, 1 Production), 61 random bits. The environment bit makes the
//! first character of the fourth group `8` or `9` in a Sandbox and `a` or `b` in Production, which
//! a plain SQL check can see.

use crate::clock::Timestamp;
use crate::kind::{Kind, Tag};
use crate::random::Random;

/// Why a UUID is refused before anything is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UuidRefusal {
    /// Not a UUID of version 8 in its 36-character form, so none of ours.
    #[error("not a UUID of this system")]
    Malformed,
    /// A UUID of the environment `named`, which is not this one.
    #[error("this UUID belongs to {named}, this server does not; nothing was executed")]
    WrongEnvironment {
        /// The environment that the UUID belongs to.
        named: Kind,
    },
}

impl UuidRefusal {
    /// The contract's extension code; `None` where the answer is the ordinary "not found".
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Malformed => None,
            Self::WrongEnvironment { .. } => Some("WRONG_ENVIRONMENT_ID"),
        }
    }
}

/// A new UUID, 36 lower-case characters; `now` is logical time.
pub fn new(kind: Kind, tag: &Tag, now: Timestamp, random: &Random) -> String {
    let millis = u64::try_from(now.as_millis()).unwrap_or_default() & 0xffff_ffff_ffff;
    let high = millis << 16 | 0x8000 | u64::from(tag.bits() >> 13);
    let environment = match kind {
        Kind::Sandbox => 0,
        Kind::Production => 1,
    };
    let low = 0b10 << 62 | environment << 61 | random.u64() >> 3;
    let mut text = String::with_capacity(36);
    for (at, byte) in
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes().into_iter().enumerate()
    {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}

/// Whether `text` is a UUID of this environment; upper-case digits are accepted.
pub fn check(kind: Kind, text: &str) -> Result<(), UuidRefusal> {
    let shaped = text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'8',
            _ => byte.is_ascii_hexdigit(),
        });
    let named = match text.as_bytes().get(19) {
        Some(b'8' | b'9') if shaped => Kind::Sandbox,
        Some(b'a' | b'b' | b'A' | b'B') if shaped => Kind::Production,
        _ => return Err(UuidRefusal::Malformed),
    };
    if named == kind { Ok(()) } else { Err(UuidRefusal::WrongEnvironment { named }) }
}

/// Whether `text` is a UUID that the instance of this kind and tag has made, as far as UUIDs tell: the
/// environment, and 12 bits of the tag.
pub fn is_of(kind: Kind, tag: &Tag, text: &str) -> bool {
    let digits = format!("{:03x}", tag.bits() >> 13);
    check(kind, text).is_ok() && text.get(15..18) == Some(digits.as_str())
}

/// The condition that a text column of UUIDs is checked with; the same in SQLite and PostgreSQL.
/// `column` is a trusted name of the schema.
pub fn check_sql(kind: Kind, column: &str) -> String {
    let letters = match kind {
        Kind::Sandbox => "'8', '9'",
        Kind::Production => "'a', 'b'",
    };
    format!(
        "(length({column}) = 36 AND substr({column}, 15, 1) = '8' \
         AND substr({column}, 20, 1) IN ({letters}))"
    )
}
