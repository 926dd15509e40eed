//! Tells the listeners what happened: reads committed events in the order of
//! their numbers, and answers each subscriber with their own eyes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use ward_identity::{Held, Identified, identify_held};
use ward_store::events::{self, StoredEvent};
use ward_store::{Engine, Hint, StoreError};

use super::hub::Listener;
use super::outgoing::{End, Outgoing};
use super::turns::Turns;
use crate::app::App;
use crate::credential::Caller;
use crate::graphql;
use crate::guard::Facts;

/// On PostgreSQL other processes write too: how often to look for their events.
const LOOK: Duration = Duration::from_millis(50);
/// On SQLite nobody else writes; this is for hints that were missed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often every open credential is looked up (SEC-05: within a second).
const SWEEP: Duration = Duration::from_millis(500);
/// Credentials of one look-up.
const CREDENTIALS: usize = 256;
/// Events read at once.
const EVENTS: i64 = 200;
/// Organizations that are told at once; the others have their turn after them.
const AT_ONCE: usize = 16;
/// Answers after which an organization's turn is over.
const ANSWERS: usize = 1_000;
/// After a failure of the store.
const RETRY: Duration = Duration::from_millis(500);

/// Tells what happens until told to stop.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut hints = app.db.hints();
    let look = if app.db.engine() == Engine::Pg { LOOK } else { LOOK_AGAIN };
    let mut clock = tokio::time::interval(look);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut turns, at_once) = (Turns::default(), Arc::new(Semaphore::new(AT_ONCE)));
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = clock.tick() => {}
            (org_id, is_whole) = turns.ended() => if !is_whole {
                give_up(&app, org_id).await;
            },
            () = app.live.woken.notified() => {}
            hint = hints.recv() => match hint {
                Ok(Hint::Events) | Err(RecvError::Lagged(_)) => {}
                Ok(_) => continue,
                Err(RecvError::Closed) => return,
            }
        }
        if let Err(error) = round(&app, &mut turns, &at_once).await {
            tracing::error!(what = "live subscriptions", %error, "background work failed");
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Ends the sockets whose credential is over, until told to stop.
pub async fn watch_credentials(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut clock = tokio::time::interval(SWEEP);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = clock.tick() => {}
        }
        if let Err(error) = sweep(&app).await {
            tracing::error!(what = "sockets' credentials", %error, "background work failed");
        }
    }
}

