//! What is to happen outside: recorded with the change that wants it, done
//! later by the one dispatcher.

use futures_util::future::BoxFuture;
use ward_instance::Timestamp;

use crate::codec;
use crate::core::Hint;
use crate::error::StoreError;
use crate::jobs::{self, NewJob};
use crate::query::Query;
use crate::system::{EFFECT_INTENTS, EffectClass, EffectOutcome, EffectRow, EffectState};
use crate::tx::Tx;
use crate::types::Uuid;
use crate::value::Sql;

/// The kind of job that does effects of a class; its payload names the intent. Each class has its
/// own, so that none waits for another's slow provider.
pub const fn job_kind(class: EffectClass) -> &'static str {
    match class {
        EffectClass::AccountMail => "effect_account_mail",
        EffectClass::Email => "effect_email",
        EffectClass::Sms => "effect_sms",
        EffectClass::Push => "effect_push",
        EffectClass::Video => "effect_video",
        EffectClass::Scan => "effect_scan",
    }
}

/// For so long an effect is kept that happened and of which nothing bad was told.
pub const KEPT_MICROS: i64 = 180 * 24 * 3_600 * 1_000_000;

/// Why an effect is given up whose device is its receiver's no more; such a one is not tried again
/// either: the device may be somebody else's by now.
pub const WITHDRAWN: &str = "the device was given away";

/// Why an effect is given up in whose place another is wanted; it is not tried again either.
pub const SUPERSEDED: &str = "a later order took its place";

/// Whether the person of an organization may be told anything at this moment: what the practice
/// knows of people and the door to the world does not.
pub type MayReach = for<'a> fn(&'a mut Tx, i64, i64) -> BoxFuture<'a, Result<bool, StoreError>>;

/// Errors are cut to so many characters.
const MAX_ERROR_CHARS: usize = 500;

/// An effect that a change wants.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectIntent {
    /// By which way.
    pub class: EffectClass,
    /// What it is: `reset_password`, `welcome`.
    pub kind: &'static str,
    /// To whom: an address of the class.
    pub to: String,
    /// What the text is made of.
    pub payload: serde_json::Value,
    /// The client concerned.
    pub subject_client: Option<i64>,
    /// The person whom it reaches; none of a room that is given up, which no cohort holds back, and
    /// of account mail that goes to the client concerned, or to nobody's account.
    pub recipient: Option<i64>,
    /// The request that led here.
    pub cause: String,
    /// The organization makes one effect of a key, whatever happens.
    pub idempotency_key: String,
    /// Not before, on the instance's clock.
    pub not_before: Option<Timestamp>,
    /// From then on it is not sent any more, but fails, on the instance's clock.
    pub expires_at: Option<Timestamp>,
}

/// Records an effect for an organization, and the job that will do it. False
/// when the organization has one of this key already.
pub async fn intend(tx: &mut Tx, org_id: i64, intent: EffectIntent) -> Result<bool, StoreError> {
    let now = tx.now();
    let row = EffectRow {
        id: tx.uuid(),
        org_id,
        class: intent.class,
        kind: intent.kind.to_owned(),
        to_sealed: intent.to,
        payload: intent.payload.to_string(),
        subject_id: intent.subject_client,
        recipient_id: intent.recipient,
        state: EffectState::Queued,
        attempts: 0,
        cause: intent.cause,
        idempotency_key: intent.idempotency_key,
        not_before: intent.not_before.unwrap_or(now),
        expires_at: intent.expires_at,
        created_at: now,
        done_at: None,
        last_error: None,
        outcome: None,
        outcome_at: None,
    };
    if !codec::insert_or_ignore(tx, &row).await? {
        return Ok(false);
    }
    enqueue(tx, &row, row.not_before).await?;
    tx.pending.wants(&row.id);
    Ok(true)
}

/// The job of an intent; one at a time. Orders of one room are done one after another: the service
/// would not know which is the later.
async fn enqueue(tx: &mut Tx, row: &EffectRow, not_before: Timestamp) -> Result<(), StoreError> {
    let class = row.class;
    let is_video = class == EffectClass::Video;
    let payload = serde_json::json!({ "intent": row.id.0 });
    let job = NewJob {
        not_before: Some(not_before),
        dedupe_key: Some(row.id.0.clone()),
        serial_key: is_video.then(|| format!("room:{}", row.to_sealed)),
        ..NewJob::new(row.org_id, job_kind(class), payload)
    };
    jobs::enqueue(tx, job).await?;
    tx.on_commit(Hint::Effects(class));
    Ok(())
}

