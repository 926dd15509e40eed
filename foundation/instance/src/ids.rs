//! Numeric ids: ten digits beginning with 20 or 21 are a Sandbox's, anything else is Production's.
//!
//! Whether an id can belong here is decided from the number and the ledger in memory, never by a
//! look-up, so the answer tells nothing about what exists (ISO-19..22). Every Sandbox id and every
//! id of an [`INT_CLASS_TYPES`] type fits a signed 32-bit integer.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::clock::Timestamp;
use crate::kind::{InstanceId, Kind};
use crate::mac::sha256_fields;

/// Production ids, every type; the whole life of Int-class types.
pub const PRODUCTION: (i64, i64) = (1_000_000, 1_999_999_999);
/// Sandbox ids, every type.
pub const SANDBOX: (i64, i64) = (2_000_000_000, 2_147_483_647);
/// Production overflow for wide types; stays below 2^53, so a float keeps it exactly.
pub const PRODUCTION_WIDE: (i64, i64) = (3_000_000_000, 8_999_999_999_999_999);
/// Epoch slots of a Sandbox.
pub const SLOTS: u16 = 147;
/// Ids in one slot.
pub const SLOT_IDS: i64 = 1_000_000;

/// Types whose id some field of the contract declares as a 32-bit `Int`.
pub const INT_CLASS_TYPES: [&str; 7] = [
    "User",
    "Organization",
    "AppointmentType",
    "AppointmentLocation",
    "ContactType",
    "CustomModule",
    "FeatureToggle",
];

/// Whether ids of this type must stay within 32 bits.
pub fn is_int_class(type_name: &str) -> bool {
    INT_CLASS_TYPES.contains(&type_name)
}

/// The slot in which a new Sandbox starts, so that two Sandboxes rarely overlap.
pub fn first_slot(instance_id: &InstanceId) -> u16 {
    let digest = sha256_fields(&[b"ward/id-slot/v1", instance_id.as_bytes()]);
    let [a, b, c, d, e, f, g, h, ..] = digest;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]) % u64::from(SLOTS)) as u16
}

/// First and last id of a slot.
pub fn slot_range(slot: u16) -> (i64, i64) {
    let first = SANDBOX.0 + i64::from(slot) * SLOT_IDS;
    (first, first + SLOT_IDS - 1)
}

/// The slot of a Sandbox id; `None` above the last slot or outside the Sandbox's range.
pub fn slot_of(id: i64) -> Option<u16> {
    let slot = id.checked_sub(SANDBOX.0).filter(|offset| *offset >= 0)? / SLOT_IDS;
    u16::try_from(slot).ok().filter(|slot| *slot < SLOTS)
}

/// The condition that a table's id column is checked with (ISO-03); `wide` for types that may
/// leave the 32-bit range in Production. `column` is a trusted name of the schema.
pub fn check_sql(kind: Kind, column: &str, wide: bool) -> String {
    let between = |(first, last): (i64, i64)| format!("{column} BETWEEN {first} AND {last}");
    match (kind, wide) {
        (Kind::Sandbox, _) => between(SANDBOX),
        (Kind::Production, false) => between(PRODUCTION),
        (Kind::Production, true) => {
            format!("({} OR {})", between(PRODUCTION), between(PRODUCTION_WIDE))
        }
    }
}

/// Why an id is refused before anything is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdRefusal {
    /// Not a plain decimal number without sign, spaces or leading zeros.
    NotANumber,
    /// A number that neither environment ever gives out: documentation examples, guard ranges.
    NeverAllocated,
    /// An id of the environment `named`, which is not this one.
    WrongEnvironment {
        /// The environment that the number belongs to.
        named: Kind,
    },
    /// Given out by this Sandbox before it was reset.
    StaleEpoch {
        /// When the Sandbox was reset, if the ledger knows.
        reset_at: Option<Timestamp>,
    },
    /// Given out by this Sandbox after the snapshot that it went back to.
    Undone {
        /// When it went back.
        at: Timestamp,
    },
    /// Larger than any id, zero or negative.
    OutOfRange,
}