async fn sweep(app: &App) -> Result<(), StoreError> {
    let credentials = app.live.credentials();
    for some in credentials.chunks(CREDENTIALS) {
        let held: Vec<Arc<Held>> = some.iter().map(|(held, _)| held.clone()).collect();
        let mut reader = app.db.read().await?;
        let found = identify_held(&mut reader, app.db.instance(), &held).await?;
        drop(reader);
        for ((_, sockets), identified) in some.iter().zip(found) {
            if identified.is_none() {
                sockets.iter().for_each(|socket| socket.end(End::Revoked));
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Begins to tell those organizations for which there is something.
async fn round(
    app: &Arc<App>,
    turns: &mut Turns,
    at_once: &Arc<Semaphore>,
) -> Result<(), StoreError> {
    let (world, places) = app.live.places();
    if places.is_empty() {
        return Ok(());
    }
    let org_ids: Vec<i64> = places.iter().map(|(org_id, _)| *org_id).collect();
    let mut reader = app.db.read().await?;
    let last: HashMap<i64, i64> =
        events::last_numbers(&mut reader, &org_ids).await?.into_iter().collect();
    drop(reader);
    for (org_id, seq) in places {
        let last = last.get(&org_id).copied().unwrap_or(seq);
        if last > seq && !turns.is_busy(org_id) {
            let numbers = (world, seq, last);
            turns.begin(org_id, of_organization(app.clone(), org_id, numbers, at_once.clone()));
        }
    }
    Ok(())
}

/// Tells an organization's events that are there, turn by turn.
async fn of_organization(
    app: Arc<App>,
    org_id: i64,
    (world, mut seq, last): (u64, i64, i64),
    at_once: Arc<Semaphore>,
) {
    loop {
        let Ok(turn) = at_once.acquire().await else { return };
        let told = some_of(&app, org_id, (world, seq)).await;
        drop(turn);
        match told {
            Ok(Some(told)) => seq = told,
            Ok(None) => return,
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::error!(what = "live subscriptions", %error, "background work failed");
                return tokio::time::sleep(RETRY).await;
            }
            Err(error) => {
                // What can't be told is not passed over in silence.
                tracing::error!(%error, "events could not be told; sockets are closed");
                app.live.passed(world, org_id, last.max(seq));
                return app.live.end_all_of(org_id, End::Failed);
            }
        }
    }
}

/// Ends an organization's sockets after its task broke off: nobody knows what
/// was not told.
async fn give_up(app: &App, org_id: i64) {
    tracing::error!("events could not be told; sockets are closed");
    let world = app.live.world();
    let last = async {
        let mut reader = app.db.read().await?;
        events::last_numbers(&mut reader, &[org_id]).await
    };
    if let Ok(Some((_, seq))) = last.await.map(|numbers| numbers.first().copied()) {
        app.live.passed(world, org_id, seq);
    }
    app.live.end_all_of(org_id, End::Failed);
}

/// One turn: the number of the last event that was told, nothing when all were.
async fn some_of(
    app: &Arc<App>,
    org_id: i64,
    (world, seq): (u64, i64),
) -> Result<Option<i64>, StoreError> {
    let mut reader = app.db.read().await?;
    let some = events::after(&mut reader, app.db.instance(), org_id, seq, EVENTS).await?;
    drop(reader);
    let (mut told, mut answers) = (None, 0);
    for event in some {
        // What was read before a Sandbox went back did not happen.
        if app.live.world() != world {
            return Ok(None);
        }
        let number = event.seq.unwrap_or(seq);
        answers += tell(app, org_id, Arc::new(event)).await?;
        app.live.passed(world, org_id, number);
        told = Some(number);
        if answers >= ANSWERS {
            break;
        }
    }
    Ok(told)
}

/// Tells one event to everybody whom it concerns, before the next is told; how
/// many answers that took.
async fn tell(app: &Arc<App>, org_id: i64, event: Arc<StoredEvent>) -> Result<usize, StoreError> {
    let mut answers = 0;
    for field in app.engine.bindings().hearing(&event.kind) {
        if !app.live.is_heard(org_id, field) {
            continue;
        }
        let mut reader = app.db.read().await?;
        let happenings = app.engine.bindings().happenings(field, &event, &mut reader).await?;
        drop(reader);
        for happening in happenings {
            let listeners = app.live.listening(org_id, field, happening.topic);
            if !listeners.is_empty() {
                let groups = grouped(listeners);
                answers += groups.len();
                answer(app, &event, happening.row, groups).await;
            }
        }
    }
    Ok(answers)
}

/// Listeners that one answer does for: of one credential, asking the same.
type Group = Vec<Arc<Listener>>;

fn grouped(listeners: Vec<Arc<Listener>>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<(Box<str>, Box<str>, usize), Vec<usize>> = HashMap::new();
    for listener in listeners {
        let held = &listener.held;
        let plan = listener.subscription.plan_number();
        let known = places.entry((held.name().into(), held.address().into(), plan)).or_default();
        let same = known
            .iter()
            .find(|place| groups[**place][0].subscription.is_same(&listener.subscription));
        match same {
            Some(place) => groups[*place].push(listener),
            None => {
                known.push(groups.len());
                groups.push(vec![listener]);
            }
        }
    }
    groups
}

/// Answers all groups, on as many threads as there are.
async fn answer(app: &Arc<App>, event: &Arc<StoredEvent>, row: i64, groups: Vec<Group>) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = groups.len().div_ceil(threads).clamp(1, CREDENTIALS);
    let mut groups = groups.into_iter().peekable();
    let mut working = JoinSet::new();
    while groups.peek().is_some() {
        let some: Vec<Group> = groups.by_ref().take(share).collect();
        let (app, event) = (app.clone(), event.clone());
        if working.len() >= threads {
            report(working.join_next().await);
        }
        working.spawn(async move {
            let _asked = Asked(some.iter().flatten().map(|it| it.outgoing.clone()).collect());
            answer_some(&app, &event, row, some).await;
        });
    }
    while let Some(ended) = working.join_next().await {
        report(Some(ended));
    }
}

fn report(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "an event could not be told; sockets are closed");
    }
}

