//! `ward sandbox snapshot` and `ward sandbox restore`: what the Sandbox held at a moment, and back
//! to it.
//!
//! The audit log is never taken back: it says that the Sandbox went back. Neither are ids
//! (ISO-21), revoked keys, ended sessions and used links; what left the Sandbox is not sent again.

pub mod step;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::Path;

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use ward_identity::admin::AdminError;
use ward_instance::ledger::{Facts, Marked};
use ward_instance::{IsoError, SandboxWitness, Timestamp, crash, host};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::snapshots::{self, Beside, Brought, How, Name, Policy, Shelf, Then};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Engine, Query, Scope, Sql, StoreError, Tx, Value, nodes};

use crate::admin::{self, Context, credentials_file};
use crate::place::ServerError;
use crate::{birthday, rotator, test_clock};

/// So many at once: each is a copy of the database.
const MOST: usize = 50;

/// Why nothing is copied or brought back while the root key is being rotated.
pub const ROTATING: &str =
    "the root key is being rotated; try again when ward status says that it is done";

/// Why the data is not replaced under another process.
const NOT_ALONE: &str = "another process serves the same database and would go on with ids of its own; stop the others first";

/// The logs and what counts guesses stay as they are; what opens old entries and what stays closed
/// is kept besides.
const POLICY: Policy = Policy {
    kept: &["audit_events", "sign_in_attempts"],
    joined: &["access_log", "access_sets", "data_keys", "revoked_keys"],
};

/// Takes a snapshot.
pub async fn take(
    context: &Context,
    actor: Option<Actor>,
    name: &str,
) -> Result<Json, ServerError> {
    let witness = sandbox(context)?;
    let name: Name = named(name)?;
    let _turn = turn(context).await?;
    let known = context.instance.ledger().snapshots();
    if known.iter().any(|it| it.name == name.as_str()) {
        return Err(ServerError::Usage(format!(
            "there is a snapshot called {name} already; delete it first, or choose another name"
        )));
    }
    if known.len() >= MOST {
        return Err(ServerError::Usage(format!(
            "there are {MOST} snapshots already; delete one first"
        )));
    }
    check(context).await?;
    let (db, clock) = (&context.db, context.instance.clock());
    let facts = Facts {
        now: clock.now().0,
        root: context.instance.ring().current_version(),
        schema: snapshots::schema(db)?,
    };
    let shelf = Shelf::of(&context.dir, &witness);
    let taken_at = clock.wall();
    let heads = shelf.take(db, &name).await?;
    let marked = context.instance.ledger().mark_snapshot(name.as_str(), heads, facts, taken_at);
    if let Err(error) = marked {
        shelf.remove(db, &name).await?;
        return Err(error.into());
    }
    recorded(context, actor, &name, "taken_at", taken_at).await?;
    find(context, &name).map(|marked| shown(context, &shelf, &marked))
}

/// The snapshots there are.
pub fn list(context: &Context) -> Result<Json, ServerError> {
    let shelf = Shelf::of(&context.dir, &sandbox(context)?);
    let known = context.instance.ledger().snapshots();
    let all: Vec<Json> = known.iter().map(|marked| shown(context, &shelf, marked)).collect();
    Ok(json!({ "snapshots": all }))
}

/// Deletes a snapshot.
pub async fn delete(
    context: &Context,
    actor: Option<Actor>,
    name: &str,
) -> Result<Json, ServerError> {
    let witness = sandbox(context)?;
    let name: Name = named(name)?;
    let _turn = turn(context).await?;
    find(context, &name)?;
    // What is still known can be deleted again, whatever comes in between.
    Shelf::of(&context.dir, &witness).remove(&context.db, &name).await?;
    context.instance.ledger().forget_snapshot(name.as_str())?;
    let wall = context.instance.clock().wall();
    recorded(context, actor, &name, "deleted_at", wall).await?;
    Ok(json!({ "deleted": name.as_str() }))
}

