//! A write transaction.

use std::sync::Arc;

use deadpool_postgres::Object;
use futures_util::future::{BoxFuture, ready};
use ward_instance::clock::Course;
use ward_instance::{Instance, SandboxWitness, Timestamp, crash, mac, uuid};

use crate::core::{Core, Hint};
use crate::driver::lite::Lite;
use crate::driver::{pg, pg_error};
use crate::epochs::Epoch;
use crate::error::StoreError;
use crate::id_blocks::{self, Draft};
use crate::keyring::Keyring;
use crate::outbox::{Heads, Pending};
use crate::query::{Engine, Query};
use crate::table::Table;
use crate::types::Uuid;
use crate::value::{Rows, Sql};

/// A write transaction: what a [`crate::Db::write`] body works on.
///
/// All that happens through it is kept together or not at all.
pub struct Tx {
    conn: Conn,
    pub(crate) core: Arc<Core>,
    now: Timestamp,
    wall: Timestamp,
    /// Events and audit entries to be written at the end.
    pub pending: Pending,
    /// The numbering of events and audit entries; used on SQLite only, where the
    /// writer is the sequencer.
    heads: Heads,
    pub(crate) draft: Draft,
    hints: Vec<Hint>,
    /// Nothing but the log of accesses is written, whose counts are not kept.
    is_log: bool,
    /// A snapshot was brought back: numbers of events are read anew, and the clock goes with it.
    back: Option<(SandboxWitness, Course)>,
    /// The world of before is not there any more once this is committed.
    is_other_world: bool,
    /// A rotation of keys waits for those who began before it.
    _epoch: Epoch,
}

enum Conn {
    Lite(Lite),
    Pg {
        /// `None` when the connection was given back.
        client: Option<Object>,
        fate: Fate,
    },
}

/// What the writer takes back from a member's transaction.
pub(crate) struct LiteParts {
    pub(crate) lite: Lite,
    pub(crate) heads: Heads,
    pub(crate) draft: Draft,
    pub(crate) hints: Vec<Hint>,
    pub(crate) is_log: bool,
    pub(crate) back: Option<(SandboxWitness, Course)>,
    pub(crate) is_other_world: bool,
}

/// What the server said of a PostgreSQL transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// An error ended it: the server would answer COMMIT with a rollback.
    Failed,
    /// The same, and it may succeed when it is run again.
    Retry,
}

impl Tx {
    /// A member of a group on SQLite.
    pub(crate) fn lite(core: &Arc<Core>, lite: Lite, heads: Heads, draft: Draft) -> Self {
        let mut tx = Self::new(core, Conn::Lite(lite));
        tx.heads = heads;
        tx.draft = draft;
        tx
    }

    /// On a PostgreSQL connection whose transaction has begun.
    pub(crate) fn pg(core: &Arc<Core>, client: Object) -> Self {
        Self::new(core, Conn::Pg { client: Some(client), fate: Fate::Open })
    }

    fn new(core: &Arc<Core>, conn: Conn) -> Self {
        let clock = core.instance.clock();
        Tx {
            conn,
            now: clock.now(),
            wall: clock.wall(),
            core: Arc::clone(core),
            pending: Pending::default(),
            heads: Heads::default(),
            draft: Draft::default(),
            hints: Vec::new(),
            is_log: false,
            back: None,
            is_other_world: false,
            _epoch: core.epochs.enter(),
        }
    }

