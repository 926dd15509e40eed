//! When a credential was last used.

use ward_store::{Actor, Db, Query, Sql, StoreError};

use super::{KeyFacts, day};
use crate::session;

/// Writes down that a credential was used.
pub async fn touch(db: &Db, actor: &Actor, facts: &KeyFacts) -> Result<(), StoreError> {
    let (org_id, facts) = (actor.org_id, facts.clone());
    db.write(move |tx| {
        let facts = facts.clone();
        Box::pin(async move {
            if let Some(id) = &facts.session {
                session::touch(tx, org_id, id).await?;
            }
            if let Some(id) = facts.key_id {
                let today = day(tx.wall());
                let sql = Sql::fixed(
                    "UPDATE api_keys SET last_used_day = $1 WHERE org_id = $2 AND id = $3",
                    [today.into(), org_id.into(), id.into()],
                );
                tx.execute(&sql).await?;
            }
            Ok(())
        })
    })
    .await
}
