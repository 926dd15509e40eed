//! Forks: private copies of a Sandbox, each on a free port of this machine with the same keys,
//! until their time is over or the server ends.
//!
//! A fork is served by the same process. Its ids come from a slot that the Sandbox itself never
//! uses; its webhooks are switched off until somebody switches one on, there; its stored files are
//! its own, with the Sandbox's behind them.

mod apart;
mod closed;
mod files;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{Span, SpanRelativeTo};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use ward_instance::{Clock, Instance, IsoError, Random, SandboxWitness, Timestamp};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Engine, Place, Scope, StoreError, Tx};

use self::apart::set_apart;
use self::closed::Closed;
use crate::admin::{self, Context};
use crate::app::App;
use crate::place::{self, Opened, ServerError};
use crate::rewind::ROTATING;
use crate::{assemble, rotator, serve};

pub use files::Layered;

/// So many at once.
const MOST: usize = 16;
/// How long a fork lives where nothing is said, and at most; in seconds.
const TTL: u64 = 20 * 60;
const TTL_MOST: u64 = 24 * 3_600;

/// The forks of a running Sandbox.
#[derive(Clone, Default)]
pub struct Forks(Arc<Mutex<Vec<Fork>>>);

/// One that lives, or is about to.
struct Fork {
    /// Which slot of ids it has.
    number: usize,
    /// What was closed in the Sandbox when it was made.
    closed: Closed,
    facts: Option<Facts>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Facts {
    id: String,
    url: String,
    made_at: Timestamp,
    ends_at: Timestamp,
}

impl Facts {
    fn shown(&self) -> Json {
        json!({
            "id": self.id,
            "url": self.url,
            "graphql_url": format!("{}/graphql", self.url),
            "created_at": self.made_at.to_string(),
            "expires_at": self.ends_at.to_string(),
        })
    }
}

impl Forks {
    /// Whether none lives.
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    fn shown(&self) -> Vec<Json> {
        self.0.lock().iter().filter_map(|it| Some(it.facts.as_ref()?.shown())).collect()
    }

    /// Takes the lowest number that is free.
    fn enter(&self, closed: Closed) -> Option<(usize, watch::Receiver<bool>)> {
        let mut all = self.0.lock();
        let number = (0..MOST).find(|number| all.iter().all(|it| it.number != *number))?;
        let (stop, stopped) = watch::channel(false);
        all.push(Fork { number, closed, facts: None, stop, task: None });
        Some((number, stopped))
    }

    fn begun(&self, number: usize, facts: Facts, task: JoinHandle<()>) {
        if let Some(fork) = self.0.lock().iter_mut().find(|it| it.number == number) {
            fork.facts = Some(facts);
            fork.task = Some(task);
        }
    }

    fn leave(&self, number: usize) {
        self.0.lock().retain(|it| it.number != number);
    }

    /// Tells those that fit to end; gives what is waited for.
    fn end(&self, fits: impl Fn(&Fork) -> bool) -> Vec<JoinHandle<()>> {
        let mut all = self.0.lock();
        let ending = all.iter_mut().filter(|fork| fits(fork));
        ending
            .filter_map(|fork| {
                let _ = fork.stop.send(true);
                fork.task.take()
            })
            .collect()
    }

    /// Ends those of before something was closed in the Sandbox.
    pub async fn look(&self, db: &Db) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        let closed = Closed::of(db).await?;
        let count = self.end(|fork| closed.is_beyond(&fork.closed)).len();
        // Where less is closed than there was, what is closed next is more all the same.
        self.0.lock().iter_mut().for_each(|fork| fork.closed = fork.closed.least(&closed));
        if count > 0 {
            tracing::warn!(
                count,
                "forks were ended: a key was revoked, a user disabled or a session ended in the Sandbox"
            );
        }
        Ok(())
    }

    /// Ends all, and waits until they are gone, those too that are ending already.
    pub async fn close(&self) {
        for task in self.end(|_| true) {
            let _ = task.await;
        }
        let gone = async {
            while !self.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(serve::GRACE, gone).await;
    }
}

/// Deletes what forks of a killed process left.
pub fn clear(dir: &Path) {
    let _ = std::fs::remove_dir_all(folder(dir));
}

fn folder(dir: &Path) -> PathBuf {
    dir.join("forks")
}

/// How long a fork is to live, as it was asked for.
pub fn ttl(text: Option<&str>) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(Duration::from_secs(TTL)) };
    let wrong = || "ttl is a time such as 90s, 20m or PT1H, of at most 24 hours".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let time = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let time = Duration::try_from(time).map_err(|_| wrong())?;
    match time.as_secs() {
        1..=TTL_MOST => Ok(time),
        _ => Err(wrong()),
    }
}

