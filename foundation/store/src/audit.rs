//! The audit log: entries with a MAC each, in one chain an organization.
//!
//! Entries are made through [`crate::Scope`] or [`AuditEntry`] and written with
//! the transaction ([`crate::outbox`]); nothing here changes or removes one.

use std::sync::Arc;

use ward_instance::{Key, Purpose, RootRing, mac};

use crate::actor::Actor;
use crate::db::Db;
use crate::query::Engine;
use crate::retired::{Retired, RetiredKeys};
use crate::stamp;
use crate::system::{AUDIT_EVENTS, AuditType};
use crate::value::Value;

/// What is written in place of a value that may not be in the log.
pub const REDACTED: &str = "[redacted]";

/// What the log calls the client for whom somebody else did it.
pub const ON_BEHALF_OF: &str = "on_behalf_of";

/// One column's change.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditChange {
    /// The column.
    pub field: String,
    /// Its value before; none when the record is new.
    pub before: Option<String>,
    /// Its value after; none when the record is gone.
    pub after: Option<String>,
}

impl AuditChange {
    /// A change with both values.
    pub fn new(field: &str, before: Option<&str>, after: Option<&str>) -> Self {
        AuditChange {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }
}

/// An entry to be written with the transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// The root organization; 0 for the instance and for strangers.
    pub org_id: i64,
    /// The organization or sub-organization concerned.
    pub unit_id: i64,
    /// Who did it; 0 for nobody and the system.
    pub actor_id: i64,
    /// What kind of account that is.
    pub actor_kind: &'static str,
    /// The API key or session it was done with.
    pub credential: Option<String>,
    /// What was done.
    pub event_type: AuditType,
    /// To what kind of record.
    pub resource_name: String,
    /// To which one.
    pub resource_id: String,
    /// The client concerned.
    pub subject_id: Option<i64>,
    /// What changed. No secret, no sealed value.
    pub changes: Vec<AuditChange>,
}

impl AuditEntry {
    /// An entry of what the actor did.
    pub fn by(
        actor: &Actor,
        event_type: AuditType,
        resource_name: impl Into<String>,
        resource_id: impl Into<String>,
    ) -> Self {
        AuditEntry {
            org_id: actor.org_id,
            unit_id: actor.unit_id,
            actor_id: actor.doer(),
            actor_kind: actor.role.as_str(),
            credential: actor.credential.as_deref().map(str::to_owned),
            event_type,
            resource_name: resource_name.into(),
            resource_id: resource_id.into(),
            subject_id: None,
            changes: Vec::new(),
        }
    }

    /// What is done for somebody else says for whom, as a change.
    pub(crate) fn on_behalf(mut self, actor: &Actor) -> Self {
        if actor.proxy_id.is_some() {
            let whom = actor.user_id.to_string();
            self.changes.push(AuditChange::new(ON_BEHALF_OF, None, Some(&whom)));
            self.subject_id.get_or_insert(actor.user_id);
        }
        self
    }
}

/// Columns that the row's own MAC leaves out.
pub(crate) const UNSIGNED: [&str; 4] = ["seq", "written_at", "row_mac", "chain"];

/// Where an organization's chain starts: in the identity of the instance, so
/// that no segment can be moved into another one. It does not name the root,
/// which may rotate; every link does.
pub(crate) fn chain_start(ring: &RootRing, org_id: i64) -> Vec<u8> {
    let instance = ring.instance_id();
    mac::sha256_fields(&[
        b"ward/audit-chain/v1",
        ring.kind().as_str().as_bytes(),
        instance.as_bytes(),
        &org_id.to_be_bytes(),
    ])
    .to_vec()
}

/// The link of entry `seq`.
pub(crate) fn link(ring: &RootRing, previous: &[u8], row_mac: &[u8], seq: i64) -> Vec<u8> {
    stamp::sign(ring, Purpose::AuditChain, &[previous, row_mac, &seq.to_be_bytes()])
}

/// What verifies entries: the roots, and what stays of dropped ones.
pub(crate) struct Verifier {
    pub(crate) ring: Arc<RootRing>,
    retired: Arc<RetiredKeys>,
}

