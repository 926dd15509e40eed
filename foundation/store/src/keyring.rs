//! The data keys of organizations: made with the organization, stored wrapped
//! under the instance's key-encryption key, held unwrapped in memory.
//!
//! What a key seals opens only in the row and column it was sealed for.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ward_instance::file_seal::FilePlace;
use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Instance, Key, Place, Purpose, Random, SealError, Sealer, mac};

use crate::codec;
use crate::error::StoreError;
use crate::query::Query;
use crate::system::{DataKeyRow, KeyClass};
use crate::tx::Tx;
use crate::types::Id;
use crate::value::{Sql, Value};

/// Organizations whose keys are held at most; half of them are the hot half.
const HELD_ORGANIZATIONS: usize = 1_000;

/// One data key.
pub struct DataKey {
    key: Key,
    sealer: Sealer,
}

impl DataKey {
    fn new(instance: &Instance, key: Key, version: u32) -> Self {
        let ring = instance.ring();
        let sealer = Sealer::new(ring.kind(), ring.instance_id(), &key, version);
        DataKey { key, sealer }
    }

    /// The key itself, for files.
    pub(crate) fn key(&self) -> &Key {
        &self.key
    }

    /// Its version.
    pub(crate) fn version(&self) -> u32 {
        self.sealer.version()
    }
}

/// The data keys of one organization.
pub struct OrgKeys {
    org_id: i64,
    random: Random,
    keys: Vec<(KeyClass, DataKey)>,
}

impl OrgKeys {
    /// The keys of the instance itself, for rows of no organization: derived
    /// from the roots, so their versions are the roots'.
    fn of_instance(instance: &Instance) -> Self {
        let ring = instance.ring();
        let mut keys = Vec::new();
        for version in ring.versions() {
            let Some(kek) = ring.derive_version(version, Purpose::Kek) else {
                continue;
            };
            for class in [KeyClass::Personal, KeyClass::Secret] {
                let fields: [&[u8]; 2] = [b"ward/instance-data-key/v1", class.as_str().as_bytes()];
                let key = Key::from_bytes(mac::mac(&kek, &fields));
                keys.push((class, DataKey::new(instance, key, version)));
            }
        }
        // The current root's is the one to seal with: last.
        let current = ring.current_version();
        keys.sort_by_key(|(_, key)| (key.version() == current, key.version()));
        OrgKeys { org_id: 0, random: instance.random().clone(), keys }
    }

    /// The root organization.
    pub fn org_id(&self) -> i64 {
        self.org_id
    }

    /// The newest key of the class.
    pub(crate) fn current(&self, class: KeyClass) -> Result<&DataKey, StoreError> {
        let newest = self.keys.iter().rev().find(|(of, _)| *of == class);
        newest.map(|(_, key)| key).ok_or_else(|| {
            StoreError::internal(format!("organization {} has no {class} data key", self.org_id))
        })
    }

    /// The key of a version.
    pub(crate) fn of_version(&self, class: KeyClass, version: u32) -> Result<&DataKey, SealError> {
        let fits = |(of, key): &&(KeyClass, DataKey)| *of == class && key.version() == version;
        self.keys.iter().find(fits).map(|(_, key)| key).ok_or(SealError::Version(version))
    }

    /// Seals a value for its place.
    pub fn seal(
        &self,
        class: KeyClass,
        table: &'static str,
        column: &str,
        row: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let place = Place { table, column, org_id: self.org_id, row };
        Ok(self.current(class)?.sealer.seal(&place, plain, &self.random))
    }

    /// Opens what was sealed for exactly this place.
    pub fn open(
        &self,
        class: KeyClass,
        table: &'static str,
        column: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        let place = Place { table, column, org_id: self.org_id, row };
        seal::version_of(sealed)
            .and_then(|version| self.of_version(class, version)?.sealer.open(&place, sealed))
            .map(|plain| plain.to_vec())
            .map_err(|error| StoreError::corrupt(table, format!("{column}: {error}")))
    }

