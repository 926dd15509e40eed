//! How much is held back, for whoever looks after the instance.

use ward_store::system::EffectClass;
use ward_store::{Db, Query, Sql, StoreError};

/// Effects of one class that wait until somebody decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The class.
    pub class: EffectClass,
    /// How many, over all organizations.
    pub count: i64,
}

/// What waits in the whole instance, by class; classes of which nothing waits are left out.
pub async fn waiting(db: &Db) -> Result<Vec<Waiting>, StoreError> {
    let sql = Sql::fixed(
        "SELECT class, COUNT(*) FROM effect_intents WHERE state = 'waiting' \
         GROUP BY class ORDER BY class",
        [],
    );
    let rows = db.read().await?.rows(&sql).await?;
    let counted = rows.iter().map(|row| {
        Some(Waiting {
            class: EffectClass::from_text(row.first()?.text()?)?,
            count: row.get(1)?.int()?,
        })
    });
    let counted = counted.collect::<Option<Vec<Waiting>>>();
    counted.ok_or_else(|| StoreError::corrupt("effect_intents", "a count does not decode"))
}
