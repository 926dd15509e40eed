//! The delivery engine: events to deliveries, deliveries to requests, requests to the log.
//!
//! Everything that waits is a row; in memory are only the requests under way, at most
//! [`SOCKETS`]. Nothing is sent in a transaction, and nothing is written outside of one.

mod claim;
mod client;
mod damaged;
mod failure;
mod faulty;
pub(crate) mod feed;
mod follow;
pub mod kept;
pub mod late;
mod message;
pub(crate) mod notice;
pub(crate) mod queue;
mod record;
mod recover;
mod relay;
mod resolve;
mod share;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use ward_instance::{FaultKind, Timestamp, crash};
use ward_store::{Db, Hint, Query, Sql, StoreError, Tx, Value};

use crate::address::Address;
use crate::guard::Openings;
use crate::tables::Outcome;
use crate::validation::weekly;
use claim::Claimed;
use client::Client;
use faulty::Again;
pub(crate) use record::Attempt;
use share::{Room, Seat, UnderWay};

/// Requests at once.
pub const SOCKETS: usize = 256;

/// Of them, for receivers that are slow: however many stall, three quarters go to the others.
pub const SLOW_SOCKETS: usize = SOCKETS / 4;

/// Attempts that are written together.
const RECORDED_TOGETHER: usize = 64;

/// Left-over claims that are taken back together.
const RECOVERED_TOGETHER: i64 = 100;

/// How long a stop waits for requests: as long as one may take, and a little.
const STOP_TIME: Duration = Duration::from_secs(12);

/// How often results are tried to be written; then their claims run out.
const WRITES_MAX: u32 = 5;

/// Sends what is due, until it is stopped.
pub struct Engine {
    db: Db,
    client: Client,
    /// Of this start of the process.
    epoch: String,
    under_way: Arc<Mutex<UnderWay>>,
    woken: Notify,
}

impl Engine {
    /// An engine that sends nothing yet. `node` names the process: the same after a restart, and
    /// none that runs at the same time has it.
    pub fn new(db: Db, node: &str) -> Arc<Self> {
        let epoch = recover::epoch(node, &db.instance().uuid());
        Arc::new(Engine {
            client: Client::new(resolve::System),
            epoch,
            db,
            under_way: Arc::default(),
            woken: Notify::new(),
        })
    }

    /// Works until told to stop; then waits for the requests under way and writes down how they
    /// ended. Does nothing while `is_held` says so.
    pub async fn run(
        self: Arc<Self>,
        is_held: impl Fn() -> bool + Send + Sync + 'static,
        mut stop: watch::Receiver<bool>,
    ) {
        let (results, incoming) = mpsc::channel(SOCKETS);
        let recorder = tokio::spawn(self.clone().record(incoming));
        let is_off = {
            let stop = stop.clone();
            move || *stop.borrow() || is_held()
        };
        let is_off = Arc::new(is_off);
        let followed = self.follow(results.clone(), is_off.clone());
        let mut hints = self.db.hints();
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_second = true;
        loop {
            while !is_off() && self.turn(&results, is_second).await {
                is_second = false;
            }
            if *stop.borrow() {
                break;
            }
            is_second = tokio::select! {
                _ = stop.changed() => break,
                _ = second.tick() => true,
                () = self.woken.notified() => false,
                () = event(&mut hints) => false,
            };
        }
        drop(followed);
        drop(results);
        // The recorder ends when the last request has handed its result over.
        if tokio::time::timeout(STOP_TIME, recorder).await.is_err() {
            tracing::warn!("webhooks under way were cut off; the log will call them unknown");
        }
    }

    /// One turn: hands events on; takes back what was left over (each second), claims and sends.
    /// Whether there may be more to do at once.
    async fn turn(self: &Arc<Self>, results: &mpsc::Sender<Attempt>, is_second: bool) -> bool {
        // Side by side, since each waits for a commit; and each on its own: events that can't be
        // handed on do not hold up what is due.
        let (handed_on, done) = tokio::join!(self.hand_on(is_second), self.claim(is_second));
        let (handed_on, done) = (handed_on.unwrap_or_else(failed), done.unwrap_or_else(failed));
        for seated in done.claimed {
            self.start(&Handle::current(), seated, results.clone());
        }
        done.is_more || handed_on > 0
    }

    fn room(&self) -> Room {
        self.under_way.lock().room(SOCKETS, SLOW_SOCKETS)
    }

