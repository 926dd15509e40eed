//! Snapshots of a Sandbox: what its tables held at one moment, kept beside the database, and
//! brought back in one transaction.
//!
//! On SQLite a snapshot is a file, on PostgreSQL a schema of the database. What a table is to a
//! snapshot, the caller says ([`Policy`]): most go back, some logs and guards do not. Ids are
//! not taken back: their ledger and blocks are no part of a snapshot.

mod lite;
mod name;
mod pg;
mod step;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use ward_instance::clock::Course;
use ward_instance::ledger::Heads;
use ward_instance::{SandboxWitness, Timestamp, mac};

use crate::db::Db;
use crate::ddl;
use crate::error::StoreError;
use crate::member::Failure;
use crate::query::{Engine, Query};
use crate::table::Table;
use crate::test_clock;
use crate::tx::Tx;
use crate::value::{Sql, Value};

pub use name::Name;
pub use step::{last_step, note_step, step};

/// Tables of the store itself that a snapshot has besides.
const OWN: [&str; 2] = ["test_clock", "id_blocks"];

/// What tables are to a snapshot; those that are not named go back.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Stay as they are.
    pub kept: &'static [&'static str],
    /// Stay, and what the snapshot had besides comes back.
    pub joined: &'static [&'static str],
}

/// Where an instance's snapshots are.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// The directory of the files, on SQLite.
    folder: PathBuf,
}

/// A snapshot that stands open beside today's tables.
#[derive(Clone, Debug)]
pub struct Beside(String);

impl Beside {
    /// What the name of a table of the snapshot begins with.
    pub fn prefix(&self) -> &str {
        &self.0
    }

    /// Ids of rows `s` of the snapshot that were `open` and are it no more: there is no row `t` of
    /// today that is `still`.
    pub async fn closed_since(
        &self,
        tx: &mut Tx,
        table: &str,
        (open, still): (&str, &str),
    ) -> Result<Vec<Box<str>>, StoreError> {
        let rows = tx.rows(&self.closed(table, (open, still))).await?;
        Ok(rows.iter().filter_map(|row| row.first()?.text()).map(Into::into).collect())
    }

    /// The same of rows whose id is a number.
    pub async fn closed_since_by_number(
        &self,
        tx: &mut Tx,
        table: &str,
        (open, still): (&str, &str),
    ) -> Result<Vec<i64>, StoreError> {
        let rows = tx.rows(&self.closed(table, (open, still))).await?;
        Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
    }

    fn closed(&self, table: &str, (open, still): (&str, &str)) -> Sql {
        let mut sql = Sql::new();
        sql.push("SELECT s.id FROM ").push(&self.0).push(table).push(" s LEFT JOIN ").push(table);
        sql.push(" t ON t.org_id = s.org_id AND t.id = s.id AND ").push(still);
        sql.push(" WHERE ").push(open).push(" AND t.id IS NULL");
        sql
    }
}

/// What was brought back.
#[derive(Clone, Debug)]
pub struct Brought {
    /// The highest id of each type that was given out before.
    pub today: Heads,
    /// The clock's course from now on.
    pub course: Course,
    /// What there is to tell, with how many.
    pub told: Vec<(&'static str, usize)>,
}

/// How a snapshot is brought back.
#[derive(Clone)]
pub struct How {
    /// There are none in Production.
    pub witness: SandboxWitness,
    /// What becomes of which table.
    pub policy: Policy,
    /// What is to be looked at before.
    pub look: Look,
    /// What the clock showed when it was taken.
    pub shown: Timestamp,
}

/// What is to be done once a snapshot is back.
#[derive(Clone, Debug, Default)]
pub struct Then {
    /// In this order.
    pub statements: Vec<Sql>,
    /// What there is to tell of it, with how many.
    pub told: Vec<(&'static str, usize)>,
}

/// Looks at both worlds before anything is touched.
pub type Look = for<'t> fn(&'t mut Tx, &'t Beside) -> BoxFuture<'t, Result<Then, StoreError>>;

impl Shelf {
    /// Of the Sandbox in this directory: a Production has none.
    pub fn of(dir: &Path, _: &SandboxWitness) -> Self {
        Shelf { folder: dir.join("snapshots") }
    }

    fn file(&self, name: &Name) -> PathBuf {
        self.folder.join(format!("{name}.db"))
    }

