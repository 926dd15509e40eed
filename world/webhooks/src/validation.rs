//! `validateWebhook` (beyond the contract): is the receiver ours, does it serve this environment,
//! and does it refuse what we did not send (ISO-38, ISO-39)?
//!
//! A validation is a row, and its probes are deliveries like all others: one after another, each
//! through the guard, within 10 seconds and in the log. What a probe's answer means, and which
//! comes next, is decided where the answer is written down.

pub mod table;

use serde_json::{Value as Json, json};
use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_instance::Kind;
use ward_store::{Cond, Id, Query, Scope, Sql, StoreError, Uuid, Value};

use crate::catalogue;
use crate::deliver::Attempt;
use crate::deliver::queue::{self, New};
use crate::payload::Told;
use crate::tables::{DeliveryCause, Outcome, Probe, ValidationState, Webhook, WebhookValidation};
use crate::webhook::{named, requires};

/// The event of the handshake: none that one can subscribe to.
const VERIFY: &str = "webhook.verify";

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
    if !webhook.is_enabled {
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

/// Begins one, unless one is under way or there were too many.
pub async fn begin(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<Begun, StoreError> {
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
    let event_id = send(scope, webhook, Probe::Handshake).await?;
    let id = match &before {
        Some(before) => before.id,
        None => scope.next_id().await?,
    };
    let fresh = WebhookValidation {
        id,
        org_id: webhook.org_id,
        unit_id: webhook.unit_id,
        webhook_id: webhook.id,
        state: ValidationState::Running,
        event_id,
        environment: None,
        is_challenge_answered: None,
        accepts_genuine: None,
        accepts_forged: None,
        accepts_altered: None,
        accepts_stale: None,
        created_at: scope.now(),
        ended_at: None,
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

/// Puts a probe into the webhook's queue, before what waits there; the id that it has.
async fn send(scope: &mut Scope<'_>, webhook: &Webhook, probe: Probe) -> Result<Uuid, StoreError> {
    let challenge = scope.instance().random().base62(CHALLENGE_CHARACTERS);
    let challenge = json!({ "challenge": challenge }).to_string();
    let (event_type, extra) = match probe {
        Probe::Handshake => (VERIFY, challenge.as_str()),
        _ => (catalogue::TEST, "{}"),
    };
    let resource_id = if probe == Probe::Altered { NO_OTHER_RECORD } else { NO_RECORD };
    let told = Told { event_type, resource_type: "Test", resource_id, changed_fields: "[]", extra };
    let event_id = scope.tx.uuid();
    let new = New {
        event_id: event_id.clone(),
        cause: DeliveryCause::Probe,
        probe: Some(probe),
        replay: String::new(),
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

/// Takes a validation a step on, after a probe has ended.
pub async fn go_on(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    let Some(before) = under_way(scope, attempt).await? else { return Ok(()) };
    let Some(probe) = attempt.delivery.probe else { return Ok(()) };
    let mut after = before.clone();
    learn(&mut after, probe, attempt);
    match next(&after, probe, scope.instance().kind().as_str()) {
        Step::Send(probe) => after.event_id = send(scope, webhook, probe).await?,
        Step::End(state) => {
            after.state = state;
            after.ended_at = Some(scope.now());
        }
    }
    scope.update(&before, &after).await.map(drop)
}

/// Ends a validation of whose probe nobody knows what became.
pub async fn cut_off(scope: &mut Scope<'_>, attempt: &Attempt) -> Result<(), StoreError> {
    let Some(before) = under_way(scope, attempt).await? else { return Ok(()) };
    let mut after = before.clone();
    after.state = ValidationState::Inconclusive;
    after.ended_at = Some(scope.now());
    scope.update(&before, &after).await.map(drop)
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

/// What follows a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send(Probe),
    End(ValidationState),
}

fn learn(validation: &mut WebhookValidation, probe: Probe, attempt: &Attempt) {
    let is_accepted = accepted(attempt);
    match probe {
        Probe::Handshake => {
            // Nobody agrees with a fault or a refusal, whatever stands in it.
            let answer = attempt.response.as_deref().filter(|_| is_accepted == Some(true));
            let said = answer.and_then(|it| said(&attempt.delivery.body, it));
            validation.is_challenge_answered = attempt.status.map(|_| said.is_some());
            validation.environment = said.flatten().map(str::to_owned);
        }
        Probe::Genuine => validation.accepts_genuine = is_accepted,
        Probe::Forged => validation.accepts_forged = is_accepted,
        Probe::Altered => validation.accepts_altered = is_accepted,
        Probe::Stale => validation.accepts_stale = is_accepted,
    }
}

/// Whether a receiver took a probe; none when its answer is neither: a fault, or one of the 4xx
/// that ask to come again.
fn accepted(attempt: &Attempt) -> Option<bool> {
    match (attempt.outcome, attempt.status) {
        (Outcome::Delivered, _) => Some(true),
        (_, Some(408 | 425 | 429)) => None,
        (_, Some(400..=499)) => Some(false),
        _ => None,
    }
}

/// What a receiver says that answers the challenge of `request`: its environment, if that too.
fn said(request: &str, answer: &str) -> Option<Option<&'static str>> {
    let request: Json = serde_json::from_str(request).ok()?;
    let answer: Json = serde_json::from_str(answer).ok()?;
    let challenge = request.get("challenge")?.as_str()?;
    if answer.get("challenge")?.as_str()? != challenge {
        return None;
    }
    let named = answer.get("environment").and_then(Json::as_str).unwrap_or_default();
    let mut words = Kind::ALL.into_iter().map(Kind::as_str);
    Some(words.find(|word| word.eq_ignore_ascii_case(named)))
}

/// What comes after a probe, in an instance of the environment `own`. Forgeries are sent only to
/// a receiver that has answered for itself: nobody else's is attacked.
fn next(validation: &WebhookValidation, probe: Probe, own: &str) -> Step {
    let environment = validation.environment.as_deref();
    match probe {
        Probe::Handshake if validation.is_challenge_answered.is_none() => {
            Step::End(ValidationState::Unreachable)
        }
        Probe::Handshake if environment.is_some_and(|environment| environment != own) => {
            Step::End(ValidationState::OtherEnvironment)
        }
        Probe::Handshake => Step::Send(Probe::Genuine),
        Probe::Genuine if environment.is_none() => Step::End(ValidationState::Unverified),
        Probe::Genuine => match validation.accepts_genuine {
            Some(true) => Step::Send(Probe::Forged),
            Some(false) => Step::End(ValidationState::RefusesGenuine),
            None => Step::End(ValidationState::Inconclusive),
        },
        Probe::Forged => Step::Send(Probe::Altered),
        Probe::Altered => Step::Send(Probe::Stale),
        Probe::Stale => Step::End(verdict(validation)),
    }
}

fn verdict(validation: &WebhookValidation) -> ValidationState {
    let all = [validation.accepts_forged, validation.accepts_altered, validation.accepts_stale];
    if all.contains(&Some(true)) {
        ValidationState::AcceptsForgeries
    } else if all.contains(&None) {
        ValidationState::Inconclusive
    } else {
        ValidationState::Valid
    }
}

/// One sentence for developers on what a state means, and what can be done.
pub fn explanation(state: ValidationState) -> &'static str {
    match state {
        ValidationState::Running => "The validation is under way",
        ValidationState::Valid => {
            "The receiver serves this environment, takes what is genuine and refuses what is \
             forged, altered or stale"
        }
        ValidationState::Unverified => {
            "The receiver answers, but not the challenge with its environment; so nothing that is \
             forged was sent to it"
        }
        ValidationState::OtherEnvironment => {
            "The receiver says that it serves the other environment. Give this webhook the address \
             of the one for this environment"
        }
        ValidationState::RefusesGenuine => {
            "The receiver refuses an event that is genuine. Check which secret it has"
        }
        ValidationState::AcceptsForgeries => {
            "The receiver takes events that it has to refuse. Check the signature, over the body \
             as it came, and the time of webhook-timestamp"
        }
        ValidationState::Unreachable => {
            "The receiver gave no answer. The log of what was sent says why"
        }
        ValidationState::Inconclusive => {
            "The receiver did not answer every probe with a status of 2xx or 4xx, or the server \
             stopped meanwhile. Validate it again"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: &str = r#"{"resource_id":1,"event_type":"webhook.verify","challenge":"abc"}"#;

    #[test]
    fn a_challenge_is_answered_with_the_environment() {
        let said = |answer: &str| said(CHALLENGE, answer);
        assert_eq!(said(r#"{"challenge":"abc","environment":"Sandbox"}"#), Some(Some("sandbox")));
        assert_eq!(said(r#"{"challenge":"abc","environment":"staging"}"#), Some(None));
        // Who sends back what comes, says nothing of itself.
        assert_eq!(said(CHALLENGE), Some(None));
        for other in [r#"{"challenge":"abd","environment":"sandbox"}"#, "abc", "", "[]", "{}"] {
            assert_eq!(said(other), None, "{other}");
        }
    }

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
