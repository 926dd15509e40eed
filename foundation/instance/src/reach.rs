//! What the instance can do to the world outside, as the door to it says when it is hung.
//!
//! Who must know before it promises something (a code by mail) asks here and not which environment
//! it is in: a simulator reaches its inbox, a missing connector reaches nobody (trust ruling 12).

use std::sync::atomic::{AtomicBool, Ordering};

/// Which ways out are open. None, until somebody says so.
#[derive(Debug, Default)]
pub struct Reach {
    email: AtomicBool,
    loopback_webhooks: AtomicBool,
    private_webhooks: AtomicBool,
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

    /// Whether webhooks may go to this machine.
    pub fn loopback_webhooks(&self) -> bool {
        self.loopback_webhooks.load(Ordering::Acquire)
    }

    /// Whether webhooks may go to private networks.
    pub fn private_webhooks(&self) -> bool {
        self.private_webhooks.load(Ordering::Acquire)
    }

    /// Opens ways for webhooks that are closed otherwise, as the configuration says; Production's
    /// configuration can't (ISO-43).
    pub fn set_webhooks(&self, loopback: bool, private: bool) {
        self.loopback_webhooks.store(loopback, Ordering::Release);
        self.private_webhooks.store(private, Ordering::Release);
    }
}
