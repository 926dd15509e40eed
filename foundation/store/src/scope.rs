//! What an operation holds: its transaction and who asks. Everything that an
//! operation reads, changes and leaves behind goes through here, so visibility,
//! sealing, search, audit and events are nobody's to forget.

use std::sync::Arc;

use ward_instance::{Instance, Timestamp};

use crate::actor::{Actor, Level};
use crate::audit::AuditEntry;
use crate::codec;
use crate::cond::Cond;
use crate::core::Hint;
use crate::error::StoreError;
use crate::events::{Cause, Event};
use crate::intents::{self, EffectIntent};
use crate::outbox::PendingEvent;
use crate::query::Query;
use crate::select::{OrderKey, Select};
use crate::table::{Record, Table};
use crate::tx::Tx;
use crate::types::{Id, Uuid};
use crate::value::{Sql, Value};

/// The most rows that one list answers; who may meet more reads pages.
const MAX_LISTED: i64 = 10_000;

/// A transaction on behalf of an actor.
pub struct Scope<'a> {
    /// The transaction.
    pub tx: &'a mut Tx,
    /// Who asks.
    pub actor: &'a Actor,
    /// The client concerned, for the audit log.
    pub subject_id: Option<i64>,
    /// The event that this is a reaction to.
    pub cause: Option<Cause>,
}

impl<'a> Scope<'a> {
    /// A transaction on behalf of an actor.
    pub fn new(tx: &'a mut Tx, actor: &'a Actor) -> Self {
        Scope { tx, actor, subject_id: None, cause: None }
    }

    /// Concerning this client, for the audit log.
    #[must_use]
    pub fn about(mut self, client_id: i64) -> Self {
        self.subject_id = Some(client_id);
        self
    }

    /// Logical time, the same during the whole transaction.
    pub fn now(&self) -> Timestamp {
        self.tx.now()
    }

    /// The instance.
    pub fn instance(&self) -> &Arc<Instance> {
        self.tx.instance()
    }

    /// A new UUID of this environment.
    pub fn uuid(&self) -> Uuid {
        self.tx.uuid()
    }

    /// A new id for a row of `R`.
    pub async fn next_id<R: Record>(&mut self) -> Result<Id<R>, StoreError> {
        self.tx.next_id(R::table()).await.map(Id::new)
    }

    /// The tenant's row with this id, unless it is deleted, whoever may see it:
    /// for rules, never for answers.
    pub async fn find<R: Record>(&mut self, id: Id<R>) -> Result<Option<R>, StoreError> {
        self.find_by(Cond::eq("id", id.0)).await
    }

    /// The same, deleted or not.
    pub async fn find_deleted_too<R: Record>(
        &mut self,
        id: Id<R>,
    ) -> Result<Option<R>, StoreError> {
        self.found(Cond::eq("id", id.0)).await
    }

    /// One of the tenant's rows that meet the condition, as [`Scope::find`].
    pub async fn find_by<R: Record>(&mut self, cond: Cond) -> Result<Option<R>, StoreError> {
        self.found(cond.and(undeleted(R::table()))).await
    }

