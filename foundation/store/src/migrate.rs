//! Numbered, forward-only migrations. Step 1 is the birth; every later step is
//! one committed text for each engine.

use std::path::Path;

use futures_util::FutureExt;
use sha2::{Digest, Sha256};
use ward_instance::{Kind, Timestamp};

use crate::certificate;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::tx::Tx;
use crate::value::{Rows, Sql, Value};

/// Serialises migrating processes on PostgreSQL (an arbitrary constant).
const LOCK: i64 = 0x5741_5244_4d49_4752;

/// The number of the step that a birth is.
const BIRTH: i64 = 1;

/// One step. Its texts never change once released: the checksum would not fit.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its place; the first one is 2, and no number is left out.
    pub number: i64,
    /// What it does, in a few words.
    pub name: &'static str,
    /// For SQLite.
    pub lite: &'static str,
    /// For PostgreSQL.
    pub pg: &'static str,
}

impl Migration {
    fn text(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Lite => self.lite,
            Engine::Pg => self.pg,
        }
    }

    pub(crate) fn checksum(&self, engine: Engine) -> String {
        checksum(self.text(engine))
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number of the newest step.
pub(crate) fn newest(steps: &[Migration]) -> i64 {
    steps.iter().map(|step| step.number).max().unwrap_or(BIRTH)
}

/// Notes that a step was applied.
pub(crate) fn record(number: i64, name: &str, checksum: &str, kind: Kind, now: Timestamp) -> Sql {
    Sql::fixed(
        "INSERT INTO schema_migrations (number, name, checksum, kind, applied_at) \
         VALUES ($1, $2, $3, $4, $5)",
        [number.into(), name.into(), checksum.into(), kind.as_str().into(), now.0.into()],
    )
}

const APPLIED: &str = "SELECT number, checksum FROM schema_migrations ORDER BY number";

/// The steps that the database lacks. Refuses a database that is newer than
/// this version, or one whose steps were other texts.
pub async fn pending(db: &Db, steps: &'static [Migration]) -> Result<Vec<i64>, StoreError> {
    let applied = db.read().await?.rows(&Sql::fixed(APPLIED, [])).await?;
    let missing = compare(&applied, steps, db.engine())?;
    Ok(missing.iter().map(|step| step.number).collect())
}

/// Applies the steps that the database lacks, one transaction each; gives their
/// numbers. On SQLite the database is copied to `copy` before the first.
pub async fn apply(
    db: &Db,
    steps: &'static [Migration],
    copy: Option<&Path>,
) -> Result<Vec<i64>, StoreError> {
    let missing = pending(db, steps).await?;
    if !missing.is_empty()
        && let Some(copy) = copy
    {
        db.copy_to(copy)?;
    }
    let mut applied = Vec::new();
    for number in missing {
        let done = db.write(move |tx: &mut Tx| apply_one(tx, steps, number).boxed()).await?;
        if done {
            tracing::info!(number, "a migration was applied");
            applied.push(number);
        }
    }
    Ok(applied)
}

/// Applies a step unless another process did so meanwhile.
async fn apply_one(
    tx: &mut Tx,
    steps: &'static [Migration],
    number: i64,
) -> Result<bool, StoreError> {
    let engine = tx.engine();
    if engine == Engine::Pg {
        // Migrating may take its time; so may waiting for who migrates.
        tx.batch("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        tx.rows(&Sql::fixed("SELECT pg_advisory_xact_lock($1)", [LOCK.into()])).await?;
    }
    let applied = tx.rows(&Sql::fixed(APPLIED, [])).await?;
    let missing = compare(&applied, steps, engine)?;
    let Some(step) = missing.into_iter().find(|step| step.number == number) else {
        return Ok(false);
    };
    tx.batch(step.text(engine)).await?;
    let (kind, now) = (tx.instance().kind(), tx.now());
    tx.execute(&record(number, step.name, &step.checksum(engine), kind, now)).await?;
    let mut certificate = certificate::read_certificate(tx).await?;
    certificate.verify(&tx.instance().ring()).map_err(StoreError::Foreign)?;
    certificate.schema_epoch = number;
    certificate.sign(&tx.instance().ring());
    certificate::write_certificate(tx, &certificate).await?;
    Ok(true)
}

/// The known steps that are not applied, in order.
fn compare(
    applied: &Rows,
    steps: &'static [Migration],
    engine: Engine,
) -> Result<Vec<&'static Migration>, StoreError> {
    check_numbers(steps)?;
    let mut last = 0;
    for row in applied.iter() {
        let [Value::Int(number), Value::Text(found)] = row else {
            return Err(StoreError::corrupt("schema_migrations", "a row does not decode"));
        };
        last = *number;
        if *number == BIRTH {
            continue;
        }
        let Some(step) = steps.iter().find(|step| step.number == *number) else {
            return Err(StoreError::Unavailable(format!(
                "the database has migration {number} and this version knows {} at most; \
                 run the version that wrote it, or a newer one",
                newest(steps)
            )));
        };
        if **found != step.checksum(engine) {
            return Err(StoreError::Unavailable(format!(
                "migration {number} ({}) was applied with another text than this version has; \
                 run the version that wrote the database",
                step.name
            )));
        }
    }
    if last == 0 {
        return Err(StoreError::corrupt("schema_migrations", "the birth is missing"));
    }
    Ok(steps.iter().filter(|step| step.number > last).collect())
}

fn check_numbers(steps: &[Migration]) -> Result<(), StoreError> {
    let in_order = steps.iter().zip(BIRTH + 1..).all(|(step, number)| step.number == number);
    if in_order {
        Ok(())
    } else {
        Err(StoreError::internal("migrations are not numbered 2, 3, …"))
    }
}