/// Gives up an effect that another takes the place of, if it has not happened yet; what would try
/// it again ends, and one that failed is not tried again either: it would undo the later one. One
/// that is being done at this moment ends by itself.
pub async fn supersede(
    tx: &mut Tx,
    org_id: i64,
    class: EffectClass,
    idempotency_key: &str,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "UPDATE effect_intents SET state = 'failed', last_error = $1 WHERE org_id = $2 \
         AND idempotency_key = $3 AND class = $4 AND (state IN ('queued', 'waiting') \
           OR (state = 'failed' AND COALESCE(last_error, '') <> $1))",
        [SUPERSEDED.into(), org_id.into(), idempotency_key.into(), class.as_str().into()],
    );
    if tx.execute(&sql).await? == 0 {
        return Ok(false);
    }
    let sql = Sql::fixed(
        "UPDATE jobs SET state = 'done', updated_at = $1 WHERE org_id = $2 AND kind = $3 \
         AND state = 'ready' AND dedupe_key IN (SELECT e.id FROM effect_intents e \
         WHERE e.org_id = $2 AND e.idempotency_key = $4)",
        [tx.now().0.into(), org_id.into(), job_kind(class).into(), idempotency_key.into()],
    );
    tx.execute(&sql).await?;
    Ok(true)
}

/// Gives up what has not happened yet of a person's effects by a class whose keys have this part,
/// and says why; how many.
pub async fn withdraw(
    tx: &mut Tx,
    org_id: i64,
    recipient: i64,
    (class, key_part): (EffectClass, String),
) -> Result<u64, StoreError> {
    let sql = Sql::fixed(
        "UPDATE effect_intents SET state = 'failed', last_error = $1 \
         WHERE org_id = $2 AND recipient_id = $3 AND class = $4 \
         AND state IN ('queued', 'waiting') AND idempotency_key LIKE $5",
        [
            WITHDRAWN.into(),
            org_id.into(),
            recipient.into(),
            class.as_str().into(),
            format!("%{key_part}%").into(),
        ],
    );
    tx.execute(&sql).await
}

/// Lets an effect be tried again that waits, failed for good, or whose job is dead; with all its
/// attempts. False when it is none of these, was withdrawn, or has another in its place.
pub async fn requeue(tx: &mut Tx, org_id: i64, id: &Uuid) -> Result<bool, StoreError> {
    let now = tx.now();
    let Some(row) = intent(tx, org_id, id).await? else { return Ok(false) };
    let sql = Sql::fixed(
        "UPDATE effect_intents SET state = 'queued', last_error = NULL \
         WHERE org_id = $1 AND id = $2 AND (state = 'waiting' \
           OR (state = 'failed' AND COALESCE(last_error, '') NOT IN ($4, $5)) \
           OR (state = 'queued' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.org_id = $1 \
               AND j.kind = $3 AND j.dedupe_key = $2 AND j.state IN ('ready', 'leased'))))",
        [
            org_id.into(),
            id.0.as_str().into(),
            job_kind(row.class).into(),
            WITHDRAWN.into(),
            SUPERSEDED.into(),
        ],
    );
    if tx.execute(&sql).await? != 1 {
        return Ok(false);
    }
    enqueue(tx, &row, now).await?;
    Ok(true)
}

/// What became of an effect after it was handed over, as its receiver's side tells. False when
/// there is no such effect.
pub async fn report(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    outcome: EffectOutcome,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "UPDATE effect_intents SET outcome = $1, outcome_at = $4 WHERE org_id = $2 AND id = $3",
        [outcome.as_str().into(), org_id.into(), id.0.as_str().into(), tx.now().0.into()],
    );
    Ok(tx.execute(&sql).await? == 1)
}