    async fn found<R: Record>(&mut self, cond: Cond) -> Result<Option<R>, StoreError> {
        let sql = self.tenant_rows(R::table(), &cond, &[], Some(1));
        let rows = self.tx.rows(&sql).await?;
        match rows.iter().next() {
            Some(row) => codec::to_record(self.tx, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The tenant's rows that meet the condition, without deleted ones, whoever
    /// may see them: for rules, never for answers.
    pub async fn list<R: Record>(
        &mut self,
        cond: Cond,
        order: &[OrderKey],
    ) -> Result<Vec<R>, StoreError> {
        let table = R::table();
        let limit = Some(MAX_LISTED + 1);
        let sql = self.tenant_rows(table, &cond.and(undeleted(table)), order, limit);
        let rows = self.tx.rows(&sql).await?;
        if i64::try_from(rows.len()).is_ok_and(|rows| rows > MAX_LISTED) {
            return Err(StoreError::internal(format!("{}: too many rows at once", table.name)));
        }
        let mut records = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            records.push(codec::to_record(self.tx, row).await?);
        }
        Ok(records)
    }

    fn tenant_rows(
        &self,
        table: &Table,
        cond: &Cond,
        order: &[OrderKey],
        limit: Option<i64>,
    ) -> Sql {
        let mut sql = Sql::new();
        sql.push("SELECT ").push(&codec::column_list(table, "t")).push(" FROM ");
        sql.push(table.name).push(" t WHERE ");
        if table.is_tenant() {
            sql.push("t.org_id = ").bind(self.actor.org_id).push(" AND ");
        }
        cond.write("t", &mut sql);
        for (n, key) in order.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { " ORDER BY " });
            sql.push(&key.expression.replace("{t}", "t"));
            sql.push(if key.descending { " DESC" } else { "" });
        }
        if let Some(limit) = limit {
            sql.limit(limit);
        }
        sql
    }

    /// The row with this id as the actor sees it, at `least` this much of it;
    /// what they may not see is not found (behaviour 4.4).
    pub async fn visible<R: Record>(
        &mut self,
        id: Id<R>,
        least: Level,
    ) -> Result<Option<(R, Level)>, StoreError> {
        self.seen(id, least, "").await
    }

    /// The same, locked until the transaction ends.
    pub async fn visible_for_update<R: Record>(
        &mut self,
        id: Id<R>,
        least: Level,
    ) -> Result<Option<(R, Level)>, StoreError> {
        self.seen(id, least, " FOR_UPDATE").await
    }

    /// The same, for a row that the transaction is about to refer to: others may
    /// change it meanwhile, but it can't be deleted before the transaction ends.
    pub async fn visible_for_reference<R: Record>(
        &mut self,
        id: Id<R>,
        least: Level,
    ) -> Result<Option<(R, Level)>, StoreError> {
        self.seen(id, least, " FOR_KEY_SHARE").await
    }

    async fn seen<R: Record>(
        &mut self,
        id: Id<R>,
        least: Level,
        ending: &str,
    ) -> Result<Option<(R, Level)>, StoreError> {
        let table = R::table();
        let mut select = Select::new(table, self.actor);
        select.columns = (0..table.columns.len()).collect();
        select.least = least;
        select.filter = Cond::eq("id", id.0);
        let mut sql = select.sql();
        sql.push(ending);
        let rows = self.tx.rows(&sql).await?;
        let Some(row) = rows.iter().next() else {
            return Ok(None);
        };
        let level = row.last().and_then(Value::int).map_or(Level::None, Level::from_number);
        Ok(Some((codec::to_record(self.tx, row).await?, level)))
    }

    /// Adds an audit entry of what no row shows.
    pub fn record(&mut self, entry: AuditEntry) {
        self.tx.pending.record(entry.on_behalf(self.actor));
    }

    /// Adds an event to the transaction; its id.
    pub fn emit(&mut self, event: Event) -> Uuid {
        let id = self.tx.uuid();
        self.tx.pending.emit(PendingEvent {
            id: id.clone(),
            org_id: self.actor.org_id,
            unit_id: event.unit_id.unwrap_or(self.actor.unit_id),
            actor_id: self.actor.user_id,
            cause: self.cause.clone(),
            event,
        });
        self.tx.on_commit(Hint::Events);
        id
    }

    /// Wants an effect outside. False when there is one of its key already.
    pub async fn intend(&mut self, intent: EffectIntent) -> Result<bool, StoreError> {
        intents::intend(self.tx, self.actor.org_id, intent).await
    }
}

fn undeleted(table: &Table) -> Cond {
    if table.is_soft_deleted() { Cond::is_null("deleted_at") } else { Cond::Always }
}
