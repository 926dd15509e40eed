//! Making a fork: a copy that is opened as an instance of its own, and served.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use ward_instance::{Clock, Instance, Random, SandboxWitness};
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Engine, Place, Scope, StoreError, Tx};

use super::apart::set_apart;
use super::closed::Closed;
use super::{Facts, Forks, MOST, Seat, folder, no_server, sandbox};
use crate::admin::{self, Context};
use crate::app::App;
use crate::place::{self, Opened, ServerError};
use crate::rewind::ROTATING;
use crate::{assemble, rotator, serve};

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
    context.check_world()?;
    if app.rotator.is_running() || !rotator::unfinished(&app.db).is_null() {
        return Err(ServerError::Usage(ROTATING.to_owned()));
    }
    // Read before the copy: what is closed from here on ends the fork.
    let closed = Closed::of(&app.db).await?;
    let drawn = app.instance.random().base62(8);
    let (seat, stop) = app.forks.enter(closed, &app.dir, &drawn).ok_or_else(|| {
        ServerError::Usage(format!("there are {MOST} forks already; end one first"))
    })?;
    let number = seat.number;
    let (opened, listener) = make(app, witness, &seat).await?;
    let made_at = app.instance.clock().wall();
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let facts = Facts {
        id: app.request_number(),
        url: opened.instance.base_url().to_string(),
        made_at,
        ends_at: made_at.plus_seconds(seconds),
    };
    let mut untold = Untold { forks: &app.forks, number, is_over: false };
    // At once: neither waits for the other.
    let (served, recorded) = tokio::join!(
        serve_until(app.clone(), opened, listener, (seat, time, stop)),
        record(app, actor, &facts)
    );
    app.forks.begun(number, facts.clone(), served?);
    if let Err(error) = recorded {
        // None lives that the audit log does not know of.
        for task in app.forks.end(|fork| fork.number == number) {
            let _ = task.await;
        }
        return Err(error);
    }
    untold.is_over = true;
    Ok(facts.shown())
}

/// Ends the fork with this number unless all was done that makes it one: nobody knows of it where
/// that breaks off.
struct Untold<'a> {
    forks: &'a Forks,
    number: usize,
    is_over: bool,
}

impl Drop for Untold<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // Its task goes on to its end by itself.
            drop(self.forks.end(|fork| fork.number == self.number));
        }
    }
}

/// The copy, opened as an instance of its own, and where it will listen.
async fn make(
    app: &Arc<App>,
    witness: SandboxWitness,
    seat: &Seat,
) -> Result<(Opened, TcpListener), ServerError> {
    let listener = serve::listen("127.0.0.1:0").await?;
    let port = listener.local_addr().map_err(|error| ServerError::System(error.to_string()))?;
    let wall = app.instance.clock().wall();
    let ledger = app.instance.ledger().fork(seat.number, wall)?;
    let dir = seat.dir.clone();
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
    (seat, time, mut stop): (Seat, Duration, watch::Receiver<bool>),
) -> Result<JoinHandle<()>, ServerError> {
    let fork = match App::with(&opened, app.rate_limit, Ok(app.engine.clone())).await {
        Ok(fork) => fork,
        Err(error) => {
            opened.db.shutdown().await;
            return Err(error);
        }
    };
    let (over, ended) = watch::channel(false);
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
        // Not on this thread, which others need.
        let _ = tokio::fs::remove_dir_all(&seat.dir).await;
        drop(seat);
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
