//! What a kill left between the database and the ledger of ids, of a reset or a return to a
//! snapshot: the database says whether it happened.

use ward_instance::Instance;
use ward_store::Db;
use ward_store::snapshots::step;

use crate::place::ServerError;

/// Ends a step that was begun: ids of an undone world are stale, those of a world that stayed good.
pub async fn finish(instance: &Instance, db: &Db) -> Result<(), ServerError> {
    let begun = instance.ledger().step().map(str::to_owned);
    let Some(token) = begun else { return Ok(()) };
    let today = step(db, &token).await?;
    let wall = instance.clock().wall();
    Ok(instance.ledger().settle_step(today.as_ref(), wall)?)
}

/// The same after a step that failed or is over; where it can't be done, the next start does it.
pub async fn end(instance: &Instance, db: &Db) {
    if let Err(error) = finish(instance, db).await {
        tracing::error!(%error, "the ledger of ids does not follow the database yet; start anew");
    }
}
