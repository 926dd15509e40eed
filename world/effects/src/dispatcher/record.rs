//! What an attempt came to, and how that is recorded.

use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::blobs::{self, FileScan, TellFind};
use ward_store::jobs::{self, Job};
use ward_store::room::{KeepRoom, Room, RoomOrder};
use ward_store::system::{AuditType, EffectOutcome};
use ward_store::{Actor, Scope, StoreError, Tx, Uuid, intents};

use super::report::End;
use crate::port::Sent;
use crate::scanner::Judged;

/// Why an intent waits: there is no connector.
const NOT_CONNECTED: &str = "no connector of its class is there";

/// The longest name of a threat that is kept, in characters.
const THREAT_CHARS: usize = 200;

/// What is to be recorded of an attempt.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Done,
    Made(Box<(RoomOrder, Room)>),
    /// The file, and what was found in it.
    Looked(Uuid, Option<String>),
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

/// What a look at a file comes to; none where the file is gone, which is all that was to be done.
pub(super) fn judged(job: &Job, file: Uuid, found: Option<Judged>) -> Verdict {
    match found {
        None => Verdict::Done,
        Some(Judged::Clean) => Verdict::Looked(file, None),
        Some(Judged::Found { threat }) => {
            let threat = threat.chars().filter(|it| !it.is_control()).take(THREAT_CHARS);
            Verdict::Looked(file, Some(threat.collect()))
        }
        Some(Judged::NotConnected) => Verdict::Waiting,
        Some(Judged::Failed { reason, retry }) => {
            verdict(job, Sent::Failed { reason, retry }, None)
        }
    }
}

/// What the practice does in the transaction that records what an attempt came to.
#[derive(Clone, Copy, Default)]
pub(super) struct Hooks {
    /// Keeps a room that was made.
    pub(super) keep_room: Option<KeepRoom>,
    /// Tells of a threat that was found in a file.
    pub(super) tell_find: Option<TellFind>,
}

/// Records it, what the practice keeps of a room, and how a file stands. An error, which undoes it,
/// when the job is another worker's by now.
pub(super) async fn record(
    tx: &mut Tx,
    job: &Job,
    id: &Uuid,
    verdict: &Verdict,
    hooks: Hooks,
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
            if let Some(keep) = hooks.keep_room {
                keep(tx, org_id, order, room).await?;
            }
            intents::mark_done(tx, org_id, id).await?;
            (End::Done, jobs::complete(tx, job).await?)
        }
        Verdict::Looked(file, threat) => {
            look_ended(tx, (org_id, file), threat.as_deref(), hooks.tell_find).await?;
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

/// Writes down how a file stands. What was found in it is told in the audit log, and to whoever
/// reads the server's own, without the file's name.
async fn look_ended(
    tx: &mut Tx,
    (org_id, file): (i64, &Uuid),
    threat: Option<&str>,
    tell: Option<TellFind>,
) -> Result<(), StoreError> {
    let was = blobs::judge(tx, org_id, file, threat).await?;
    let (Some(threat), Some(was)) = (threat, was) else { return Ok(()) };
    tracing::warn!(%file, %threat, "malware was found in a stored file");
    let actor = Actor::system(org_id);
    let mut entry = AuditEntry::by(&actor, AuditType::Update, "FILE", file.0.as_str());
    entry.changes = vec![
        AuditChange::new("scan", None, Some(FileScan::Found.as_str())),
        AuditChange::new("threat", None, Some(threat)),
    ];
    Scope::new(tx, &actor).record(entry);
    match tell {
        Some(tell) => tell(tx, org_id, file, threat, was).await,
        None => Ok(()),
    }
}