    /// Takes a snapshot of the last committed moment; writers wait meanwhile. Gives the highest
    /// id of each type in it.
    pub async fn take(&self, db: &Db, name: &Name) -> Result<Heads, StoreError> {
        match db.engine() {
            Engine::Lite => lite::take(db, &self.folder, &self.file(name)).await,
            Engine::Pg => pg::take(db, name).await,
        }
    }

    /// Brings a snapshot back, and does `besides` in the same transaction.
    pub async fn restore<T, E, W>(
        &self,
        db: &Db,
        name: &Name,
        how: How,
        besides: W,
    ) -> Result<(T, Brought), E>
    where
        W: for<'t> Fn(&'t mut Tx, &'t Brought) -> BoxFuture<'t, Result<T, E>>
            + Clone
            + Send
            + Sync
            + 'static,
        T: Send + 'static,
        E: Failure + Send + 'static,
    {
        let (file, beside) = match db.engine() == Engine::Lite {
            true => (Some(lite::found(db, &self.file(name))?), lite::PREFIX.to_owned()),
            false => {
                pg::found(db, name).await?;
                (None, pg::prefix(name))
            }
        };
        let beside = Beside(beside);
        let done = db.write_alone(move |tx: &mut Tx| {
            let (how, besides) = (how.clone(), besides.clone());
            let (file, beside) = (file.clone(), beside.clone());
            Box::pin(async move {
                if let Some(file) = &file {
                    tx.attach(file)?;
                    lite::verify(tx).await?;
                }
                let brought = bring_back(tx, &beside, &how).await?;
                let answer = besides(tx, &brought).await?;
                Ok::<_, E>((answer, brought))
            })
        });
        let done = done.await;
        if done.is_ok() {
            db.forget();
        }
        done
    }

    /// Deletes a snapshot; one that is not there is no error.
    pub async fn remove(&self, db: &Db, name: &Name) -> Result<(), StoreError> {
        match db.engine() {
            Engine::Lite => lite::remove(&self.file(name)),
            Engine::Pg => pg::remove(db, name).await,
        }
    }

    /// Bytes that a snapshot takes; unknown on PostgreSQL.
    pub fn bytes(&self, db: &Db, name: &Name) -> Option<u64> {
        match db.engine() {
            Engine::Lite => Some(std::fs::metadata(self.file(name)).ok()?.len()),
            Engine::Pg => None,
        }
    }

