//! Data keys that the database which is there has and a backup of before a rotation has not. Files
//! that are outside the backup (in a bucket) may be sealed with them, and with nothing else.

use std::collections::HashSet;

use ward_instance::RootRing;

use super::load::failed;
use crate::birth::connect;
use crate::db::Place;
use crate::driver::lite::{Access, Lite};
use crate::driver::{pg, pg_value};
use crate::error::StoreError;
use crate::keyring;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Sql, Value};

/// Data keys, wrapped as they were found.
#[derive(Clone, Debug, Default)]
pub struct DataKeys(Vec<Vec<Value>>);

/// The data keys of the database at a place. Those that do not open with `ring` are nobody's use.
pub async fn data_keys(place: &Place, ring: &RootRing) -> Result<DataKeys, StoreError> {
    let sql = Sql::fixed(
        "SELECT org_id, class, version, wrapped, created_at FROM data_keys \
         ORDER BY org_id, class, version",
        [],
    );
    let rows = match place {
        Place::Lite { path } | Place::Passing { path } => {
            Lite::open(path, Access::Read)?.rows(&sql)?
        }
        Place::Pg { .. } | Place::Staged { .. } => {
            let (url, tables) = place.address()?;
            let config = pg::config(url, ring.kind(), tables)?;
            let client = connect(&config).await.map_err(|error| failed(&error))?;
            let rows = client.query(sql.text(), &[]).await.map_err(|error| failed(&error))?;
            let width = rows.first().map_or(0, |row| row.columns().len());
            pg_value::decode(width, &rows)?
        }
    };
    let whole = rows.iter().filter(|row| keyring::opens(row, ring));
    Ok(DataKeys(whole.map(<[Value]>::to_vec).collect()))
}

/// Puts those of organizations that the backup knows beside the keys that it brought; how many.
pub async fn keep_keys(tx: &mut Tx, found: &DataKeys) -> Result<usize, StoreError> {
    let sql = Sql::fixed("SELECT org_id, class, version FROM data_keys", []);
    let rows = tx.rows(&sql).await?;
    let known: HashSet<&[Value]> = rows.iter().collect();
    let organizations: HashSet<&Value> = rows.iter().filter_map(<[Value]>::first).collect();
    let mut kept = 0;
    for row in &found.0 {
        let name = row.get(..3).unwrap_or_default();
        if known.contains(name) || !row.first().is_some_and(|org| organizations.contains(org)) {
            continue;
        }
        tx.execute(&Sql::fixed(
            "INSERT INTO data_keys (org_id, class, version, wrapped, created_at) \
             VALUES ($1, $2, $3, $4, $5)",
            row.clone(),
        ))
        .await?;
        kept += 1;
    }
    Ok(kept)
}
