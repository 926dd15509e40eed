//! Housekeeping beside the requests: refusals to the audit log, chain heads to
//! their file, numbers, what has expired. What waits for its time is in `due`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use ward_identity::proxy::over;
use ward_instance::host;
use ward_messaging::notices::portal;
use ward_store::chain_heads::write_heads;
use ward_store::{Engine, Hint, StoreError, Tx, access, blobs, events, idempotency, jobs, nodes};

use crate::app::App;
use crate::serve::EFFECTS_GRACE;
use crate::{requests, rewind, rotator, settle, test_clock};

/// After so long the access log is tried again.
const ACCESS_RETRY: Duration = Duration::from_secs(1);

/// After so long a clock that was left on is tried to be let go again.
const CLOCK_RETRY: Duration = Duration::from_secs(10);

/// So long the clock of another node is waited for while work is done.
const TURN: Duration = Duration::from_millis(200);
/// Batches of events that are deleted at one time, so that the writer is free in between: enough
/// for eighty events in each of the ten minutes' seconds.
const EVENT_BATCHES: usize = 50;

/// Done jobs are kept for a week.
const KEPT_DONE_MICROS: i64 = 7 * 24 * 3600 * 1_000_000;

/// Runs until told to stop; then flushes what is in memory.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut hints = app.db.hints();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks: u64 = 0;
    let (mut ending, mut sweeping): (Option<JoinHandle<()>>, Option<JoinHandle<()>>) = (None, None);
    let mut returning: Option<JoinHandle<()>> = None;
    let stopping = stop.clone();
    live(&app).await;
    let held = Arc::clone(&app);
    let living = tokio::spawn(async move { go_on_living(&held).await });
    look(&app).await;
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            _ = second.tick() => {
                ticks += 1;
                report("refusals", app.refusals.flush(&app.db, false).await.map(drop));
                report("permission uses", app.exercises.flush(&app.db).await.map(drop));
                if ticks.is_multiple_of(10) {
                    report("chain heads", heads(&app).await);
                }
                if ticks.is_multiple_of(60) {
                    watch_clock(&app);
                    look(&app).await;
                }
                if ticks.is_multiple_of(600) {
                    report("expired rows", purge(&app).await);
                    let held = Arc::clone(&app);
                    begin(&mut ending, async move {
                        report("accesses that are over", end_accesses(&held).await);
                    });
                    // A bucket may be slow, and nothing else waits for it.
                    let held = Arc::clone(&app);
                    begin(&mut sweeping, async move {
                        report("kept for a time", forget(&held).await);
                        report("stored files", sweep(&held).await);
                    });
                }
                sequence(&app).await;
                follow_sandbox(&app).await;
                let_go(&app, &mut returning, &stopping);
                report("forks", app.forks.look(&app.db).await);
                rotate(&app, ticks);
            }
            hint = hints.recv() => {
                match hint {
                    Ok(Hint::Events) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                        sequence(&app).await;
                    }
                    Ok(Hint::Jobs | Hint::Deliveries | Hint::Effects(_) | Hint::Clock) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
                }
            }
        }
    }
    for task in [ending, sweeping].into_iter().flatten() {
        cut_off(task).await;
    }
    if let Some(mut task) = returning {
        // It ends after what it has begun, which may be under way to somebody who is slow.
        if tokio::time::timeout(EFFECTS_GRACE, &mut task).await.is_err() {
            tracing::warn!(
                "what was due on the way of the Sandbox's clock was cut off by the stop"
            );
            cut_off(task).await;
        }
    }
    cut_off(living).await;
    app.rotator.stop();
    report("refusals", app.refusals.flush(&app.db, true).await.map(drop));
    report("permission uses", app.exercises.flush(&app.db).await.map(drop));
    sequence(&app).await;
    report("chain heads", heads(&app).await);
    if app.db.engine() == Engine::Pg
        && let Ok(node) = host::node(&app.dir)
    {
        report("node", rotator::leave(&app.db, &node).await);
    }
}

/// Ends a task where it stands.
async fn cut_off(task: JoinHandle<()>) {
    task.abort();
    // Cut off or done: either is the end of it.
    drop(task.await);
}