/// Gives up what waits of any class and would come too late by now, and says why; up to 1,000 at
/// once, how many.
pub async fn expire(tx: &mut Tx, reason: &str) -> Result<u64, StoreError> {
    let now = tx.now();
    tx.execute(&Sql::fixed(
        "UPDATE effect_intents SET state = 'failed', last_error = $1 WHERE id IN (\
         SELECT id FROM effect_intents WHERE state = 'waiting' AND expires_at <= $2 \
         ORDER BY expires_at LIMIT 1000) AND state = 'waiting'",
        [reason.into(), now.0.into()],
    ))
    .await
}

/// Whether the person whom an effect reaches told, by its class and since it was wanted, that they
/// want no more.
pub async fn is_unwanted(tx: &mut Tx, intent: &EffectRow) -> Result<bool, StoreError> {
    let Some(person) = intent.recipient_id else { return Ok(false) };
    let sql = Sql::fixed(
        "SELECT 1 FROM effect_intents WHERE org_id = $1 AND recipient_id = $2 AND class = $3 \
         AND outcome IN ('opted_out', 'complained') AND outcome_at >= $4 LIMIT 1",
        [
            intent.org_id.into(),
            person.into(),
            intent.class.as_str().into(),
            intent.created_at.0.into(),
        ],
    );
    Ok(!tx.rows(&sql).await?.is_empty())
}

/// One effect, with its address and payload opened.
pub async fn intent(tx: &mut Tx, org_id: i64, id: &Uuid) -> Result<Option<EffectRow>, StoreError> {
    let mut sql = Sql::fixed("SELECT ", [org_id.into(), id.0.as_str().into()]);
    sql.push(&codec::column_list(&EFFECT_INTENTS, "e"));
    sql.push(" FROM effect_intents e WHERE e.org_id = $1 AND e.id = $2 FOR_UPDATE");
    let rows = tx.rows(&sql).await?;
    match rows.iter().next() {
        Some(row) => codec::to_record(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// It happened. False when it was done before.
pub async fn mark_done(tx: &mut Tx, org_id: i64, id: &Uuid) -> Result<bool, StoreError> {
    mark(tx, org_id, id, EffectState::Done, None).await
}

/// An attempt failed: `last` when there will be no other.
pub async fn mark_failed(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    error: &str,
    last: bool,
) -> Result<bool, StoreError> {
    let state = if last { EffectState::Failed } else { EffectState::Queued };
    mark(tx, org_id, id, state, Some(error)).await
}

/// It is held back until somebody decides, for this reason.
pub async fn mark_waiting(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    reason: &str,
) -> Result<bool, StoreError> {
    mark(tx, org_id, id, EffectState::Waiting, Some(reason)).await
}

/// Deletes up to 1,000 effects that happened before the time for which they are kept; how many.
/// What did not happen, came back, or was answered with the wish for no more, stays: that is still
/// asked for.
pub async fn purge(tx: &mut Tx) -> Result<u64, StoreError> {
    let before = tx.now().minus_micros(KEPT_MICROS);
    tx.execute(&Sql::fixed(
        "DELETE FROM effect_intents WHERE id IN (SELECT id FROM effect_intents \
         WHERE state = 'done' AND outcome IN ('sent', 'delivered') AND done_at < $1 \
         ORDER BY done_at LIMIT 1000)",
        [before.0.into()],
    ))
    .await
}

async fn mark(
    tx: &mut Tx,
    org_id: i64,
    id: &Uuid,
    state: EffectState,
    error: Option<&str>,
) -> Result<bool, StoreError> {
    let attempt = i64::from(state != EffectState::Waiting);
    let done_at = (state == EffectState::Done).then(|| tx.now().0);
    let error: Option<String> = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect());
    let sql = Sql::fixed(
        "UPDATE effect_intents SET state = $1, attempts = attempts + $2, done_at = $3, \
         last_error = $4, outcome = CASE WHEN $1 = 'done' THEN COALESCE(outcome, 'sent') \
         ELSE outcome END \
         WHERE org_id = $5 AND id = $6 AND state IN ('queued', 'waiting')",
        [
            state.as_str().into(),
            attempt.into(),
            done_at.into(),
            error.into(),
            org_id.into(),
            id.0.as_str().into(),
        ],
    );
    Ok(tx.execute(&sql).await? == 1)
}
