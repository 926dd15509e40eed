//! What is to be reminded of when a record changes, as a pure rule: what is
//! wanted now against what was planned before (behaviour 42).

use std::collections::BTreeMap;

use ward_instance::Timestamp;

/// Reminders by their slot, and when each is due.
pub type Slots = BTreeMap<String, Timestamp>;

/// What has to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New ones.
    pub planned: Slots,
    /// Those with another time.
    pub moved: Slots,
    /// Those that are wanted no more, or whose new time has passed.
    pub dropped: Vec<String>,
}

/// The changes that lead from what is planned to what is wanted. A time that has
/// passed is not made up for (behaviour 42); one that is due at this moment is
/// still said, and so is one that is held until later.
pub fn changes(now: Timestamp, planned: &Slots, wanted: &Slots) -> Changes {
    let mut changes = Changes::default();
    for (slot, due) in wanted.iter().filter(|(_, due)| **due >= now) {
        match planned.get(slot) {
            None => changes.planned.insert(slot.clone(), *due),
            Some(before) if before != due => changes.moved.insert(slot.clone(), *due),
            Some(_) => None,
        };
    }
    let stays = |slot: &String| {
        wanted.get(slot).is_some_and(|due| *due >= now || planned.get(slot) >= Some(due))
    };
    changes.dropped = planned.keys().filter(|slot| !stays(slot)).cloned().collect();
    changes
}