/// Goes back to a snapshot.
pub async fn restore(
    context: &Context,
    actor: Option<Actor>,
    name: &str,
) -> Result<Json, ServerError> {
    let witness = sandbox(context)?;
    let name: Name = named(name)?;
    let _turn = turn(context).await?;
    let marked = find(context, &name)?;
    fits(context, &marked)?;
    check(context).await?;
    step::finish(&context.instance, &context.db).await?;
    flush(context).await;
    let before = admin::founding(&context.db).await?;
    let actor = actor_of(&context.db, actor).await?;
    let shown = Timestamp(marked.facts.now);
    let how = How { witness, policy: POLICY, look, shown };
    let (id, taken_at) = (name.to_string(), marked.taken_at);
    let shelf = Shelf::of(&context.dir, &witness);
    let (db, node) = (context.db.clone(), node(context)?);
    let token = context.instance.uuid();
    context.instance.ledger().begin_return(name.as_str(), &token)?;
    crash::point("return.begun");
    let done = shelf.restore(&context.db, &name, how, move |tx: &mut Tx, brought: &Brought| {
        let (actor, id, told) = (actor.clone(), id.clone(), brought.told.clone());
        let (token, today, node) = (token.clone(), brought.today.clone(), node.clone());
        let is_rotating = !rotator::unfinished(&db).is_null();
        Box::pin(async move {
            if is_rotating {
                return Err(StoreError::Unavailable(ROTATING.to_owned()).into());
            }
            check_again(tx, &node).await?;
            snapshots::note_step(tx, &token, &today).await?;
            record(tx, &actor, (&id, taken_at), &told).await?;
            Ok::<_, AdminError>(())
        })
    });
    let ((), brought) = match done.await {
        Ok(done) => done,
        Err(error) => {
            step::end(&context.instance, &context.db).await;
            return Err(admin::refused(error));
        }
    };
    crash::point("return.committed");
    let wall = context.instance.clock().wall();
    // The world is back whatever becomes of the ledger: the server goes with it, as the clock did.
    if let Some(app) = &context.app {
        app.live.go_back();
    }
    let slot = context.instance.ledger().restored(name.as_str(), &brought.today, wall);
    let settled = settle(context).await;
    let slot = slot?;
    settled?;
    let mut answer = json!({
        "restored": name.as_str(),
        "taken_at": marked.taken_at.to_string(),
        "slot": slot,
        "clock": test_clock::shown(context.instance.clock(), context.idle),
    });
    for (what, count) in &brought.told {
        answer[*what] = json!(count);
    }
    if before != admin::founding(&context.db).await? && credentials_file(&context.dir).exists() {
        // Those in the file are of people who are not there any more.
        std::fs::remove_file(credentials_file(&context.dir))
            .map_err(|error| ServerError::System(error.to_string()))?;
        birthday::development(context).await?;
        answer["credentials"] = json!(credentials_file(&context.dir).display().to_string());
    }
    Ok(answer)
}

/// The stored files that snapshots tell of.
pub async fn held_files(db: &Db, dir: &Path) -> Result<HashSet<String>, StoreError> {
    let Some(witness) = db.instance().witness().sandbox() else { return Ok(HashSet::new()) };
    let known = db.instance().ledger().snapshots();
    let names: Vec<Name> = known.iter().filter_map(|it| it.name.parse().ok()).collect();
    Shelf::of(dir, &witness).blobs(db, &names).await
}

fn look<'t>(tx: &'t mut Tx, beside: &'t Beside) -> BoxFuture<'t, Result<Then, StoreError>> {
    Box::pin(async move {
        let mut then = ward_identity::rewind::look(tx, beside).await?;
        let more = [
            ward_scheduling::rewind::look(tx, beside).await?,
            ward_webhooks::rewind::look(tx, beside).await?,
        ];
        for more in more {
            then.statements.extend(more.statements);
            then.told.extend(more.told);
        }
        Ok(then)
    })
}

fn sandbox(context: &Context) -> Result<SandboxWitness, ServerError> {
    context.instance.witness().sandbox().ok_or_else(|| {
        IsoError::new(
            "ISO-21",
            "only a Sandbox has snapshots; this is Production",
            "use a Sandbox; a Production is brought back from a backup",
        )
        .into()
    })
}

fn named(name: &str) -> Result<Name, ServerError> {
    name.parse().map_err(|sentence: &str| ServerError::Usage(sentence.to_owned()))
}

fn find(context: &Context, name: &Name) -> Result<Marked, ServerError> {
    let known = context.instance.ledger().snapshots();
    known.into_iter().find(|it| it.name == name.as_str()).ok_or_else(|| {
        ServerError::Usage(format!(
            "there is no snapshot called {name}; ward sandbox snapshot --list shows them"
        ))
    })
}

/// Nothing that is due is done meanwhile, and nobody moves the clock. It may have been a reset's until
/// now: who was looked up in a world of before is refused.
pub async fn turn(
    context: &Context,
) -> Result<Option<tokio::sync::RwLockWriteGuard<'_, ()>>, ServerError> {
    let turn = match &context.app {
        Some(app) => Some(app.turn.write().await),
        None => None,
    };
    context.check_world()?;
    Ok(turn)
}

/// Refuses where another process has the same database, or the root key is being rotated.
/// Refuses while something else works on the whole of the data.
pub async fn check(context: &Context) -> Result<(), ServerError> {
    let is_running = context.app.as_ref().is_some_and(|app| app.rotator.is_running());
    if is_running || !rotator::unfinished(&context.db).is_null() {
        return Err(ServerError::Usage(ROTATING.to_owned()));
    }
    match nodes::others(&context.db, &node(context)?).await? {
        0 => Ok(()),
        _ => Err(ServerError::Usage(NOT_ALONE.to_owned())),
    }
}

