//! The one consumer of effect intents.
//!
//! At least once: a worker that dies between a send and its record leaves the job to the next one,
//! which sends again. What was sent is recorded only by who still holds the job's lease, so two
//! workers never both record (ISO-32).

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use ward_instance::{IsoError, crash};
use ward_store::blobs::{BlobStore, TellFind};
use ward_store::intents::{self, MayReach, job_kind};
use ward_store::jobs::{self, Job};
use ward_store::room::KeepRoom;
use ward_store::system::{EffectClass, EffectRow, EffectState};
use ward_store::{Db, StoreError, Tx, Uuid};

use crate::cohort;
use crate::env::{Env, Ports};
use crate::message::message;
use crate::policy::{self, EffectMode};
use crate::port::Sent;
use crate::release::EXPIRED;

mod look;
mod record;
mod report;

use record::{Hooks, Verdict, judged, verdict};
use report::End;
pub use report::Report;

/// How long a job is a worker's; renewed before each send. Longer than all sends of a batch take,
/// each of which ends within 30 seconds: a connector's promise.
pub const LEASE: Duration = Duration::from_secs(150);

/// Jobs of a batch: few, so that a stop waits for few.
const AT_ONCE: usize = 4;

/// The kinds of jobs by class, in the order of [`EffectClass::ALL`].
const KINDS: [&str; 6] = [
    job_kind(EffectClass::AccountMail),
    job_kind(EffectClass::Email),
    job_kind(EffectClass::Sms),
    job_kind(EffectClass::Push),
    job_kind(EffectClass::Video),
    job_kind(EffectClass::Scan),
];

/// Why an intent waits: its class is off.
const SWITCHED_OFF: &str = "its class is switched off";

/// Why an intent waits: it reaches nobody of the cohort.
const OUTSIDE: &str = "its class is at its cohort, and whom it reaches is not in it";

/// Why an intent fails that is wanted no more.
const UNWANTED: &str = "whom it reaches wants no more of its class";

/// Why an intent fails whose person is told nothing any more.
const UNREACHED: &str = "whom it reaches is told nothing any more";

/// The kinds of jobs that a dispatcher takes.
pub const fn kinds() -> &'static [&'static str] {
    &KINDS
}

/// The kind of jobs of one class.
const fn kinds_of(class: EffectClass) -> &'static [&'static str] {
    match class {
        EffectClass::AccountMail => &[KINDS[0]],
        EffectClass::Email => &[KINDS[1]],
        EffectClass::Sms => &[KINDS[2]],
        EffectClass::Push => &[KINDS[3]],
        EffectClass::Video => &[KINDS[4]],
        EffectClass::Scan => &[KINDS[5]],
    }
}

/// What is known of a job's intent before anything is sent.
enum Found {
    Ready(Box<EffectRow>),
    Waiting,
    Failed,
    Settled,
    Lost,
}

/// Does what intents want, through the connectors of the environment `E`.
pub struct Dispatcher<E: Env> {
    db: Db,
    ports: Ports<E>,
    hooks: Hooks,
    may_reach: Option<MayReach>,
    files: Option<Arc<dyn BlobStore>>,
}

impl<E: Env> Dispatcher<E> {
    /// A dispatcher of the instance whose database this is. Refuses the other environment's.
    pub fn new(db: Db, ports: Ports<E>) -> Result<Self, IsoError> {
        let kind = db.instance().kind();
        if kind == E::KIND {
            let hooks = Hooks::default();
            return Ok(Dispatcher { db, ports, hooks, may_reach: None, files: None });
        }
        Err(IsoError::new(
            "ISO-26",
            format!(
                "the database is a {}'s and the connectors are of {}",
                kind.title(),
                E::KIND.title()
            ),
            "wire the connectors by the certificate's witness",
        ))
    }

    /// With what keeps the rooms that are made.
    #[must_use]
    pub fn keeping_rooms(mut self, keep: KeepRoom) -> Self {
        self.hooks.keep_room = Some(keep);
        self
    }

