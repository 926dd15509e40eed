//! How much is held back, for whoever looks after the instance.

use ward_store::system::{EffectClass, EffectState};
use ward_store::{Db, Query, Sql, StoreError};

/// Effects of one class that have not happened, over all organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The class.
    pub class: EffectClass,
    /// Where they stand.
    pub state: EffectState,
    /// How many.
    pub count: i64,
}

/// What has not happened in the whole instance, by class and state; what there is none of is left
/// out.
pub async fn pending(db: &Db) -> Result<Vec<Pending>, StoreError> {
    let sql = Sql::fixed(
        "SELECT class, state, COUNT(*) FROM effect_intents \
         WHERE state IN ('queued', 'waiting', 'failed') GROUP BY class, state \
         ORDER BY class, state",
        [],
    );
    let rows = db.read().await?.rows(&sql).await?;
    let counted = rows.iter().map(|row| {
        Some(Pending {
            class: EffectClass::from_text(row.first()?.text()?)?,
            state: EffectState::from_text(row.get(1)?.text()?)?,
            count: row.get(2)?.int()?,
        })
    });
    let counted = counted.collect::<Option<_>>();
    counted.ok_or_else(|| StoreError::corrupt("effect_intents", "a count does not decode"))
}

/// Those of [`pending`] that wait until somebody decides.
pub async fn waiting(db: &Db) -> Result<Vec<Pending>, StoreError> {
    let mut all = pending(db).await?;
    all.retain(|pending| pending.state == EffectState::Waiting);
    Ok(all)
}
