//! How much work a request has asked for, where fields do not tell: a document has room for
//! hundreds of questions, and each may be a large one.

use std::sync::atomic::{AtomicI64, Ordering};

use ward_store::Role;

use crate::Request;

/// So much a request of somebody who is signed in may cost, in units: about so many rows, or starts
/// of appointments, that are looked at.
pub const UNITS_MAX: i64 = 1_000_000;
/// So much a visitor's request may cost.
pub const UNITS_OF_VISITOR_MAX: i64 = 150_000;

/// Work of one request, of all its fields together, in units.
#[derive(Debug, Default)]
pub struct Work(AtomicI64);

impl Request {
    /// Spends of the request's budget; whether there was enough of it.
    pub fn affords(&self, units: i64) -> bool {
        let most = match self.actor.role {
            Role::Anonymous => UNITS_OF_VISITOR_MAX,
            _ => UNITS_MAX,
        };
        self.work.0.fetch_add(units, Ordering::Relaxed).saturating_add(units) <= most
    }
}
