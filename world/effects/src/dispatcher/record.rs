//! What an attempt came to, and how that is recorded.

use ward_store::jobs::{self, Job};
use ward_store::room::{KeepRoom, Room, RoomOrder};
use ward_store::system::EffectOutcome;
use ward_store::{StoreError, Tx, Uuid, intents};

use super::report::End;
use crate::port::Sent;

/// Why an intent waits: there is no connector.
const NOT_CONNECTED: &str = "no connector of its class is there";

/// What is to be recorded of an attempt.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Done,
    Made(Box<(RoomOrder, Room)>),
    Waiting,
    Retry(String),
    Failed(String),
    Gone(String),
}

/// What a send comes to; `order` is what was ordered, of a room.
pub(super) fn verdict(job: &Job, sent: Sent, order: Option<RoomOrder>) -> Verdict {
    match sent {
        Sent::Done { reference } => {
            tracing::debug!(job = %job.id, %reference, "an effect was handed over");
            Verdict::Done
        }
        Sent::Made { room } => match order {
            Some(order) => Verdict::Made(Box::new((order, room))),
            None => Verdict::Failed("a room was made that nobody ordered".to_owned()),
        },
        Sent::NotConnected => Verdict::Waiting,
        Sent::Gone { reason } => Verdict::Gone(reason),
        Sent::Failed { reason, retry } if retry && job.attempts < job.max_attempts => {
            Verdict::Retry(reason)
        }
        Sent::Failed { reason, .. } => {
            tracing::warn!(job = %job.id, %reason, "an effect failed for good");
            Verdict::Failed(reason)
        }
    }
}

/// Records it, and what the practice keeps of a room. An error, which undoes it, when the job is
/// another worker's by now.
pub(super) async fn record(
    tx: &mut Tx,
    job: &Job,
    id: &Uuid,
    verdict: &Verdict,
    keep: Option<KeepRoom>,
) -> Result<End, StoreError> {
    let org_id = job.org_id;
    let (end, held) = match verdict {
        Verdict::Done => {
            intents::mark_done(tx, org_id, id).await?;
            (End::Done, jobs::complete(tx, job).await?)
        }
        Verdict::Made(made) => {
            let (order, room) = made.as_ref();
            // Where a later order took its place meanwhile, `keep` knows and keeps nothing. It holds
            // the appointment, which whoever changes one holds before its orders.
            if let Some(keep) = keep {
                keep(tx, org_id, order, room).await?;
            }
            intents::mark_done(tx, org_id, id).await?;
            (End::Done, jobs::complete(tx, job).await?)
        }
        Verdict::Waiting => {
            intents::mark_waiting(tx, org_id, id, NOT_CONNECTED).await?;
            (End::Waiting, jobs::complete(tx, job).await?)
        }
        Verdict::Retry(reason) => {
            // What was given up meanwhile is not tried again, nor does a later order wait for it.
            match intents::mark_failed(tx, org_id, id, reason, false).await? {
                true => (End::Retried, jobs::fail(tx, job, reason).await?),
                false => (End::Settled, jobs::complete(tx, job).await?),
            }
        }
        Verdict::Failed(reason) => {
            intents::mark_failed(tx, org_id, id, reason, true).await?;
            (End::Failed, jobs::complete(tx, job).await?)
        }
        Verdict::Gone(reason) => {
            intents::mark_failed(tx, org_id, id, reason, true).await?;
            intents::report(tx, org_id, id, EffectOutcome::Undeliverable).await?;
            (End::Failed, jobs::complete(tx, job).await?)
        }
    };
    if held { Ok(end) } else { Err(StoreError::Conflict) }
}
