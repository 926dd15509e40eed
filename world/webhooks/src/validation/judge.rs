//! What a probe's answer means, which probe comes next, and what came of them all.

use serde_json::Value as Json;
use ward_instance::Kind;

use crate::deliver::Attempt;
use crate::tables::{Outcome, Probe, ValidationState, WebhookValidation};

/// What follows a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Send(Probe),
    End(ValidationState),
}

/// Writes down what a probe's answer shows.
pub fn learn(validation: &mut WebhookValidation, probe: Probe, attempt: &Attempt) {
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
        Probe::Duplicate => validation.accepts_duplicate = is_accepted,
        Probe::Unknown => validation.accepts_unknown = is_accepted,
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
pub fn next(validation: &WebhookValidation, probe: Probe, own: &str) -> Step {
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
            Some(true) => Step::Send(Probe::Duplicate),
            Some(false) => Step::End(ValidationState::RefusesGenuine),
            None => Step::End(ValidationState::Inconclusive),
        },
        Probe::Duplicate => Step::Send(Probe::Unknown),
        Probe::Unknown => Step::Send(Probe::Forged),
        Probe::Forged => Step::Send(Probe::Altered),
        Probe::Altered => Step::Send(Probe::Stale),
        Probe::Stale => Step::End(verdict(validation)),
    }
}

/// What a receiver does with a duplicate, or with a kind that it does not know, is its own to decide.
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

/// For developers: what a state means, and what can be done. `accepts_duplicate` is what the
/// receiver does with an event that arrives twice.
pub fn explanation(state: ValidationState, accepts_duplicate: Option<bool>) -> String {
    let took_the_genuine =
        matches!(state, ValidationState::Valid | ValidationState::AcceptsForgeries);
    match took_the_genuine && accepts_duplicate != Some(true) {
        true => format!("{}. {AT_LEAST_ONCE}", meaning(state)),
        false => meaning(state).to_owned(),
    }
}

/// Said to a receiver that took an event, and not the same once more.
const AT_LEAST_ONCE: &str = "It does not take the same event a second time. An event can arrive \
    twice: answer what you have handled with 2xx, or it is tried again for three days and counts \
    as failing";

fn meaning(state: ValidationState) -> &'static str {
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
    fn a_duplicate_is_spoken_of_only_when_the_genuine_was_taken() {
        let speaks = |state, accepts| explanation(state, accepts).contains("second time");
        for state in [ValidationState::Valid, ValidationState::AcceptsForgeries] {
            assert_eq!(
                [Some(true), Some(false), None].map(|it| speaks(state, it)),
                [false, true, true]
            );
        }
        for state in [ValidationState::Unverified, ValidationState::Inconclusive] {
            assert!(!speaks(state, None));
        }
    }
}
