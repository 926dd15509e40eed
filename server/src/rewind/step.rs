//! What a kill left between the database and the ledger of ids, of a reset or a return to a
//! snapshot: the database says whether it happened.

use ward_instance::{Instance, IsoError};
use ward_store::snapshots::{last_step, step};
use ward_store::{Db, Engine, Query, StoreError, Tx};

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

/// Refuses a ledger of ids that does not know of the last step back, which another node of the same
/// PostgreSQL database did: out of it ids would be given that are stale, and ids that others have. A
/// step that was begun here is ended by then. Called under the lock of the directory: a ledger that says
/// nothing of steps knows of the last one from then on.
pub async fn check(instance: &Instance, db: &Db) -> Result<(), ServerError> {
    if db.engine() == Engine::Lite {
        return Ok(());
    }
    let last = last_step(&mut db.read().await?).await?;
    let mut ledger = instance.ledger();
    match ledger.is_abreast_of(last.as_deref()) {
        true => Ok(ledger.adopt_step(last.as_deref())?),
        false => Err(behind().into()),
    }
}

/// The same inside of a transaction that has the data alone, of a step that was begun and is not done:
/// another directory may have ended its own since [`check`], while this one waited for it.
pub async fn check_in(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.engine() == Engine::Lite {
        return Ok(());
    }
    let last = last_step(tx).await?;
    let is_abreast = tx.instance().ledger().is_abreast_of(last.as_deref());
    if is_abreast { Ok(()) } else { Err(StoreError::Foreign(behind())) }
}

fn behind() -> IsoError {
    IsoError::new(
        "ISO-21",
        "another node has reset the Sandbox or taken it back, and ids.ledger of this directory does not know of it",
        "copy ids.ledger from that node's directory into this one",
    )
}
