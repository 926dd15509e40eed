//! When the chart notes of an organization lock by themselves: its setting, an addition to behaviour
//! 26, and the moment that it makes of a note's.
//!
//! A setting never reaches back: a note is due so many hours after it was finished or unlocked, or
//! after the setting was changed, whichever is later, so that switching it on locks nothing at once.

use std::collections::HashMap;

use serde_json::json;
use ward_engine::{Given, Problems};
use ward_instance::Timestamp;
use ward_store::jobs::{self, NewJob};
use ward_store::{Query, Scope, Sql, StoreError, Tx, Value};

use crate::tables::Organization;

/// The kind of job that locks what is due in an organization and those below it.
pub const JOB_KIND: &str = "autolock_notes";

/// A year: the most hours after which notes lock.
pub const HOURS_MAX: i64 = 8_760;

/// A job is tried again for as long as it takes: each plans the next, and without one nothing would
/// lock any more until somebody finishes a note.
const ATTEMPTS: i64 = 1_000_000;

/// What [`read`] reads of organizations `u` and of their roots `r`: see [`UNITS`].
pub const SETTING: &str = "u.id, u.chart_note_autolock_hours, u.chart_note_autolock_since, \
    r.chart_note_autolock_hours, r.chart_note_autolock_since";

/// The organizations `u`, each with its root `r`, which is itself of a root.
pub const UNITS: &str =
    "FROM organizations u JOIN organizations r ON r.org_id = u.org_id AND r.id = u.org_id";

const FIELD: &str = "chart_note_autolock_hours";
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// What an organization says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// 0 for never; nothing as the one above it has it, and at the root for never.
    pub hours: Option<i64>,
    /// When that was said.
    pub since: Option<Timestamp>,
}

impl Said {
    /// Of a row.
    pub fn of(unit: &Organization) -> Self {
        Said { hours: unit.chart_note_autolock_hours, since: unit.chart_note_autolock_since }
    }
}

/// The setting by which an organization's notes lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce {
    hours: i64,
    since: Option<Timestamp>,
}

impl InForce {
    /// What counts of what an organization says and of what its root says, which are the same of a
    /// root; nothing where notes never lock.
    pub fn of(own: Said, root: Said) -> Option<Self> {
        let hours = own.hours.or(root.hours).filter(|hours| *hours > 0)?;
        // Who goes by the one above goes by what either changed last.
        let since = match own.hours {
            Some(_) => own.since,
            None => own.since.max(root.since),
        };
        Some(InForce { hours, since })
    }

    /// When a note locks whose time runs from a moment: at a full minute.
    pub fn due(self, from: Timestamp) -> Timestamp {
        let from = self.since.map_or(from, |since| since.max(from));
        full_minute(from.plus_micros(self.hours.saturating_mul(HOUR)))
    }
}

/// A moment, or the next full minute after it: what is due in one minute is one job's.
pub fn full_minute(at: Timestamp) -> Timestamp {
    match at.0.rem_euclid(MINUTE) {
        0 => at,
        over => at.plus_micros(MINUTE - over),
    }
}

/// What is wrong with it as it is sent.
pub fn check(hours: &Given<i64>, problems: &mut Problems) {
    if hours.value().is_some_and(|hours| !(0..=HOURS_MAX).contains(hours)) {
        problems.add(
            FIELD,
            "Chart note autolock hours must be from 1 to 8760, 0 for never, or null for as the \
             organization above has it",
        );
    }
}

/// Writes the setting; another one counts from now.
pub fn write(hours: &Given<i64>, unit: &mut Organization, now: Timestamp) {
    let before = unit.chart_note_autolock_hours;
    hours.set(&mut unit.chart_note_autolock_hours);
    if unit.chart_note_autolock_hours != before {
        unit.chart_note_autolock_since = Some(now);
    }
}

/// Plans what another setting makes due: all that waits already, at one moment. What is finished
/// later is planned then.
pub async fn changed(
    scope: &mut Scope<'_>,
    before: &Organization,
    after: &Organization,
) -> Result<(), StoreError> {
    if Said::of(before) == Said::of(after) {
        return Ok(());
    }
    let root: Option<Organization> = match after.parent_organization_id {
        Some(_) => scope.find(after.org_id).await?,
        None => None,
    };
    let root = root.as_ref().map_or(Said::of(after), Said::of);
    let Some(setting) = InForce::of(Said::of(after), root) else { return Ok(()) };
    let at = setting.due(scope.now());
    plan(scope.tx, after.org_id.0, at).await
}

