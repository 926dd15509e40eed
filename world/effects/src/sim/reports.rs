//! What becomes of simulated messages after they were handed over, as a provider would tell it
//! later: each report is a job at its time on the instance's clock.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use ward_store::jobs::{self, Job, MAX_BATCH, NewJob};
use ward_store::system::EffectOutcome;
use ward_store::{Query, Sql, StoreError, Tx, Uuid, intents};

use crate::dispatcher::LEASE;
use crate::message::Message;
use crate::sim::magic::Chain;
use crate::sim::simulator::Simulator;

/// The kind of job.
const KIND: &str = "simulated_report";

/// The reports that are still to come about a message.
#[derive(Serialize, Deserialize)]
struct Reports {
    message: String,
    intent: String,
    /// Seconds after the one before, and what is told.
    chain: Vec<(i64, String)>,
}

/// Sees to it that a message's reports come.
pub(crate) async fn plan(
    tx: &mut Tx,
    message: &Message,
    id: &Uuid,
    chain: Chain,
) -> Result<(), StoreError> {
    let told = chain.iter().map(|(seconds, outcome)| (*seconds, outcome.as_str().to_owned()));
    let (message_id, intent) = (id.0.clone(), message.intent_id.0.clone());
    let reports = Reports { message: message_id, intent, chain: told.collect() };
    next(tx, message.org_id, &reports).await
}

/// Makes the job of the first report that is to come.
async fn next(tx: &mut Tx, org_id: i64, reports: &Reports) -> Result<(), StoreError> {
    let Some((seconds, _)) = reports.chain.first() else { return Ok(()) };
    let payload = serde_json::to_value(reports)
        .map_err(|error| StoreError::internal(format!("a report has no JSON: {error}")))?;
    let not_before = Some(tx.now().plus_seconds(*seconds));
    let job = NewJob { not_before, ..NewJob::new(org_id, KIND, payload) };
    jobs::enqueue(tx, job).await.map(drop)
}

impl Simulator {
    /// Tells some of the reports that are due; how many.
    pub async fn report_batch(&self) -> Result<u64, StoreError> {
        let mut told = 0;
        for job in jobs::claim(self.db(), &[KIND], MAX_BATCH, LEASE).await? {
            let job = Arc::new(job);
            self.db()
                .write(move |tx| {
                    let job = Arc::clone(&job);
                    Box::pin(async move { tell(tx, &job).await })
                })
                .await?;
            told += 1;
        }
        Ok(told)
    }
}

async fn tell(tx: &mut Tx, job: &Job) -> Result<(), StoreError> {
    if !jobs::complete(tx, job).await? {
        return Ok(());
    }
    let unreadable = || StoreError::corrupt("jobs", "a report does not decode");
    let mut reports: Reports = serde_json::from_str(&job.payload).map_err(|_| unreadable())?;
    if reports.chain.is_empty() {
        return Err(unreadable());
    }
    let (_, told) = reports.chain.remove(0);
    let outcome = EffectOutcome::from_text(&told).ok_or_else(unreadable)?;
    let sql = Sql::fixed(
        "UPDATE simulated_messages SET state = $1 WHERE org_id = $2 AND id = $3",
        [outcome.as_str().into(), job.org_id.into(), reports.message.as_str().into()],
    );
    tx.execute(&sql).await?;
    intents::report(tx, job.org_id, &Uuid(reports.intent.clone()), outcome).await?;
    next(tx, job.org_id, &reports).await
}
