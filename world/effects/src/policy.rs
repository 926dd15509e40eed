//! Which classes of effects happen: the pause switch.
//!
//! A new Production does nothing but account mail until somebody switches a class on; in a Sandbox
//! all is simulated, so all is on. Between them is a stage for chosen people only: see
//! [`crate::cohort`].

use std::sync::Arc;

use ward_instance::{Kind, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::{AuditType, EffectClass};
use ward_store::{
    Actor, Db, Key, Query, Rule, Scope, Sql, StoreError, Tx, Uuid, Value, record, text_enum, unique,
};

text_enum! {
    /// Whether effects of a class happen.
    pub enum EffectMode {
        /// They wait.
        Off = "off",
        /// Those that reach the people of the class's cohort happen, the others wait.
        Cohort = "cohort",
        /// They happen.
        Live = "live",
    }
}

record! {
    /// What was decided about a class; a class without a row is as it was at birth.
    pub struct EffectPolicy in EFFECT_POLICIES, effect_policies {
        id: Uuid,
        /// The organization whose administrator decided.
        org_id: i64,
        class: EffectClass,
        mode: EffectMode,
        reason: String,
        changed_by: i64,
        changed_at: Timestamp,
    }
    key: Key::Uuid,
    indexes: [unique(&["class"])],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}

/// How a class is before anybody has decided.
pub const fn at_birth(kind: Kind, class: EffectClass) -> EffectMode {
    match (kind, class) {
        (Kind::Sandbox, _) | (Kind::Production, EffectClass::AccountMail) => EffectMode::Live,
        (Kind::Production, _) => EffectMode::Off,
    }
}

/// What stands of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether its effects happen.
    pub mode: EffectMode,
    /// Why; none when nobody has decided.
    pub reason: Option<String>,
    /// Since when; none when nobody has decided.
    pub changed_at: Option<Timestamp>,
}

/// The policy of a class.
pub async fn policy(
    q: &mut dyn Query,
    kind: Kind,
    class: EffectClass,
) -> Result<Policy, StoreError> {
    let sql = Sql::fixed(
        "SELECT mode, reason, changed_at FROM effect_policies WHERE class = $1",
        [class.as_str().into()],
    );
    let rows = q.rows(&sql).await?;
    let Some(row) = rows.iter().next() else {
        return Ok(Policy { mode: at_birth(kind, class), reason: None, changed_at: None });
    };
    let [Value::Text(mode), Value::Text(reason), Value::Int(changed_at)] = row else {
        return Err(StoreError::corrupt(EFFECT_POLICIES.name, "a row does not decode"));
    };
    let mode = EffectMode::from_text(mode);
    let mode =
        mode.ok_or_else(|| StoreError::corrupt(EFFECT_POLICIES.name, "a mode is unknown"))?;
    let (reason, changed_at) = (Some(reason.to_string()), Some(Timestamp(*changed_at)));
    Ok(Policy { mode, reason, changed_at })
}

/// Decides about a class; counts from the next effect on, in every process. Audited.
pub async fn decide(
    db: &Db,
    actor: &Actor,
    class: EffectClass,
    mode: EffectMode,
    reason: &str,
) -> Result<(), StoreError> {
    let (actor, reason) = (actor.clone(), Arc::<str>::from(reason));
    db.write(move |tx| {
        let (actor, reason) = (actor.clone(), Arc::clone(&reason));
        Box::pin(async move { decide_in(tx, &actor, class, mode, &reason).await })
    })
    .await
}

pub(crate) async fn decide_in(
    tx: &mut Tx,
    actor: &Actor,
    class: EffectClass,
    mode: EffectMode,
    reason: &str,
) -> Result<(), StoreError> {
    let kind = tx.instance().kind();
    let before = policy(tx, kind, class).await?;
    let upsert = Sql::fixed(
        "INSERT INTO effect_policies (id, org_id, class, mode, reason, changed_by, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (class) DO UPDATE SET \
         org_id = excluded.org_id, mode = excluded.mode, reason = excluded.reason, \
         changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        [
            tx.uuid().0.into(),
            actor.org_id.into(),
            class.as_str().into(),
            mode.as_str().into(),
            reason.into(),
            actor.user_id.into(),
            tx.now().0.into(),
        ],
    );
    tx.execute(&upsert).await?;
    let mut entry = AuditEntry::by(actor, AuditType::Admin, "EFFECT_CLASS", class.as_str());
    entry.changes = vec![
        AuditChange::new("mode", Some(before.mode.as_str()), Some(mode.as_str())),
        AuditChange::new("reason", before.reason.as_deref(), Some(reason)),
    ];
    Scope::new(tx, actor).record(entry);
    Ok(())
}