/// Plans that what is due at a moment is locked then: one job, however much that is.
pub async fn plan(tx: &mut Tx, org_id: i64, at: Timestamp) -> Result<(), StoreError> {
    let job = NewJob {
        dedupe_key: Some(at.0.to_string()),
        not_before: Some(at),
        max_attempts: ATTEMPTS,
        ..NewJob::new(org_id, JOB_KIND, json!({}))
    };
    jobs::enqueue(tx, job).await.map(drop)
}

/// The settings of these organizations of a root's, of those whose notes lock.
pub async fn in_force(
    q: &mut dyn Query,
    org_id: i64,
    units: &[i64],
) -> Result<HashMap<i64, InForce>, StoreError> {
    if units.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::new();
    sql.push("SELECT ").push(SETTING).push(" ").push(UNITS);
    sql.push(" WHERE u.org_id = ").bind(org_id).push(" AND u.id").bind_in(units);
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(read).collect())
}

/// An organization's id and setting, of a row that begins with [`SETTING`].
pub fn read(row: &[Value]) -> Option<(i64, InForce)> {
    let [id, hours, since, root_hours, root_since, ..] = row else { return None };
    let said = |hours: &Value, since: &Value| Said {
        hours: hours.int(),
        since: since.int().map(Timestamp),
    };
    Some((id.int()?, InForce::of(said(hours, since), said(root_hours, root_since))?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(hours: i64, since: Timestamp) -> Said {
        Said { hours: Some(hours), since: Some(since) }
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp(hours * HOUR)
    }

    #[test]
    fn an_organization_goes_by_itself_or_by_the_one_above() {
        let root = said(48, at(0));
        let turned = Said { hours: None, since: Some(at(120)) };
        let due = |own: Said, root: Said| InForce::of(own, root).map(|it| it.due(at(100)));
        assert_eq!(due(root, root), Some(at(148)));
        assert_eq!(due(Said::default(), root), Some(at(148)));
        assert_eq!(due(turned, root), Some(at(168)), "what was its own is not");
        assert_eq!(due(said(2, at(0)), root), Some(at(102)));
        assert_eq!(due(said(2, at(0)), said(48, at(120))), Some(at(102)));
        assert_eq!(due(said(0, at(0)), root), None);
        assert_eq!(due(said(2, at(0)), said(0, at(0))), Some(at(102)));
        assert_eq!(due(Said::default(), said(0, at(0))), None);
        assert_eq!(due(Said::default(), Said::default()), None);
    }

    #[test]
    fn what_is_sent_is_from_none_to_a_year() {
        let problems = |hours: Given<i64>| {
            let mut problems = Problems::new();
            check(&hours, &mut problems);
            problems.iter().count()
        };
        for good in [Given::Absent, Given::Null, Given::Value(0), Given::Value(HOURS_MAX)] {
            assert_eq!(problems(good.clone()), 0, "{good:?}");
        }
        for bad in [-1, HOURS_MAX + 1, i64::MIN, i64::MAX] {
            assert_eq!(problems(Given::Value(bad)), 1, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_note_is_due_behind_its_moment_and_the_settings_at_a_full_minute(
            hours in 1..=HOURS_MAX,
            since in prop::option::of(0_i64..4_000_000_000_000_000),
            from in 0_i64..4_000_000_000_000_000,
            later in 0_i64..40 * HOUR,
        ) {
            let own = Said { hours: Some(hours), since: since.map(Timestamp) };
            let setting = InForce::of(own, Said::default()).unwrap();
            let due = setting.due(Timestamp(from));
            let least = from.max(since.unwrap_or(from)) + hours * HOUR;
            prop_assert!(due.0 >= least && due.0 < least + MINUTE);
            prop_assert_eq!(due.0 % MINUTE, 0);
            prop_assert!(setting.due(Timestamp(from + later)) >= due);
        }

        #[test]
        fn no_moment_is_too_far(hours in 1..=HOURS_MAX, from in any::<i64>()) {
            let setting = InForce::of(said(hours, Timestamp(from)), Said::default()).unwrap();
            prop_assert!(setting.due(Timestamp(from)) >= Timestamp(from));
        }
    }
}
