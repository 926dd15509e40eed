//! The data keys of organizations: made with the organization, stored wrapped
//! under the instance's key-encryption key, held unwrapped in memory.
//!
//! What a key seals opens only in the row and column it was sealed for. A data
//! key has the version of the root under which it was made, so one number says
//! how old a sealed value is. Keys older than every root that is left open
//! audit entries, which are never written anew, and nothing else.

mod make;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use ward_instance::file_seal::FilePlace;
use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Instance, Key, Place, Purpose, Random, SealError, Sealer, mac};

use crate::epochs::{self, Epochs};
use crate::error::StoreError;
use crate::query::Query;
use crate::retired::{self, Retired, RetiredKeys};
use crate::system::{AUDIT_EVENTS, KeyClass};
use crate::tx::Tx;
use crate::value::{Sql, Value};

pub use make::create_for;
pub(crate) use make::renew;

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
    /// The one to seal with last.
    keys: Vec<(KeyClass, DataKey)>,
    /// The oldest root that is left when these were read.
    oldest_root: u32,
    holding: Holding,
}

/// A rotation waits until nobody holds keys of before: whoever seals with them
/// over a time longer than a transaction (an upload) keeps this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holding {
    _token: Arc<()>,
}

impl OrgKeys {
    /// The keys of the instance itself, for rows of no organization: derived
    /// from the roots, so their versions are the roots'.
    fn of_instance(instance: &Instance, retired: &RetiredKeys, holding: Holding) -> Self {
        let ring = instance.ring();
        let mut keys = Vec::new();
        for class in [KeyClass::Personal, KeyClass::Secret] {
            let kept = retired.versions(Retired::of_instance(class));
            let gone = kept.filter(|(version, _)| !ring.versions().contains(version));
            keys.extend(gone.map(|(at, key)| (class, DataKey::new(instance, key.clone(), at))));
            let derived = ring.versions().into_iter().filter_map(|version| {
                let key = retired::instance_key(&ring, version, class)?;
                Some((class, DataKey::new(instance, key, version)))
            });
            keys.extend(derived);
        }
        // The current root's is the one to seal with: last.
        let current = ring.current_version();
        keys.sort_by_key(|(_, key)| (key.version() == current, key.version()));
        Self::new(instance, 0, keys, holding)
    }

    fn new(
        instance: &Instance,
        org_id: i64,
        keys: Vec<(KeyClass, DataKey)>,
        holding: Holding,
    ) -> Self {
        let oldest_root = instance.ring().versions().into_iter().min().unwrap_or_default();
        OrgKeys { org_id, random: instance.random().clone(), keys, oldest_root, holding }
    }

    /// Kept as long as something is sealed with these keys.
    pub(crate) fn holding(&self) -> Holding {
        self.holding.clone()
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

    /// The key of a version that is still in use.
    pub(crate) fn of_version(&self, class: KeyClass, version: u32) -> Result<&DataKey, SealError> {
        match version < self.oldest_root {
            true => Err(SealError::Version(version)),
            false => self.any_version(class, version),
        }
    }

    fn any_version(&self, class: KeyClass, version: u32) -> Result<&DataKey, SealError> {
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
        let key = |version| match table == AUDIT_EVENTS.name {
            true => self.any_version(class, version),
            false => self.of_version(class, version),
        };
        seal::version_of(sealed)
            .and_then(|version| key(version)?.sealer.open(&place, sealed))
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
    /// The instance's own, with what they were made of.
    of_instance: Mutex<Option<(Vec<u32>, Arc<OrgKeys>)>>,
    held: Mutex<Held>,
    retired: Mutex<Arc<RetiredKeys>>,
    /// Every organization has keys of this version, so older ones are not kept.
    required: AtomicU32,
    /// Who holds keys, by the version that they seal with.
    holdings: Mutex<BTreeMap<u32, Holding>>,
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
            of_instance: Mutex::default(),
            held: Mutex::default(),
            retired: Mutex::default(),
            required: AtomicU32::new(0),
            holdings: Mutex::default(),
        }
    }

