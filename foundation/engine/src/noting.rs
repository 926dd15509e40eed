//! What the executor notes for the access log of the rows that it answers.

use ward_store::{Cond, Query, Select, StoreError, Table};

use crate::exec::Executor;
use crate::level::RowSet;
use crate::plan::Field;

impl Executor<'_> {
    /// Notes whose data these rows are.
    pub(crate) async fn noted(
        &self,
        conn: &mut dyn Query,
        field: &Field,
        set: &RowSet,
        rows: impl IntoIterator<Item = usize>,
    ) -> Result<(), StoreError> {
        let several = self.request.reads.note_rows(&field.path, set, rows);
        if several.is_empty() {
            return Ok(());
        }
        let subject = set.table.and_then(|table| table.subject);
        let Some(find) = subject.and_then(|subject| subject(self.actor).several) else {
            return Ok(());
        };
        let sql = find(self.actor, &several);
        self.request.reads.note_found(&field.path, conn, &sql).await
    }

    /// Notes the clients among the records that a question names.
    pub(crate) async fn note_named(
        &self,
        conn: &mut dyn Query,
        field: &Field,
        named: Option<(&'static Table, Vec<i64>)>,
    ) -> Result<(), StoreError> {
        let Some((table, ids)) = named.filter(|(_, ids)| !ids.is_empty()) else { return Ok(()) };
        let mut select = Select::new(table, self.actor);
        select.filter = Cond::is_in("id", &ids);
        select.with_subject = true;
        self.request.reads.note_found(&field.path, conn, &select.sql()).await
    }
}
