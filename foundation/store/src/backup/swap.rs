//! A database that was put together takes the place of the instance's, in one step.

use std::path::Path;
use std::time::Duration;

use deadpool_postgres::tokio_postgres::Client;
use deadpool_postgres::tokio_postgres::error::SqlState;
use ward_instance::{IsoError, Kind, RootRing, crash};

use super::load::{failed, remove_database, staged_file, sync, unwritable};
use crate::birth::{self, connect};
use crate::db::Place;
use crate::driver::lite::{self, Access, Lite};
use crate::driver::pg::{self, STAGING, Tables};
use crate::error::StoreError;
use crate::value::Value;

/// How often the tables that go are tried to be had alone, and after how long again.
const TRIES: usize = 50;
const AGAIN: Duration = Duration::from_millis(100);

/// A database that waits to take the place of another.
pub struct Swap<'a> {
    /// The instance's place.
    pub place: &'a Place,
    /// Its keys.
    pub ring: &'a RootRing,
    /// This node.
    pub node: &'a str,
    /// Other nodes that told since then, microseconds of wall time, work on the old one.
    pub since: i64,
}

/// Why a database did not take the place of another.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// Somebody uses the old one, which is as it was.
    #[error("{0}")]
    Busy(String),
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Swap<'_> {
    /// Does it. Cut off, the old database is there as it was, or the new one is.
    pub async fn run(&self) -> Result<(), SwapError> {
        crash::point("restore.ready");
        let done = match self.place {
            Place::Lite { path } | Place::Passing { path } => swap_file(path),
            Place::Pg { url } => self.swap_tables(url).await,
            Place::Staged { .. } => Err(StoreError::internal("a restore in a restore").into()),
        };
        crash::point("restore.swapped");
        done
    }

    async fn swap_tables(&self, url: &str) -> Result<(), SwapError> {
        let client = connect(&pg::config(url, self.ring.kind(), Tables::Own)?)
            .await
            .map_err(|error| failed(&error))?;
        let staged = "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1";
        let rows = client.query(staged, &[&STAGING]).await.map_err(|error| failed(&error))?;
        let tables: Vec<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
        let begin = "BEGIN; SET LOCAL statement_timeout = 0";
        client.batch_execute(begin).await.map_err(|error| failed(&error))?;
        // One may have started while the backup was put together. None can tell that it lives from
        // here on until the new tables are there, and what it tells then shows it that they are new.
        let others = self.others_shut_out(&client).await?;
        if others > 0 {
            client.batch_execute("ROLLBACK").await.map_err(|error| failed(&error))?;
            return Err(SwapError::Busy(told_others(others)));
        }
        if !have_alone(&client, &tables).await? {
            client.batch_execute("ROLLBACK").await.map_err(|error| failed(&error))?;
            return Err(SwapError::Busy(
                "somebody reads the database, a backup or another program; wait for its end and try again: nothing was changed"
                    .to_owned(),
            ));
        }
        let mut text = String::new();
        for table in &tables {
            text.push_str(&format!("DROP TABLE IF EXISTS public.{table} CASCADE;"));
        }
        text.push_str("DROP FUNCTION IF EXISTS public.audit_events_guard() CASCADE;");
        text.push_str(&format!("ALTER FUNCTION {STAGING}.audit_events_guard() SET SCHEMA public;"));
        for table in &tables {
            text.push_str(&format!("ALTER TABLE {STAGING}.{table} SET SCHEMA public;"));
        }
        text.push_str(&format!("DROP SCHEMA {STAGING} CASCADE;"));
        client.batch_execute(&text).await.map_err(|error| failed(&error))?;
        crash::point("restore.swapping");
        Ok(client.batch_execute("COMMIT").await.map_err(|error| failed(&error))?)
    }

    /// Locks the table of nodes, if there is one; how many others live.
    async fn others_shut_out(&self, client: &Client) -> Result<i64, StoreError> {
        let text = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public' \
                    AND tablename = 'nodes'";
        let row = client.query_one(text, &[]).await.map_err(|error| failed(&error))?;
        if row.try_get::<_, i64>(0).map_err(|error| failed(&error))? == 0 {
            return Ok(0);
        }
        let lock = "LOCK TABLE public.nodes IN ACCESS EXCLUSIVE MODE";
        client.batch_execute(lock).await.map_err(|error| failed(&error))?;
        count_others(client, self.node, self.since).await
    }
}

/// Locks those of the tables that are there, all of them or none: whoever waited for a reader with
/// some of them locked would be waited for by it. False where somebody does not let go of them.
async fn have_alone(client: &Client, tables: &[String]) -> Result<bool, StoreError> {
    let there = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let rows = client.query(there, &[]).await.map_err(|error| failed(&error))?;
    let there = rows.iter().filter_map(|row| row.try_get::<_, String>(0).ok());
    let goes = there.filter(|name| tables.contains(name)).map(|name| format!("public.{name}"));
    let goes: Vec<String> = goes.collect();
    if goes.is_empty() {
        return Ok(true);
    }
    let goes = goes.join(", ");
    let lock = format!("SAVEPOINT alone; LOCK TABLE {goes} IN ACCESS EXCLUSIVE MODE NOWAIT");
    for _ in 0..TRIES {
        let Err(error) = client.batch_execute(&lock).await else { return Ok(true) };
        if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
            return Err(failed(&error));
        }
        let back = "ROLLBACK TO SAVEPOINT alone";
        client.batch_execute(back).await.map_err(|error| failed(&error))?;
        tokio::time::sleep(AGAIN).await;
    }
    Ok(false)
}

