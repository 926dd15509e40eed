//! What the ledger file holds, how it is sealed, and what going back in time does to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{InstanceError, IsoError};
use crate::ids::{Gap, slot_of, slot_range};
use crate::mac;
use crate::root::{Purpose, RootRing};
use crate::text::{hex, unhex};

const TITLE: &str = "ward ids ledger 1";

/// The highest id given out of each type.
pub type Heads = BTreeMap<String, i64>;

/// One slot that the instance took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Number of the slot, 0 to 146.
    pub slot: u16,
    /// When it was taken, microseconds UTC.
    pub taken_at: i64,
    /// When it was retired, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired_at: Option<i64>,
    /// The one type that it serves, when that type filled its first slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow_of: Option<String>,
    /// Brought back by a snapshot from before a reset: its ids are good, new ones come elsewhere.
    #[serde(default)]
    pub read_only: bool,
}

/// What a snapshot contained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) taken_at: i64,
    pub(super) slots: Vec<u16>,
    pub(super) heads: Heads,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedGap {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) kind: String,
    pub(super) instance: String,
    pub(super) slots: Vec<Slot>,
    #[serde(default)]
    pub(super) heads: Heads,
    #[serde(default)]
    pub(super) marks: BTreeMap<String, Mark>,
    #[serde(default)]
    pub(super) gaps: BTreeMap<String, Vec<SavedGap>>,
    /// A backup that is being brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restoring: Option<Restoring>,
}

/// What the ledger becomes once the database is a backup's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Restoring {
    /// The restore epoch of the database's certificate from then on.
    pub(super) epoch: i64,
    pub(super) mark: Mark,
    /// The slot of new ids.
    pub(super) fresh: u16,
}

pub(super) fn alive(slot: &Slot) -> Option<u16> {
    slot.retired_at.is_none().then_some(slot.slot)
}

pub(super) fn taken(slot: u16, now: Timestamp, overflow_of: Option<String>) -> Slot {
    Slot { slot, taken_at: now.0, retired_at: None, overflow_of, read_only: false }
}

pub(super) fn known(gaps: &[SavedGap]) -> Vec<Gap> {
    gaps.iter().map(|gap| Gap { first: gap.first, last: gap.last, at: Timestamp(gap.at) }).collect()
}

pub(super) fn retire(body: &mut Body, now: Timestamp, which: impl Fn(u16) -> bool) {
    let living = body.slots.iter_mut().filter(|slot| slot.retired_at.is_none());
    for slot in living.filter(|slot| which(slot.slot)) {
        slot.retired_at = Some(now.0);
    }
}

/// Back within the current slot: what came after the mark becomes a gap. Slots that a type took
/// since then stay open, because its new ids go on above its head.
pub(super) fn undo(body: &mut Body, mark: &Mark, today: &Heads, now: Timestamp) {
    for (name, last) in today {
        let head = body.heads.entry(name.clone()).or_insert(*last);
        *head = (*head).max(*last);
        let last = *head;
        let marked = mark.heads.get(name).copied();
        let mut first = slot_of(last).map_or(last, |slot| slot_range(slot).0);
        match marked {
            Some(marked) if slot_of(marked) == slot_of(last) => first = marked.saturating_add(1),
            Some(marked) => close_above(body, name, marked, now),
            None => {}
        }
        if first <= last {
            add_gap(body, name, SavedGap { first, last, at: now.0 });
        }
    }
}

/// The rest of the slot of `marked` becomes a gap.
fn close_above(body: &mut Body, name: &str, marked: i64, now: Timestamp) {
    if let Some((_, last)) = slot_of(marked).map(slot_range)
        && marked < last
    {
        add_gap(body, name, SavedGap { first: marked + 1, last, at: now.0 });
    }
}

/// Back to before a reset: the snapshot's slots are read again, up to its marks.
pub(super) fn reopen(body: &mut Body, mark: &Mark, now: Timestamp) {
    retire(body, now, |_| true);
    for slot in body.slots.iter_mut().filter(|slot| mark.slots.contains(&slot.slot)) {
        slot.retired_at = None;
        slot.read_only = true;
    }
    for (name, marked) in &mark.heads {
        close_above(body, name, *marked, now);
    }
}

