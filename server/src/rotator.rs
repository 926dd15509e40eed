//! The rotation of the root beside the requests (SEC-22): begun by a command,
//! gone on with after a restart, one at a time.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;
use ward_instance::host;
use ward_store::blobs::BlobStore;
use ward_store::rotation::{End, Progress, Rotation};
use ward_store::{Db, Engine, StoreError};

use crate::assemble;
use crate::place::ServerError;

/// A rotation that could not go on is tried again after so many seconds.
const AGAIN_SECONDS: u64 = 60;

/// Damaged values that an answer names.
const NAMED: usize = 20;

/// What ends with the old root.
const ENDED: [&str; 6] = [
    "sessions",
    "one-time links",
    "mailed codes",
    "file links",
    "pagination cursors",
    "sign-in attempt counters",
];

/// Where the rotation of this process stands.
#[derive(Clone, Debug, Default)]
enum Stand {
    /// Nothing was done by this process.
    #[default]
    None,
    Running(Option<Progress>),
    Ended(End),
    Failed(String),
}

/// The one rotation of a running server.
#[derive(Debug, Default)]
pub struct Rotator {
    stand: Arc<Mutex<Stand>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// The rotation of an instance that this process holds.
pub fn rotation_of(
    db: &Db,
    dir: &Path,
    blobs: Arc<dyn BlobStore>,
    leave_damaged: bool,
) -> Result<Rotation, ServerError> {
    Ok(Rotation {
        db: db.clone(),
        key_file: dir.join("root.key"),
        heads_file: dir.join("chain.heads"),
        blobs,
        hooks: assemble::rotation_hooks(),
        node: host::node(dir)?,
        leave_damaged,
    })
}

impl Rotator {
    /// Begins, unless one runs already.
    pub fn start(&self, rotation: Rotation) {
        let mut task = self.task.lock();
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        *self.stand.lock() = Stand::Running(None);
        let stand = Arc::clone(&self.stand);
        *task = Some(tokio::spawn(async move {
            let watch = |progress: &Progress| {
                *stand.lock() = Stand::Running(Some(progress.clone()));
                ControlFlow::Continue(())
            };
            let ended = rotation.run(&watch).await;
            *stand.lock() = match ended {
                Ok(end) => {
                    tracing::info!(end = word(&end), "the rotation of the root key has ended");
                    Stand::Ended(end)
                }
                Err(error) => {
                    tracing::error!(%error, "the rotation of the root key failed");
                    Stand::Failed(error.to_string())
                }
            };
        }));
    }

    /// Whether this process rotates at this moment.
    pub fn is_running(&self) -> bool {
        matches!(*self.stand.lock(), Stand::Running(_))
    }

    /// Whether an unfinished rotation is to be gone on with now, in second
    /// `ticks` of the worker.
    pub fn is_due(&self, db: &Db, ticks: u64) -> bool {
        let again = match &*self.stand.lock() {
            Stand::None => true,
            Stand::Running(_) | Stand::Ended(End::Damaged(_)) => false,
            Stand::Ended(_) | Stand::Failed(_) => ticks.is_multiple_of(AGAIN_SECONDS),
        };
        again && Rotation::is_under_way(db)
    }

    /// Ends the work where it stands; the next start goes on with it.
    pub fn stop(&self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }

    /// The state for people and programs; null when there is nothing to tell.
    pub fn told(&self, db: &Db) -> Json {
        match &*self.stand.lock() {
            Stand::None => unfinished(db),
            Stand::Running(progress) => {
                let mut told = progress.as_ref().map_or_else(|| unfinished(db), shown);
                if told.is_null() {
                    told = json!({});
                }
                told["state"] = json!("running");
                told
            }
            Stand::Ended(end) => ended(end),
            Stand::Failed(error) => {
                let mut told = unfinished(db);
                if told.is_null() {
                    told = json!({});
                }
                told["state"] = json!("failed");
                told["error"] = json!(error);
                told
            }
        }
    }
}

/// What the key file alone tells of a rotation; null when none is under way.
pub fn unfinished(db: &Db) -> Json {
    let ring = db.instance().ring();
    let current = ring.current_version();
    let old: Vec<u32> = ring.versions().into_iter().filter(|it| *it != current).collect();
    match old.is_empty() {
        true => Json::Null,
        false => json!({"state": "unfinished", "root": current, "old_roots": old}),
    }
}

fn shown(progress: &Progress) -> Json {
    let named: Vec<String> = progress.damaged.iter().take(NAMED).map(ToString::to_string).collect();
    json!({
        "root": progress.to,
        "old_roots": progress.from,
        "phase": progress.phase.as_str(),
        "table": progress.table,
        "changed": progress.changed,
        "damaged": named,
    })
}

const fn word(end: &End) -> &'static str {
    match end {
        End::Done(_) => "done",
        End::Damaged(_) => "damaged",
        End::Stopped(_) => "stopped",
        End::NotAlone(_) => "not_alone",
    }
}

/// How a rotation ended.
pub fn ended(end: &End) -> Json {
    let (End::Done(progress)
    | End::Damaged(progress)
    | End::Stopped(progress)
    | End::NotAlone(progress)) = end;
    let mut told = shown(progress);
    told["state"] = json!(word(end));
    if let End::Done(_) = end {
        told["ended"] = json!(ENDED);
    }
    told
}

/// Refuses while other processes work on the same database.
pub async fn refuse_beside_others(db: &Db, dir: &Path) -> Result<(), ServerError> {
    if db.engine() == Engine::Lite {
        return Ok(());
    }
    match ward_store::nodes::others(db, &host::node(dir)?).await? {
        0 => Ok(()),
        _ => Err(not_alone()),
    }
}

/// The refusal while other nodes live.
pub fn not_alone() -> ServerError {
    ServerError::Instance(ward_instance::InstanceError::Busy(
        "another node works on the same database and would go on with the old root key; stop every \
         other node, rotate, and give them this node's root.key, ids.ledger and chain.heads before \
         they start again"
            .to_owned(),
    ))
}

/// The first sign of life of a node that is about to serve. It waits while somebody empties the database
/// or brings another world back.
pub async fn arrive(db: &Db, dir: &Path) -> Result<(), ServerError> {
    if db.engine() == Engine::Lite {
        return Ok(());
    }
    let node = host::node(dir)?;
    let arrived = db.write(move |tx| {
        let node = node.clone();
        Box::pin(async move { ward_store::nodes::arrive(tx, &node).await })
    });
    Ok(arrived.await?)
}

/// A sign of life, for other nodes on the same PostgreSQL database. Gives the restore epoch of what
/// is there. This node lives also while it takes a snapshot or goes back to one, however long.
pub async fn beat(db: &Db, node: &str) -> Result<i64, StoreError> {
    let node = node.to_owned();
    db.write_aside(move |tx| {
        let node = node.clone();
        Box::pin(async move {
            ward_store::nodes::beat(tx, &node).await?;
            Ok(ward_store::read_certificate(tx).await?.restore_epoch)
        })
    })
    .await
}

/// The last sign of life: this node stops.
pub async fn leave(db: &Db, node: &str) -> Result<(), StoreError> {
    let node = node.to_owned();
    db.write(move |tx| {
        let node = node.clone();
        Box::pin(async move { ward_store::nodes::leave(tx, &node).await })
    })
    .await
}
