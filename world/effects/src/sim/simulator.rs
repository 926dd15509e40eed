//! The Sandbox's connectors: what they are given is kept in the database, and sent to nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ward_instance::{Kind, SandboxWitness, Timestamp};
use ward_store::system::EffectOutcome;
use ward_store::{Actor, Db, Query, Scope, Sql, StoreError, Tx, Uuid, keyring};

use crate::about::About;
use crate::message::Message;
use crate::port::{Port, Sent};
use crate::sim::magic::Chain;
use crate::sim::rooms::{self, Answer};
use crate::sim::tables::{Medium, SIMULATED_MESSAGES, SimulatedMessage};
use crate::sim::{magic, reports};

/// The simulator of every class. It opens no socket; what it is given is read with
/// [`crate::inbox`], and what becomes of it is told by [`Simulator::report_batch`].
#[derive(Clone)]
pub struct Simulator {
    db: Db,
}

impl Simulator {
    /// The simulator of the Sandbox whose database this is.
    pub fn new(_: &SandboxWitness, db: Db) -> Self {
        Simulator { db }
    }

    pub(crate) const fn db(&self) -> &Db {
        &self.db
    }

    /// Keeps the message, once for its intent, with what is told of it later; its id.
    async fn keep(&self, message: &Message, chain: Chain) -> Result<Uuid, StoreError> {
        if self.db.instance().kind() != Kind::Sandbox {
            return Err(StoreError::internal("a simulator on a Production database"));
        }
        let message = Arc::new(message.clone());
        self.db
            .write(move |tx| {
                let message = Arc::clone(&message);
                Box::pin(async move { keep_in(tx, &message, chain).await })
            })
            .await
    }
}

impl Port for Simulator {
    fn is_connected(&self) -> bool {
        true
    }

    async fn send(&self, message: &Message) -> Sent {
        match &message.content.order {
            None => self.kept(message, magic::chain(message.class, &message.to)).await,
            Some(order) => {
                let answer = rooms::answer(self.db.instance(), message.org_id, order);
                self.ordered(message, answer).await
            }
        }
    }
}

impl Simulator {
    async fn kept(&self, message: &Message, chain: Chain) -> Sent {
        match self.keep(message, chain).await {
            Ok(id) => Sent::Done { reference: id.0 },
            Err(error) => Sent::Failed {
                reason: format!("the simulator can't keep the message: {error}"),
                retry: true,
            },
        }
    }

    /// What becomes of an order of a room. The inbox shows the addresses, too.
    async fn ordered(&self, message: &Message, answer: Answer) -> Sent {
        let mut message = message.clone();
        let text = &mut message.content.text;
        let (end, line, chain) = match answer {
            Answer::Silent => {
                let reason = "the video service does not answer".to_owned();
                return Sent::Failed { reason, retry: true };
            }
            Answer::Refused => {
                let reason = "the video service refuses the room".to_owned();
                let line = format!("\n{reason}");
                (Some(Sent::Failed { reason, retry: false }), line, magic::REFUSED)
            }
            Answer::Closed => (None, String::new(), magic::TAKEN),
            Answer::Made(room) => {
                let line = format!(
                    "\nmeeting {}\njoin {}\nstart {}",
                    room.meeting_id, room.join_url, room.start_url
                );
                (Some(Sent::Made { room }), line, magic::TAKEN)
            }
        };
        text.push_str(&line);
        match (self.kept(&message, chain).await, end) {
            (Sent::Done { .. }, Some(end)) => end,
            (kept, _) => kept,
        }
    }
}

async fn keep_in(tx: &mut Tx, message: &Message, chain: Chain) -> Result<Uuid, StoreError> {
    let kept = Sql::fixed(
        "SELECT id FROM simulated_messages WHERE org_id = $1 AND intent_id = $2",
        [message.org_id.into(), message.intent_id.0.as_str().into()],
    );
    if let Some(id) = tx.rows(&kept).await?.scalar().and_then(|id| id.text()) {
        return Ok(Uuid(id.to_owned()));
    }
    let row = row_of(tx, message)?;
    let actor = Actor::system(message.org_id);
    Scope::new(tx, &actor).create(&row).await?;
    reports::plan(tx, message, &row.id, chain).await?;
    Ok(row.id)
}

fn row_of(tx: &Tx, message: &Message) -> Result<SimulatedMessage, StoreError> {
    let class = Medium::of(message.class);
    let class = class.ok_or_else(|| StoreError::internal("a look at a file is no message"))?;
    let (about_type, about_id) = match message.about.clone() {
        Some(About { kind, id }) => (Some(kind), Some(id)),
        None => (None, None),
    };
    Ok(SimulatedMessage {
        id: tx.uuid(),
        org_id: message.org_id,
        class,
        to_address: message.to.clone(),
        to_index: address_index(tx.instance(), message.org_id, &message.to),
        kind: message.kind.clone(),
        about_type,
        about_id,
        subject: message.content.subject.clone(),
        text: message.content.text.clone(),
        html: message.content.html.clone(),
        state: EffectOutcome::Sent,
        created_at: tx.now(),
        arrived_at: order_of_arrival(tx.wall()),
        cause: message.cause.clone(),
        intent_id: message.intent_id.clone(),
    })
}

/// The digest by which an address is found; upper and lower case are one.
pub(crate) fn address_index(
    instance: &ward_instance::Instance,
    org_id: i64,
    address: &str,
) -> Vec<u8> {
    let address = address.trim().to_lowercase();
    keyring::blind_index(instance, org_id, SIMULATED_MESSAGES.name, "to_address", &address)
}

/// Microseconds of the wall clock, but larger at every call: a stopped clock keeps the order.
fn order_of_arrival(wall: Timestamp) -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(0);
    let next = |last: i64| wall.0.max(last.saturating_add(1));
    match LAST.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last))) {
        Ok(last) | Err(last) => next(last),
    }
}
