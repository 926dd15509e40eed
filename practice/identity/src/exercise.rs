//! When members last used their permissions, so that what is granted and not
//! needed can be taken back (minimum necessary, 164.502(b)).
//!
//! Requests mark the flags that decided them ([`ward_store::Exercised`]); what a
//! user marks for the first time on a day waits in memory and is written with
//! others, so that reading costs no write. A flag counts as used when a check
//! asked for it and found it, also where another would have done.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ward_engine::Permission;
use ward_instance::Timestamp;
use ward_store::{Actor, Db, Flags, Query, Role, Sql, StoreError};

use crate::flags;

/// Users remembered at most; beyond, the day's memory begins anew, which costs
/// writes and loses nothing.
const USERS_MAX: usize = 100_000;
/// Rows of one transaction.
const BATCH: usize = 256;
const DAY_MICROS: i64 = 86_400_000_000;

/// What was used and is not written yet.
#[derive(Debug, Default)]
pub struct Exercises(Mutex<Today>);

#[derive(Debug, Default)]
struct Today {
    day: i64,
    /// Of each tenant and user, what the day's rows tell or will tell.
    noted: HashMap<(i64, i64), Flags>,
    due: Vec<Use>,
}

#[derive(Clone, Debug)]
struct Use {
    org_id: i64,
    user_id: i64,
    permission: Permission,
    day: i64,
}

impl Exercises {
    /// Nothing was used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what a member's request marked, once it is answered.
    pub fn note(&self, actor: &Actor, wall: Timestamp) {
        let Some(exercised) = actor.exercised.as_ref().filter(|_| actor.role == Role::Member)
        else {
            return;
        };
        let marked = exercised.flags();
        if marked == Flags::default() {
            return;
        }
        let mut today = self.0.lock();
        let day = wall.0.div_euclid(DAY_MICROS);
        if today.day != day || today.noted.len() >= USERS_MAX {
            today.day = day;
            today.noted.clear();
        }
        let noted = today.noted.entry((actor.org_id, actor.user_id)).or_default();
        let new = Flags(marked.0 & !noted.0);
        if new == Flags::default() {
            return;
        }
        noted.0 |= new.0;
        let (org_id, user_id) = (actor.org_id, actor.user_id);
        let used = flags::ALL.iter().map(|line| line.permission).filter(|it| new.has(it.flag));
        today.due.extend(used.map(|permission| Use { org_id, user_id, permission, day }));
    }

    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.0.lock().due.len()
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets which rows are there: after a Sandbox went back.
    pub fn forget(&self) {
        self.0.lock().noted.clear();
    }

    /// Writes what waits. The server calls it every second and when it stops.
    pub async fn flush(&self, db: &Db) -> Result<usize, StoreError> {
        let due = std::mem::take(&mut self.0.lock().due);
        let mut written = 0;
        for batch in due.chunks(BATCH) {
            match write(db, batch.into()).await {
                Ok(()) => written += batch.len(),
                Err(error) => {
                    self.0.lock().due.extend_from_slice(&due[written..]);
                    return Err(error);
                }
            }
        }
        Ok(written)
    }
}

async fn write(db: &Db, batch: Arc<[Use]>) -> Result<(), StoreError> {
    db.write(move |tx| {
        let batch = Arc::clone(&batch);
        Box::pin(async move {
            for used in batch.iter() {
                let at = Timestamp(used.day * DAY_MICROS).to_string();
                let day: String = at.chars().take(10).collect();
                // An account that was founded and undone leaves no row to refer to.
                let sql = Sql::fixed(
                    "INSERT INTO permission_uses (org_id, user_id, permission, last_on) \
                     SELECT u.org_id, u.id, $3, $4 FROM users u WHERE u.org_id = $1 AND u.id = $2 \
                     ON CONFLICT (org_id, user_id, permission) \
                     DO UPDATE SET last_on = EXCLUDED.last_on \
                     WHERE permission_uses.last_on < EXCLUDED.last_on",
                    [
                        used.org_id.into(),
                        used.user_id.into(),
                        used.permission.name.into(),
                        day.into(),
                    ],
                );
                tx.execute(&sql).await?;
            }
            Ok(())
        })
    })
    .await
}
