//! Refused requests, counted in memory and written as audit entries: a
//! stranger can't buy a durable write per request.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ward_instance::Timestamp;

use crate::actor::Actor;
use crate::audit::{AuditChange, AuditEntry};
use crate::db::Db;
use crate::error::StoreError;
use crate::system::AuditType;

/// Counters held at most; beyond, refusals of a code are counted together.
const MAX_COUNTERS: usize = 10_000;

/// Entries of one transaction.
const BATCH: usize = 256;

/// Who is counted once the counters are full.
const ANYBODY: &str = "*";

const MINUTE_MICROS: i64 = 60_000_000;

/// Counters of refused requests.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<HashMap<Counter, Count>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Counter {
    org_id: i64,
    actor_id: i64,
    who: Box<str>,
    code: Box<str>,
    minute: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Refusals that no entry tells of yet.
    unwritten: u64,
    /// Whether an entry tells of the first ones.
    written: bool,
}

impl Refusals {
    /// No refusal yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a refusal: of whom (credential or address), with which code. The
    /// actor is nobody when no credential fitted.
    pub fn note(&self, actor: Option<&Actor>, who: &str, code: &str, wall: Timestamp) {
        let mut counters = self.0.lock();
        let mut counter = Counter {
            org_id: actor.map_or(0, |actor| actor.org_id),
            actor_id: actor.map_or(0, Actor::doer),
            who: who.into(),
            code: code.into(),
            minute: wall.0.div_euclid(MINUTE_MICROS),
        };
        if counters.len() >= MAX_COUNTERS && !counters.contains_key(&counter) {
            counter = Counter { org_id: 0, actor_id: 0, who: ANYBODY.into(), ..counter };
        }
        counters.entry(counter).or_default().unwritten += 1;
    }

    /// How many counters there are.
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes what is to be written: the first refusals of a counter at once,
    /// the rest of its minute in one more entry when the minute is over, or
    /// with `all`. The server calls it every second, and with `all` when it
    /// stops. How many entries were written.
    pub async fn flush(&self, db: &Db, all: bool) -> Result<usize, StoreError> {
        let minute = db.instance().clock().wall().0.div_euclid(MINUTE_MICROS);
        let due = self.take_due(minute, all);
        let mut written = 0;
        for batch in due.chunks(BATCH) {
            match write(db, batch).await {
                Ok(()) => written += batch.len(),
                Err(error) => {
                    self.put_back(&due[written..]);
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    fn take_due(&self, minute: i64, all: bool) -> Vec<(Counter, u64)> {
        let mut due = Vec::new();
        self.0.lock().retain(|counter, count| {
            let over = all || counter.minute < minute;
            if count.unwritten > 0 && (over || !count.written) {
                due.push((counter.clone(), std::mem::take(&mut count.unwritten)));
                count.written = true;
            }
            !over
        });
        due
    }

    fn put_back(&self, due: &[(Counter, u64)]) {
        let mut counters = self.0.lock();
        for (counter, unwritten) in due {
            let count = counters.entry(counter.clone()).or_default();
            count.unwritten += unwritten;
            count.written = false;
        }
    }
}

async fn write(db: &Db, batch: &[(Counter, u64)]) -> Result<(), StoreError> {
    let batch: Arc<[(Counter, u64)]> = batch.into();
    db.write(move |tx| {
        let batch = Arc::clone(&batch);
        Box::pin(async move {
            for (counter, count) in batch.iter() {
                tx.pending.record(entry(counter, *count));
            }
            Ok(())
        })
    })
    .await
}

fn entry(counter: &Counter, count: u64) -> AuditEntry {
    let actor = Actor { org_id: counter.org_id, unit_id: counter.org_id, ..Actor::anonymous() };
    let mut entry = AuditEntry::by(&actor, AuditType::Refused, &*counter.code, &*counter.who);
    entry.actor_id = counter.actor_id;
    entry.credential = Some(counter.who.to_string());
    entry.changes = vec![AuditChange::new("count", None, Some(&count.to_string()))];
    entry
}
