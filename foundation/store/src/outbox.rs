//! What a transaction leaves behind besides its rows: audit entries and
//! events, collected while it runs and written at its end.
//!
//! On SQLite the writer numbers and links them as it writes; on PostgreSQL
//! they are written unnumbered and the sequencer follows.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_instance::crash;

use crate::audit::{self, AuditEntry};
use crate::error::StoreError;
use crate::events::{self, Cause, Event};
use crate::keyring::{self, OrgKeys};
use crate::query::{Engine, Query};
use crate::system::{
    AUDIT_EVENTS, AuditRow, EVENTS, EventRow, audit_events, events as event_columns,
};
use crate::table::{Record, Table};
use crate::trail::Left;
use crate::tx::Tx;
use crate::types::{Json, Uuid};
use crate::value::{Sql, Value};
use crate::{codec, stamp};

/// Organizations whose heads are held at most; beyond, all are read anew.
const HELD_HEADS: usize = 10_000;

/// Audit entries of one statement, where a transaction leaves that many.
const ENTRIES_AT_ONCE: usize = 200;

/// What one transaction will leave behind.
#[derive(Default)]
pub struct Pending {
    audit: Vec<AuditEntry>,
    events: Vec<PendingEvent>,
    /// Effects that it wants; their rows are written already.
    effects: Vec<Uuid>,
    keys: HashMap<i64, Arc<OrgKeys>>,
}

/// An event of a transaction that is not committed yet.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// What happened.
    pub event: Event,
    /// The root organization.
    pub org_id: i64,
    /// The organization or sub-organization.
    pub unit_id: i64,
    /// Who did it; 0 for nobody and the system.
    pub actor_id: i64,
    /// The cause of whatever follows from it.
    pub follows: Cause,
}

/// An event with what its transaction knows.
pub(crate) struct PendingEvent {
    pub(crate) id: Uuid,
    pub(crate) event: Event,
    pub(crate) org_id: i64,
    pub(crate) unit_id: i64,
    pub(crate) actor_id: i64,
    pub(crate) cause: Option<Cause>,
}

impl Pending {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.audit.is_empty() && self.events.is_empty()
    }

    /// Adds an audit entry.
    pub fn record(&mut self, entry: AuditEntry) {
        self.audit.push(entry);
    }

    /// The events from the `first` on, in the order in which they were added, for
    /// what reacts to them in the same transaction.
    pub fn emitted(&self, first: usize) -> Vec<Emitted> {
        let emitted = |pending: &PendingEvent| Emitted {
            event: pending.event.clone(),
            org_id: pending.org_id,
            unit_id: pending.unit_id,
            actor_id: pending.actor_id,
            follows: match &pending.cause {
                Some(cause) => Cause { depth: cause.depth + 1, ..cause.clone() },
                None => Cause { root_event_id: pending.id.clone(), depth: 1 },
            },
        };
        self.events.iter().skip(first).map(emitted).collect()
    }

    /// Keeps all events so far from webhooks.
    pub fn keep_untold(&mut self) {
        self.events.iter_mut().for_each(|pending| pending.event.is_told = false);
    }

    pub(crate) fn emit(&mut self, event: PendingEvent) {
        self.events.push(event);
    }

    pub(crate) fn wants(&mut self, effect: &Uuid) {
        self.effects.push(effect.clone());
    }

    /// What the transaction leaves behind so far, without contents.
    pub fn left(&self) -> Vec<Left> {
        let changes = self.audit.iter().map(|entry| Left::Change {
            done: entry.event_type.as_str().to_owned(),
            of: entry.resource_name.clone(),
            id: entry.resource_id.clone(),
            fields: entry.changes.iter().map(|change| change.field.clone()).collect(),
        });
        let events = self.events.iter().map(|pending| Left::Event {
            id: pending.id.0.clone(),
            event_type: pending.event.kind.to_owned(),
            of: pending.event.resource_type.to_owned(),
            resource_id: pending.event.resource_id.to_string(),
        });
        let effects = self.effects.iter().map(|id| Left::Effect { id: id.0.clone() });
        changes.chain(events).chain(effects).collect()
    }

    /// Data keys that this transaction made.
    pub(crate) fn keep_keys(&mut self, keys: Arc<OrgKeys>) {
        self.keys.insert(keys.org_id(), keys);
    }

    pub(crate) fn keys(&self, org_id: i64) -> Option<Arc<OrgKeys>> {
        self.keys.get(&org_id).cloned()
    }
}

