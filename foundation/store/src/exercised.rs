//! Which flags decided a request: marked while it is answered, read when it is.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::actor::{Flag, Flags};

/// The flags that a check of one request asked for and found.
#[derive(Debug, Default)]
pub struct Exercised([AtomicU64; 2]);

impl Exercised {
    /// Marks a flag; a load and, the first time, one atomic operation.
    pub fn mark(&self, flag: Flag) {
        let (half, bit) = (usize::from(flag.0 / 64), 1_u64 << (flag.0 % 64));
        if let Some(half) = self.0.get(half)
            && half.load(Ordering::Relaxed) & bit == 0
        {
            half.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// What was marked so far.
    pub fn flags(&self) -> Flags {
        let [low, high] = &self.0;
        let half = |half: &AtomicU64| u128::from(half.load(Ordering::Relaxed));
        Flags(half(low) | half(high) << 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_read() {
        let exercised = Exercised::default();
        for number in [0, 63, 64, 104, 127] {
            assert!(!exercised.flags().has(Flag(number)));
            exercised.mark(Flag(number));
            exercised.mark(Flag(number));
            assert!(exercised.flags().has(Flag(number)), "{number}");
        }
        assert_eq!(exercised.flags().0.count_ones(), 5);
    }
}
