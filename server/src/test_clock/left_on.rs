//! The way of a clock that was left on to real time (ISO-45).
//!
//! On the way the clock stands still from step to step, and its row tells that nobody has moved it for
//! as long as the idle limit, but for a moment. So who goes the way has it while they go on, and a way
//! that was cut off is gone on by any process of the instance after that moment.

use ward_instance::clock::Course;
use ward_instance::{SandboxWitness, Timestamp};
use ward_store::{Actor, Db, StoreError, Tx, test_clock};

use super::{REAL_RATE, is_left_on, let_go_from, record};

/// A way on which nobody has stepped for so many microseconds of real time was cut off.
const STEP_WITHIN: i64 = 10_000_000;

/// A way to real time, or its end.
#[derive(Clone, Copy, Debug)]
pub struct Return {
    /// Where the clock was.
    pub from: Timestamp,
    /// Where it is to be.
    pub to: Timestamp,
    /// The idle limit, in microseconds.
    limit: i64,
    /// The course that was written last.
    kept: Course,
}

/// Has a clock that was left on for `limit` go on as real time does; nothing when somebody moved it or
/// another node was there first. Where it is behind, it is on its [way](Return::is_on_the_way): the
/// caller [steps](Return::step) to its target and says that it [arrived](Return::arrive).
pub async fn let_go(
    db: &Db,
    witness: SandboxWitness,
    actor: &Actor,
    limit: i64,
) -> Result<Option<Return>, StoreError> {
    let actor = actor.clone();
    let (course, way) = db
        .write(move |tx: &mut Tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let course = test_clock::held(tx, &witness).await?;
                if !is_left_on(course, tx.wall(), Some(limit)) {
                    return Ok::<_, StoreError>((course, None));
                }
                let before = Course { logical: course.at(tx.wall()), wall: tx.wall(), ..course };
                let after = let_go_from(before);
                let kept = match before.logical < after.logical {
                    true => on_the_way(before, limit),
                    false => after,
                };
                test_clock::keep(tx, &witness, kept).await?;
                record(tx, &actor, before, after);
                let way = Return { from: before.logical, to: after.logical, limit, kept };
                Ok((kept, Some(way)))
            })
        })
        .await?;
    test_clock::set(db, &witness, course);
    Ok(way)
}

impl Return {
    /// Whether there is a way to go.
    pub fn is_on_the_way(&self) -> bool {
        self.kept.rate != REAL_RATE
    }

    /// Goes on to a moment; nothing when the clock is past it. Whether it is still this way: not when
    /// somebody moved the clock meanwhile, which is left as they have it.
    pub async fn step(
        &mut self,
        db: &Db,
        witness: SandboxWitness,
        to: Timestamp,
    ) -> Result<bool, StoreError> {
        let Return { kept: last, limit, .. } = *self;
        let next = move |wall: Timestamp| {
            on_the_way(Course { wall, logical: last.logical.max(to), ..last }, limit)
        };
        let kept = replace(db, witness, last, next).await?;
        self.kept = kept.unwrap_or(last);
        Ok(kept.is_some())
    }

    /// Says that the way is gone on where nothing let it step for a while; as [`step`](Return::step).
    pub async fn stay(&mut self, db: &Db, witness: SandboxWitness) -> Result<bool, StoreError> {
        let Return { kept, limit, .. } = *self;
        let left = kept.wall.plus_micros(limit).micros_since(db.instance().clock().wall());
        match left < STEP_WITHIN / 2 {
            true => self.step(db, witness, kept.logical).await,
            false => Ok(true),
        }
    }

    /// Ends the way: the clock shows real time from here on, unless somebody moved it meanwhile.
    pub async fn arrive(&self, db: &Db, witness: SandboxWitness) -> Result<(), StoreError> {
        let last = self.kept;
        let next = move |wall: Timestamp| match last.logical > wall {
            true => Course { wall, rate: REAL_RATE, ..last },
            false => Course::REAL,
        };
        replace(db, witness, last, next).await.map(drop)
    }

    /// Leaves the way to whoever is next, at once.
    pub async fn leave(&self, db: &Db, witness: SandboxWitness) -> Result<(), StoreError> {
        let Return { kept: last, limit, .. } = *self;
        let next = move |wall: Timestamp| Course { wall: wall.minus_micros(limit), ..last };
        replace(db, witness, last, next).await.map(drop)
    }
}

/// A course set at a moment, as the row of a clock on its way.
fn on_the_way(course: Course, limit: i64) -> Course {
    Course { wall: course.wall.minus_micros(limit).plus_micros(STEP_WITHIN), rate: 0, ..course }
}

/// Writes the course after the last one, and which it is; nothing where another one stands by now, which
/// this process takes over.
async fn replace(
    db: &Db,
    witness: SandboxWitness,
    last: Course,
    next: impl Fn(Timestamp) -> Course + Copy + Send + Sync + 'static,
) -> Result<Option<Course>, StoreError> {
    let (course, is_kept) = db
        .write(move |tx: &mut Tx| {
            Box::pin(async move {
                let course = test_clock::held(tx, &witness).await?;
                if course != last {
                    return Ok::<_, StoreError>((course, false));
                }
                let course = next(tx.wall());
                test_clock::keep(tx, &witness, course).await?;
                Ok((course, true))
            })
        })
        .await?;
    test_clock::set(db, &witness, course);
    Ok(is_kept.then_some(course))
}

#[cfg(test)]
mod tests {
    use super::super::{HOUR, returns_at};
    use super::*;

    const NOON: Timestamp = Timestamp(1_772_452_800_000_000);

    #[test]
    fn iso_45_a_way_that_was_cut_off_is_gone_on() {
        let limit = Some(24 * HOUR);
        for rate in [0, 500, REAL_RATE, 60_000] {
            let before = Course { wall: NOON, logical: NOON.minus_micros(25 * HOUR), rate };
            let way = on_the_way(before, 24 * HOUR);
            let later = NOON.plus_micros(STEP_WITHIN);
            assert_eq!(way.at(later), before.logical, "it stands still");
            assert_eq!(returns_at(way, limit), Some(later), "{rate}");
            assert!(!is_left_on(way, later.minus_micros(1), limit), "one goes it");
            assert!(is_left_on(way, later, limit), "the next one goes it");
        }
    }
}