    /// Logical time, the same during the whole transaction.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Wall time, the same during the whole transaction.
    pub fn wall(&self) -> Timestamp {
        self.wall
    }

    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        &self.core.instance
    }

    /// All tables.
    pub fn tables(&self) -> &[&'static Table] {
        &self.core.tables
    }

    /// A new id for a row of the table.
    pub async fn next_id(&mut self, table: &'static Table) -> Result<i64, StoreError> {
        id_blocks::next_id(self, table.entity).await
    }

    /// A new id of the entity.
    pub async fn next_id_of(&mut self, entity: &'static str) -> Result<i64, StoreError> {
        id_blocks::next_id(self, entity).await
    }

    /// Reserves `count` ids in a row that start at a multiple of `align` from
    /// the start of the instance's range, and gives the first: so the same
    /// seed gives the same offsets in every Sandbox.
    pub async fn reserve_ids(
        &mut self,
        entity: &'static str,
        count: i64,
        align: i64,
    ) -> Result<i64, StoreError> {
        id_blocks::reserve(self, entity, count, align).await
    }

    /// Deletes what is known of ids of retired slots, after a reset's step of the ledger. Who wrote
    /// since that step has ids of the new slot, and what is known of those stays: they are never
    /// given again.
    pub async fn drop_retired_ids(&mut self, witness: &SandboxWitness) -> Result<(), StoreError> {
        id_blocks::drop_retired(self, witness).await
    }

    /// The data keys.
    pub(crate) fn keyring(&self) -> &Arc<Keyring> {
        &self.core.keyring
    }

    /// The numbering of events and audit entries.
    pub(crate) fn heads(&mut self) -> &mut Heads {
        &mut self.heads
    }

    /// Waits for every other transaction that holds the lock of these words, and
    /// holds it until this one ends: for rules that no index can state. On SQLite
    /// the single writer is the lock. Whoever takes two takes them in one order.
    pub async fn lock(&mut self, words: &[&str]) -> Result<(), StoreError> {
        if self.core.engine == Engine::Lite {
            return Ok(());
        }
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        let digest = mac::sha256_fields(&words);
        let number = digest.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
        // Two texts of one number only wait for each other.
        let sql = Sql::fixed("SELECT pg_advisory_xact_lock($1)", [number.into()]);
        self.execute(&sql).await.map(drop)
    }

    /// A new UUID of this environment.
    pub fn uuid(&self) -> Uuid {
        let instance = &self.core.instance;
        Uuid(uuid::new(instance.kind(), &instance.tag(), self.now, instance.random()))
    }

    /// Wakes whoever waits for this when the transaction is committed.
    pub fn on_commit(&mut self, hint: Hint) {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }

    /// Says that nothing but the log of accesses is written.
    pub(crate) fn writes_log_only(&mut self) {
        self.is_log = true;
    }

    /// Says that a snapshot was brought back, and how its clock goes: from the commit on, so that
    /// nothing is written in the world of then under the clock of the one that is undone.
    pub(crate) fn goes_back(&mut self, witness: SandboxWitness, course: Course) {
        // What is written from here on, also of this transaction, counts on from what is there now.
        self.heads.forget();
        self.back = Some((witness, course));
    }

    /// Says that from the commit on another world is there: who was looked up in the one of before
    /// writes nothing into it.
    pub(crate) fn ends_world(&mut self) {
        self.is_other_world = true;
    }

    /// A handle that interrupts this transaction's running statement from
    /// another thread; for tests of the writer.
    #[doc(hidden)]
    pub fn interrupt_handle(&self) -> Option<rusqlite::InterruptHandle> {
        match &self.conn {
            Conn::Lite(lite) => Some(lite.interrupt_handle()),
            Conn::Pg { .. } => None,
        }
    }

    /// Several statements of ours at once, without parameters: migrations.
    pub(crate) async fn batch(&mut self, text: &str) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Lite(lite) => {
                lite.is_touched = true;
                standing(lite)?.batch(text)
            }
            Conn::Pg { client, fate } => {
                let result = connected(client)?.batch_execute(text).await;
                result.map_err(|error| note(&self.core, fate, &error))
            }
        }
    }

    /// The same; on SQLite without looking at what refers to what ([`Lite::batch_unchecked`]).
    pub(crate) async fn batch_unchecked(&mut self, text: &str) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Lite(lite) => {
                lite.is_touched = true;
                standing(lite)?.batch_unchecked(text)
            }
            Conn::Pg { .. } => self.batch(text).await,
        }
    }

    /// Attaches a file of SQLite's as `snapshot` until the transaction is over.
    pub(crate) fn attach(&mut self, path: &str) -> Result<(), StoreError> {
        match &mut self.conn {
            Conn::Lite(lite) => {
                lite.is_touched = true;
                standing(lite)?.attach(path)
            }
            Conn::Pg { .. } => Err(StoreError::internal("no file is attached on PostgreSQL")),
        }
    }

    pub(crate) fn take_hints(&mut self) -> Vec<Hint> {
        std::mem::take(&mut self.hints)
    }

    /// Takes the SQLite connection back, with what the writer keeps.
    pub(crate) fn into_lite(mut self) -> Option<LiteParts> {
        // In its place goes what needs no cleaning up.
        let conn = std::mem::replace(&mut self.conn, Conn::Pg { client: None, fate: Fate::Open });
        let Conn::Lite(lite) = conn else { return None };
        Some(LiteParts {
            lite,
            heads: std::mem::take(&mut self.heads),
            draft: std::mem::take(&mut self.draft),
            hints: std::mem::take(&mut self.hints),
            is_log: self.is_log,
            back: self.back,
            is_other_world: self.is_other_world,
        })
    }

    /// Whether PostgreSQL asked for the transaction to be run again.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self.conn, Conn::Pg { fate: Fate::Retry, .. })
    }

    /// Commits on PostgreSQL and gives the connection back.
    pub(crate) async fn commit_pg(&mut self) -> Result<(), StoreError> {
        let Conn::Pg { client, fate } = &mut self.conn else {
            return Err(StoreError::internal("not a PostgreSQL transaction"));
        };
        if *fate != Fate::Open {
            return Err(ended());
        }
        // Stays in its place while waiting: when this is dropped half-way, the
        // connection is closed with it.
        crash::point("commit.before");
        let committed = connected(client)?.batch_execute("COMMIT").await;
        crash::point("commit.after");
        // Also where nobody knows whether it is committed.
        if self.is_other_world {
            self.core.begin_world();
        }
        committed.map_err(|error| note(&self.core, fate, &error))?;
        *client = None;
        if let Some((witness, course)) = self.back {
            self.core.instance.clock().set_course(&witness, course);
        }
        Ok(())
    }

    /// Rolls back on PostgreSQL and gives the connection back.
    pub(crate) async fn rollback_pg(&mut self) {
        if let Conn::Pg { client, .. } = &mut self.conn
            && let Ok(connection) = connected(client)
            && connection.batch_execute("ROLLBACK").await.is_ok()
        {
            *client = None;
        }
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        // A connection still here has an open transaction: it must not serve
        // anybody else. Closing it makes the server roll back.
        if let Conn::Pg { client, .. } = &mut self.conn
            && let Some(client) = client.take()
        {
            drop(Object::take(client));
        }
    }
}

