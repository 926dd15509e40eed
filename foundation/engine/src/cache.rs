//! Plans that were made before: bounded by their estimated bytes, admitted on
//! second use so that one-off and hostile documents do not push out real ones.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::plan::Plan;
use crate::version::ViewId;

/// Bytes of plans kept (data-layer ruling 9).
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Documents remembered as seen once.
const MAX_SEEN: usize = 4_096;

/// The cache. The whole text is compared, not only its hash.
#[derive(Default)]
pub struct PlanCache {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    hasher: RandomState,
    seen: HashSet<u64>,
    plans: HashMap<u64, Vec<Entry>>,
    bytes: usize,
    turn: u64,
}

struct Entry {
    view: ViewId,
    operation: Option<Box<str>>,
    text: Box<str>,
    plan: Arc<Plan>,
    used: u64,
}

impl Entry {
    fn is(&self, view: ViewId, operation: Option<&str>, text: &str) -> bool {
        self.view == view && self.operation.as_deref() == operation && *self.text == *text
    }

    fn bytes(&self) -> usize {
        // A document that is kept for introspection takes some 30 times its text.
        let document = if self.plan.introspection.is_some() { self.text.len() * 30 } else { 0 };
        self.plan.weight + self.text.len() + document
    }
}

impl PlanCache {
    /// The plan of a document that was admitted.
    pub fn get(&self, view: ViewId, operation: Option<&str>, text: &str) -> Option<Arc<Plan>> {
        let inner = &mut *self.inner.lock();
        let hash = inner.hasher.hash_one((view, operation, text));
        inner.turn += 1;
        let turn = inner.turn;
        let entry =
            inner.plans.get_mut(&hash)?.iter_mut().find(|entry| entry.is(view, operation, text))?;
        entry.used = turn;
        Some(entry.plan.clone())
    }

    /// Remembers a plan, if its document was seen before.
    pub fn put(&self, view: ViewId, operation: Option<&str>, text: &str, plan: &Arc<Plan>) {
        let inner = &mut *self.inner.lock();
        let hash = inner.hasher.hash_one((view, operation, text));
        if inner.seen.insert(hash) {
            if inner.seen.len() > MAX_SEEN {
                inner.seen.clear();
            }
            return;
        }
        let entry = Entry {
            view,
            operation: operation.map(Into::into),
            text: text.into(),
            plan: plan.clone(),
            used: inner.turn,
        };
        if entry.bytes() > MAX_BYTES / 4
            || inner
                .plans
                .get(&hash)
                .is_some_and(|entries| entries.iter().any(|entry| entry.is(view, operation, text)))
        {
            return;
        }
        inner.bytes += entry.bytes();
        inner.plans.entry(hash).or_default().push(entry);
        if inner.bytes > MAX_BYTES {
            inner.shrink();
        }
    }
}

impl PlanCache {
    /// How many plans are kept, and their estimated bytes.
    pub fn kept(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.plans.values().map(Vec::len).sum(), inner.bytes)
    }
}

impl Inner {
    /// Drops the half that was not used for longest.
    fn shrink(&mut self) {
        let mut turns: Vec<u64> = self.plans.values().flatten().map(|entry| entry.used).collect();
        turns.sort_unstable();
        let middle = turns.get(turns.len() / 2).copied().unwrap_or(0);
        self.plans.retain(|_, entries| {
            entries.retain(|entry| entry.used > middle);
            !entries.is_empty()
        });
        self.bytes = self.plans.values().flatten().map(Entry::bytes).sum();
    }
}
