//! How often something may be done for somebody within a time. An allowance fills
//! up again by itself, one after another, so that it locks nobody out for good, other
//! than the waits of [`crate::attempt`], which grow for who guesses.
//!
//! Wall time: a Sandbox whose clock stands still must not lock anybody out.

use ward_engine::Answer;
use ward_instance::{Instance, Timestamp};
use ward_store::keyring::blind_index;
use ward_store::{Db, Query, Sql, StoreError, Tx};

use crate::attempt::{forget_old, id, pair};
use crate::password::too_many_requests;
use crate::tables::AttemptScope;

const SECOND_MICROS: i64 = 1_000_000;

/// So many at once, and one more each time that so many seconds have passed. All of
/// it is back within a day: counters are kept for so long.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Of what.
    pub kind: &'static str,
    /// At once.
    pub most: i64,
    /// Until one is back, in seconds.
    pub seconds: i64,
}

impl Allowance {
    /// What is still used of it, and since when the next one is on its way back, where
    /// so many were used at `since`.
    pub fn used(&self, used: i64, since: Timestamp, now: Timestamp) -> (i64, Timestamp) {
        let each = self.seconds.saturating_mul(SECOND_MICROS).max(1);
        let back = (now.0.saturating_sub(since.0) / each).max(0);
        match used.saturating_sub(back) {
            more if more > 0 => (more, Timestamp(since.0 + back * each)),
            _ => (0, now),
        }
    }

    fn subject(&self, instance: &Instance, whose: &str) -> Vec<u8> {
        blind_index(instance, 0, self.kind, "allowance", whose)
    }
}

/// Takes one of somebody's allowance, if the transaction is committed; whether there
/// was one.
pub async fn take(tx: &mut Tx, allowance: &Allowance, whose: &str) -> Result<bool, StoreError> {
    let instance = tx.instance().clone();
    let (scope, subject) = (AttemptScope::Account, allowance.subject(&instance, whose));
    let wall = tx.wall();
    let fresh = Sql::fixed(
        "INSERT INTO sign_in_attempts (id, scope, subject, attempts, blocked_until, last_at) \
         VALUES ($1, $2, $3, 0, 0, $4) ON CONFLICT DO NOTHING",
        [id(tx.uuid()), scope.as_str().into(), subject.as_slice().into(), wall.0.into()],
    );
    tx.execute(&fresh).await?;
    let sql = Sql::fixed(
        "SELECT attempts, last_at FROM sign_in_attempts WHERE scope = $1 AND subject = $2 \
         FOR_UPDATE",
        [scope.as_str().into(), subject.as_slice().into()],
    );
    let (used, since) = pair(tx, &sql).await?.unwrap_or((0, wall));
    let (used, since) = allowance.used(used, since, wall);
    if used >= allowance.most {
        return Ok(false);
    }
    tx.execute(&Sql::fixed(
        "UPDATE sign_in_attempts SET attempts = $1, last_at = $2 WHERE scope = $3 AND subject = $4",
        [(used + 1).into(), since.0.into(), scope.as_str().into(), subject.as_slice().into()],
    ))
    .await?;
    Ok(true)
}

/// Takes one of each, whatever comes of it, or refuses.
pub async fn spend(db: &Db, all: &[(Allowance, String)]) -> Answer<()> {
    let all = all.to_vec();
    let has_all = db.write(move |tx| {
        let all = all.clone();
        Box::pin(async move {
            let mut has_all = true;
            for (allowance, whose) in &all {
                has_all &= take(tx, allowance, whose).await?;
            }
            forget_old(tx).await?;
            Ok::<_, StoreError>(has_all)
        })
    });
    match has_all.await? {
        true => Ok(()),
        false => Err(too_many_requests()),
    }
}