    /// New events, those that are sent again, and the validations of the week, to deliveries; how
    /// many. Where nobody listens, events wait for the second.
    async fn hand_on(&self, is_second: bool) -> Result<usize, StoreError> {
        if !self.any_to_hand_on(is_second).await? {
            return Ok(0);
        }
        self.db.write(|tx: &mut Tx| Box::pin(hand_all_on(tx))).await
    }

    async fn any_to_hand_on(&self, is_second: bool) -> Result<bool, StoreError> {
        let mut reader = self.db.read().await?;
        let now = self.db.instance().now();
        Ok(feed::any(&mut reader).await?
            || weekly::any(&mut reader, now).await?
            || ((is_second || relay::anybody_listens(&mut reader).await?)
                && ward_store::events::any_unrelayed(&mut reader).await?))
    }

    /// Looks before a transaction is begun.
    async fn any_due(&self, room: &Room, is_second: bool) -> Result<bool, StoreError> {
        let clock = self.db.instance().clock();
        let mut reader = self.db.read().await?;
        if is_second && recover::any(&mut reader, &self.epoch, clock.wall()).await? {
            return Ok(true);
        }
        Ok(room.all > 0
            && claim::any_ready(&mut reader, clock.now(), clock.wall(), &room.full()).await?)
    }

    async fn claim(self: &Arc<Self>, is_second: bool) -> Result<Done, StoreError> {
        if !self.any_due(&self.room(), is_second).await? {
            return Ok(Done::default());
        }
        let engine = self.clone();
        let done = self
            .db
            .write(move |tx: &mut Tx| {
                let engine = engine.clone();
                Box::pin(async move {
                    let left = match is_second {
                        true => recover::recover(tx, &engine.epoch, RECOVERED_TOGETHER).await?,
                        false => 0,
                    };
                    let claimed =
                        engine.seat(claim::claim(tx, &engine.epoch, engine.room()).await?);
                    let is_more = left > 0 || !claimed.is_empty();
                    Ok::<_, StoreError>(Done { claimed, is_more })
                })
            })
            .await;
        crash::point("webhook.claimed");
        done
    }

    /// Gives what was claimed its room, before anybody else claims.
    fn seat(&self, claimed: Vec<Claimed>) -> Vec<Seated> {
        let seat = |it: &Claimed| Seat::take(&self.under_way, it.webhook.org_id.0, it.is_slow);
        claimed.into_iter().map(|claimed| Seated { seat: seat(&claimed), claimed }).collect()
    }

    fn start(self: &Arc<Self>, runtime: &Handle, seated: Seated, results: mpsc::Sender<Attempt>) {
        let engine = self.clone();
        let Seated { claimed, seat } = seated;
        runtime.spawn(async move {
            let (attempt, again) = engine.send(claimed).await;
            crash::point("webhook.sent");
            // Room again only when it is on its way to the log: memory stays bounded.
            let _ = results.send(attempt).await;
            faulty::once_more(again, &engine).await;
            drop(seat);
        });
    }

    /// How an attempt ended, and what a fault sends once more.
    async fn send(&self, mut claimed: Claimed) -> (Attempt, Option<Again>) {
        let instance = self.db.instance();
        let fault = faulty::hit(&mut claimed, instance);
        let clock = instance.clock();
        let began = clock.monotonic_micros();
        let wall = clock.wall();
        let mut attempt = Attempt {
            url: claimed.webhook.url.clone(),
            outcome: Outcome::Forbidden,
            status: None,
            error: None,
            response: None,
            retry_after: None,
            peer: None,
            duration_ms: 0,
            delivery: claimed.delivery.clone(),
        };
        let address = Address::read(&claimed.webhook.url, instance);
        let request = address.and_then(|address| {
            let request = message::request(&claimed, &address, instance, wall, fault.as_ref());
            request.map(|request| (address, request)).ok_or("Url is not a valid URL")
        });
        let (address, request) = match request {
            Ok(ready) => ready,
            Err(sentence) => {
                attempt.error = Some(sentence);
                return (attempt, None);
            }
        };
        let seconds = u64::try_from(wall.as_seconds()).unwrap_or(0);
        let openings = Openings::of(instance);
        let again = fault.filter(|it| it.kind == FaultKind::WebhookDuplicate);
        let again = again.map(|_| request.clone());
        let (peer, answered) = self.client.send(&address, openings, request, seconds).await;
        let took = clock.monotonic_micros().saturating_sub(began) / 1_000;
        attempt.duration_ms = i64::try_from(took).unwrap_or(i64::MAX);
        attempt.peer = peer.map(|peer| peer.ip().to_string());
        match answered {
            Ok(answered) => {
                let is_good = (200..300).contains(&answered.status);
                attempt.outcome = if is_good { Outcome::Delivered } else { Outcome::Refused };
                attempt.status = Some(answered.status);
                attempt.response = answered.body;
                attempt.retry_after = answered.retry_after;
            }
            Err(failure) => {
                attempt.outcome = failure.outcome;
                attempt.error = Some(failure.sentence);
            }
        }
        (attempt, again.map(|request| Again { address, request, seconds }))
    }

