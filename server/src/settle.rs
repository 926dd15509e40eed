//! Going forward with the Sandbox's clock from one due moment to the next, so that everything
//! happens in its order and at its time, until the target is reached; also for a clock that was
//! left on, whose target is real time.

use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::{broadcast, watch};
use ward_instance::{SandboxWitness, Timestamp, crash};
use ward_store::due::{Straggler, at_work, next, stragglers};
use ward_store::{Actor, Hint, StoreError};
use ward_webhooks::deliver;

use crate::admin;
use crate::app::App;
use crate::credential::Caller;
use crate::due;
use crate::test_clock::{self, Act, ClockError, Return};
use crate::workers;

/// After so many microseconds of real time the clock goes to its target whatever is left.
const PATIENCE: u64 = 45_000_000;

/// After so many microseconds of waiting for webhooks' receivers on the way, jobs and effects go
/// on without them: who does not answer holds up nobody else's time.
const RECEIVERS: u64 = 15_000_000;

/// Between two looks at work that another worker has, here or on another node.
const LOOK: Duration = Duration::from_millis(20);

/// After so long a way that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Stragglers that an answer names.
const NAMED: i64 = 100;

/// How long a way may take.
#[derive(Clone, Copy)]
struct Patience {
    /// It is over when the process's own clock shows this.
    until: u64,
    /// For so many microseconds of it webhooks' receivers are waited for.
    receivers: u64,
}

/// Who has something that is due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Busy {
    /// A worker of jobs.
    Worker,
    /// The webhooks' engine, or who receives them.
    Receiver,
}

/// Whose way it is.
enum Way<'a> {
    /// Of a caller, who waits for its end.
    Asked,
    /// Of a clock that was left on.
    Back {
        /// The clock on its way.
        back: Return,
        /// Whether somebody moved it since.
        is_moved: bool,
        /// Whether the server is told to stop.
        stop: &'a watch::Receiver<bool>,
    },
}

impl Way<'_> {
    /// Whether it is not gone on, wherever the clock is: then only between two steps.
    fn ends_here(&self, app: &App) -> bool {
        match self {
            Way::Asked => false,
            Way::Back { is_moved, stop, .. } => *is_moved || *stop.borrow() || app.is_quarantined(),
        }
    }

    /// Goes on to a moment.
    async fn step(
        &mut self,
        app: &App,
        witness: SandboxWitness,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        match self {
            Way::Asked => test_clock::step(&app.db, witness, to).await,
            Way::Back { back, is_moved, .. } => {
                *is_moved = !back.step(&app.db, witness, to).await?;
                crash::point("clock.stepped");
                Ok(())
            }
        }
    }

    /// Waits where the clock is.
    async fn stay(&mut self, app: &App, witness: SandboxWitness) -> Result<(), StoreError> {
        if let Way::Back { back, is_moved, .. } = self {
            *is_moved = !back.stay(&app.db, witness).await?;
        }
        Ok(())
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ran {
    /// Jobs, effects included.
    pub jobs: u64,
    /// Effects that were handed over.
    pub effects: u64,
    /// Attempts to deliver a webhook.
    pub deliveries: u64,
}

impl Ran {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Ran::default()
    }
}

impl AddAssign for Ran {
    fn add_assign(&mut self, other: Ran) {
        self.jobs += other.jobs;
        self.effects += other.effects;
        self.deliveries += other.deliveries;
    }
}

/// Moves the clock as the caller asks. With `settle`, a way forward is gone from one due moment to
/// the next, and what is kept no longer by then is deleted; the answer is the clock with what was
/// done, and what was not.
pub async fn move_clock(
    app: &App,
    witness: SandboxWitness,
    caller: &Caller,
    act: Act,
    settle: bool,
) -> Result<Json, ClockError> {
    let goes = matches!(act, Act::To(_) | Act::By(_));
    let _turn = app.turn.write().await;
    let in_steps = settle && goes;
    // A reset may have had the turn until now.
    let db = app.db.in_world(caller.world);
    let target = test_clock::act(&db, witness, &caller.actor, act, in_steps).await?;
    let limit = test_clock::idle_limit(&app.config);
    if !in_steps {
        return Ok(test_clock::shown(app.instance.clock(), limit));
    }
    let until = patience_ends(app);
    let ran = travel(app, witness, target, until, &mut Way::Asked).await?;
    let stragglers = late(app, target).await?;
    workers::purge(app).await?;
    workers::forget(app).await?;
    workers::sweep(app).await?;
    let mut answer = test_clock::shown(app.instance.clock(), limit);
    answer["ran"] = json!(ran);
    answer["stragglers"] = stragglers.iter().map(named).collect();
    Ok(answer)
}

/// Has a clock that nobody has moved for the idle limit go as real time does, and tells of it
/// (ISO-45). Where it is behind it goes forward as a settled move does; of several nodes on one
/// database one does it. A way that ends before it is there, at a stop or by a database that is away, is
/// gone on by whoever asks for this next.
pub async fn let_go(
    app: &App,
    witness: SandboxWitness,
    stop: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let Some(limit) = test_clock::idle_limit(&app.config) else { return Ok(()) };
    let _turn = app.turn.write().await;
    // A backup or a stop may have come while the turn was waited for.
    if app.is_quarantined() || *stop.borrow() {
        return Ok(());
    }
    let actor = Actor::system(admin::founding(&app.db).await?.unwrap_or(0));
    let Some(back) = test_clock::let_go(&app.db, witness, &actor, limit).await? else {
        return Ok(());
    };
    tracing::warn!(
        from = %back.from,
        to = %back.to,
        "nobody has moved the Sandbox's clock for so long that it goes as real time does, once it is there"
    );
    match back.is_on_the_way() {
        true => go_back(app, witness, back, stop).await,
        false => Ok(()),
    }
}

