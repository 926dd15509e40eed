//! Work that waits for its time, done beside the requests: each sort by a task of
//! its own, so that none waits for the slow provider, or the long queue, of another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinSet;
use ward_charting::filled::autolock;
use ward_engine::ViewId;
use ward_messaging::notices;
use ward_store::system::EffectClass;
use ward_store::{Actor, Hint, StoreError};

use crate::app::App;
use crate::credential::Caller;
use crate::graphql;
use crate::guard::Facts;
use crate::settle::Ran;

/// A sort of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    /// Effects of a class.
    Effects(EffectClass),
    /// What becomes of a Sandbox's simulated messages.
    Reports,
    /// Scheduled messages and broadcasts.
    Messages,
    /// Reminders and notices.
    Notices,
    /// Notes that lock by themselves.
    Locks,
    /// Archives of clients.
    Exports,
}

impl Sort {
    fn all() -> impl Iterator<Item = Sort> {
        EffectClass::ALL.into_iter().map(Sort::Effects).chain([
            Sort::Reports,
            Sort::Messages,
            Sort::Notices,
            Sort::Locks,
            Sort::Exports,
        ])
    }

    /// Whether a hint says that there may be some of it.
    fn is_hinted(self, hint: Hint) -> bool {
        match (self, hint) {
            (Sort::Effects(class), Hint::Effects(asked)) => class == asked,
            (Sort::Effects(_), _) => false,
            (_, Hint::Jobs) => true,
            _ => false,
        }
    }

    /// Does a few; how many.
    async fn some(self, app: &App) -> Result<u64, StoreError> {
        match self {
            Sort::Effects(class) => app.door.run_class(class).await,
            Sort::Reports => app.door.report_batch().await,
            Sort::Messages => ward_messaging::sender::run_batch(&app.db).await,
            Sort::Notices => notices::run_batch(&app.db, notices::KINDS).await,
            Sort::Locks => autolock::run_batch(&app.db).await,
            Sort::Exports => exports(app).await,
        }
    }
}

/// Makes an archive, if one is due, in the name of whoever asked for it.
async fn exports(app: &App) -> Result<u64, StoreError> {
    let world = app.db.world();
    let as_asker = |actor: Actor| {
        let facts = Facts { id: app.request_number(), address: String::new() };
        let caller = Caller { actor, session: None, world };
        graphql::request_of(app, facts, caller, ViewId::V2026)
    };
    ward_export::job::run_batch(&app.db, as_asker).await
}

/// Starts a task for each sort of work; they end when told to stop, each after what it has begun.
pub fn start(app: &Arc<App>, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    Sort::all().map(|sort| run(app.clone(), sort, stop.clone())).collect()
}

async fn run(app: Arc<App>, sort: Sort, mut stop: watch::Receiver<bool>) {
    let mut hints = app.db.hints();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = second.tick() => {}
            hint = hints.recv() => match hint {
                Ok(hint) if sort.is_hinted(hint) => {}
                Err(RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            },
        }
        while !*stop.borrow() {
            match turn(&app, sort).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(?sort, %error, "due work failed");
                    break;
                }
            }
        }
    }
}

/// A few of a sort, unless somebody moves the Sandbox's clock, who does what is due then.
async fn turn(app: &App, sort: Sort) -> Result<u64, StoreError> {
    let Ok(_turn) = app.turn.try_read() else { return Ok(0) };
    if app.is_quarantined() {
        return Ok(0);
    }
    sort.some(app).await
}

/// A few of all sorts, in one go; nothing where the instance is quarantined. The caller moves the
/// clock, and has the turn.
pub async fn some(app: &App) -> Result<Ran, StoreError> {
    if app.is_quarantined() {
        return Ok(Ran::default());
    }
    let mut ran = app.door.run_batch().await?;
    ran.jobs += ward_messaging::sender::run_batch(&app.db).await?;
    ran.jobs += notices::run_batch(&app.db, notices::KINDS).await?;
    ran.jobs += autolock::run_batch(&app.db).await?;
    ran.jobs += exports(app).await?;
    Ok(ran)
}
