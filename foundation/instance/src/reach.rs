//! What the instance can do to the world outside, as the door to it says when it is hung.
//!
//! Who must know before it promises something (a code by mail) asks here and not which environment
//! it is in: a simulator reaches its inbox, a missing connector reaches nobody (trust ruling 12).

use std::sync::atomic::{AtomicBool, Ordering};

/// Which ways out are open. None, until somebody says so.
#[derive(Debug, Default)]
pub struct Reach {
    email: AtomicBool,
}

impl Reach {
    /// Whether an e-mail that is wanted now will be handed over.
    pub fn email(&self) -> bool {
        self.email.load(Ordering::Acquire)
    }

    /// Says whether e-mails are handed over.
    pub fn set_email(&self, open: bool) {
        self.email.store(open, Ordering::Release);
    }
}