    /// With what says whether somebody may be told anything; asked of each effect when it is due, and
    /// again when it is tried again.
    #[must_use]
    pub fn asking(mut self, may_reach: MayReach) -> Self {
        self.may_reach = Some(may_reach);
        self
    }

    /// With what tells the practice of a threat that was found in a file.
    #[must_use]
    pub fn telling(mut self, tell: TellFind) -> Self {
        self.hooks.tell_find = Some(tell);
        self
    }

    /// With where stored files are; without, nobody looks at them.
    #[must_use]
    pub fn reading(mut self, files: Arc<dyn BlobStore>) -> Self {
        self.files = Some(files);
        self
    }

    /// Whether effects of a class are handed over, when the class is on.
    pub fn is_connected(&self, class: EffectClass) -> bool {
        self.ports.is_connected(class) && (class != EffectClass::Scan || self.files.is_some())
    }

    /// Does everything that is due on the instance's clock, also what becomes due meanwhile.
    pub async fn run_due(&self) -> Result<Report, StoreError> {
        let mut report = Report::default();
        loop {
            let batch = self.run_batch().await?;
            if batch.total() == 0 {
                return Ok(report);
            }
            report.add(batch);
        }
    }

    /// Takes some due jobs of all classes and does them, one after another; nothing is due when
    /// the report is empty.
    pub async fn run_batch(&self) -> Result<Report, StoreError> {
        self.batch(kinds()).await
    }

    /// The same of one class.
    pub async fn run_class(&self, class: EffectClass) -> Result<Report, StoreError> {
        self.batch(kinds_of(class)).await
    }

    async fn batch(&self, kinds: &'static [&'static str]) -> Result<Report, StoreError> {
        let mut report = Report::default();
        for job in jobs::claim(&self.db, kinds, AT_ONCE, LEASE).await? {
            let job = Arc::new(job);
            let end = match self.run(&job).await {
                Ok(end) => end,
                Err(StoreError::Conflict) => End::Lost,
                Err(error) => {
                    tracing::warn!(job = %job.id, %error, "an effect was not recorded");
                    self.give_back(&job, error.to_string()).await?;
                    End::Error
                }
            };
            report.count(end);
        }
        Ok(report)
    }

    async fn run(&self, job: &Arc<Job>) -> Result<End, StoreError> {
        let intent_id = intent_of(job)?;
        let intent = match self.look_up(job, &intent_id).await? {
            Found::Ready(intent) => intent,
            Found::Waiting => return Ok(End::Waiting),
            Found::Failed => return Ok(End::Failed),
            Found::Settled => return Ok(End::Settled),
            Found::Lost => return Ok(End::Lost),
        };
        crash::point("effect.claimed");
        let verdict = match intent.class {
            EffectClass::Scan => self.look(job, Uuid(intent.to_sealed)).await?,
            _ => self.send(job, *intent).await,
        };
        crash::point("effect.sent");
        let end = self.record(job, intent_id, verdict).await;
        crash::point("effect.recorded");
        end
    }

    /// Hands the message of an intent over.
    async fn send(&self, job: &Job, intent: EffectRow) -> Verdict {
        let (sent, order) = match message(&self.db, intent) {
            Ok(message) => (self.ports.send(&message).await, message.content.order),
            Err(error) => (Sent::Failed { reason: error.to_string(), retry: false }, None),
        };
        verdict(job, sent, order)
    }

    /// Has the file looked at that an intent names.
    async fn look(&self, job: &Job, file: Uuid) -> Result<Verdict, StoreError> {
        let files = self.files.as_deref();
        let found = look::look(&self.db, files, &self.ports.scan, (job.org_id, &file)).await?;
        Ok(judged(job, file, found))
    }

    /// The intent, if it is still to be done and the job still ours.
    async fn look_up(&self, job: &Arc<Job>, id: &Uuid) -> Result<Found, StoreError> {
        let (job, id, may_reach) = (Arc::clone(job), id.clone(), self.may_reach);
        self.db
            .write(move |tx| {
                let (job, id) = (Arc::clone(&job), id.clone());
                Box::pin(async move { look_up_in(tx, &job, &id, may_reach).await })
            })
            .await
    }

    /// Records an attempt, unless the job is another worker's by now.
    async fn record(&self, job: &Arc<Job>, id: Uuid, verdict: Verdict) -> Result<End, StoreError> {
        let (job, hooks) = (Arc::clone(job), self.hooks);
        self.db
            .write(move |tx| {
                let (job, id, verdict) = (Arc::clone(&job), id.clone(), verdict.clone());
                Box::pin(async move { record::record(tx, &job, &id, &verdict, hooks).await })
            })
            .await
    }

    async fn give_back(&self, job: &Arc<Job>, error: String) -> Result<bool, StoreError> {
        let job = Arc::clone(job);
        self.db
            .write(move |tx| {
                let (job, error) = (Arc::clone(&job), error.clone());
                Box::pin(async move { jobs::fail(tx, &job, &error).await })
            })
            .await
    }
}

