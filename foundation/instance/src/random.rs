//! Randomness: the only place that draws it.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::{ChaCha20Rng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

use crate::text::BASE62;

/// A source of random bytes: the operating system's, or a seeded one that repeats itself.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Random {
    /// The operating system's generator: every secret of a lasting instance comes from here.
    pub const fn os() -> Self {
        Self(Source::System)
    }

    /// The same bytes for the same seed on every platform and version: ChaCha20 with the seed's
    /// eight little-endian bytes, then zeros, as its key. For seeded worlds and tests.
    pub fn seeded(seed: u64) -> Self {
        let mut key = [0; 32];
        for (byte, part) in key.iter_mut().zip(seed.to_le_bytes()) {
            *byte = part;
        }
        Self(Source::Seeded(Arc::new(Mutex::new(ChaCha20Rng::from_seed(key)))))
    }

    /// A generator of its own, seeded by this one: for what is drawn often and is
    /// no secret, such as the numbers of requests.
    pub fn of_its_own(&self) -> Self {
        let mut key = [0; 32];
        self.fill(&mut key);
        Self(Source::Seeded(Arc::new(Mutex::new(ChaCha20Rng::from_seed(key)))))
    }

    /// Fills `bytes`. Ends the process when the system has no randomness: a guessable key is worse.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.0 {
            Source::System => {
                SysRng.try_fill_bytes(bytes).expect("the operating system provides randomness");
            }
            Source::Seeded(rng) => rng.lock().fill_bytes(bytes),
        }
    }

    /// 64 uniform bits.
    pub fn u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A uniform number in `0..n`, without modulo bias; 0 when `n` is 0.
    pub fn below(&self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let unbiased = u64::MAX - u64::MAX % n;
        loop {
            let drawn = self.u64();
            if drawn < unbiased {
                return drawn % n;
            }
        }
    }

    /// `len` uniform characters of `0-9A-Za-z`, about 5.95 bits each.
    pub fn base62(&self, len: usize) -> String {
        // 248 is the largest multiple of 62 in a byte; larger bytes are thrown away.
        let mut text = String::with_capacity(len);
        while text.len() < len {
            let mut bytes = [0; 64];
            self.fill(&mut bytes);
            let letters = bytes.iter().filter(|byte| **byte < 248);
            for byte in letters.take(len - text.len()) {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
            }
        }
        text
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded)",
        })
    }
}