/// The forks there are.
pub fn list(context: &Context) -> Result<Json, ServerError> {
    sandbox(context)?;
    let all = context.app.as_ref().map(|app| app.forks.shown()).unwrap_or_default();
    Ok(json!({ "forks": all }))
}

/// Ends one fork, or all.
pub async fn end(context: &Context, id: Option<&str>) -> Result<Json, ServerError> {
    sandbox(context)?;
    let Some(app) = &context.app else { return Err(no_server()) };
    let fits = |fork: &Fork| match id {
        Some(id) => fork.facts.as_ref().is_some_and(|facts| facts.id == id),
        None => true,
    };
    let ending = app.forks.end(fits);
    if let (true, Some(id)) = (ending.is_empty(), id) {
        return Err(ServerError::Usage(format!(
            "there is no fork {id}; ward sandbox fork --list shows them"
        )));
    }
    let count = ending.len();
    for task in ending {
        let _ = task.await;
    }
    Ok(json!({ "ended": count }))
}

/// Makes a fork and serves it. Boxed, since serving it leads here again.
pub fn open(
    context: &Context,
    actor: Option<Actor>,
    time: Duration,
) -> BoxFuture<'_, Result<Json, ServerError>> {
    Box::pin(opened(context, actor, time))
}

async fn opened(
    context: &Context,
    actor: Option<Actor>,
    time: Duration,
) -> Result<Json, ServerError> {
    let witness = sandbox(context)?;
    let Some(app) = &context.app else { return Err(no_server()) };
    if context.db.engine() == Engine::Pg {
        return Err(ServerError::Usage(
            "a Sandbox on PostgreSQL has no forks; use snapshots, or a Sandbox of its own for each test: ward sandbox run"
                .to_owned(),
        ));
    }
    let _turn = app.turn.write().await;
    if app.rotator.is_running() || !rotator::unfinished(&app.db).is_null() {
        return Err(ServerError::Usage(ROTATING.to_owned()));
    }
    // Read before the copy: what is closed from here on ends the fork.
    let closed = Closed::of(&app.db).await?;
    let (number, stop) = app.forks.enter(closed).ok_or_else(|| {
        ServerError::Usage(format!("there are {MOST} forks already; end one first"))
    })?;
    let opened = make(app, witness, number).await;
    let (opened, listener) = opened.inspect_err(|_| undo(app, number))?;
    let made_at = app.instance.clock().wall();
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let facts = Facts {
        id: app.request_number(),
        url: opened.instance.base_url().to_string(),
        made_at,
        ends_at: made_at.plus_seconds(seconds),
    };
    // At once: neither waits for the other.
    let (served, recorded) = tokio::join!(
        serve_until(app.clone(), opened, listener, (number, time, stop)),
        record(app, actor, &facts)
    );
    let task = served.inspect_err(|_| undo(app, number))?;
    app.forks.begun(number, facts.clone(), task);
    if let Err(error) = recorded {
        // None lives that the audit log does not know of.
        for task in app.forks.end(|fork| fork.number == number) {
            let _ = task.await;
        }
        return Err(error);
    }
    Ok(facts.shown())
}

fn sandbox(context: &Context) -> Result<SandboxWitness, ServerError> {
    context.instance.witness().sandbox().ok_or_else(|| {
        IsoError::new(
            "ISO-35",
            "only a Sandbox is forked; this is Production",
            "fork a Sandbox instead",
        )
        .into()
    })
}

fn no_server() -> ServerError {
    ServerError::System(
        "a fork lives in a running server, and none has this directory; start it with ward serve"
            .to_owned(),
    )
}

/// Leaves nothing of a fork that was not made: the disk may be full.
fn undo(app: &App, number: usize) {
    let _ = std::fs::remove_dir_all(folder(&app.dir).join(number.to_string()));
    app.forks.leave(number);
}

