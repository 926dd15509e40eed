//! What was counted since the last change. Counting reads every row that is counted, so where
//! nothing was written since, the number of before is answered again. Only on SQLite, where every
//! change passes the one writer; on PostgreSQL other processes write, too.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::access_rows::ACCESS_LOG;
use crate::value::{Sql, Value};

/// Numbers kept at most.
const KEPT: usize = 1_000;

/// A statement's text and what is bound to it.
type Asked = (String, Vec<Value>);

/// How many changes were committed, and what was counted since the last of them.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<(u64, HashMap<Asked, i64>)>);

impl Counts {
    /// Changes so far. A reader looks before its snapshot begins.
    pub(crate) fn changes(&self) -> u64 {
        self.0.lock().0
    }

    /// A change was committed: all is to be counted anew.
    pub(crate) fn changed(&self) {
        let mut known = self.0.lock();
        known.0 += 1;
        known.1.clear();
    }

    /// What was counted by a reader that saw as many changes.
    pub(crate) fn known(&self, changes: u64, sql: &Sql) -> Option<i64> {
        let asked = asked(sql)?;
        let known = self.0.lock();
        (known.0 == changes).then(|| known.1.get(&asked).copied())?
    }

    /// Keeps a number, unless there was a change since the reader began.
    pub(crate) fn keep(&self, changes: u64, sql: &Sql, number: i64) {
        let Some(asked) = asked(sql) else { return };
        let mut known = self.0.lock();
        if known.0 == changes && known.1.len() < KEPT {
            known.1.insert(asked, number);
        }
    }
}

/// None of a statement that reads the log of accesses: writing it is no change.
fn asked(sql: &Sql) -> Option<Asked> {
    let is_of_log = sql.text().contains(ACCESS_LOG.name);
    (!is_of_log).then(|| (sql.text().to_owned(), sql.params().to_vec()))
}