impl Query for Tx {
    fn rows<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<Rows, StoreError>> {
        match &mut self.conn {
            Conn::Lite(lite) => Box::pin(ready(standing(lite).and_then(|lite| lite.rows(sql)))),
            Conn::Pg { client, fate } => Box::pin(async {
                let result = pg::rows(connected(client)?, &self.core.texts, sql).await;
                result.map_err(|error| of_statement(&self.core, fate, error))
            }),
        }
    }

    fn execute<'a>(&'a mut self, sql: &'a Sql) -> BoxFuture<'a, Result<u64, StoreError>> {
        match &mut self.conn {
            Conn::Lite(lite) => Box::pin(ready(standing(lite).and_then(|lite| lite.execute(sql)))),
            Conn::Pg { client, fate } => Box::pin(async {
                let result = pg::execute(connected(client)?, &self.core.texts, sql).await;
                result.map_err(|error| of_statement(&self.core, fate, error))
            }),
        }
    }

    fn engine(&self) -> Engine {
        self.core.engine
    }
}

/// The engine may have ended the whole transaction at an earlier error; what a
/// body does after that would be committed on its own.
fn standing(lite: &mut Lite) -> Result<&mut Lite, StoreError> {
    if lite.in_transaction() { Ok(lite) } else { Err(ended()) }
}

fn connected(client: &Option<Object>) -> Result<&Object, StoreError> {
    client.as_ref().ok_or_else(|| StoreError::internal("the transaction is over"))
}

fn ended() -> StoreError {
    StoreError::Unavailable("the transaction was ended by an earlier error".into())
}

fn note(core: &Core, fate: &mut Fate, error: &tokio_postgres::Error) -> StoreError {
    if pg_error::is_retryable(error) {
        *fate = Fate::Retry;
    } else if *fate == Fate::Open && error.as_db_error().is_some() {
        *fate = Fate::Failed;
    }
    pg_error::map(error, &core.unique_rules)
}

fn of_statement(core: &Core, fate: &mut Fate, error: pg::StatementError) -> StoreError {
    match error {
        pg::StatementError::Server(error) => note(core, fate, &error),
        pg::StatementError::Store(error) => error,
    }
}