/// Goes the way to real time. What fails on it is tried again while there is patience, and does not
/// keep the clock from getting there afterwards.
async fn go_back(
    app: &App,
    witness: SandboxWitness,
    back: Return,
    stop: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let (target, until) = (back.to, patience_ends(app));
    let mut way = Way::Back { back, is_moved: false, stop };
    while let Err(error) = travel(app, witness, target, until, &mut way).await {
        tracing::error!(%error, "the Sandbox's clock was held up on its way to real time");
        let is_over = app.instance.clock().monotonic_micros() >= until;
        if is_over || way.ends_here(app) {
            break;
        }
        tokio::time::sleep(AGAIN).await;
    }
    let ends_here = way.ends_here(app);
    let Way::Back { back, is_moved, .. } = way else { return Ok(()) };
    match ends_here {
        false => back.arrive(&app.db, witness).await,
        true if is_moved || app.is_quarantined() => Ok(()),
        true => back.leave(&app.db, witness).await,
    }
}

/// When a way that begins now is over whatever is left, on the process's own clock.
fn patience_ends(app: &App) -> u64 {
    app.instance.clock().monotonic_micros().saturating_add(PATIENCE)
}

/// Goes to the target from one due moment to the next, until patience ends; what is over by then is
/// taken away there.
async fn travel(
    app: &App,
    witness: SandboxWitness,
    target: Timestamp,
    until: u64,
    way: &mut Way<'_>,
) -> Result<Ran, StoreError> {
    let sent = deliver::kept::attempts(&mut app.db.read().await?).await?;
    let patience = Patience { until, receivers: RECEIVERS };
    let mut ran = walk(app, witness, target, patience, way).await?;
    if !way.ends_here(app) {
        workers::end_accesses(app).await?;
    }
    // Webhooks are told of what was over; and nobody else waits any more for what receivers are slow
    // to take.
    let patient = Patience { receivers: PATIENCE, ..patience };
    ran += walk(app, witness, target, patient, way).await?;
    let attempts = deliver::kept::attempts(&mut app.db.read().await?).await?;
    ran.deliveries += attempts.saturating_sub(sent);
    Ok(ran)
}

/// Until the target, or until patience is over, or where the way ends. What receivers are waited for no
/// longer is sent beside what happens then.
async fn walk(
    app: &App,
    witness: SandboxWitness,
    target: Timestamp,
    mut patience: Patience,
    way: &mut Way<'_>,
) -> Result<Ran, StoreError> {
    let clock = app.instance.clock();
    let mut hints = app.db.hints();
    let mut ran = Ran::default();
    while clock.monotonic_micros() < patience.until && !way.ends_here(app) {
        way.stay(app, witness).await?;
        let some = due::some(app).await?;
        if !some.is_nothing() {
            ran += some;
            continue;
        }
        let are_waited_for = patience.receivers > 0;
        let busy = busy(app).await?.filter(|who| *who == Busy::Worker || are_waited_for);
        if let Some(who) = busy {
            let began = clock.monotonic_micros();
            wait(&mut hints).await;
            if who == Busy::Receiver {
                let waited = clock.monotonic_micros().saturating_sub(began);
                patience.receivers = patience.receivers.saturating_sub(waited);
            }
            continue;
        }
        match next_due(app, clock.now(), are_waited_for).await? {
            Some(next) if next <= target => way.step(app, witness, next).await?,
            _ => break,
        }
    }
    if !way.ends_here(app) {
        way.step(app, witness, target).await?;
    }
    Ok(ran)
}

/// Who does something that is due; webhooks have their own worker.
async fn busy(app: &App) -> Result<Option<Busy>, StoreError> {
    let clock = app.instance.clock();
    let mut reader = app.db.read().await?;
    if at_work(&mut reader, clock.wall()).await? {
        return Ok(Some(Busy::Worker));
    }
    let are_sent = deliver::at_work(&mut reader, clock.now(), clock.wall()).await?;
    Ok(are_sent.then_some(Busy::Receiver))
}

/// Until the end of a webhook's attempt was written down, or the next look.
async fn wait(hints: &mut broadcast::Receiver<Hint>) {
    let ended = async { while hints.recv().await.is_ok_and(|hint| hint != Hint::Deliveries) {} };
    // Either is a reason to look.
    let _ = tokio::time::timeout(LOOK, ended).await;
}

/// When something is due next: a job, or a webhook if the clock goes by them.
async fn next_due(
    app: &App,
    after: Timestamp,
    with_webhooks: bool,
) -> Result<Option<Timestamp>, StoreError> {
    let mut reader = app.db.read().await?;
    let job = next(&mut reader, after).await?;
    let webhook = match with_webhooks {
        true => deliver::next_due(&mut reader, after).await?,
        false => None,
    };
    Ok(job.into_iter().chain(webhook).min())
}

/// What was due by the target and has not ended, the longest due first.
async fn late(app: &App, target: Timestamp) -> Result<Vec<Straggler>, StoreError> {
    let mut reader = app.db.read().await?;
    let mut late = stragglers(&mut reader, target, NAMED).await?;
    late.extend(deliver::late::stragglers(&mut reader, target, NAMED).await?);
    late.sort_by_key(|it| it.due_at);
    late.truncate(usize::try_from(NAMED).unwrap_or(usize::MAX));
    Ok(late)
}

fn named(straggler: &Straggler) -> Json {
    json!({
        "id": straggler.id.0,
        "kind": straggler.kind,
        "due_at": straggler.due_at.to_string(),
        "attempts": straggler.attempts,
        "error": straggler.last_error,
    })
}