    /// The stored files that the snapshots tell of.
    pub async fn blobs(&self, db: &Db, names: &[Name]) -> Result<HashSet<String>, StoreError> {
        let mut all = HashSet::new();
        for name in names {
            let rows = match db.engine() {
                Engine::Lite => lite::blobs(&self.file(name))?,
                Engine::Pg => pg::blobs(db, name).await?,
            };
            all.extend(rows.iter().filter_map(|row| Some(row.first()?.text()?.to_owned())));
        }
        Ok(all)
    }
}

/// Digest of the tables' definitions: a snapshot of other ones can't be brought back.
pub fn schema(db: &Db) -> Result<String, StoreError> {
    let ddl = ddl::ddl(db.engine(), db.instance().kind(), db.tables())?;
    let texts: Vec<&[u8]> = ddl.statements.iter().map(|text| text.as_bytes()).collect();
    Ok(crate::stamp::to_hex(&mac::sha256_fields(&texts)[..8]))
}

/// Tables in an order in which each is behind those that refer to it.
pub fn dependants_first(tables: &[&'static Table]) -> Vec<&'static Table> {
    let mut left = tables.to_vec();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_referred_to = |table: &Table| {
            left.iter()
                .filter(|other| other.name != table.name)
                .any(|other| other.references.iter().any(|reference| reference.table == table.name))
        };
        let free = left.iter().position(|table| !is_referred_to(table));
        ordered.push(left.remove(free.unwrap_or(0)));
    }
    ordered
}

/// Nobody else writes or takes ids from now on, until the transaction ends, and no node begins to serve
/// ([`nodes::arrive`](crate::nodes::arrive)). Whoever empties tables says so first: on PostgreSQL a row
/// that another one writes meanwhile would be seen by the rules of the database alone. On SQLite there
/// is one writer anyway.
pub async fn alone(tx: &mut Tx) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Pg => tx.batch(&pg::alone(tx.tables())).await,
        Engine::Lite => Ok(()),
    }
}

/// Deletes all rows of these tables of a Sandbox, which come [`dependants_first`]: from the commit on
/// another world is there.
pub async fn empty(
    tx: &mut Tx,
    tables: &[&'static Table],
    _: &SandboxWitness,
) -> Result<(), StoreError> {
    tx.ends_world();
    let with = with_rows(tx, "", tables).await?;
    let text: String = with.iter().map(|table| format!("DELETE FROM {};", table.name)).collect();
    if is_referred_to_from_outside(tables, tx.tables()) {
        return tx.batch(&text).await;
    }
    tx.batch_unchecked(&text).await
}

/// Whether one of `all` tables that is not among `these` refers to one of them.
fn is_referred_to_from_outside(these: &[&'static Table], all: &[&'static Table]) -> bool {
    let is_one = |name: &str| these.iter().any(|table| table.name == name);
    all.iter()
        .filter(|table| !is_one(table.name))
        .any(|table| table.references.iter().any(|reference| is_one(reference.table)))
}

/// Those of the tables that have rows, in their order. A statement that changes a table has the
/// rules of all that refers to it prepared, whether it has rows or not: most tables of a Sandbox
/// have none.
async fn with_rows(
    tx: &mut Tx,
    prefix: &str,
    tables: &[&'static Table],
) -> Result<Vec<&'static Table>, StoreError> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new();
    for (at, table) in tables.iter().enumerate() {
        sql.push(if at == 0 { "SELECT " } else { ", " });
        sql.push("EXISTS (SELECT 1 FROM ").push(prefix).push(table.name).push(")");
    }
    let rows = tx.rows(&sql).await?;
    let with = tables.iter().zip(rows.row(0)).filter(|(_, has)| has.truth());
    Ok(with.map(|(table, _)| *table).collect())
}

async fn bring_back(
    tx: &mut Tx,
    beside: &Beside,
    How { witness, policy, look, shown }: &How,
) -> Result<Brought, StoreError> {
    let tables = dependants_first(tx.tables());
    alone(tx).await?;
    // Ids in stock are below the highest of today: who got one from here on would be stale.
    tx.core.ids.forget();
    // What is to be done may need new ids: those are above, and not undone with the rest.
    let today = heads(tx, "").await?;
    let then = look(tx, beside).await?;
    let comes: Vec<_> =
        tables.into_iter().filter(|table| !policy.kept.contains(&table.name)).collect();
    let goes = comes.iter().copied().filter(|table| !policy.joined.contains(&table.name));
    empty(tx, &goes.collect::<Vec<_>>(), witness).await?;
    let prefix = beside.prefix();
    for table in with_rows(tx, prefix, &comes).await?.iter().rev() {
        let name = table.name;
        // `WHERE TRUE`: SQLite would take ON for a join's.
        let but = if policy.joined.contains(&name) { " ON CONFLICT DO NOTHING" } else { "" };
        let text = format!("INSERT INTO {name} SELECT * FROM {prefix}{name} WHERE TRUE{but}");
        tx.batch(&text).await?;
    }
    // Whoever had a lease is gone.
    tx.batch("UPDATE jobs SET lease_until = 0 WHERE state = 'leased'").await?;
    for sql in &then.statements {
        tx.execute(sql).await?;
    }
    let course = course(tx, witness, prefix, *shown).await?;
    tx.goes_back(*witness, course);
    Ok(Brought { today, course, told: then.told })
}

/// Where the clock was moved, it shows again what it showed.
async fn course(
    tx: &mut Tx,
    witness: &SandboxWitness,
    prefix: &str,
    shown: Timestamp,
) -> Result<Course, StoreError> {
    let then = match test_clock::of(tx, prefix).await? {
        Course::REAL => Course::REAL,
        moved => Course { wall: tx.wall(), logical: shown, ..moved },
    };
    if then == Course::REAL {
        test_clock::forget(tx, witness).await?;
    } else {
        test_clock::held(tx, witness).await?;
        test_clock::keep(tx, witness, then).await?;
    }
    Ok(then)
}

/// The highest id of each type.
async fn heads(q: &mut impl Query, prefix: &str) -> Result<Heads, StoreError> {
    let mut sql = Sql::new();
    sql.push("SELECT entity, next_id - 1 FROM ").push(prefix).push("id_blocks");
    Ok(heads_in(&q.rows(&sql).await?))
}

fn heads_in(rows: &crate::value::Rows) -> Heads {
    let head = |row: &[Value]| match row {
        [Value::Text(entity), Value::Int(last)] => Some((entity.to_string(), *last)),
        _ => None,
    };
    rows.iter().filter_map(head).collect()
}
