//! Which note is the next: in each organization those whose time runs are one line, and those that are
//! skipped another, and the first of each is found by an index however long the line is.

use ward_identity::autolock::{InForce, SETTING, UNITS, read};
use ward_instance::Timestamp;
use ward_store::{Id, Query, Scope, Sql, StoreError, Value};

use crate::filled::tables::FormAnswerGroup;

/// A line in which the notes of an organization wait: by which moment, and which are in it. Each has
/// an index, whose condition is said here as it is there: SQLite takes it for the same words only.
pub struct Line {
    by: &'static str,
    of: &'static str,
}

/// Those whose time runs.
const WAITS: Line = Line {
    by: "g.autolock_from",
    of: "g.autolock_from IS NOT NULL AND g.autolock_skipped_until IS NULL AND g.deleted_at IS NULL",
};
/// Those that are skipped.
const SKIPPED: Line = Line {
    by: "g.autolock_skipped_until",
    of: "g.autolock_skipped_until IS NOT NULL AND g.deleted_at IS NULL",
};

/// An organization whose notes lock.
pub struct Waiting {
    unit: i64,
    setting: InForce,
    /// From when the time of the first note runs that is not skipped.
    first: Option<Timestamp>,
    /// Until when the first of those is skipped that are.
    again: Option<Timestamp>,
}

impl Waiting {
    /// When the first note is due that is not skipped.
    fn due(&self) -> Option<Timestamp> {
        self.first.map(|from| self.setting.due(from))
    }

    /// When there is something to do.
    pub fn next(&self) -> Option<Timestamp> {
        self.due().into_iter().chain(self.again).min()
    }
}

/// In which organization and line the next note is: where the first is due, and where none is, the
/// first that is skipped no longer.
pub fn next_up(waiting: &[Waiting], now: Timestamp) -> Option<(i64, Line)> {
    let due = soonest(waiting, now, Waiting::due).map(|unit| (unit, WAITS));
    due.or_else(|| soonest(waiting, now, |it| it.again).map(|unit| (unit, SKIPPED)))
}

/// The organization whose moment has come first.
fn soonest(
    waiting: &[Waiting],
    now: Timestamp,
    moment: impl Fn(&Waiting) -> Option<Timestamp>,
) -> Option<i64> {
    let moments = waiting.iter().filter_map(|it| Some((moment(it)?, it.unit)));
    moments.filter(|(at, _)| *at <= now).min().map(|(_, unit)| unit)
}

/// The organizations of the practice whose notes lock, with what waits there.
pub async fn waiting(scope: &mut Scope<'_>) -> Result<Vec<Waiting>, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT ").push(SETTING);
    for line in [WAITS, SKIPPED] {
        sql.push(", (SELECT MIN(").push(line.by).push(") FROM form_answer_groups g ");
        sql.push("WHERE g.org_id = u.org_id AND g.unit_id = u.id AND ").push(line.of).push(")");
    }
    sql.push(" ").push(UNITS).push(" WHERE u.org_id = ").bind(scope.actor.org_id);
    sql.push(" AND COALESCE(u.chart_note_autolock_hours, r.chart_note_autolock_hours, 0) > 0");
    sql.push(" ORDER BY u.id");
    let rows = scope.tx.rows(&sql).await?;
    let one = |row: &[Value]| {
        let (unit, setting) = read(row)?;
        let moment = |at: usize| row.get(at).and_then(Value::int).map(Timestamp);
        Some(Waiting { unit, setting, first: moment(5), again: moment(6) })
    };
    Ok(rows.iter().filter_map(one).collect())
}

/// The first note of an organization in a line.
pub async fn first(
    scope: &mut Scope<'_>,
    unit: i64,
    line: &Line,
) -> Result<Option<Id<FormAnswerGroup>>, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT g.id FROM form_answer_groups g WHERE g.org_id = ").bind(scope.actor.org_id);
    sql.push(" AND g.unit_id = ").bind(unit).push(" AND ").push(line.of);
    sql.push(" ORDER BY ").push(line.by).push(", g.id LIMIT 1");
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::int).map(Id::new))
}

#[cfg(test)]
mod tests {
    use ward_identity::autolock::Said;

    use super::*;

    /// An organization whose notes lock after an hour; moments in minutes.
    fn unit(unit: i64, first: Option<i64>, again: Option<i64>) -> Waiting {
        let said = Said { hours: Some(1), since: None };
        let setting = InForce::of(said, said).unwrap();
        let at = |minutes: i64| Timestamp(minutes * 60_000_000);
        Waiting { unit, setting, first: first.map(at), again: again.map(at) }
    }

    #[test]
    fn what_failed_is_tried_behind_whatever_is_due() {
        let next = |waiting: &[Waiting]| {
            next_up(waiting, Timestamp(100 * 60_000_000)).map(|(unit, line)| (unit, line.by))
        };
        let both = [unit(1, Some(40), Some(2)), unit(2, Some(39), Some(3))];
        assert_eq!(next(&both), Some((2, WAITS.by)), "due at 99");
        let later = [unit(1, Some(41), Some(100)), unit(2, None, Some(99))];
        assert_eq!(next(&later), Some((2, SKIPPED.by)));
        assert_eq!(next(&[unit(1, Some(41), Some(101)), unit(2, None, None)]), None);
    }
}
