//! What the ledger file holds, how it is sealed, and what going back in time does to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::error::{InstanceError, IsoError};
use crate::ids::{Gap, SLOTS, slot_of, slot_range};
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

/// What a snapshot is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What the instance's clock showed, microseconds UTC.
    pub now: i64,
    /// The root under which its values are sealed.
    pub root: u32,
    /// Digest of the tables' definitions.
    pub schema: String,
}

/// What a snapshot contained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) taken_at: i64,
    pub(super) slots: Vec<u16>,
    pub(super) heads: Heads,
    /// Ids that were stale already.
    #[serde(default)]
    pub(super) gaps: BTreeMap<String, Vec<SavedGap>>,
    #[serde(default)]
    pub(super) facts: Facts,
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
    /// Slots that only forks give ids out of, again and again: none of them is ever this
    /// instance's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) forks: Vec<u16>,
    /// A backup that is being brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) restoring: Option<Restoring>,
    /// A reset or a return to a snapshot, whose transaction may or may not have been committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) going: Option<Going>,
    /// The token of the last step back in time that was done, empty before the first one; none in a
    /// ledger of a version that did not write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stepped: Option<String>,
}

/// A step back in time that is being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Going {
    /// The database has it once the step is committed.
    pub(super) token: String,
    /// The snapshot; none for a reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    /// The slots that a reset retired, good until it is committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<u16>,
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

/// Back to what a snapshot contained. Ids that it had are good again, those given out since are
/// stale, and new ones go on above the highest of today, in the slots of today.
pub(super) fn go_back(body: &mut Body, mark: &Mark, today: &Heads, now: Timestamp) {
    for (name, last) in today {
        let head = body.heads.entry(name.clone()).or_insert(*last);
        *head = (*head).max(*last);
    }
    let own: Vec<u16> =
        body.slots.iter().filter(|slot| !slot.read_only).filter_map(alive).collect();
    retire(body, now, |slot| !mark.slots.contains(&slot) && !own.contains(&slot));
    let back = |slot: &&mut Slot| mark.slots.contains(&slot.slot) && slot.retired_at.is_some();
    for slot in body.slots.iter_mut().filter(back) {
        slot.retired_at = None;
        slot.read_only = true;
    }
    body.gaps = mark.gaps.clone();
    for (name, marked) in &mark.heads {
        let Some((_, end)) = slot_of(*marked).map(slot_range) else { continue };
        let head = body.heads.get(name).copied().filter(|head| slot_of(*head) == slot_of(*marked));
        // In a slot that is read only, or that the type has filled since, nothing is new.
        add_gap(body, name, SavedGap { first: *marked + 1, last: head.unwrap_or(end), at: now.0 });
    }
    let heads: Vec<(String, i64)> = body.heads.clone().into_iter().collect();
    for (name, head) in heads {
        let Some(slot) = slot_of(head) else { continue };
        if mark.heads.get(&name).is_none_or(|marked| slot_of(*marked) != Some(slot)) {
            add_gap(body, &name, SavedGap { first: slot_range(slot).0, last: head, at: now.0 });
        }
    }
}

/// Takes a reset back that was not committed: ids of before are good, and new ones come from the
/// slot that it took, where somebody may have some already.
pub(super) fn revive(body: &mut Body, retired: &[u16]) {
    for slot in body.slots.iter_mut().filter(|slot| retired.contains(&slot.slot)) {
        slot.retired_at = None;
        slot.read_only = true;
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

/// Slots out of which ids were given before the ledger was lost, and none is good any more.
pub(super) fn learn_used(body: &mut Body, slots: &[u16], now: Timestamp) {
    for slot in slots.iter().filter(|slot| **slot < SLOTS) {
        let is_known = body.forks.contains(slot) || body.slots.iter().any(|it| it.slot == *slot);
        if !is_known {
            body.slots.push(Slot { retired_at: Some(now.0), ..taken(*slot, now, None) });
        }
    }
}

/// The database is the backup's: its slots are read up to its marks, all others are retired.
pub(super) fn brought_back(body: &mut Body, restoring: &Restoring, now: Timestamp) {
    // Of the database that was there.
    body.going = None;
    let is_kept = |slot: u16| slot == restoring.fresh || restoring.mark.slots.contains(&slot);
    retire(body, now, |slot| !is_kept(slot));
    for slot in body.slots.iter_mut().filter(|slot| restoring.mark.slots.contains(&slot.slot)) {
        slot.retired_at = None;
        slot.read_only = true;
    }
    // What a snapshot closed in these slots since the backup is good again.
    for gaps in body.gaps.values_mut() {
        gaps.retain(|gap| !slot_of(gap.first).is_some_and(|it| restoring.mark.slots.contains(&it)));
    }
    for (name, marked) in &restoring.mark.heads {
        let Some((_, last)) = slot_of(*marked).map(slot_range) else { continue };
        add_gap(body, name, SavedGap { first: *marked + 1, last, at: now.0 });
    }
}

/// Adds a gap, swallowing those that it touches, so that restoring in a loop does not grow the file.
fn add_gap(body: &mut Body, name: &str, mut gap: SavedGap) {
    if gap.first > gap.last {
        return;
    }
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