/// The copy, opened as an instance of its own, and where it will listen.
async fn make(
    app: &Arc<App>,
    witness: SandboxWitness,
    number: usize,
) -> Result<(Opened, TcpListener), ServerError> {
    let listener = serve::listen("127.0.0.1:0").await?;
    let port = listener.local_addr().map_err(|error| ServerError::System(error.to_string()))?;
    let wall = app.instance.clock().wall();
    let ledger = app.instance.ledger().fork(number, wall)?;
    let dir = folder(&app.dir).join(number.to_string());
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir)
        .map_err(|error| ServerError::System(format!("cannot make {}: {error}", dir.display())))?;
    place::restrict(&folder(&app.dir))?;
    let path = dir.join("ward.db");
    app.db.check_space(&dir)?;
    app.db.copy_passing(path.clone(), &witness).await?;
    let before = ward_store::read_certificate(&mut app.db.read().await?).await?;
    let ring = app.instance.ring();
    let base_url = format!("http://127.0.0.1:{}", port.port());
    let mut certificate = ward_instance::Certificate { base_url, ..before };
    certificate.sign(&ring);
    let instance = Instance::assemble(ring, &certificate, ledger, Clock::system(), Random::os())?;
    let db = Db::open(Place::Passing { path }, instance.clone(), assemble::tables()).await?;
    let certificate = match set_apart(&db, &witness, certificate).await {
        Ok(certificate) => certificate,
        Err(error) => {
            // Before its file is removed.
            db.shutdown().await;
            return Err(error.into());
        }
    };
    let mut config = app.config.clone();
    config.base_url.clone_from(&certificate.base_url);
    config.hosts.clear();
    config.private_listen = None;
    config.files = None;
    let under = Some(app.blobs.clone());
    let opened = Opened { dir, config, instance, db, certificate, lock: None, under };
    Ok((opened, listener))
}

/// Serves it in a task until its time is over or it is told to stop; then nothing of it is left.
async fn serve_until(
    app: Arc<App>,
    opened: Opened,
    listener: TcpListener,
    (number, time, mut stop): (usize, Duration, watch::Receiver<bool>),
) -> Result<JoinHandle<()>, ServerError> {
    let dir = opened.dir.clone();
    let fork = match App::with(&opened, app.rate_limit, Ok(app.engine.clone())).await {
        Ok(fork) => fork,
        Err(error) => {
            opened.db.shutdown().await;
            return Err(error);
        }
    };
    let (over, ended) = watch::channel(false);
    let forks = app.forks.clone();
    let serving: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
        Box::pin(serve::serve(opened, fork, listener, ended));
    Ok(tokio::spawn(async move {
        let mut serving = tokio::spawn(serving);
        let is_over = tokio::select! {
            _ = stop.changed() => None,
            () = tokio::time::sleep(time) => None,
            served = &mut serving => Some(served),
        };
        let served = match is_over {
            Some(served) => served,
            None => {
                let _ = over.send(true);
                serving.await
            }
        };
        match served {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a fork ended badly"),
            Err(error) => tracing::error!(%error, "a fork ended in a panic"),
        }
        let _ = tokio::fs::remove_dir_all(dir).await;
        forks.leave(number);
    }))
}

async fn record(app: &App, actor: Option<Actor>, facts: &Facts) -> Result<(), ServerError> {
    let actor = match actor {
        Some(actor) => actor,
        None => Actor::system(admin::founding(&app.db).await?.unwrap_or(0)),
    };
    let facts = facts.clone();
    let written = app.db.write(move |tx: &mut Tx| {
        let mut entry = AuditEntry::by(&actor, AuditType::Admin, "FORK", &*facts.id);
        let until = facts.ends_at.to_string();
        entry.changes = vec![
            AuditChange::new("url", None, Some(&facts.url)),
            AuditChange::new("expires_at", None, Some(&until)),
        ];
        Scope::new(tx, &actor).record(entry);
        Box::pin(async { Ok::<_, StoreError>(()) })
    });
    Ok(written.await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_lives_twenty_minutes_or_as_it_is_told() {
        let seconds = |text| ttl(text).map(|time| time.as_secs());
        assert_eq!(seconds(None), Ok(1_200));
        assert_eq!((seconds(Some("90s")), seconds(Some("PT24H"))), (Ok(90), Ok(86_400)));
        for wrong in ["0s", "-5s", "25h", "P1M", "soon", ""] {
            assert!(seconds(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_used_again() {
        let forks = Forks::default();
        let numbers: Vec<_> = (0..MOST + 1)
            .filter_map(|_| forks.enter(Closed::default()))
            .map(|(number, _)| number)
            .collect();
        assert_eq!(numbers, (0..MOST).collect::<Vec<_>>());
        forks.leave(3);
        assert_eq!(forks.enter(Closed::default()).map(|(number, _)| number), Some(3));
    }
}