    /// The keys, when they are in memory.
    pub fn held(&self, org_id: i64) -> Option<Arc<OrgKeys>> {
        if org_id != 0 {
            return self.held.lock().get(org_id);
        }
        let mut own = self.of_instance.lock();
        let roots = roots(&self.instance);
        match &*own {
            Some((known, keys)) if *known == roots => Some(Arc::clone(keys)),
            _ => {
                let holding = self.holding(self.instance.ring().current_version());
                let retired = self.retired();
                let keys = OrgKeys::of_instance(&self.instance, &retired, holding);
                let keys = Arc::new(keys);
                *own = Some((roots, Arc::clone(&keys)));
                Some(keys)
            }
        }
    }

    fn holding(&self, version: u32) -> Holding {
        self.holdings.lock().entry(version).or_default().clone()
    }

    /// Keys of roots that were dropped.
    pub(crate) fn retired(&self) -> Arc<RetiredKeys> {
        Arc::clone(&self.retired.lock())
    }

    /// Takes over what the database says of dropped roots.
    pub(crate) fn set_retired(&self, keys: RetiredKeys) {
        *self.retired.lock() = Arc::new(keys);
        *self.of_instance.lock() = None;
    }

    /// Every organization has keys of `version` from now on: waits until nobody
    /// can get or holds older ones to seal with.
    pub(crate) async fn require(&self, version: u32, epochs: &Epochs) {
        self.required.store(version, Ordering::SeqCst);
        self.forget();
        // Then nobody is left who began before the keys were there.
        epochs.pass().await;
        let older: Vec<Holding> =
            self.holdings.lock().range(..version).map(|(_, holding)| holding.clone()).collect();
        self.holdings.lock().retain(|of, _| *of >= version);
        for holding in older {
            epochs::emptied(&holding._token).await;
        }
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
                "SELECT org_id, class, version, wrapped FROM data_keys WHERE org_id = $1 \
                 ORDER BY version",
                [org_id.into()],
            ))
            .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows.iter() {
            keys.push(self.unwrapped(row)?);
        }
        if keys.is_empty() {
            return Err(StoreError::internal(format!("organization {org_id} has no data keys")));
        }
        let newest = keys.last().map_or(0, |(_, key)| key.version());
        let keys = OrgKeys::new(&self.instance, org_id, keys, self.holding(newest));
        let keys = Arc::new(keys);
        // A reader of before a rotation may still see the older keys alone.
        if newest >= self.required.load(Ordering::SeqCst) {
            self.held.lock().put(org_id, Arc::clone(&keys));
        }
        Ok(keys)
    }

    fn unwrapped(&self, row: &[Value]) -> Result<(KeyClass, DataKey), StoreError> {
        let (org_id, class, version, wrapped) = stored(row)?;
        let name = DataKeyName { org_id, class: class.as_str(), version };
        let key = seal::unwrap(&self.instance.ring(), &name, wrapped);
        let key = key.map_err(|error| {
            StoreError::corrupt("data_keys", format!("a data key does not unwrap: {error}"))
        })?;
        Ok((class, DataKey::new(&self.instance, key, version)))
    }

    /// Forgets everything, after a rotation or a restore.
    pub fn forget(&self) {
        *self.held.lock() = Held::default();
        *self.of_instance.lock() = None;
    }
}

/// The roots' versions, the current one last.
fn roots(instance: &Instance) -> Vec<u32> {
    let ring = instance.ring();
    let mut versions = ring.versions();
    versions.push(ring.current_version());
    versions
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

/// Whether a row of `data_keys` (its first four columns) holds a key that opens with `ring`.
pub(crate) fn opens(row: &[Value], ring: &ward_instance::RootRing) -> bool {
    let Some(Ok((org_id, class, version, wrapped))) = row.get(..4).map(stored) else {
        return false;
    };
    let name = DataKeyName { org_id, class: class.as_str(), version };
    seal::unwrap(ring, &name, wrapped).is_ok()
}

fn stored(row: &[Value]) -> Result<(i64, KeyClass, u32, &[u8]), StoreError> {
    let bad = |what: &str| StoreError::corrupt("data_keys", what);
    let [Value::Int(org_id), Value::Text(class), Value::Int(version), Value::Bytes(wrapped)] = row
    else {
        return Err(bad("a row does not decode"));
    };
    let class = KeyClass::from_text(class).ok_or_else(|| bad("unknown class"))?;
    let version = u32::try_from(*version).map_err(|_| bad("unknown version"))?;
    Ok((*org_id, class, version, wrapped))
}