/// Begins what may take long, beside the rest; not while it is under way since the last time.
fn begin(task: &mut Option<JoinHandle<()>>, work: impl Future<Output = ()> + Send + 'static) {
    if task.as_ref().is_none_or(JoinHandle::is_finished) {
        *task = Some(tokio::spawn(work));
    }
}

/// Says each few seconds that this node lives, beside the rest, which waits while the Sandbox is emptied,
/// copied or brought back.
async fn go_on_living(app: &App) {
    if app.db.engine() == Engine::Lite {
        return;
    }
    loop {
        tokio::time::sleep(Duration::from_secs(nodes::BEAT_SECONDS)).await;
        live(app).await;
    }
}

/// Tells other nodes on the same database that this one lives, and hears whether a backup took the
/// place of what this one began with.
async fn live(app: &App) {
    if app.db.engine() == Engine::Pg
        && let Ok(node) = host::node(&app.dir)
    {
        match rotator::beat(&app.db, &node).await {
            Ok(epoch) if epoch != app.restore_epoch => app.replace(),
            told => report("node", told.map(drop)),
        }
    }
}

/// Writes a Sandbox's record of requests each second until told to stop.
pub async fn record(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while app.requests.is_some() && !*stop.borrow() {
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        record_rest(&app).await;
    }
}

/// Writes what waits of it.
pub async fn record_rest(app: &App) {
    if let Some(requests) = app.requests.as_ref().filter(|_| !app.is_quarantined()) {
        report("requests", requests.flush(&app.db).await);
    }
}

/// Goes on with a rotation of the root key that was cut off.
fn rotate(app: &App, ticks: u64) {
    if app.is_quarantined() || !app.rotator.is_due(&app.db, ticks) {
        return;
    }
    match rotator::rotation_of(&app.db, &app.dir, app.blobs.clone(), false) {
        Ok(rotation) => app.rotator.start(rotation),
        Err(error) => tracing::error!(%error, "the rotation of the root key can't go on"),
    }
}

/// Writes the access log until told to stop: each entry within 200 ms. What
/// requests in flight add later is for whoever waits for them to flush.
pub async fn access_log(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let log = app.db.access_log();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            () = log.filled() => {}
        }
        tokio::time::sleep(access::DELAY).await;
        while let Err(error) = log.flush(&app.db).await {
            tracing::error!(what = "access log", %error, "background work failed");
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(ACCESS_RETRY) => {}
            }
        }
    }
}

/// Sends webhooks until told to stop, unless the instance is quarantined.
pub fn webhooks(app: &Arc<App>, stop: watch::Receiver<bool>) -> tokio::task::JoinHandle<()> {
    let node = host::node(&app.dir).unwrap_or_default();
    let engine = ward_webhooks::Engine::new(app.db.clone(), &node);
    let held = app.clone();
    tokio::spawn(engine.run(move || held.is_quarantined(), stop))
}

/// Lets go what waits of classes that are on, and follows what other processes switched.
async fn look(app: &App) {
    if !app.is_quarantined() {
        report("effect classes", app.door.look(&app.db).await);
    }
}

/// Says that the machine's clock is behind what it was: Ward's goes on from
/// there, until a restart with the right clock.
fn watch_clock(app: &App) {
    let seconds = app.instance.clock().behind_micros() / 1_000_000;
    if seconds > 5 {
        tracing::error!(
            seconds,
            "the machine's clock was put back; time goes on from where it was, restart when the clock is right"
        );
    }
}

/// Takes over what another process did to the Sandbox's clock and faults (PostgreSQL).
async fn follow_sandbox(app: &App) {
    let Some(witness) = app.instance.witness().sandbox() else { return };
    if app.db.engine() != Engine::Pg {
        return;
    }
    report("faults", ward_store::faults::load(&app.db, &witness).await);
    if let Ok(_turn) = tokio::time::timeout(TURN, app.turn.write()).await {
        report("clock", ward_store::test_clock::load(&app.db, &witness).await);
    }
}

