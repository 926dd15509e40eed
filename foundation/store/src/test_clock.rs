//! The course of a Sandbox's clock as a row: it survives restarts, and all processes of an
//! instance have the same. A Production has no row, and no witness to write one.

use ward_instance::clock::Course;
use ward_instance::{Kind, SandboxWitness, Timestamp};

use crate::core::Hint;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Rows, Sql, Value};

/// Sets the clock of this process as the database has it.
pub async fn load(db: &Db, witness: &SandboxWitness) -> Result<(), StoreError> {
    let sql = Sql::fixed("SELECT wall_at, logical_at, rate FROM test_clock", []);
    let course = course_in(&db.read().await?.rows(&sql).await?)?;
    let clock = db.instance().clock();
    if clock.course() != course {
        set(db, witness, course);
    }
    Ok(())
}

/// Sets the clock of this process to a course that is committed, and wakes whoever waits for a time.
pub fn set(db: &Db, witness: &SandboxWitness, course: Course) {
    db.instance().clock().set_course(witness, course);
    db.core().tell(&[Hint::Clock]);
}

/// The course in tables whose names begin with `prefix`.
pub(crate) async fn of(tx: &mut Tx, prefix: &str) -> Result<Course, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT wall_at, logical_at, rate FROM ").push(prefix).push("test_clock");
    course_in(&tx.rows(&sql).await?)
}

/// The course as it stands, held until the transaction ends: who moves it meanwhile, waits.
pub async fn held(tx: &mut Tx, _: &SandboxWitness) -> Result<Course, StoreError> {
    let real = Course::REAL;
    tx.execute(&Sql::fixed(
        "INSERT INTO test_clock (only_row, kind, wall_at, logical_at, rate) \
         VALUES (1, $1, $2, $3, $4) ON CONFLICT (only_row) DO NOTHING",
        [
            Kind::Sandbox.as_str().into(),
            real.wall.0.into(),
            real.logical.0.into(),
            i64::from(real.rate).into(),
        ],
    ))
    .await?;
    let sql = Sql::fixed("SELECT wall_at, logical_at, rate FROM test_clock FOR_UPDATE", []);
    course_in(&tx.rows(&sql).await?)
}

/// Writes a course down. The caller has it [`held`], and [`set`]s this process's clock once the
/// transaction is committed.
pub async fn keep(tx: &mut Tx, _: &SandboxWitness, course: Course) -> Result<(), StoreError> {
    tx.execute(&Sql::fixed(
        "UPDATE test_clock SET wall_at = $1, logical_at = $2, rate = $3",
        [course.wall.0.into(), course.logical.0.into(), i64::from(course.rate).into()],
    ))
    .await
    .map(drop)
}

/// Forgets the course: time is real time again. For a reset, which forgets all that happened.
pub async fn forget(tx: &mut Tx, _: &SandboxWitness) -> Result<(), StoreError> {
    tx.execute(&Sql::fixed("DELETE FROM test_clock", [])).await.map(drop)
}

fn course_in(rows: &Rows) -> Result<Course, StoreError> {
    let Some(row) = rows.iter().next() else { return Ok(Course::REAL) };
    let number = |at: usize| row.get(at).and_then(Value::int);
    let course = number(0).zip(number(1)).zip(number(2)).and_then(|((wall, logical), rate)| {
        let rate = u32::try_from(rate).ok()?;
        Some(Course { wall: Timestamp(wall), logical: Timestamp(logical), rate })
    });
    course.ok_or_else(|| StoreError::corrupt("test_clock", "the row does not decode"))
}