/// The sockets of those who are being answered. Where that breaks off by a
/// panic, they end: they come back and ask, instead of having missed something
/// and not knowing it.
struct Asked(Vec<Arc<Outgoing>>);

impl Drop for Asked {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.iter().for_each(|outgoing| outgoing.end(End::Failed));
        }
    }
}

async fn answer_some(app: &App, event: &StoredEvent, row: i64, groups: Vec<Group>) {
    let held: Vec<Arc<Held>> = groups.iter().map(|group| group[0].held.clone()).collect();
    let identified = async {
        let mut reader = app.db.read().await?;
        identify_held(&mut reader, app.db.instance(), &held).await
    };
    let identified: Vec<Result<Option<Identified>, ()>> = match identified.await {
        Ok(identified) => identified.into_iter().map(Ok).collect(),
        Err(error) => {
            tracing::error!(%error, "subscribers could not be looked up");
            held.iter().map(|_| Err(())).collect()
        }
    };
    for (group, identified) in groups.into_iter().zip(identified) {
        let told = match identified {
            Ok(Some(identified)) => answer_group(app, event, row, &group, identified).await,
            Ok(None) => Err(End::Revoked),
            Err(()) => Err(End::Failed),
        };
        match told {
            Ok(None) => {}
            Ok(Some(answer)) => {
                for listener in &group {
                    listener.outgoing.push(listener.frame.carry(&answer));
                }
                app.live.told.fetch_add(group.len() as u64, std::sync::atomic::Ordering::Relaxed);
            }
            Err(end) => group.iter().for_each(|listener| listener.outgoing.end(end)),
        }
        tokio::task::yield_now().await;
    }
}

/// What a group is told; nothing when its person does not see it.
async fn answer_group(
    app: &App,
    event: &StoredEvent,
    row: i64,
    group: &Group,
    identified: Identified,
) -> Result<Option<String>, End> {
    let subscription = &group[0].subscription;
    // Nothing is written by it but the log of accesses, which is for any world.
    let world = app.db.world();
    let caller = Caller { actor: identified.actor, session: identified.session, world };
    let facts = Facts { id: app.request_number(), address: group[0].held.address().to_owned() };
    let request = graphql::request_of(app, facts, caller, subscription.view());
    let answered = app.engine.happened(subscription, &request, event, row).await;
    app.exercises.note(&request.actor, app.instance.clock().wall());
    let failed = |error: String| {
        tracing::error!(error, request = %request.request_id, "an event could not be told");
        End::Failed
    };
    match answered {
        Ok(None) => Ok(None),
        Ok(Some(json)) => {
            String::from_utf8(json).map(Some).map_err(|error| failed(error.to_string()))
        }
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::outgoing::{Next, budget};
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_who_was_asked() {
        let budget = Arc::new(budget());
        let asked: Vec<_> = (0..3).map(|_| Arc::new(Outgoing::new(budget.clone()))).collect();
        let (well, ill) = (Asked(vec![asked[0].clone()]), Asked(asked[1..].to_vec()));
        tokio::spawn(async move { drop(well) }).await.unwrap();
        let ended = tokio::spawn(async move {
            let _ill = ill;
            panic!("on purpose")
        });
        ended.await.unwrap_err();
        for (outgoing, is_ended) in asked.iter().zip([false, true, true]) {
            outgoing.push("told".into());
            let next = outgoing.next().await;
            assert_eq!(matches!(next, Next::End(End::Failed)), is_ended, "{next:?}");
        }
    }
}
