//! Stored files: each is sealed anew beside the old one and takes its name.

use ward_instance::crash;

use super::{Damaged, Halt, Work};
use crate::blobs;
use crate::error::StoreError;
use crate::query::Query;
use crate::value::{Sql, Value};

/// Files that are looked at between two looks at the table.
const PAGE: i64 = 100;

impl Work<'_> {
    pub(super) async fn files(&mut self) -> Result<(), Halt> {
        let mut after = (i64::MIN, String::new());
        loop {
            self.look()?;
            let page = Sql::fixed(
                "SELECT org_id, id FROM blobs WHERE (org_id, id) > ($1, $2) \
                 ORDER BY org_id, id LIMIT CAST($3 AS BIGINT)",
                [after.0.into(), after.1.as_str().into(), PAGE.into()],
            );
            let rows = self.of.db.read().await?.rows(&page).await?;
            let files = rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?)));
            let files: Vec<(i64, String)> =
                files.filter_map(|(org_id, id)| Some((org_id, id.text()?.to_owned()))).collect();
            for (org_id, id) in &files {
                self.look()?;
                self.file(*org_id, id).await?;
            }
            match files.into_iter().next_back() {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    async fn file(&mut self, org_id: i64, id: &str) -> Result<(), Halt> {
        match self.renew_file(org_id, id).await {
            Ok(changed) => {
                self.progress.changed += u64::from(changed);
                // Swept meanwhile: what took its name belongs to nobody.
                if changed && !self.is_registered(id).await? {
                    self.of.blobs.remove(id).await?;
                }
            }
            Err(StoreError::Corrupt { .. } | StoreError::Internal { .. }) => {
                if self.is_registered(id).await? {
                    self.note(vec![Damaged { table: "blobs", column: "file", row: id.to_owned() }]);
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn renew_file(&self, org_id: i64, id: &str) -> Result<bool, StoreError> {
        let store = self.of.blobs.as_ref();
        if blobs::is_sealed_with(store, id, self.progress.to).await? {
            return Ok(false);
        }
        let db = &self.of.db;
        let keys = db.keyring().of(&mut db.read().await?, org_id).await?;
        blobs::reseal(store, db.instance(), &keys, id).await?;
        crash::point("rotation.file");
        Ok(true)
    }

    async fn is_registered(&self, id: &str) -> Result<bool, StoreError> {
        let sql = Sql::fixed("SELECT 1 FROM blobs WHERE id = $1", [Value::from(id)]);
        Ok(!self.of.db.read().await?.rows(&sql).await?.is_empty())
    }
}
