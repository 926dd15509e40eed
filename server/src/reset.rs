//! `ward sandbox reset`: the Sandbox is empty again and its ids come from a
//! fresh slot, so an old id is `STALE_EPOCH_ID` and never another object
//! (ISO-21). The audit log stays: it is append-only.

use serde_json::{Value as Json, json};
use ward_instance::clock::Course;
use ward_instance::ledger::Heads;
use ward_instance::{SandboxWitness, crash};
use ward_store::snapshots::{alone, dependants_first, empty, note_step};
use ward_store::{Db, Query, Sql, StoreError, Table, Tx, Value, faults, test_clock};

use crate::admin::{self, Context, credentials_file};
use crate::birthday::{self, Founder};
use crate::packs::Pack;
use crate::place::ServerError;
use crate::rewind::{self, step};

/// Tables that outlive a reset. A revoked key stays so when a snapshot of before brings its row back.
const KEPT: [&str; 3] = ["audit_events", "instance", "revoked_keys"];

/// Empties the Sandbox and founds its organization anew; its clock shows real time again.
pub async fn reset(context: &Context, seed: Option<(Pack, u64)>) -> Result<Json, ServerError> {
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
    Ok(answer)
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
            Ok::<_, ward_identity::admin::AdminError>((answer, held.revision))
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
