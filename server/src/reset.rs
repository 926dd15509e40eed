//! `ward sandbox reset`: the Sandbox is empty again and its ids come from a
//! fresh slot, so an old id is `STALE_EPOCH_ID` and never another object
//! (ISO-21). The audit log stays: it is append-only.

use serde_json::{Value as Json, json};
use ward_identity::admin::{self as identity, AdminError};
use ward_identity::key::Minting;
use ward_identity::key_limits::Limits;
use ward_identity::tables::CredentialClass;
use ward_instance::clock::Course;
use ward_instance::ledger::Heads;
use ward_instance::{SandboxWitness, crash};
use ward_store::snapshots::{alone, dependants_first, empty, note_step};
use ward_store::{
    Actor, Db, Id, Query, Scope, Sql, StoreError, Table, Tx, Value, faults, test_clock,
};

use crate::admin::{self, Context, credentials_file};
use crate::birthday::{self, Founder};
use crate::packs::Pack;
use crate::place::ServerError;
use crate::rewind::{self, step};

/// Tables that outlive a reset. A revoked key stays so when a snapshot of before brings its row back.
const KEPT: [&str; 3] = ["audit_events", "instance", "revoked_keys"];

/// A key of the owner's that has no end and no addresses of its own, and is of nobody after a reset:
/// what another one in its place is to be.
#[derive(Clone, Copy, Debug)]
pub struct Heir {
    /// Whom it is for.
    pub class: CredentialClass,
    /// Whether it stands for a session, and ends with the sessions.
    pub at_sign_in: bool,
}

/// Empties the Sandbox and founds its organization anew; its clock shows real time again.
pub async fn reset(context: &Context, seed: Option<(Pack, u64)>) -> Result<Json, ServerError> {
    reset_for(context, seed, None).await
}

/// The same, with new keys for whom had one: before anything else fills or empties it.
pub async fn reset_for(
    context: &Context,
    seed: Option<(Pack, u64)>,
    heir: Option<Heir>,
) -> Result<Json, ServerError> {
    let Some(witness) = context.instance.witness().sandbox() else {
        return Err(ward_instance::IsoError::new(
            "ISO-21",
            "only a Sandbox is ever reset; this is Production",
            "reset a Sandbox instead",
        )
        .into());
    };
    let _turn = rewind::turn(context).await?;
    rewind::check(context).await?;
    step::finish(&context.instance, &context.db).await?;
    let (founder, node) = (founder(&context.db).await?, rewind::node(context)?);
    let had_credentials = credentials_file(&context.dir).exists();
    let (token, wall) = (context.instance.uuid(), context.instance.clock().wall());
    let slot = context.instance.ledger().begin_reset(&token, wall)?;
    crash::point("reset.begun");
    // Ids in stock are of the old slot. Who writes from here on has some of the new one.
    context.db.forget();
    let founded = found_anew(&context.db, witness, &founder, (token, node)).await;
    let (mut answer, revision) = match founded {
        Ok(founded) => founded,
        Err(error) => {
            // Nothing was emptied: ids of before are good again.
            step::end(&context.instance, &context.db).await;
            return Err(error);
        }
    };
    crash::point("reset.committed");
    context.instance.clock().set_course(&witness, Course::REAL);
    context.instance.faults().set(&witness, revision, Vec::new());
    context.db.forget();
    step::end(&context.instance, &context.db).await;
    if let Some(app) = &context.app {
        // Nobody who could open a fork is there any more.
        app.forks.close().await;
    }
    if let Some(seed) = seed {
        answer["seeded"] = birthday::seed(context, seed, None).await?;
    }
    if had_credentials {
        std::fs::remove_file(credentials_file(&context.dir))
            .map_err(|error| ServerError::System(error.to_string()))?;
        birthday::development(context).await?;
        answer["credentials"] = json!(credentials_file(&context.dir).display().to_string());
    }
    answer["slot"] = json!(slot);
    if let Some(heir) = heir {
        with_keys(&context.db, &mut answer, heir).await;
    }
    Ok(answer)
}

