//! Which people a caller of the desk may know of: by the same rule as everywhere, with the same
//! access log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use ward_identity::tables::USERS;
use ward_store::access::AccessEntry;
use ward_store::{Actor, Cond, Level, Query as _, Rows, Select, StoreError, Value, Watch};

use crate::app::App;
use crate::credential::Caller;
use crate::guard::Facts;

/// The person whom an item names by `user_id`.
pub fn id_in(item: &Json) -> Option<i64> {
    item["user_id"].as_str()?.parse().ok()
}

/// Those of these people who are there and whom the actor sees in full.
pub async fn present(app: &App, actor: &Actor, ids: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
    Ok(numbers(&rows(app, actor, ids, false).await?))
}

/// Those of these people whom the actor sees in full, or did while they were there.
pub async fn ever(app: &App, actor: &Actor, ids: &[i64]) -> Result<BTreeSet<i64>, StoreError> {
    Ok(numbers(&rows(app, actor, ids, true).await?))
}

/// The same, of people who are about to be shown: which of them are clients is told to the access
/// log first.
pub async fn shown(
    app: &App,
    caller: &Caller,
    facts: &Facts,
    path: &str,
    ids: Vec<i64>,
) -> Result<BTreeSet<i64>, StoreError> {
    let actor = &caller.actor;
    let rows = rows(app, actor, &ids, true).await?;
    let mut read: BTreeMap<Watch, BTreeSet<i64>> = BTreeMap::new();
    for row in rows.iter() {
        let [_, Value::Int(client), closely, ..] = row else { continue };
        let watch = closely.int().map_or(Watch::BrokenGlass, Watch::from_number);
        read.entry(watch).or_default().insert(*client);
    }
    let entry = |(watch, clients): (Watch, BTreeSet<i64>)| AccessEntry {
        org_id: actor.org_id,
        actor_id: actor.doer(),
        actor_kind: actor.role.as_str(),
        credential: actor.credential.clone(),
        credential_kind: caller.credential_kind(),
        request_id: facts.id.as_str().into(),
        path: path.into(),
        clients: clients.into_iter().collect(),
        watch,
        occurred_at: app.instance.now(),
        wall_at: app.instance.clock().wall(),
    };
    let entries: Vec<_> = read.into_iter().map(entry).collect();
    if !entries.is_empty() {
        app.db.access_log().log(&app.db, entries).await?;
    }
    Ok(numbers(&rows))
}

fn numbers(rows: &Rows) -> BTreeSet<i64> {
    rows.iter().filter_map(|row| row.first()?.int()).collect()
}

/// Of each: the id, the client and how closely reading them is watched.
async fn rows(app: &App, actor: &Actor, ids: &[i64], deleted: bool) -> Result<Rows, StoreError> {
    let mut select = Select::new(&USERS, actor);
    select.columns = USERS.column("id").into_iter().collect();
    select.least = Level::Full;
    select.deleted = deleted;
    select.with_subject = true;
    select.filter = Cond::is_in("id", ids);
    app.db.read().await?.rows(&select.sql()).await
}