/// Looks for other processes again, in the transaction that has all tables by now: one may have come
/// since [`check`]. From here on none writes before it ends, and none begins to serve: it says so first,
/// and waits with that. A command in another directory is no node: where it has taken the Sandbox elsewhere,
/// the database says so.
pub async fn check_again(tx: &mut Tx, node: &str) -> Result<(), AdminError> {
    match nodes::others_in(tx, node).await? {
        0 => Ok(step::check_in(tx).await?),
        _ => Err(AdminError::Refused(NOT_ALONE.to_owned())),
    }
}

/// This process among those of a PostgreSQL database.
pub fn node(context: &Context) -> Result<String, ServerError> {
    match context.db.engine() {
        Engine::Lite => Ok(String::new()),
        Engine::Pg => Ok(host::node(&context.dir)?),
    }
}

/// Refuses what can't be read any more.
fn fits(context: &Context, marked: &Marked) -> Result<(), ServerError> {
    if marked.facts.schema != snapshots::schema(&context.db)? {
        return Err(ServerError::Usage(format!(
            "the snapshot {} was taken by another version of Ward, whose tables are others; delete it and take a new one",
            marked.name
        )));
    }
    if marked.facts.root != context.instance.ring().current_version() {
        return Err(ServerError::Usage(format!(
            "the snapshot {} is sealed under a root key that was rotated since; delete it and take a new one",
            marked.name
        )));
    }
    Ok(())
}

/// Writes what waits in memory: it is about what goes.
async fn flush(context: &Context) {
    let Some(app) = &context.app else { return };
    let written = app.db.access_log().flush(&app.db).await.map(drop);
    let used = app.exercises.flush(&app.db).await.map(drop);
    let asked = match &app.requests {
        Some(requests) => requests.flush(&app.db).await,
        None => Ok(()),
    };
    for error in [written.err(), used.err(), asked.err()].into_iter().flatten() {
        tracing::warn!(%error, "something was not written before the Sandbox went back");
    }
}

/// Has a running server forget what it knew.
async fn settle(context: &Context) -> Result<(), StoreError> {
    let Some(app) = &context.app else { return Ok(()) };
    app.stale.forget();
    app.exercises.forget();
    if let Some(witness) = app.instance.witness().sandbox() {
        ward_store::faults::load(&app.db, &witness).await?;
    }
    Ok(())
}

async fn actor_of(db: &Db, actor: Option<Actor>) -> Result<Actor, ServerError> {
    match actor {
        Some(actor) => Ok(actor),
        None => Ok(Actor::system(admin::founding(db).await?.unwrap_or(0))),
    }
}

/// Into the log of whoever did it, and of the organization that is the founding one from now on.
async fn record(
    tx: &mut Tx,
    actor: &Actor,
    (name, taken_at): (&str, Timestamp),
    told: &[(&'static str, usize)],
) -> Result<(), StoreError> {
    let sql = Sql::fixed("SELECT MIN(id) FROM organizations WHERE id = org_id", []);
    let founding = tx.rows(&sql).await?.scalar().and_then(Value::int);
    let other = founding.filter(|id| *id != actor.org_id).map(Actor::system);
    for actor in [Some(actor), other.as_ref()].into_iter().flatten() {
        let mut entry = AuditEntry::by(actor, AuditType::Admin, "SNAPSHOT", name);
        let restored = AuditChange::new("restored", None, Some(&taken_at.to_string()));
        entry.changes = vec![restored];
        let told =
            told.iter().map(|(what, count)| AuditChange::new(what, None, Some(&count.to_string())));
        entry.changes.extend(told);
        Scope::new(tx, actor).record(entry);
    }
    Ok(())
}

async fn recorded(
    context: &Context,
    actor: Option<Actor>,
    name: &Name,
    what: &'static str,
    at: Timestamp,
) -> Result<(), ServerError> {
    let actor = actor_of(&context.db, actor).await?;
    let id = name.to_string();
    let written = context.db.write(move |tx: &mut Tx| {
        let mut entry = AuditEntry::by(&actor, AuditType::Admin, "SNAPSHOT", &*id);
        entry.changes = vec![AuditChange::new(what, None, Some(&at.to_string()))];
        Scope::new(tx, &actor).record(entry);
        Box::pin(async { Ok::<_, StoreError>(()) })
    });
    Ok(written.await?)
}

fn shown(context: &Context, shelf: &Shelf, marked: &Marked) -> Json {
    let bytes = marked.name.parse().ok().and_then(|name| shelf.bytes(&context.db, &name));
    json!({
        "name": marked.name,
        "taken_at": marked.taken_at.to_string(),
        "now": Timestamp(marked.facts.now).to_string(),
        "bytes": bytes,
        "restorable": fits(context, marked).is_ok(),
    })
}