impl IdRefusal {
    /// The contract's extension code; `None` where the answer is the ordinary "not found".
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::WrongEnvironment { .. } => Some("WRONG_ENVIRONMENT_ID"),
            Self::StaleEpoch { .. } | Self::Undone { .. } => Some("STALE_EPOCH_ID"),
            Self::NotANumber | Self::NeverAllocated | Self::OutOfRange => None,
        }
    }

    /// One sentence for the caller; repeats nothing of the input.
    pub fn message(&self) -> String {
        match self {
            Self::NotANumber => "An id is a plain decimal number.".to_owned(),
            Self::NeverAllocated => "No object has this id: the number is reserved.".to_owned(),
            Self::WrongEnvironment { named } => format!(
                "This is a {} id and this server is {}; nothing was executed.",
                named.title(),
                named.other().title()
            ),
            Self::StaleEpoch { reset_at: Some(at) } => format!(
                "This id was given out before the Sandbox was reset at {at}; fetch the object anew."
            ),
            Self::StaleEpoch { reset_at: None } => {
                "This id was given out before the Sandbox was reset; fetch the object anew."
                    .to_owned()
            }
            Self::Undone { at } => format!(
                "This id was given out after the snapshot that the Sandbox went back to at {at}; fetch the object anew."
            ),
            Self::OutOfRange => "No object has this id: the number is out of range.".to_owned(),
        }
    }
}

/// Ids of one type that a restored snapshot does not contain any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub first: i64,
    pub last: i64,
    pub at: Timestamp,
}

/// What the codec knows of the ledger: retired slots and gaps.
#[derive(Debug, Default)]
pub(crate) struct Stale {
    pub slots: BTreeMap<u16, Timestamp>,
    pub gaps: BTreeMap<String, Vec<Gap>>,
}

impl Stale {
    /// The id of this slot, unless the slot is retired.
    fn slot(&self, slot: u16, id: i64) -> Result<i64, IdRefusal> {
        match self.slots.get(&slot) {
            Some(at) => Err(IdRefusal::StaleEpoch { reset_at: Some(*at) }),
            None => Ok(id),
        }
    }
}

/// Turns text into ids of this environment; clones follow the same ledger.
#[derive(Clone, Debug)]
pub struct IdCodec {
    kind: Kind,
    stale: Arc<RwLock<Stale>>,
}

impl IdCodec {
    pub(crate) fn new(kind: Kind, stale: Arc<RwLock<Stale>>) -> Self {
        Self { kind, stale }
    }

    /// The id in `text`, if it can belong to this environment.
    pub fn parse(&self, text: &str) -> Result<i64, IdRefusal> {
        self.check(number(text)?)
    }

    /// [`IdCodec::parse`] for a known type: also finds ids that a restored snapshot has undone.
    pub fn parse_of(&self, type_name: &str, text: &str) -> Result<i64, IdRefusal> {
        self.check_of(type_name, number(text)?)
    }

    /// The same id, if it can belong to this environment.
    pub fn check(&self, id: i64) -> Result<i64, IdRefusal> {
        match self.slot(id)? {
            Some(slot) => self.stale.read().slot(slot, id),
            None => Ok(id),
        }
    }

    /// [`IdCodec::check`] for a known type.
    pub fn check_of(&self, type_name: &str, id: i64) -> Result<i64, IdRefusal> {
        let Some(slot) = self.slot(id)? else { return Ok(id) };
        let stale = self.stale.read();
        stale.slot(slot, id)?;
        let gaps = stale.gaps.get(type_name).map(Vec::as_slice).unwrap_or_default();
        match gaps.iter().find(|gap| (gap.first..=gap.last).contains(&id)) {
            Some(gap) => Err(IdRefusal::Undone { at: gap.at }),
            None => Ok(id),
        }
    }

    /// The slot of an id of this environment; Production has none, and nothing there is stale.
    fn slot(&self, id: i64) -> Result<Option<u16>, IdRefusal> {
        let named = environment_of(id)?;
        if named != self.kind {
            return Err(IdRefusal::WrongEnvironment { named });
        }
        match named {
            Kind::Production => Ok(None),
            Kind::Sandbox => slot_of(id).map(Some).ok_or(IdRefusal::NeverAllocated),
        }
    }
}

/// The environment that an id names by its number alone.
pub fn environment_of(id: i64) -> Result<Kind, IdRefusal> {
    let within = |(first, last): (i64, i64)| (first..=last).contains(&id);
    if within(SANDBOX) {
        Ok(Kind::Sandbox)
    } else if within(PRODUCTION) || within(PRODUCTION_WIDE) {
        Ok(Kind::Production)
    } else if id < 1 || id > PRODUCTION_WIDE.1 {
        Err(IdRefusal::OutOfRange)
    } else {
        Err(IdRefusal::NeverAllocated)
    }
}

fn number(text: &str) -> Result<i64, IdRefusal> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.len() > 1 && text.starts_with('0')) {
        return Err(IdRefusal::NotANumber);
    }
    text.parse().map_err(|_| IdRefusal::OutOfRange)
}