    async fn record(self: Arc<Self>, mut incoming: mpsc::Receiver<Attempt>) {
        let mut attempts = Vec::with_capacity(RECORDED_TOGETHER);
        while incoming.recv_many(&mut attempts, RECORDED_TOGETHER).await > 0 {
            let written: Arc<[Attempt]> = attempts.drain(..).collect();
            self.write(written).await;
            crash::point("webhook.recorded");
            self.woken.notify_one();
        }
    }

    async fn write(&self, attempts: Arc<[Attempt]>) {
        for turn in 1..=WRITES_MAX {
            let attempts = attempts.clone();
            let written = self.db.write(move |tx: &mut Tx| {
                let attempts = attempts.clone();
                Box::pin(async move { record::record(tx, &attempts).await })
            });
            match written.await {
                Ok(()) => return,
                Err(error) if turn == WRITES_MAX => {
                    tracing::error!(what = "webhook attempts", %error, "background work failed");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50 << turn)).await,
            }
        }
    }
}

fn failed<T: Default>(error: StoreError) -> T {
    tracing::error!(what = "webhooks", %error, "background work failed");
    T::default()
}

/// New events, those that are sent again, and the validations of the week, to deliveries; how many.
async fn hand_all_on(tx: &mut Tx) -> Result<usize, StoreError> {
    let handed_on = relay::hand_on(tx).await? + feed::feed(tx).await?;
    let handed_on = handed_on + weekly::begin(tx).await?;
    crash::point("webhook.handed_on");
    Ok(handed_on)
}

/// What is ours to send, and its place among what is under way.
struct Seated {
    claimed: Claimed,
    seat: Seat,
}

/// What a turn has done.
#[derive(Default)]
struct Done {
    claimed: Vec<Seated>,
    is_more: bool,
}

/// Waits until an event was committed or the clock was moved, or may have been.
async fn event(hints: &mut broadcast::Receiver<Hint>) {
    loop {
        match hints.recv().await {
            Ok(Hint::Events | Hint::Clock) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // The store is gone; whoever waits is told to stop by other means.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// When something is due next after a moment of the instance's clock; for a clock that is advanced.
pub async fn next_due(
    q: &mut impl Query,
    after: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let sql = Sql::fixed(
        "SELECT MIN(l.due_at) FROM (SELECT CASE WHEN broken_until > ready_at THEN broken_until \
         ELSE ready_at END AS due_at FROM webhook_lanes \
         WHERE ready_at IS NOT NULL AND is_paused = FALSE) l WHERE l.due_at > $1",
        [after.0.into()],
    );
    let lane = q.rows(&sql).await?.scalar().and_then(Value::int).map(Timestamp);
    let week = weekly::next(q, after).await?;
    Ok(lane.into_iter().chain(week).min())
}

/// Whether something is under way, due, or not yet handed on to those who listen.
pub async fn at_work(
    q: &mut impl Query,
    now: Timestamp,
    wall: Timestamp,
) -> Result<bool, StoreError> {
    // In the order in which things go on, so that nothing slips through between two looks; and
    // where they go round (a probe follows a probe), in one look.
    let round = Sql::fixed(
        "SELECT 1 FROM webhook_validations WHERE repeats_at <= $1 UNION ALL \
         SELECT 1 FROM webhook_deliveries WHERE state = 'leased' UNION ALL \
         SELECT 1 FROM webhook_lanes WHERE is_paused = FALSE AND ready_at IS NOT NULL \
         AND ready_at <= $1 \
         AND (broken_until IS NULL OR broken_until <= $1 OR broken_until_wall <= $2) LIMIT 1",
        [now.0.into(), wall.0.into()],
    );
    Ok(feed::any(q).await?
        || (relay::anybody_listens(q).await? && ward_store::events::any_unrelayed(q).await?)
        || !q.rows(&round).await?.is_empty())
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod others;
#[cfg(test)]
mod schedule;
#[cfg(test)]
pub(crate) mod trial;