/// The last numbers of one organization.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Head {
    /// Of its audit log.
    pub(crate) audit_seq: i64,
    /// The last link of its chain.
    pub(crate) chain: Vec<u8>,
    /// Of its events.
    pub(crate) event_seq: i64,
}

/// The numbering of the one writer: what is committed, and what the open
/// transaction has added to it.
#[derive(Debug, Default)]
pub struct Heads {
    committed: HashMap<i64, Head>,
    open: HashMap<i64, Head>,
}

/// The numbering before a member of a group, to return to when it fails.
#[derive(Debug)]
pub struct HeadsMark(HashMap<i64, Head>);

impl Heads {
    /// Nothing known yet: heads are read when they are needed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transaction stands.
    pub fn commit(&mut self) {
        if self.committed.len() + self.open.len() > HELD_HEADS {
            self.committed.clear();
        }
        self.committed.extend(self.open.drain());
    }

    /// The transaction is gone.
    pub fn revert(&mut self) {
        self.open.clear();
    }

    /// The place before a member of the group.
    pub fn mark(&self) -> HeadsMark {
        HeadsMark(self.open.clone())
    }

    /// The member was rolled back.
    pub fn restore(&mut self, mark: HeadsMark) {
        self.open = mark.0;
    }

    /// Forgets everything, after another database was put in place.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn get(&self, org_id: i64) -> Option<Head> {
        self.open.get(&org_id).or_else(|| self.committed.get(&org_id)).cloned()
    }

    fn put(&mut self, org_id: i64, head: Head) {
        self.open.insert(org_id, head);
    }
}

/// Writes what the transaction leaves behind; called once, at its end.
pub fn flush(tx: &mut Tx) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        let entries = std::mem::take(&mut tx.pending.audit);
        let events = std::mem::take(&mut tx.pending.events);
        write_entries(tx, entries).await?;
        crash::point("write.audited");
        for event in events {
            write_event(tx, event).await?;
        }
        crash::point("write.emitted");
        Ok(())
    })
}

async fn write_entries(tx: &mut Tx, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(entries.len().min(ENTRIES_AT_ONCE));
    // A statement's text is kept for the next time, so there are two lengths only.
    let single = entries.len() < ENTRIES_AT_ONCE;
    for entry in entries {
        rows.push(entry_row(tx, entry).await?);
        if single || rows.len() == ENTRIES_AT_ONCE {
            insert(tx, &AUDIT_EVENTS, rows.drain(..), audit_events::written_at).await?;
        }
    }
    for row in rows {
        insert(tx, &AUDIT_EVENTS, [row], audit_events::written_at).await?;
    }
    Ok(())
}

/// The entry as it is stored: signed and, on SQLite, numbered.
async fn entry_row(tx: &mut Tx, entry: AuditEntry) -> Result<Vec<Value>, StoreError> {
    let changes = serde_json::to_string(&entry.changes)
        .map_err(|error| StoreError::internal(format!("audit changes: {error}")))?;
    let org_id = entry.org_id;
    let row = AuditRow {
        id: tx.uuid(),
        org_id,
        unit_id: entry.unit_id,
        seq: None,
        occurred_at: tx.now(),
        wall_at: tx.wall(),
        actor_id: entry.actor_id,
        actor_kind: entry.actor_kind.to_owned(),
        credential: entry.credential,
        event_type: entry.event_type,
        resource_name: entry.resource_name,
        resource_id: entry.resource_id,
        subject_id: entry.subject_id,
        changes,
        written_at: tx.wall().0,
        row_mac: Vec::new(),
        chain: None,
    };
    let keys = keyring::keys_of(tx, org_id).await?;
    let mut stored = codec::to_stored(&AUDIT_EVENTS, Some(&keys), &row.values())?;
    let instance = Arc::clone(tx.instance());
    let ring = instance.ring();
    let row_mac = stamp::sign_row(&ring, &AUDIT_EVENTS, &stored, &audit::UNSIGNED);
    if tx.engine() == Engine::Lite {
        let mut head = head(tx, org_id).await?;
        head.audit_seq += 1;
        head.chain = audit::link(&ring, &head.chain, &row_mac, head.audit_seq);
        set(&mut stored, audit_events::seq, head.audit_seq.into());
        set(&mut stored, audit_events::chain, head.chain.as_slice().into());
        tx.heads().put(org_id, head);
    }
    set(&mut stored, audit_events::row_mac, row_mac.into());
    Ok(stored)
}

