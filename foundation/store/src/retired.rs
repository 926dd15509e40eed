//! Keys of roots that were dropped, wrapped under the present one: they verify
//! the audit log and recognize repeated requests of before, and open nothing
//! else (environments C.2).

use std::collections::BTreeMap;

use ward_instance::seal::{self, DataKeyName};
use ward_instance::{Instance, Key, Kind, Purpose, RootRing, mac};

use crate::error::StoreError;
use crate::query::Query;
use crate::system::KeyClass;
use crate::tx::Tx;
use crate::value::{Rows, Sql, Value};

/// Which key of a root stays, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Retired {
    /// Verifies links of the audit chain.
    AuditChain,
    /// Verifies the MACs of audit entries, and of no other row.
    AuditRow,
    /// Recognizes requests that are repeated within a day.
    Idempotency,
    /// Opens the audit entries of no organization: personal values.
    InstancePersonal,
    /// The same: secrets.
    InstanceSecret,
}

impl Retired {
    const ALL: [Retired; 5] = [
        Self::AuditChain,
        Self::AuditRow,
        Self::Idempotency,
        Self::InstancePersonal,
        Self::InstanceSecret,
    ];

    /// The instance's own data key of a class.
    pub(crate) const fn of_instance(class: KeyClass) -> Self {
        match class {
            KeyClass::Personal => Self::InstancePersonal,
            KeyClass::Secret => Self::InstanceSecret,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::AuditChain => "audit-chain",
            Self::AuditRow => "audit-row",
            Self::Idempotency => "idempotency",
            Self::InstancePersonal => "instance-personal",
            Self::InstanceSecret => "instance-secret",
        }
    }

    /// The key while the ring still has its root.
    fn derive(self, ring: &RootRing, version: u32) -> Option<Key> {
        match self {
            Self::AuditChain => ring.derive_version(version, Purpose::AuditChain),
            Self::AuditRow => ring.derive_version(version, Purpose::RowMac),
            Self::Idempotency => ring.derive_version(version, Purpose::Idempotency),
            Self::InstancePersonal => instance_key(ring, version, KeyClass::Personal),
            Self::InstanceSecret => instance_key(ring, version, KeyClass::Secret),
        }
    }
}

/// The data key of the instance itself under one root, for rows of no
/// organization.
pub(crate) fn instance_key(ring: &RootRing, version: u32, class: KeyClass) -> Option<Key> {
    let kek = ring.derive_version(version, Purpose::Kek)?;
    let fields: [&[u8]; 2] = [b"ward/instance-data-key/v1", class.as_str().as_bytes()];
    Some(Key::from_bytes(mac::mac(&kek, &fields)))
}

/// The retired keys in memory.
#[derive(Default)]
pub(crate) struct RetiredKeys(BTreeMap<(Retired, u32), Key>);

impl RetiredKeys {
    /// The key of a root that is gone.
    pub(crate) fn get(&self, what: Retired, version: u32) -> Option<&Key> {
        self.0.get(&(what, version))
    }

    /// Whether all that stays of a root is there.
    pub(crate) fn is_whole(&self, version: u32) -> bool {
        Retired::ALL.into_iter().all(|what| self.get(what, version).is_some())
    }

    /// The roots of which a key of this sort stays.
    pub(crate) fn versions(&self, what: Retired) -> impl Iterator<Item = (u32, &Key)> {
        self.0.iter().filter(move |((of, _), _)| *of == what).map(|((_, at), key)| (*at, key))
    }
}

/// Every retired key.
pub(crate) fn select() -> Sql {
    Sql::fixed("SELECT purpose, root_version, wrapped FROM retired_keys", [])
}

/// The keys in the answer to [`select`].
pub(crate) fn decode(ring: &RootRing, rows: &Rows) -> Result<RetiredKeys, StoreError> {
    let mut keys = BTreeMap::new();
    for row in rows.iter() {
        let (what, version, wrapped) = fields(row)?;
        match seal::unwrap(ring, &name(what, version), wrapped) {
            Ok(key) => drop(keys.insert((what, version), key)),
            // What it would verify is then told of, and the rest is served.
            Err(error) => tracing::error!(%error, version, "a retired key does not unwrap"),
        }
    }
    Ok(RetiredKeys(keys))
}

fn fields(row: &[Value]) -> Result<(Retired, u32, &[u8]), StoreError> {
    let [Value::Text(purpose), Value::Int(version), Value::Bytes(wrapped)] = row else {
        return Err(bad("a row does not decode"));
    };
    let what = Retired::ALL.into_iter().find(|what| what.as_str() == &**purpose);
    let version = u32::try_from(*version).ok();
    what.zip(version)
        .map(|(what, version)| (what, version, &**wrapped))
        .ok_or_else(|| bad("a row does not decode"))
}

fn bad(what: &str) -> StoreError {
    StoreError::corrupt("retired_keys", what)
}

fn name(what: Retired, version: u32) -> DataKeyName<'static> {
    DataKeyName { org_id: 0, class: what.as_str(), version }
}

/// Writes down what stays of every old root of the ring, and wraps what is
/// there already under the current one.
pub(crate) async fn keep(tx: &mut Tx) -> Result<(), StoreError> {
    let instance = std::sync::Arc::clone(tx.instance());
    let ring = instance.ring();
    let current = ring.current_version();
    for row in tx.rows(&select()).await?.iter() {
        let (what, version, wrapped) = fields(row)?;
        if seal::version_of(wrapped) == Ok(current) {
            continue;
        }
        let key = seal::unwrap(&ring, &name(what, version), wrapped)
            .map_err(|error| bad(&format!("a key does not unwrap: {error}")))?;
        put(tx, &instance, &ring, what, version, &key).await?;
    }
    for version in ring.versions().into_iter().filter(|version| *version != current) {
        for what in Retired::ALL {
            if let Some(key) = what.derive(&ring, version) {
                put(tx, &instance, &ring, what, version, &key).await?;
            }
        }
    }
    Ok(())
}

async fn put(
    tx: &mut Tx,
    instance: &Instance,
    ring: &RootRing,
    what: Retired,
    version: u32,
    key: &Key,
) -> Result<(), StoreError> {
    let wrapped = seal::wrap(ring, &name(what, version), key, instance.random());
    let kind: Kind = instance.kind();
    let now = tx.wall().0;
    tx.execute(&Sql::fixed(
        "INSERT INTO retired_keys (purpose, root_version, kind, wrapped, retired_at) \
         VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (purpose, root_version) DO UPDATE SET wrapped = excluded.wrapped",
        [
            what.as_str().into(),
            i64::from(version).into(),
            kind.as_str().into(),
            wrapped.into(),
            now.into(),
        ],
    ))
    .await
    .map(drop)
}