/// Prepares for a backup: ids come from a fresh slot from now on, whichever database it will be.
pub(super) fn prepare(body: &mut Body, restoring: Restoring, now: Timestamp) {
    for slot in body.slots.iter_mut().filter(|slot| slot.retired_at.is_none()) {
        slot.read_only = true;
    }
    body.heads.clear();
    body.slots.push(taken(restoring.fresh, now, None));
    body.restoring = Some(restoring);
}

/// Slots that the ledger has not heard of, since it was lost: they are never handed out again.
pub(super) fn learn(body: &mut Body, slots: &[u16], now: Timestamp) {
    for slot in slots {
        if body.slots.iter().all(|known| known.slot != *slot) {
            body.slots.push(Slot { read_only: true, ..taken(*slot, now, None) });
        }
    }
}

/// The database is the backup's: its slots are read up to its marks, all others are retired.
pub(super) fn brought_back(body: &mut Body, restoring: &Restoring, now: Timestamp) {
    let is_kept = |slot: u16| slot == restoring.fresh || restoring.mark.slots.contains(&slot);
    retire(body, now, |slot| !is_kept(slot));
    for slot in body.slots.iter_mut().filter(|slot| restoring.mark.slots.contains(&slot.slot)) {
        slot.retired_at = None;
        slot.read_only = true;
    }
    for (name, marked) in &restoring.mark.heads {
        close_above(body, name, *marked, now);
    }
}

/// Adds a gap, swallowing those that it touches, so that restoring in a loop does not grow the file.
fn add_gap(body: &mut Body, name: &str, mut gap: SavedGap) {
    let gaps = body.gaps.entry(name.to_owned()).or_default();
    gaps.retain(|old| {
        let touches =
            old.first <= gap.last.saturating_add(1) && gap.first <= old.last.saturating_add(1);
        if touches {
            gap.first = gap.first.min(old.first);
            gap.last = gap.last.max(old.last);
        }
        !touches
    });
    gaps.push(gap);
}

pub(super) fn text_of(body: &Body, ring: &RootRing) -> Result<String, InstanceError> {
    let json = serde_json::to_string(body)
        .map_err(|_| InstanceError::config("the id ledger cannot be written as JSON"))?;
    let version = ring.current_version();
    let tag = mac::mac(&ring.derive(Purpose::Ledger), &fields(&json));
    Ok(format!("{TITLE}\n{json}\nmac {version} {}\n", hex(&tag)))
}

fn fields(json: &str) -> [&[u8]; 2] {
    [b"ids.ledger", json.as_bytes()]
}

pub(super) fn opened(text: &str, ring: &RootRing, shown: &str) -> Result<Body, InstanceError> {
    let malformed = || InstanceError::config(format!("{shown} is not an id ledger"));
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err(malformed());
    }
    let json = lines.next().ok_or_else(malformed)?;
    let seal = lines.next().and_then(|line| line.strip_prefix("mac ")).ok_or_else(malformed)?;
    let (version, tag) = seal.split_once(' ').ok_or_else(malformed)?;
    let version: u32 = version.parse().map_err(|_| malformed())?;
    let tag: [u8; 32] = unhex(tag).ok_or_else(malformed)?;
    let body: Body = serde_json::from_str(json).map_err(|_| malformed())?;
    if body.kind != ring.kind().as_str() || body.instance != ring.instance_id().to_string() {
        return Err(IsoError::new(
            "ISO-02",
            format!("{shown} belongs to another instance than the key file of {}", ring.tag()),
            "put back the ledger that belongs to this key file",
        )
        .into());
    }
    let fits = ring
        .derive_version(version, Purpose::Ledger)
        .is_some_and(|key| mac::verify(&key, &fields(json), &tag));
    if !fits {
        return Err(IsoError::new(
            "ISO-06",
            format!("{shown} was changed by hand"),
            "bring the file back as this instance wrote it",
        )
        .into());
    }
    Ok(body)
}