    /// Where a file of this organization is sealed for.
    pub(crate) fn file_place<'a>(&self, instance: &Instance, blob: &'a str) -> FilePlace<'a> {
        let ring = instance.ring();
        FilePlace { kind: ring.kind(), instance_id: ring.instance_id(), org_id: self.org_id, blob }
    }
}

/// The data keys in memory.
pub struct Keyring {
    instance: Arc<Instance>,
    /// The instance's own, and the roots that they were derived from.
    of_instance: Mutex<(Vec<u32>, Arc<OrgKeys>)>,
    held: Mutex<Held>,
}

/// Two halves: what is used moves to the hot one; when that is full, the cold
/// one is forgotten and the hot one becomes cold.
#[derive(Default)]
struct Held {
    hot: HashMap<i64, Arc<OrgKeys>>,
    cold: HashMap<i64, Arc<OrgKeys>>,
}

impl Held {
    fn get(&mut self, org_id: i64) -> Option<Arc<OrgKeys>> {
        if let Some(keys) = self.hot.get(&org_id) {
            return Some(Arc::clone(keys));
        }
        let keys = self.cold.remove(&org_id)?;
        self.put(org_id, Arc::clone(&keys));
        Some(keys)
    }

    fn put(&mut self, org_id: i64, keys: Arc<OrgKeys>) {
        if self.hot.len() >= HELD_ORGANIZATIONS / 2 {
            self.cold = std::mem::take(&mut self.hot);
        }
        self.hot.insert(org_id, keys);
    }
}

impl Keyring {
    /// An empty keyring of the instance.
    pub fn new(instance: &Arc<Instance>) -> Self {
        Keyring {
            instance: Arc::clone(instance),
            of_instance: Mutex::new((roots(instance), Arc::new(OrgKeys::of_instance(instance)))),
            held: Mutex::default(),
        }
    }

    /// The keys, when they are in memory.
    pub fn held(&self, org_id: i64) -> Option<Arc<OrgKeys>> {
        if org_id != 0 {
            return self.held.lock().get(org_id);
        }
        let mut own = self.of_instance.lock();
        let roots = roots(&self.instance);
        if own.0 != roots {
            *own = (roots, Arc::new(OrgKeys::of_instance(&self.instance)));
        }
        Some(Arc::clone(&own.1))
    }

    /// The keys of a root organization (0: of the instance), read when they
    /// are not in memory.
    pub async fn of<Q: Query + ?Sized>(
        &self,
        q: &mut Q,
        org_id: i64,
    ) -> Result<Arc<OrgKeys>, StoreError> {
        if let Some(keys) = self.held(org_id) {
            return Ok(keys);
        }
        let rows = q
            .rows(&Sql::fixed(
                "SELECT class, version, wrapped FROM data_keys WHERE org_id = $1 ORDER BY version",
                [org_id.into()],
            ))
            .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            keys.push(self.unwrapped(org_id, row)?);
        }
        if keys.is_empty() {
            return Err(StoreError::internal(format!("organization {org_id} has no data keys")));
        }
        let keys = Arc::new(OrgKeys { org_id, random: self.instance.random().clone(), keys });
        self.held.lock().put(org_id, Arc::clone(&keys));
        Ok(keys)
    }

    fn unwrapped(&self, org_id: i64, row: &[Value]) -> Result<(KeyClass, DataKey), StoreError> {
        let bad = |what: &str| StoreError::corrupt("data_keys", what);
        let [class, version, wrapped] = row else {
            return Err(bad("a row does not decode"));
        };
        let class =
            class.text().and_then(KeyClass::from_text).ok_or_else(|| bad("unknown class"))?;
        let version = version.int().and_then(|n| u32::try_from(n).ok());
        let version = version.ok_or_else(|| bad("unknown version"))?;
        let name = DataKeyName { org_id, class: class.as_str(), version };
        let key = seal::unwrap(&self.instance.ring(), &name, wrapped.bytes().unwrap_or_default());
        let key = key.map_err(|error| bad(&format!("a data key does not unwrap: {error}")))?;
        Ok((class, DataKey::new(&self.instance, key, version)))
    }

    /// Forgets everything, after a rotation or a restore.
    pub fn forget(&self) {
        *self.held.lock() = Held::default();
    }
}

