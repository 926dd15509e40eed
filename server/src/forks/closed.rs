//! What is closed in a Sandbox and has to be closed in its forks.

use ward_store::{Db, Query, Sql, StoreError, Value};

/// How much is closed in a Sandbox: revoked keys, ended sessions and when the last one ended,
/// disabled users. A fork, which would not hear of more of it, ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Closed([i64; 4]);

impl Closed {
    pub(super) async fn of(db: &Db) -> Result<Self, StoreError> {
        let sql = Sql::fixed(
            "SELECT (SELECT COUNT(*) FROM revoked_keys), \
             (SELECT COUNT(*) FROM sessions WHERE ended_at IS NOT NULL), \
             (SELECT COALESCE(MAX(ended_at), 0) FROM sessions WHERE ended_at IS NOT NULL), \
             (SELECT COUNT(*) FROM users WHERE active = FALSE AND is_patient = FALSE)",
            [],
        );
        let rows = db.read().await?.rows(&sql).await?;
        let row = rows.row(0);
        Ok(Closed([0, 1, 2, 3].map(|at| row.get(at).and_then(Value::int).unwrap_or(0))))
    }

    /// Where less is closed than there was: that.
    pub(super) fn least(&self, other: &Closed) -> Closed {
        Closed(std::array::from_fn(|at| self.0[at].min(other.0[at])))
    }

    /// Old sessions are deleted after a while: less is nothing new.
    pub(super) fn is_beyond(&self, before: &Closed) -> bool {
        self.0.iter().zip(before.0).any(|(now, before)| *now > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_since_ends_a_fork() {
        let before = Closed([1, 5, 700, 2]);
        for more in [[2, 5, 700, 2], [1, 6, 700, 2], [1, 3, 701, 2], [1, 5, 700, 3]] {
            assert!(Closed(more).is_beyond(&before), "{more:?}");
        }
        assert!(!before.is_beyond(&before));
        assert!(!Closed([1, 3, 700, 2]).is_beyond(&before), "old sessions were deleted");
    }
}