impl Verifier {
    /// Of an open store.
    pub(crate) fn of(db: &Db) -> Self {
        Verifier { ring: db.instance().ring(), retired: db.keyring().retired() }
    }

    fn key(&self, version: u32, purpose: Purpose, kept: Retired) -> Option<Key> {
        let own = self.ring.derive_version(version, purpose);
        own.or_else(|| self.retired.get(kept, version).cloned())
    }

    /// Whether `chain` links the entry to the previous one. Roots only follow
    /// each other: who has one that was dropped can't go on writing with it.
    pub(crate) fn links(
        &self,
        previous: &Link<'_>,
        row_mac: &[u8],
        seq: i64,
        chain: &[u8],
    ) -> bool {
        let fields: [&[u8]; 3] = [previous.chain, row_mac, &seq.to_be_bytes()];
        stamp::version_of(chain).is_some_and(|version| version >= previous.version)
            && stamp::verify_with(
                |version| self.key(version, Purpose::AuditChain, Retired::AuditChain),
                &fields,
                chain,
            )
    }

    /// Whether a row read in the table's order is as it was written.
    pub(crate) fn row_is_intact(&self, stored: &[Value]) -> bool {
        let at = AUDIT_EVENTS.column("row_mac").unwrap_or(usize::MAX);
        let row_mac = stored.get(at).and_then(Value::bytes).unwrap_or_default();
        stamp::verify_row_with(
            |version| self.key(version, Purpose::RowMac, Retired::AuditRow),
            &AUDIT_EVENTS,
            stored,
            &UNSIGNED,
            row_mac,
        )
    }
}

/// The link before an entry's.
pub(crate) struct Link<'a> {
    pub(crate) chain: &'a [u8],
    /// The root that made it; 0 at the start of a chain.
    pub(crate) version: u32,
}

/// What makes the table append-only in the database itself: entries can be
/// numbered once and are otherwise as they were written.
pub fn guards(engine: Engine) -> Vec<String> {
    let fixed = AUDIT_EVENTS.columns.iter().filter(|it| !["seq", "chain"].contains(&it.name));
    match engine {
        Engine::Lite => {
            let changed: Vec<_> =
                fixed.map(|it| format!("NEW.{0} IS NOT OLD.{0}", it.name)).collect();
            let changed = changed.join(" OR ");
            let refuse = "BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END";
            vec![
                format!(
                    "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events {refuse}"
                ),
                format!(
                    "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events \
                     WHEN OLD.seq IS NOT NULL OR {changed} {refuse}"
                ),
            ]
        }
        Engine::Pg => {
            let changed: Vec<_> =
                fixed.map(|it| format!("NEW.{0} IS DISTINCT FROM OLD.{0}", it.name)).collect();
            let changed = changed.join(" OR ");
            vec![
                format!(
                    "CREATE FUNCTION audit_events_guard() RETURNS trigger LANGUAGE plpgsql AS $$ \
                     BEGIN \
                       IF TG_OP = 'UPDATE' THEN \
                         IF OLD.seq IS NULL AND NOT ({changed}) THEN RETURN NEW; END IF; \
                       END IF; \
                       RAISE EXCEPTION 'audit_events is append-only'; \
                     END $$"
                ),
                "CREATE TRIGGER audit_events_no_change BEFORE UPDATE OR DELETE ON audit_events \
                 FOR EACH ROW EXECUTE FUNCTION audit_events_guard()"
                    .to_owned(),
                "CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events \
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_events_guard()"
                    .to_owned(),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Role;

    #[test]
    fn what_is_done_for_somebody_names_who_did_it_and_for_whom() {
        let own = Actor { role: Role::Client, user_id: 5, org_id: 1, ..Actor::anonymous() };
        let entry =
            |actor: &Actor| AuditEntry::by(actor, AuditType::Update, "USER", "5").on_behalf(actor);
        let alone = entry(&own);
        assert_eq!((alone.actor_id, alone.subject_id), (5, None));
        assert!(alone.changes.is_empty());
        let acting = entry(&Actor { proxy_id: Some(6), ..own });
        assert_eq!((acting.actor_id, acting.subject_id), (6, Some(5)));
        assert_eq!(acting.changes, [AuditChange::new(ON_BEHALF_OF, None, Some("5"))]);
    }
}