async fn write_event(tx: &mut Tx, pending: PendingEvent) -> Result<(), StoreError> {
    let PendingEvent { id, event, org_id, unit_id, actor_id, cause } = pending;
    let fields = serde_json::to_string(&event.changed_fields)
        .map_err(|error| StoreError::internal(format!("changed fields: {error}")))?;
    let depth = cause.as_ref().map_or(0, |cause| cause.depth);
    let row = EventRow {
        root_event_id: cause.map_or_else(|| id.clone(), |cause| cause.root_event_id),
        id,
        org_id,
        unit_id,
        seq: None,
        event_type: event.kind.to_owned(),
        resource_type: event.resource_type.to_owned(),
        resource_id: event.resource_id,
        changed_fields: Json(fields),
        extra: Json(serde_json::Value::Object(event.extra).to_string()),
        subject_id: event.subject_id,
        actor_id,
        depth,
        occurred_at: tx.now(),
        written_at: tx.wall().0,
        is_told: event.is_told,
        relayed: !event.is_told,
        row_mac: Vec::new(),
    };
    let mut stored = row.values();
    let row_mac = stamp::sign_row(&tx.instance().ring(), &EVENTS, &stored, &events::UNSIGNED);
    if tx.engine() == Engine::Lite {
        let mut head = head(tx, org_id).await?;
        head.event_seq += 1;
        set(&mut stored, event_columns::seq, head.event_seq.into());
        tx.heads().put(org_id, head);
    }
    set(&mut stored, event_columns::row_mac, row_mac.into());
    insert(tx, &EVENTS, [stored], event_columns::written_at).await
}

/// Inserts rows; on PostgreSQL their order is the server's to say, so that
/// the clocks of several nodes can't disagree about it.
async fn insert(
    tx: &mut Tx,
    table: &'static Table,
    rows: impl IntoIterator<Item = Vec<Value>>,
    written_at: usize,
) -> Result<(), StoreError> {
    const SERVER_MICROS: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
    let expression = match tx.engine() {
        Engine::Lite => None,
        Engine::Pg => Some((written_at, SERVER_MICROS)),
    };
    let sql = codec::insert_all_sql(table, rows, expression);
    tx.execute(&sql).await.map(drop)
}

fn set(values: &mut [Value], at: usize, value: Value) {
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}

async fn head(tx: &mut Tx, org_id: i64) -> Result<Head, StoreError> {
    match tx.heads().get(org_id) {
        Some(head) => Ok(head),
        None => read_head(tx, org_id).await,
    }
}

/// The last numbers in the database.
pub(crate) async fn read_head(tx: &mut Tx, org_id: i64) -> Result<Head, StoreError> {
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT seq, chain FROM audit_events WHERE org_id = $1 AND seq IS NOT NULL \
             ORDER BY seq DESC LIMIT 1",
            [org_id.into()],
        ))
        .await?;
    let (audit_seq, chain) = match rows.row(0) {
        [Value::Int(seq), Value::Bytes(chain)] => (*seq, chain.to_vec()),
        _ => (0, audit::chain_start(&tx.instance().ring(), org_id)),
    };
    let rows = tx
        .rows(&Sql::fixed("SELECT MAX(seq) FROM events WHERE org_id = $1", [org_id.into()]))
        .await?;
    let event_seq = rows.scalar().and_then(Value::int).unwrap_or(0);
    Ok(Head { audit_seq, chain, event_seq })
}
