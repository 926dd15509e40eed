//! Bytes that many share: whoever has the most is refused first, so that there
//! is always something for who has little.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that a person's sockets may hold: subscriptions, identifiers, and
/// messages that are not whole yet.
pub const OF_PERSON: usize = 4 * 1024 * 1024;
/// Bytes that all sockets may hold of these.
const HELD: usize = 64 * 1024 * 1024;
/// One may hold this part of what is free; this one where a person's own bounds are off.
const PART: usize = 8;
const PART_UNBOUNDED: usize = 2;

/// Subscriptions of one person, unless they may have many sockets: then ten for each.
const LISTENERS_OF_PERSON: usize = 500;
const LISTENERS_OF_SOCKET: usize = 10;

/// What one person may have open; nothing where that is not bounded.
#[derive(Clone, Copy, Debug)]
pub struct OfPerson {
    /// Sockets.
    pub sockets: usize,
    /// Subscriptions of all of them.
    pub listeners: usize,
    /// Bytes that they hold.
    pub bytes: usize,
}

impl OfPerson {
    /// Of so many sockets at most; 0 for no bound of a person's own.
    pub fn of(sockets: usize) -> Self {
        if sockets == 0 {
            return OfPerson { sockets: usize::MAX, listeners: usize::MAX, bytes: usize::MAX };
        }
        let listeners = sockets.saturating_mul(LISTENERS_OF_SOCKET).max(LISTENERS_OF_PERSON);
        OfPerson { sockets, listeners, bytes: OF_PERSON }
    }
}

/// A number of bytes for all.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// So many.
    pub const fn of(most: usize) -> Self {
        Budget { used: AtomicUsize::new(0), most }
    }

    /// Takes bytes for one who holds some already, when that is at most one
    /// `part`th of what is free: a budget that is shared so is never used up.
    pub fn take(&self, holds: usize, bytes: usize, part: usize) -> bool {
        let taken = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            let free = self.most.saturating_sub(used);
            (holds.saturating_add(bytes) <= free / part).then(|| used + bytes)
        });
        taken.is_ok()
    }

    /// Gives bytes back.
    pub fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// How many are used.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.used.load(Ordering::Acquire)
    }
}

/// What one person, or a socket of nobody yet, holds of a budget.
#[derive(Debug)]
pub struct Purse {
    budget: Arc<Budget>,
    held: AtomicUsize,
    most: usize,
    part: usize,
}

impl Purse {
    /// An empty one that holds so many at most, whatever the budget has.
    pub fn new(budget: Arc<Budget>, most: usize) -> Self {
        let part = if most == usize::MAX { PART_UNBOUNDED } else { PART };
        Purse { budget, held: AtomicUsize::new(0), most, part }
    }

    /// The budget of what sockets hold.
    pub const fn budget() -> Budget {
        Budget::of(HELD)
    }

    /// Takes bytes, if there are so many for this one.
    pub fn take(&self, bytes: usize) -> bool {
        let held = self.held.fetch_add(bytes, Ordering::AcqRel);
        if held.saturating_add(bytes) <= self.most && self.budget.take(held, bytes, self.part) {
            return true;
        }
        self.held.fetch_sub(bytes, Ordering::AcqRel);
        false
    }

    /// Gives bytes back.
    pub fn give(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::AcqRel);
        self.budget.give(bytes);
    }

    /// How many it holds.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_have_many_sockets_may_listen_with_all_of_them() {
        let listeners = |sockets| OfPerson::of(sockets).listeners;
        assert_eq!((listeners(1), listeners(50), listeners(200)), (500, 500, 2_000));
        assert_eq!((OfPerson::of(200).bytes, OfPerson::of(200).sockets), (OF_PERSON, 200));
        let OfPerson { sockets, listeners, bytes } = OfPerson::of(0);
        assert_eq!([sockets, listeners, bytes], [usize::MAX; 3], "switched off with one switch");
        // What is left for the others is half of what is free.
        let purse = Purse::new(Arc::new(Purse::budget()), bytes);
        while purse.take(4 * 1024) {}
        assert_eq!(purse.held() / (4 * 1024), HELD / (4 * 1024) / 3);
    }

    /// Forty who take all that they get leave something for the next one.
    #[test]
    fn it_is_never_used_up() {
        let budget = Arc::new(Purse::budget());
        let purses: Vec<Purse> = (0..40).map(|_| Purse::new(budget.clone(), OF_PERSON)).collect();
        for purse in &purses {
            while purse.take(4 * 1024) {}
            assert!((4 * 1024..=OF_PERSON).contains(&purse.held()), "{}", purse.held());
        }
        assert_eq!(purses[0].held(), OF_PERSON, "one alone");
        assert!(budget.bytes() < HELD);
        for purse in &purses {
            purse.give(purse.held());
        }
        assert_eq!(budget.bytes(), 0);
    }
}