#[derive(Deserialize)]
struct JobPayload {
    intent: String,
}

fn intent_of(job: &Job) -> Result<Uuid, StoreError> {
    let payload = serde_json::from_str::<JobPayload>(&job.payload);
    let payload = payload.map_err(|_| StoreError::corrupt("jobs", "an effect without intent"))?;
    Ok(Uuid(payload.intent))
}

async fn look_up_in(
    tx: &mut Tx,
    job: &Job,
    id: &Uuid,
    may_reach: Option<MayReach>,
) -> Result<Found, StoreError> {
    if !jobs::heartbeat(tx, job, LEASE).await? {
        return Ok(Found::Lost);
    }
    let intent = intents::intent(tx, job.org_id, id).await?;
    if let Some(intent) = intent
        && matches!(intent.state, EffectState::Queued | EffectState::Waiting)
    {
        if let Some(why) = outlived(tx, &intent, may_reach).await? {
            intents::mark_failed(tx, job.org_id, id, why, true).await?;
            jobs::complete(tx, job).await?;
            return Ok(Found::Failed);
        }
        let kind = tx.instance().kind();
        let why = match policy::policy(tx, kind, intent.class).await?.mode {
            EffectMode::Live => return Ok(Found::Ready(Box::new(intent))),
            EffectMode::Cohort if cohort::includes(tx, &intent).await? => {
                return Ok(Found::Ready(Box::new(intent)));
            }
            EffectMode::Cohort => OUTSIDE,
            EffectMode::Off => SWITCHED_OFF,
        };
        intents::mark_waiting(tx, job.org_id, id, why).await?;
        jobs::complete(tx, job).await?;
        return Ok(Found::Waiting);
    }
    jobs::complete(tx, job).await?;
    Ok(Found::Settled)
}

/// Why an intent is not to be sent any more that was to be when it was made.
async fn outlived(
    tx: &mut Tx,
    intent: &EffectRow,
    may_reach: Option<MayReach>,
) -> Result<Option<&'static str>, StoreError> {
    if intent.expires_at.is_some_and(|at| at <= tx.now()) {
        return Ok(Some(EXPIRED));
    }
    if let (Some(may_reach), Some(person)) = (may_reach, person_of(intent))
        && !may_reach(tx, intent.org_id, person).await?
    {
        return Ok(Some(UNREACHED));
    }
    // Of a device, what it tells is asked of the device; an account's own mail nobody can stop.
    let is_asked = !matches!(intent.class, EffectClass::Push | EffectClass::AccountMail);
    Ok((is_asked && intents::is_unwanted(tx, intent).await?).then_some(UNWANTED))
}

/// Whom an intent reaches: the client concerned where account mail names nobody else.
fn person_of(intent: &EffectRow) -> Option<i64> {
    let concerned = intent.subject_id.filter(|_| intent.class == EffectClass::AccountMail);
    intent.recipient_id.or(concerned)
}