/// What is said where other nodes work on the database.
pub fn told_others(others: i64) -> String {
    format!(
        "{others} other nodes work on the database; stop them, wait 15 seconds and try again: nothing was changed"
    )
}

fn swap_file(path: &Path) -> Result<(), SwapError> {
    let staged = staged_file(path);
    // Its log does not go along: what ends a restore, such as what is held back, would be lost.
    if !Lite::open(&staged, Access::Write)?.checkpoint()? {
        return Err(SwapError::Busy(format!(
            "the log of {} can't be written into it: another program has it open; end that program and try again: nothing was changed",
            staged.display()
        )));
    }
    // The new database is on the disk, and what the log of the old one holds in its file, before
    // anything is removed: until the new one has its name, the old one is whole.
    sync(&staged)?;
    empty_log(path)?;
    for ending in ["-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(unwritable(&error).into());
            }
            _ => {}
        }
    }
    crash::point("restore.swapping");
    std::fs::rename(&staged, path).map_err(|error| unwritable(&error))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok(sync(parent.unwrap_or(Path::new(".")))?)
}

/// Brings the log of the old database into its file. One that is damaged has nothing to lose.
fn empty_log(path: &Path) -> Result<(), SwapError> {
    if !path.exists() {
        return Ok(());
    }
    let emptied = Lite::open(path, Access::Write).and_then(|old| old.checkpoint());
    let why = match emptied {
        Ok(true) | Err(StoreError::Corrupt { .. }) => return Ok(()),
        Ok(false) => "another program reads it".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(SwapError::Busy(format!(
        "the log of the database {} can't be written into it ({why}); end every other program that has it open and try again: nothing was changed",
        path.display()
    )))
}

/// Removes what a restore that was cut off has left. On PostgreSQL the next restore does that.
pub fn forget_staged(place: &Place) -> Result<(), StoreError> {
    match place {
        Place::Lite { path } | Place::Passing { path } => remove_database(&staged_file(path)),
        Place::Pg { .. } | Place::Staged { .. } => Ok(()),
    }
}

/// Removes what this restore put together in vain.
pub async fn drop_staged(place: &Place, kind: Kind) -> Result<(), StoreError> {
    let Place::Pg { url } = place else { return forget_staged(place) };
    let client =
        connect(&pg::config(url, kind, Tables::Own)?).await.map_err(|error| failed(&error))?;
    let text = format!("DROP SCHEMA IF EXISTS {STAGING} CASCADE");
    client.batch_execute(&text).await.map_err(|error| failed(&error))
}

/// Whether there is no database at a place, or none that can be read: then nothing is lost with it.
/// A database of anything else is an error.
pub async fn is_gone(place: &Place, kind: Kind) -> Result<bool, StoreError> {
    match place {
        Place::Lite { path } | Place::Passing { path } => {
            // One whose first page is damaged is not a database any more, and nobody's.
            if !path.exists() || lite::application_id(path)?.is_none() {
                return Ok(true);
            }
            birth::check_application_id(path, Some(kind)).map(|()| false)
        }
        Place::Pg { .. } | Place::Staged { .. } => {
            let (url, tables) = place.address()?;
            // A server that can't be reached is no database that is gone.
            let client = birth::connect_or_create(&pg::config(url, kind, tables)?).await?;
            let text = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
            let row = client.query_one(text, &[]).await.map_err(|error| failed(&error))?;
            let found: i64 = row.try_get(0).map_err(|error| failed(&error))?;
            let text = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public' \
                        AND tablename = 'instance'";
            let row = client.query_one(text, &[]).await.map_err(|error| failed(&error))?;
            let ours: i64 = row.try_get(0).map_err(|error| failed(&error))?;
            match (found, ours) {
                (0, _) => Ok(true),
                (_, 0) => Err(StoreError::Foreign(IsoError::new(
                    "ISO-02",
                    "the database holds tables and none of them is of an instance",
                    "name an empty database, or the one that belongs to this directory",
                ))),
                _ => Ok(false),
            }
        }
    }
}

/// How many nodes but this one work on a PostgreSQL database, by what they told since `since`,
/// microseconds of wall time.
pub async fn others(place: &Place, kind: Kind, node: &str, since: i64) -> Result<i64, StoreError> {
    let Place::Pg { url } = place else { return Ok(0) };
    let client =
        connect(&pg::config(url, kind, Tables::Own)?).await.map_err(|error| failed(&error))?;
    count_others(&client, node, since).await
}

async fn count_others(client: &Client, node: &str, since: i64) -> Result<i64, StoreError> {
    let text = "SELECT COUNT(*) FROM nodes WHERE beat_at >= $1 AND node <> $2";
    let row = client
        .query_one(text, &[&Value::Int(since), &Value::from(node)])
        .await
        .map_err(|error| failed(&error))?;
    row.try_get(0).map_err(|error| failed(&error))
}