/// Has a Sandbox's clock that was left on go as real time does, beside the rest: what became due by
/// then is done on the way. Where that fails, it is tried again after a while.
fn let_go(app: &Arc<App>, task: &mut Option<JoinHandle<()>>, stop: &watch::Receiver<bool>) {
    let Some(witness) = app.instance.witness().sandbox() else { return };
    let limit = test_clock::idle_limit(&app.config);
    if app.is_quarantined() || !test_clock::is_idle(app.instance.clock(), limit) {
        return;
    }
    let (held, mut stop) = (Arc::clone(app), stop.clone());
    begin(task, async move {
        let outcome = settle::let_go(&held, witness, &stop).await;
        let has_failed = outcome.is_err();
        report("a clock that was left on", outcome);
        if has_failed {
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(CLOCK_RETRY) => {}
            }
        }
    });
}

/// Numbers committed audit and event rows where the writer does not (PostgreSQL).
async fn sequence(app: &App) {
    if app.db.engine() == Engine::Pg {
        loop {
            let numbered =
                app.db.write(|tx: &mut Tx| Box::pin(ward_store::sequencer::number(tx))).await;
            if !matches!(numbered, Ok(1..)) {
                report("sequencer", numbered.map(drop));
                break;
            }
            app.live.woken.notify_one();
        }
    }
}

async fn heads(app: &App) -> Result<(), StoreError> {
    write_heads(&app.db, &app.dir.join("chain.heads")).await.map(drop)
}

/// Deletes what is kept no longer.
pub async fn purge(app: &App) -> Result<(), StoreError> {
    app.db
        .write(|tx: &mut Tx| Box::pin(async move { idempotency::purge(tx).await.map(drop) }))
        .await?;
    app.db
        .write(|tx: &mut Tx| {
            Box::pin(async move {
                let before = tx.now().minus_micros(KEPT_DONE_MICROS);
                jobs::purge_done(tx, before).await.map(drop)
            })
        })
        .await?;
    app.db.write(|tx: &mut Tx| Box::pin(async move { access::purge(tx).await.map(drop) })).await?;
    app.db
        .write(|tx: &mut Tx| {
            Box::pin(async move { ward_webhooks::deliver::kept::purge(tx).await.map(drop) })
        })
        .await?;
    app.db
        .write(|tx: &mut Tx| Box::pin(async move { ward_effects::purge(tx).await.map(drop) }))
        .await?;
    if app.requests.is_some() {
        app.db.write(|tx: &mut Tx| Box::pin(requests::purge(tx))).await?;
    }
    for _ in 0..EVENT_BATCHES {
        let gone = app.db.write(|tx: &mut Tx| Box::pin(events::purge(tx))).await?;
        if gone < events::PURGED_TOGETHER.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

/// Takes away what clients may do for others, once it is over. Not while the instance is quarantined,
/// since others are told of it.
pub async fn end_accesses(app: &App) -> Result<(), StoreError> {
    match app.is_quarantined() {
        true => Ok(()),
        false => {
            let told: over::Told = |scope, access| Box::pin(portal::tell_of_end(scope, access));
            over::sweep(&app.db, told).await.map(drop)
        }
    }
}

/// Deletes what domains keep for a time: exports, and files that were told of and never attached. Not
/// while the instance is quarantined, since others are told of it.
pub async fn forget(app: &App) -> Result<(), StoreError> {
    if app.is_quarantined() {
        return Ok(());
    }
    let exports = ward_export::expire::sweep(&app.db).await.map(drop);
    let uploads = ward_charting::attachment::sweep::sweep(&app.db).await.map(drop);
    exports.and(uploads)
}

/// Clears away stored files that no row tells of; none while a fork may read them.
pub async fn sweep(app: &App) -> Result<(), StoreError> {
    if !app.forks.is_empty() {
        return Ok(());
    }
    match !app.is_quarantined() && app.files.is_own(&app.db).await? {
        true => {
            let held = rewind::held_files(&app.db, &app.dir).await?;
            blobs::sweep_but(&app.db, &app.blobs, &held).await.map(drop)
        }
        false => Ok(()),
    }
}

fn report(what: &str, outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::error!(what, %error, "background work failed");
    }
}
