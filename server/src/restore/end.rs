//! The last transaction of a restore, on the database that was put together: after it, the
//! instance is as it will be found.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use ward_instance::envelope::Header;
use ward_instance::{Certificate, Kind, State, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::backup::{DataKeys, keep_keys, patiently, skip_ids};
use ward_store::system::AuditType;
use ward_store::verify::{Verdict, verify};
use ward_store::{
    Actor, Db, Engine, Query, Scope, Sql, StoreError, Tx, Value, sequencer, test_clock,
    write_certificate,
};

use super::Restore;
use crate::assemble;
use crate::place::ServerError;

/// What came of it.
pub struct Ended {
    /// Quarantined or not.
    pub state: State,
    /// The number of this restore.
    pub restore_epoch: i64,
    /// What the audit log is: `intact`, or which entry is bad.
    pub audit: String,
    /// What waits for a decision, by class; `webhooks` are deliveries that were given up.
    pub held: Map<String, Json>,
    /// Classes whose effects happened, and do so no more.
    pub were_on: Vec<String>,
}

#[derive(Clone)]
struct Ending {
    certificate: Certificate,
    kind: Kind,
    made_at: Timestamp,
    /// How often a backup was brought back before it was made.
    made_in: i64,
    /// Of the database that was there.
    keys: DataKeys,
    by: String,
    reason: Option<String>,
}

type Held = (Map<String, Json>, Vec<String>);

/// Ends what must not go on, writes certificate and audit entry, and verifies the audit log.
pub async fn end(
    db: &Db,
    mut certificate: Certificate,
    what: &Restore,
    header: &Header,
    keys: DataKeys,
) -> Result<Ended, ServerError> {
    if let Some(witness) = db.instance().witness().sandbox() {
        test_clock::load(db, &witness).await?;
    }
    certificate.sign(&db.instance().ring());
    let (state, restore_epoch) = (certificate.state, certificate.restore_epoch);
    let ending = Arc::new(Ending {
        certificate,
        kind: what.kind,
        made_at: Timestamp(header.created_at),
        made_in: header.restore_epoch,
        keys,
        by: what.by.clone(),
        reason: what.reason.clone(),
    });
    let (held, were_on) = db
        .write(move |tx: &mut Tx| {
            let ending = Arc::clone(&ending);
            Box::pin(async move { end_in(tx, &ending).await })
        })
        .await?;
    if db.engine() == Engine::Pg {
        while db.write(|tx: &mut Tx| Box::pin(sequencer::number(tx))).await? > 0 {}
    }
    let audit = match verify(db, None).await? {
        Verdict::Intact { .. } => "intact".to_owned(),
        Verdict::Broken(bad) => bad.to_string(),
    };
    Ok(Ended { state, restore_epoch, audit, held, were_on })
}

async fn end_in(tx: &mut Tx, ending: &Ending) -> Result<Held, StoreError> {
    patiently(tx).await?;
    keep_keys(tx, &ending.keys).await?;
    let sql = Sql::fixed("SELECT MIN(id) FROM organizations WHERE id = org_id", []);
    let org_id = tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    let actor = Actor::system(org_id);
    let mut held = Map::new();
    let mut were_on = Vec::new();
    if ending.kind == Kind::Production {
        for end_of_before in assemble::rotation_hooks().at_start {
            end_of_before(tx).await?;
        }
        // Each restore since then handed out ids of its own.
        for _ in ending.made_in..ending.certificate.restore_epoch {
            skip_ids(tx).await?;
        }
        let reason = format!("the backup of {} was brought back", ending.made_at);
        for class in ward_effects::hold(tx, &actor, &reason).await? {
            held.insert(class.class.to_string(), class.waiting.into());
            if class.was != ward_effects::EffectMode::Off {
                were_on.push(class.class.to_string());
            }
        }
        held.insert("webhooks".to_owned(), ward_webhooks::hold(tx).await?.into());
    }
    write_certificate(tx, &ending.certificate).await?;
    record(tx, &actor, ending);
    Ok((held, were_on))
}

/// What was brought back, from when, by whom and why.
fn record(tx: &mut Tx, actor: &Actor, ending: &Ending) {
    let tag = ending.certificate.tag.to_string();
    let mut entry = AuditEntry::by(actor, AuditType::Admin, "RESTORE", tag);
    let epoch = ending.certificate.restore_epoch.to_string();
    entry.changes = vec![
        AuditChange::new("backup_of", None, Some(&ending.made_at.to_string())),
        AuditChange::new("restore_epoch", None, Some(&epoch)),
        AuditChange::new("restored_by", None, Some(&ending.by)),
        AuditChange::new("reason", None, ending.reason.as_deref()),
    ];
    Scope::new(tx, actor).record(entry);
}
