//! Whose requests are under way, and how many more may be: no organization takes what the others
//! need.
//!
//! An organization may have a third as many under way as are free. Alone it gets a quarter of all,
//! and each further one less: a fixed quarter would be used up by four of them, this leaves
//! something for others when a dozen take all that they get.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// An organization's requests, and those of them to slow receivers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Used {
    all: usize,
    slow: usize,
}

/// The requests under way.
#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    total: Used,
    of: BTreeMap<i64, Used>,
}

impl UnderWay {
    /// One more.
    pub fn add(&mut self, org_id: i64, is_slow: bool) {
        for used in [&mut self.total, self.of.entry(org_id).or_default()] {
            used.all += 1;
            used.slow += usize::from(is_slow);
        }
    }

    /// One less.
    pub fn remove(&mut self, org_id: i64, is_slow: bool) {
        let Some(own) = self.of.get_mut(&org_id) else { return };
        for used in [&mut self.total, own] {
            used.all = used.all.saturating_sub(1);
            used.slow = used.slow.saturating_sub(usize::from(is_slow));
        }
        if self.of.get(&org_id) == Some(&Used::default()) {
            self.of.remove(&org_id);
        }
    }

    /// What is free of so many, and of so many for slow receivers.
    pub fn room(&self, all: usize, slow: usize) -> Room {
        let (all, slow) =
            (all.saturating_sub(self.total.all), slow.saturating_sub(self.total.slow));
        Room { all, slow, of: self.of.clone() }
    }
}

/// A request's place among those under way, from its claim on; free again when this is dropped, so
/// too when the claim is not committed.
#[derive(Debug)]
pub struct Seat {
    under_way: Arc<Mutex<UnderWay>>,
    org_id: i64,
    is_slow: bool,
}

impl Seat {
    /// Takes one.
    pub fn take(under_way: &Arc<Mutex<UnderWay>>, org_id: i64, is_slow: bool) -> Self {
        under_way.lock().add(org_id, is_slow);
        Seat { under_way: under_way.clone(), org_id, is_slow }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.under_way.lock().remove(self.org_id, self.is_slow);
    }
}

/// How much may be claimed.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// For all.
    pub all: usize,
    /// For lanes whose receivers are slow.
    pub slow: usize,
    of: BTreeMap<i64, Used>,
}

/// Organizations that get nothing more now, from lanes that are not slow and from those that are.
#[derive(Clone, Debug, Default)]
pub struct Full {
    /// Of lanes that are not slow.
    pub fast: Vec<i64>,
    /// Of slow lanes.
    pub slow: Vec<i64>,
}

impl Room {
    /// How many more an organization may begin.
    pub fn share(&self, org_id: i64, is_slow: bool) -> usize {
        let used = self.of.get(&org_id).copied().unwrap_or_default();
        let share = third(self.all, used.all);
        match is_slow {
            true => share.min(third(self.slow, used.slow)),
            false => share,
        }
    }

    /// It began as many.
    pub fn take(&mut self, org_id: i64, is_slow: bool, count: usize) {
        self.all = self.all.saturating_sub(count);
        let used = self.of.entry(org_id).or_default();
        used.all += count;
        if is_slow {
            self.slow = self.slow.saturating_sub(count);
            used.slow += count;
        }
    }

    /// Who gets nothing more now.
    pub fn full(&self) -> Full {
        let full = |is_slow| {
            self.of.keys().copied().filter(|org_id| self.share(*org_id, is_slow) == 0).collect()
        };
        Full { fast: full(false), slow: full(true) }
    }
}

/// How many more, so that those under way are a third of what is free then; the first always.
fn third(free: usize, used: usize) -> usize {
    let first = usize::from(used == 0 && free > 0);
    (free.saturating_sub(used.saturating_mul(3)) / 4).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn greedy(orgs: &[(i64, bool)]) -> Room {
        let mut room = UnderWay::default().room(256, 64);
        for (org_id, is_slow) in orgs {
            while room.share(*org_id, *is_slow) > 0 {
                room.take(*org_id, *is_slow, 1);
            }
        }
        room
    }

    #[test]
    fn alone_a_quarter() {
        assert_eq!(greedy(&[(1, false)]).all, 192);
        let room = greedy(&[(1, true)]);
        assert_eq!((room.all, room.slow), (240, 48));
        assert_eq!((room.share(1, true), room.share(1, false) > 0), (0, true));
        assert_eq!(room.full().slow, [1]);
        assert!(room.full().fast.is_empty());
    }

    #[test]
    fn what_ends_is_free_again() {
        let mut under_way = UnderWay::default();
        under_way.add(1, true);
        under_way.add(2, false);
        let room = under_way.room(256, 64);
        assert_eq!((room.all, room.slow), (254, 63));
        under_way.remove(1, true);
        under_way.remove(2, false);
        under_way.remove(3, false);
        assert_eq!(under_way.room(256, 64).all, 256);
        assert!(under_way.of.is_empty());
    }

    proptest! {
        /// When a dozen take all that they get, there is something for one who has nothing.
        #[test]
        fn something_is_left(orgs in prop::collection::vec((1..=12_i64, any::<bool>()), 0..80)) {
            let room = greedy(&orgs);
            prop_assert!(room.share(0, false) > 0 && room.share(0, true) > 0);
        }
    }
}
