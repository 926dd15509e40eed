//! What every restore does to the rows that it brought back.

use ward_instance::ids;

use crate::error::StoreError;
use crate::query::{Engine, Query};
use crate::table::Key;
use crate::tx::Tx;
use crate::value::Sql;

/// Ids of each type that Production leaves out after a restore: as many may have been handed out
/// between the backup and its return, and nothing may be found under them but what they named.
pub const SKIPPED: i64 = 1_000_000;

/// Statements of a restore take as long as they take: nobody waits for the tables.
pub async fn patiently(tx: &mut Tx) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Lite => Ok(()),
        Engine::Pg => tx.batch("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await,
    }
}

/// Has Production's new ids begin [`SKIPPED`] above those that the backup knows. A Sandbox's come
/// from a fresh slot instead.
pub async fn skip_ids(tx: &mut Tx) -> Result<(), StoreError> {
    let (first, last) = ids::PRODUCTION;
    let skip = Sql::fixed(
        "UPDATE id_blocks SET next_id = CASE \
           WHEN next_id <= $2 AND next_id + $1 > $2 THEN $2 + 1 ELSE next_id + $1 END",
        [SKIPPED.into(), last.into()],
    );
    tx.execute(&skip).await?;
    // Types of which the backup has none may have got their first since.
    let with_ids = tx.tables().iter().filter(|table| table.key == Key::Id);
    let entities: Vec<&'static str> = with_ids.map(|table| table.entity).collect();
    for entity in entities {
        let begin = Sql::fixed(
            "INSERT INTO id_blocks (entity, next_id, last_id) VALUES ($1, $2, $3) \
             ON CONFLICT (entity) DO NOTHING",
            [entity.into(), (first + SKIPPED).into(), last.into()],
        );
        tx.execute(&begin).await?;
    }
    Ok(())
}
