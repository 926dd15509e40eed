//! What a backup brings back is held: nothing that was wanted before is done until somebody has
//! decided about its class, and nothing need be (ISO-10a).

use std::sync::Arc;

use ward_instance::Timestamp;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::{AuditType, EffectClass};
use ward_store::{Actor, Db, Query, Scope, Sql, StoreError, Tx, Value};

use crate::dispatcher::kinds;
use crate::policy::{EffectMode, decide_in, policy};

/// Why an effect waits that came with a backup.
const BROUGHT_BACK: &str = "it was wanted before the backup was made that was brought back";

/// Effects that are given up in one transaction.
const PAGE: i64 = 1_000;

/// What was held of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The class.
    pub class: EffectClass,
    /// Whether its effects happened, at least some of them.
    pub was: EffectMode,
    /// How many wait now.
    pub waiting: i64,
}

/// Switches every class off and holds what was to be done, for the transaction that ends a restore.
pub async fn hold(tx: &mut Tx, actor: &Actor, reason: &str) -> Result<Vec<Held>, StoreError> {
    let kind = tx.instance().kind();
    let now = tx.now().0;
    tx.execute(&Sql::fixed(
        "UPDATE effect_intents SET state = 'waiting', last_error = $1 WHERE state = 'queued'",
        [BROUGHT_BACK.into()],
    ))
    .await?;
    let kinds: Vec<Box<str>> = kinds().iter().map(|kind| Box::from(*kind)).collect();
    tx.execute(&Sql::fixed(
        "UPDATE jobs SET state = 'done', lease_token = NULL, lease_until = NULL, updated_at = $2 \
         WHERE kind IN_LIST($1) AND state IN ('ready', 'leased')",
        [Value::Texts(kinds.into()), now.into()],
    ))
    .await?;
    let mut held = Vec::new();
    for class in EffectClass::ALL {
        let was = policy(tx, kind, class).await?.mode;
        if was != EffectMode::Off {
            decide_in(tx, actor, class, EffectMode::Off, reason).await?;
        }
        let sql = Sql::fixed(
            "SELECT COUNT(*) FROM effect_intents WHERE class = $1 AND state = 'waiting'",
            [class.as_str().into()],
        );
        held.push(Held { class, was, waiting: tx.count(&sql).await? });
    }
    Ok(held)
}

/// Gives up everything that waits of a class, of every organization; how many. It stands with what
/// failed, and can be replayed one by one. Audited.
pub async fn discard(
    db: &Db,
    actor: &Actor,
    class: EffectClass,
    reason: &str,
) -> Result<u64, StoreError> {
    let began = db.instance().now();
    let (actor, reason) = (actor.clone(), Arc::<str>::from(reason));
    let mut given_up = 0;
    loop {
        let (actor, reason) = (actor.clone(), Arc::clone(&reason));
        let page = db.write(move |tx| {
            let (actor, reason) = (actor.clone(), Arc::clone(&reason));
            Box::pin(async move { discard_in(tx, &actor, (class, began), &reason).await })
        });
        match page.await? {
            0 => return Ok(given_up),
            some => given_up += some,
        }
    }
}

async fn discard_in(
    tx: &mut Tx,
    actor: &Actor,
    (class, began): (EffectClass, Timestamp),
    reason: &str,
) -> Result<u64, StoreError> {
    let given_up = tx
        .execute(&Sql::fixed(
            "UPDATE effect_intents SET state = 'failed', last_error = $1 WHERE id IN (\
             SELECT id FROM effect_intents WHERE state = 'waiting' AND class = $2 \
             AND created_at <= $3 ORDER BY created_at LIMIT CAST($4 AS BIGINT)) \
             AND state = 'waiting'",
            [
                format!("given up: {reason}").chars().take(500).collect::<String>().into(),
                class.as_str().into(),
                began.0.into(),
                PAGE.into(),
            ],
        ))
        .await?;
    if given_up > 0 {
        let mut entry = AuditEntry::by(actor, AuditType::Admin, "EFFECT_CLASS", class.as_str());
        entry.changes = vec![
            AuditChange::new("given_up", None, Some(&given_up.to_string())),
            AuditChange::new("reason", None, Some(reason)),
        ];
        Scope::new(tx, actor).record(entry);
    }
    Ok(given_up)
}