/// The roots' versions, the current one last.
fn roots(instance: &Instance) -> Vec<u32> {
    let ring = instance.ring();
    let mut versions = ring.versions();
    versions.push(ring.current_version());
    versions
}

/// Makes the data keys of a new root organization, in the transaction that
/// makes the organization.
pub async fn create_for(tx: &mut Tx, org_id: i64) -> Result<(), StoreError> {
    let instance = Arc::clone(tx.instance());
    let mut keys = Vec::new();
    for class in [KeyClass::Personal, KeyClass::Secret] {
        let version = 1;
        let key = Key::draw(instance.random());
        let name = DataKeyName { org_id, class: class.as_str(), version };
        let wrapped = seal::wrap(&instance.ring(), &name, &key, instance.random());
        let row = DataKeyRow {
            org_id: Id::new(org_id),
            class,
            version: version.into(),
            wrapped,
            created_at: tx.now(),
        };
        codec::insert(tx, &row).await?;
        keys.push((class, DataKey::new(&instance, key, version)));
    }
    let keys = OrgKeys { org_id, random: instance.random().clone(), keys };
    // Held with the transaction only: it may still be rolled back.
    tx.pending.keep_keys(Arc::new(keys));
    Ok(())
}

/// Wraps data keys of up to 100 organizations behind `after` under the current
/// root, once a root was added; the last of them, none when all are done.
pub async fn rewrap(tx: &mut Tx, after: i64) -> Result<Option<i64>, StoreError> {
    let instance = Arc::clone(tx.instance());
    let ring = instance.ring();
    let rows = tx
        .rows(&Sql::fixed(
            "SELECT org_id, class, version, wrapped FROM data_keys WHERE org_id IN \
             (SELECT DISTINCT org_id FROM data_keys WHERE org_id > $1 ORDER BY org_id LIMIT 100) \
             ORDER BY org_id FOR_UPDATE",
            [after.into()],
        ))
        .await?;
    let mut last = None;
    for row in rows.iter() {
        let [Value::Int(org_id), Value::Text(class), Value::Int(number), Value::Bytes(wrapped)] =
            row
        else {
            return Err(StoreError::corrupt("data_keys", "a row does not decode"));
        };
        let version = u32::try_from(*number).unwrap_or(0);
        let name = DataKeyName { org_id: *org_id, class, version };
        let key = seal::unwrap(&ring, &name, wrapped)
            .map_err(|error| StoreError::corrupt("data_keys", error.to_string()))?;
        let wrapped = seal::wrap(&ring, &name, &key, instance.random());
        tx.execute(&Sql::fixed(
            "UPDATE data_keys SET wrapped = $1 WHERE org_id = $2 AND class = $3 AND version = $4",
            [wrapped.into(), (*org_id).into(), Value::Text(class.clone()), (*number).into()],
        ))
        .await?;
        last = Some(*org_id);
    }
    Ok(last)
}

/// The keys of a root organization, as the transaction sees them.
pub async fn keys_of(tx: &mut Tx, org_id: i64) -> Result<Arc<OrgKeys>, StoreError> {
    if let Some(keys) = tx.pending.keys(org_id) {
        return Ok(keys);
    }
    let keyring = Arc::clone(tx.keyring());
    keyring.of(tx, org_id).await
}

/// The digest by which a sealed column is searched for an equal value. The
/// caller brings the value to its one form first.
pub fn blind_index(
    instance: &Instance,
    org_id: i64,
    table: &str,
    column: &str,
    value: &str,
) -> Vec<u8> {
    let key = instance.ring().derive(Purpose::BlindIndex);
    let org = org_id.to_be_bytes();
    mac::mac(&key, &[table.as_bytes(), column.as_bytes(), &org, value.as_bytes()]).to_vec()
}
