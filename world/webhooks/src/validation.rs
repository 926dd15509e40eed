//! `validateWebhook` (beyond the contract): is the receiver ours, does it serve this environment,
//! and does it refuse what we did not send (ISO-38, ISO-39)?
//!
//! A validation is a row, and its probes are deliveries like all others: one after another, each
//! through the guard, within 10 seconds and in the log. What a probe's answer means, and which
//! comes next, is decided where the answer is written down (`judge`); what follows from the result
//! is in `policy`, and what is done each week in `weekly`.

mod judge;
pub mod policy;
pub mod table;
pub mod weekly;

use serde_json::json;
use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_store::{Cond, Id, Query, Scope, Sql, StoreError, Uuid, Value};

use crate::catalogue;
use crate::deliver::Attempt;
use crate::deliver::queue::{self, New};
use crate::lane;
use crate::payload::Told;
use crate::tables::{DeliveryCause, Probe, ValidationState, Webhook, WebhookValidation};
use crate::webhook::{named, requires};
use judge::Step;
pub use judge::explanation;

/// The event of the handshake: none that one can subscribe to.
const VERIFY: &str = "webhook.verify";

/// An event that there is not, and will not be.
const UNKNOWN: &str = "webhook.unknown";

/// Tells the second delivery of the genuine probe from the first; no replay has this number.
const SECOND: &str = "second";

/// No record has these ids: numbers below a million are given to none. The second stands where the
/// first was signed.
const NO_RECORD: i64 = 1;
const NO_OTHER_RECORD: i64 = 2;

/// How old a stale probe is.
pub const STALE_SECONDS: i64 = 3_600;

/// Random characters of a challenge.
const CHALLENGE_CHARACTERS: usize = 32;

/// Validations that an organization, with its sub-organizations, can begin in an hour.
pub const HOURLY_MAX: i64 = 100;

const HOUR: i64 = 3_600 * 1_000_000;

input! {
    /// `validateWebhookInput`.
    pub struct ValidateWebhook { id: Id<Webhook> }
}

/// Begins a validation in place of an earlier one. `Webhook.validation` tells how it goes.
pub async fn validate(call: &mut Call<'_>, input: &ValidateWebhook) -> Answer<Payload> {
    requires(call)?;
    let webhook = named(call, input.id.value()).await?;
    if !webhook.is_enabled && !policy::is_strict(call, &webhook).await? {
        let why = "Webhook is disabled. Enable it to send it something";
        return Err(Refused::on("id", why));
    }
    match begin(call, &webhook).await? {
        Begun::Yes => Ok(Payload::new().one("webhook", webhook.id.0)),
        Begun::UnderWay => {
            Err(Refused::on("id", "Webhook is being validated. Wait for the result"))
        }
        Begun::TooMany => {
            Err(Refused::base("An organization can begin 100 validations an hour. Try again later"))
        }
    }
}

/// Whether a validation was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    Yes,
    /// One is not at its end yet.
    UnderWay,
    /// More than [`HOURLY_MAX`].
    TooMany,
}

