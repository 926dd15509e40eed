//! Making data keys: with their organization, and anew in a rotation.

use std::collections::BTreeMap;
use std::sync::Arc;

use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Key, RootRing};

use super::{DataKey, OrgKeys, stored};
use crate::codec;
use crate::error::StoreError;
use crate::query::Query;
use crate::system::{DataKeyRow, KeyClass};
use crate::tx::Tx;
use crate::types::Id;
use crate::value::Sql;

/// Makes the data keys of a new root organization, in the transaction that
/// makes the organization.
pub async fn create_for(tx: &mut Tx, org_id: i64) -> Result<(), StoreError> {
    let instance = Arc::clone(tx.instance());
    let ring = instance.ring();
    let mut keys = Vec::new();
    for class in [KeyClass::Personal, KeyClass::Secret] {
        keys.push((class, make(tx, &ring, org_id, class).await?));
    }
    let holding = tx.keyring().holding(ring.current_version());
    let keys = OrgKeys::new(&instance, org_id, keys, holding);
    // Held with the transaction only: it may still be rolled back.
    tx.pending.keep_keys(Arc::new(keys));
    Ok(())
}

/// Makes and stores one data key, of the version of the current root.
async fn make(
    tx: &mut Tx,
    ring: &RootRing,
    org_id: i64,
    class: KeyClass,
) -> Result<DataKey, StoreError> {
    let instance = Arc::clone(tx.instance());
    let version = ring.current_version();
    let key = Key::draw(instance.random());
    let name = DataKeyName { org_id, class: class.as_str(), version };
    let wrapped = seal::wrap(ring, &name, &key, instance.random());
    let row = DataKeyRow {
        org_id: Id::new(org_id),
        class,
        version: version.into(),
        wrapped,
        created_at: tx.now(),
    };
    codec::insert(tx, &row).await?;
    Ok(DataKey::new(&instance, key, version))
}

/// Gives up to 100 organizations behind `after` data keys of the current root,
/// and wraps their older ones under it; the last of them, none when all have
/// been seen.
pub(crate) async fn renew(tx: &mut Tx, after: i64) -> Result<Option<i64>, StoreError> {
    let instance = Arc::clone(tx.instance());
    let ring = instance.ring();
    let current = ring.current_version();
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT org_id, class, version, wrapped FROM data_keys WHERE org_id IN \
             (SELECT DISTINCT org_id FROM data_keys WHERE org_id > $1 ORDER BY org_id LIMIT 100) \
             ORDER BY org_id, class, version FOR_UPDATE",
            [after.into()],
        ))
        .await?;
    let mut newest: BTreeMap<(i64, &'static str), u32> = BTreeMap::new();
    for row in rows.iter() {
        let (org_id, class, version, wrapped) = stored(row)?;
        newest.insert((org_id, class.as_str()), version);
        if seal::version_of(wrapped) == Ok(current) {
            continue;
        }
        let name = DataKeyName { org_id, class: class.as_str(), version };
        let key = seal::unwrap(&ring, &name, wrapped)
            .map_err(|error| StoreError::corrupt("data_keys", error.to_string()))?;
        let wrapped = seal::wrap(&ring, &name, &key, instance.random());
        tx.execute(&Sql::fixed(
            "UPDATE data_keys SET wrapped = $1 WHERE org_id = $2 AND class = $3 AND version = $4",
            [wrapped.into(), org_id.into(), class.as_str().into(), i64::from(version).into()],
        ))
        .await?;
    }
    for ((org_id, class), _) in newest.iter().filter(|(_, version)| **version < current) {
        let class = KeyClass::from_text(class).unwrap_or(KeyClass::Personal);
        make(tx, &ring, *org_id, class).await?;
    }
    Ok(newest.keys().next_back().map(|(org_id, _)| *org_id))
}