/// Adds a key of the new owner; of a run, whose keys end with it, also one of its integration. It is
/// emptied already, so that it is no failure where there are none: they are null.
async fn with_keys(db: &Db, answer: &mut Json, heir: Heir) {
    answer["api_key"] = Json::Null;
    let org_id = answer["organization_id"].as_str().and_then(|id| id.parse::<i64>().ok());
    let Some(org_id) = org_id else { return };
    match db.write(move |tx: &mut Tx| Box::pin(keys(tx, org_id, heir))).await {
        Ok(made) => {
            for (name, key) in made {
                answer[name] = key.into();
            }
        }
        Err(error) => {
            let error = admin::refused(error);
            tracing::warn!(%error, "no key was made after a reset");
        }
    }
}

async fn keys(
    tx: &mut Tx,
    org_id: i64,
    heir: Heir,
) -> Result<Vec<(&'static str, String)>, AdminError> {
    let Heir { class, at_sign_in } = heir;
    let mut wanted = vec![("api_key", "owner")];
    if class == CredentialClass::Ephemeral {
        wanted.push(("integration_key", "integration"));
    }
    let mut staff = identity::list_staff(tx).await?;
    staff.retain(|user| user.org_id == org_id && user.active);
    let actor = Actor::system(org_id);
    let mut scope = Scope::new(tx, &actor);
    let mut made = Vec::new();
    for (name, role) in wanted {
        if let Some(user) = staff.iter().find(|user| user.role == role) {
            let limits = Limits::default();
            let minting = Minting { name: Some("reset".to_owned()), class, limits, at_sign_in };
            let key = identity::create_key_of(&mut scope, Id::new(user.id), minting).await?;
            made.push((name, key.text.to_string()));
        }
    }
    Ok(made)
}

/// The founding organization as it will be founded again.
async fn founder(db: &Db) -> Result<Founder, ServerError> {
    let org_id = admin::founding(db)
        .await?
        .ok_or_else(|| ServerError::Usage("the instance has no organization yet".to_owned()))?;
    let mut reader = db.read().await?;
    let sql = Sql::fixed(
        "SELECT o.name, u.email, u.first_name, u.last_name FROM organizations o JOIN users u ON u.org_id = o.org_id AND u.id = o.owner_id WHERE o.id = $1",
        [Value::Int(org_id)],
    );
    let rows = reader.rows(&sql).await?;
    let text = |at: usize| rows.row(0).get(at).and_then(Value::text).unwrap_or_default().to_owned();
    Ok(Founder {
        organization: text(0),
        owner_email: text(1),
        first_name: text(2),
        last_name: text(3),
    })
}

/// Empties the Sandbox and founds its organization in one transaction: a crash
/// leaves either the old Sandbox or the new one.
async fn found_anew(
    db: &Db,
    witness: SandboxWitness,
    founder: &Founder,
    (token, node): (String, String),
) -> Result<(Json, i64), ServerError> {
    let (tables, founder) = (db.tables().to_vec(), founder.clone());
    let founded = db.write_alone(move |tx: &mut Tx| {
        let (tables, founder) = (tables.clone(), founder.clone());
        let (token, node) = (token.clone(), node.clone());
        Box::pin(async move {
            alone(tx).await?;
            rewind::check_again(tx, &node).await?;
            note_step(tx, &token, &Heads::new()).await?;
            wipe(tx, &tables, &witness).await?;
            test_clock::forget(tx, &witness).await?;
            let mut held = faults::held(tx, &witness).await?;
            held.faults.clear();
            faults::keep(tx, &witness, &mut held).await?;
            let answer = birthday::found_in(tx, founder).await?;
            Ok::<_, AdminError>((answer, held.revision))
        })
    });
    founded.await.map_err(admin::refused)
}

/// Deletes every row that belongs to a tenant, dependants first.
async fn wipe(
    tx: &mut Tx,
    tables: &[&'static Table],
    witness: &SandboxWitness,
) -> Result<(), StoreError> {
    let ordered = dependants_first(tables).into_iter();
    let goes: Vec<_> = ordered.filter(|table| !KEPT.contains(&table.name)).collect();
    empty(tx, &goes, witness).await?;
    tx.drop_retired_ids(witness).await
}
