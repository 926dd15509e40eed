//! Notes at which their lock failed: skipped for ten minutes, then for twice as long each time, and
//! at most for a day. All of it is written by these columns alone, since the row may not open.

use ward_identity::autolock::full_minute;
use ward_instance::Timestamp;
use ward_store::{Query, Sql, StoreError, Tx};

const FIRST: i64 = 10 * 60_000_000;
const DAY: i64 = 24 * 3_600_000_000;

/// Has a note skipped at which its lock failed once more, if it waits still. Where another worker has
/// it skipped by now, both failed at once, and that counts once.
pub async fn for_a_while(tx: &mut Tx, org_id: i64, note: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "SELECT g.autolock_failures FROM form_answer_groups g WHERE g.org_id = $1 AND g.id = $2 \
         AND g.autolock_from IS NOT NULL \
         AND (g.autolock_skipped_until IS NULL OR g.autolock_skipped_until <= $3) FOR_UPDATE",
        [org_id.into(), note.into(), tx.now().0.into()],
    );
    let rows = tx.rows(&sql).await?;
    let Some(before) = rows.scalar() else { return Ok(()) };
    let failures = before.int().unwrap_or(0).saturating_add(1);
    let sql = Sql::fixed(
        "UPDATE form_answer_groups SET autolock_failures = $1, autolock_skipped_until = $2 \
         WHERE org_id = $3 AND id = $4",
        [failures.into(), until(tx.now(), failures).0.into(), org_id.into(), note.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Has it forgotten that a note's lock failed: it is skipped no longer.
pub async fn forget(tx: &mut Tx, org_id: i64, note: i64) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "UPDATE form_answer_groups SET autolock_failures = NULL, autolock_skipped_until = NULL \
         WHERE org_id = $1 AND id = $2 AND autolock_skipped_until IS NOT NULL",
        [org_id.into(), note.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Until when a note is skipped that has failed so often: at a full minute, so that those which fail
/// together are tried again together.
fn until(now: Timestamp, failures: i64) -> Timestamp {
    let wait = (FIRST << (failures.clamp(1, 9) - 1)).min(DAY);
    full_minute(now.plus_micros(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_skipped_ever_longer_and_for_a_day_at_most() {
        let minutes = |failures| until(Timestamp(0), failures).0 / 60_000_000;
        let waits: Vec<i64> = (1..=10).map(minutes).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
        assert_eq!(minutes(i64::MAX), 1_440);
        assert_eq!(until(Timestamp(1), 1), Timestamp(11 * 60_000_000));
        assert_eq!(until(Timestamp(i64::MAX), 1), Timestamp(i64::MAX), "no moment is too far");
    }
}