/// Begins one that a member asks for, unless one is under way or there were too many.
pub async fn begin(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<Begun, StoreError> {
    start(scope, webhook, false).await
}

async fn start(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    is_repeat: bool,
) -> Result<Begun, StoreError> {
    if !webhook.is_enabled {
        // Of what waits for a disabled webhook only probes are sent.
        lane::open(scope.tx, webhook.org_id.0, webhook.id).await?;
    }
    let before: Option<WebhookValidation> =
        scope.find_by(Cond::eq("webhook_id", webhook.id.0)).await?;
    if let Some(before) = &before
        && before.state == ValidationState::Running
        && waits(scope, webhook, &before.event_id).await?
    {
        return Ok(Begun::UnderWay);
    }
    if begun_lately(scope, webhook.org_id.0).await? >= HOURLY_MAX {
        return Ok(Begun::TooMany);
    }
    let event_id = send(scope, webhook, Probe::Handshake, None).await?;
    let id = match &before {
        Some(before) => before.id,
        None => scope.next_id().await?,
    };
    let previous = before.as_ref().and_then(|before| match before.state {
        ValidationState::Running => before.previous,
        state => Some(state),
    });
    let fresh = WebhookValidation {
        id,
        org_id: webhook.org_id,
        unit_id: webhook.unit_id,
        webhook_id: webhook.id,
        state: ValidationState::Running,
        previous,
        is_repeat,
        event_id,
        environment: None,
        is_challenge_answered: None,
        accepts_genuine: None,
        accepts_duplicate: None,
        accepts_unknown: None,
        accepts_forged: None,
        accepts_altered: None,
        accepts_stale: None,
        created_at: scope.now(),
        ended_at: None,
        repeats_at: weekly::after(scope.now()),
    };
    match before {
        Some(before) => drop(scope.update(&before, &fresh).await?),
        None => scope.create(&fresh).await?,
    }
    Ok(Begun::Yes)
}

/// Whether a probe is still to end; one that could not be read any more does not.
async fn waits(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    event_id: &Uuid,
) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT 1 FROM webhook_deliveries WHERE org_id = $1 AND webhook_id = $2 \
         AND event_id = $3 AND state IN ('pending', 'leased')",
        [webhook.org_id.0.into(), webhook.id.0.into(), event_id.0.as_str().into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

/// Handshakes of the last hour of the wall clock. They count whatever became of their webhooks:
/// another address, or another webhook, is no way around.
async fn begun_lately(scope: &mut Scope<'_>, org_id: i64) -> Result<i64, StoreError> {
    let since = scope.tx.wall().minus_micros(HOUR);
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM webhook_deliveries \
         WHERE org_id = $1 AND probe = 'handshake' AND started_at > $2",
        [org_id.into(), since.0.into()],
    );
    Ok(scope.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Puts a probe into the webhook's queue, before what waits there; the id that it has, which for a
/// duplicate is that of the event `sent` before.
async fn send(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    probe: Probe,
    sent: Option<&Uuid>,
) -> Result<Uuid, StoreError> {
    let challenge = scope.instance().random().base62(CHALLENGE_CHARACTERS);
    let challenge = json!({ "challenge": challenge }).to_string();
    let (event_type, extra) = match probe {
        Probe::Handshake => (VERIFY, challenge.as_str()),
        Probe::Unknown => (UNKNOWN, "{}"),
        _ => (catalogue::TEST, "{}"),
    };
    let resource_id = if probe == Probe::Altered { NO_OTHER_RECORD } else { NO_RECORD };
    let told = Told { event_type, resource_type: "Test", resource_id, changed_fields: "[]", extra };
    let second = sent.filter(|_| probe == Probe::Duplicate);
    let event_id = second.cloned().unwrap_or_else(|| scope.tx.uuid());
    let new = New {
        event_id: event_id.clone(),
        cause: DeliveryCause::Probe,
        probe: Some(probe),
        replay: second.map(|_| SECOND.to_owned()).unwrap_or_default(),
        told: &told,
        encoding: webhook.id_encoding,
        is_ordered: false,
    };
    queue::add(scope.tx, webhook.org_id.0, webhook.unit_id.0, webhook.id.0, &[new]).await?;
    Ok(event_id)
}

/// The bytes that an altered probe was signed as: as many, of another record.
pub fn before_altering(body: &str) -> String {
    body.replacen(&NO_OTHER_RECORD.to_string(), &NO_RECORD.to_string(), 1)
}

/// Takes a validation a step on, after a probe has ended; whether it was the last one.
pub async fn go_on(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    attempt: &Attempt,
) -> Result<bool, StoreError> {
    let Some(before) = under_way(scope, attempt).await? else { return Ok(false) };
    let Some(probe) = attempt.delivery.probe else { return Ok(false) };
    let mut after = before.clone();
    judge::learn(&mut after, probe, attempt);
    match judge::next(&after, probe, scope.instance().kind().as_str()) {
        Step::Send(probe) => {
            after.event_id = send(scope, webhook, probe, Some(&before.event_id)).await?;
            scope.update(&before, &after).await?;
            Ok(false)
        }
        Step::End(state) => end(scope, webhook, &before, &after, state).await.map(|()| true),
    }
}

/// Ends a validation of whose probe nobody knows what became.
pub async fn cut_off(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let Some(before) = under_way(scope, attempt).await? else { return Ok(()) };
    end(scope, webhook, &before, &before, ValidationState::Inconclusive).await
}

async fn end(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    before: &WebhookValidation,
    learnt: &WebhookValidation,
    state: ValidationState,
) -> Result<(), StoreError> {
    let now = scope.now();
    let ended_at = Some(now);
    let after =
        WebhookValidation { state, ended_at, repeats_at: weekly::after(now), ..learnt.clone() };
    scope.update(before, &after).await?;
    policy::follow(scope, webhook, &after).await
}

/// Takes away what is known of a receiver that the webhook has no more, and what it would still
/// be sent: the next one has proved nothing.
pub async fn forget(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let found: Option<WebhookValidation> =
        scope.find_by(Cond::eq("webhook_id", webhook.id.0)).await?;
    let Some(validation) = found else { return Ok(()) };
    scope.destroy(&validation).await?;
    let sql = Sql::fixed(
        "UPDATE webhook_deliveries SET state = 'dead', updated_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND state = 'pending' AND cause = 'probe'",
        [webhook.org_id.0.into(), webhook.id.0.into(), scope.now().0.into()],
    );
    scope.tx.execute(&sql).await.map(drop)
}

async fn under_way(
    scope: &mut Scope<'_>,
    attempt: &Attempt,
) -> Result<Option<WebhookValidation>, StoreError> {
    let delivery = &attempt.delivery;
    let found: Option<WebhookValidation> =
        scope.find_by(Cond::eq("webhook_id", delivery.webhook_id.0)).await?;
    Ok(found.filter(|it| it.state == ValidationState::Running && it.event_id == delivery.event_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_altered_is_as_long_as_what_was_signed() {
        for id in ["2", "\"2\""] {
            let body = format!("{{\"resource_id\":{id},\"changed_fields\":[]}}");
            let signed = before_altering(&body);
            assert_eq!((signed.len(), signed == body), (body.len(), false));
            assert!(signed.contains('1'), "{signed}");
        }
    }
}
