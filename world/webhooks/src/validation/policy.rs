//! What follows from a validation's result: a mail when a receiver got worse, and, where an
//! organization asks for it, that only a good receiver is told anything.

use ward_identity::tables::Organization;
use ward_store::{Cond, Scope, StoreError};

use crate::deliver::notice::{self, Notice};
use crate::tables::{ValidationState, Webhook, WebhookValidation};
use crate::{enable, lane};

/// Whether the webhook's organization, or the one above it, has webhooks enabled by a validation only.
pub async fn is_strict(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<bool, StoreError> {
    for id in [webhook.unit_id, webhook.org_id] {
        let unit: Option<Organization> = scope.find(id).await?;
        if unit.is_some_and(|unit| unit.requires_webhook_validation) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the last validation found the receiver as it should be.
pub async fn is_proved(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<bool, StoreError> {
    let last: Option<WebhookValidation> =
        scope.find_by(Cond::eq("webhook_id", webhook.id.0)).await?;
    Ok(last.is_some_and(|last| last.state == ValidationState::Valid))
}

/// Enables, disables or tells, as the result asks for.
pub async fn follow(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    validation: &WebhookValidation,
) -> Result<(), StoreError> {
    let state = validation.state;
    let is_strict = is_strict(scope, webhook).await?;
    match webhook.is_enabled {
        false if is_strict && state == ValidationState::Valid => switch_on(scope, webhook).await,
        false => lane::pause(scope.tx, webhook.org_id.0, webhook.id).await,
        true if is_strict && is_unfit(state) => switch_off(scope, webhook, state).await,
        true if validation.is_repeat && is_worse(validation.previous, state) => {
            notice::send(scope, webhook, Notice::Worse(state)).await
        }
        true => Ok(()),
    }
}

async fn switch_on(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let now = scope.now();
    let after =
        Webhook { is_enabled: true, warned_at: None, listens_since: now, ..webhook.clone() };
    scope.update(webhook, &after).await?;
    enable::begin_anew(scope, &after).await
}

async fn switch_off(
    scope: &mut Scope<'_>,
    webhook: &Webhook,
    state: ValidationState,
) -> Result<(), StoreError> {
    let after = Webhook { is_enabled: false, ..webhook.clone() };
    scope.update(webhook, &after).await?;
    lane::pause(scope.tx, webhook.org_id.0, webhook.id).await?;
    notice::send(scope, webhook, Notice::Unfit(state)).await
}

/// What a receiver shows that must not be told anything; one that is down shows nothing.
fn is_unfit(state: ValidationState) -> bool {
    matches!(
        state,
        ValidationState::OtherEnvironment
            | ValidationState::AcceptsForgeries
            | ValidationState::RefusesGenuine
    )
}

fn is_worse(before: Option<ValidationState>, now: ValidationState) -> bool {
    before.is_some_and(|before| badness(before) < badness(now))
}

fn badness(state: ValidationState) -> u8 {
    match state {
        ValidationState::Running | ValidationState::Valid => 0,
        ValidationState::Unverified => 1,
        ValidationState::Inconclusive => 2,
        ValidationState::Unreachable => 3,
        ValidationState::RefusesGenuine | ValidationState::OtherEnvironment => 4,
        ValidationState::AcceptsForgeries => 5,
    }
}

#[cfg(test)]
mod tests {
    use ward_identity::practice::blank_organization;
    use ward_store::{Actor, Id, Tx};

    use super::*;
    use crate::deliver::trial::World;

    #[test]
    fn what_is_worse() {
        use ValidationState::{
            AcceptsForgeries, Inconclusive, OtherEnvironment, Unreachable, Unverified, Valid,
        };
        for (before, now) in
            [(Valid, Unverified), (Valid, Unreachable), (Unreachable, OtherEnvironment)]
        {
            assert!(is_worse(Some(before), now), "{before:?} {now:?}");
            assert!(!is_worse(Some(now), before), "{now:?} {before:?}");
        }
        for state in
            [Valid, Unverified, Inconclusive, Unreachable, OtherEnvironment, AcceptsForgeries]
        {
            assert!(!is_worse(Some(state), state) && !is_worse(None, state), "{state:?}");
            assert!(!is_worse(Some(AcceptsForgeries), state), "{state:?}");
        }
    }

    /// A parent's wish holds for those below it; theirs for themselves alone.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_parent_is_strict_for_those_below_it() {
        World::each(async |w| {
            w.webhook(false).await;
            let own = w.rows::<Webhook>().await.remove(0);
            let org = w.org;
            let found = w.db.write(move |tx: &mut Tx| {
                let own = own.clone();
                Box::pin(async move {
                    let system = Actor::system(org);
                    let mut scope = Scope::new(tx, &system);
                    let (id, root) = (scope.next_id().await?, Id::new(org));
                    let now = scope.now();
                    let unit = blank_organization(id, root, "Branch", "b@example.com", now);
                    scope.create(&unit).await?;
                    let below = Webhook { unit_id: unit.id, ..own.clone() };
                    let mut seen = Vec::new();
                    for strict in [unit.id, root] {
                        let before: Option<Organization> = scope.find(strict).await?;
                        let Some(before) = before else { continue };
                        let after =
                            Organization { requires_webhook_validation: true, ..before.clone() };
                        scope.update(&before, &after).await?;
                        seen.push(is_strict(&mut scope, &own).await?);
                        seen.push(is_strict(&mut scope, &below).await?);
                        let written: Option<Organization> = scope.find(strict).await?;
                        let Some(written) = written else { continue };
                        let again =
                            Organization { requires_webhook_validation: false, ..written.clone() };
                        scope.update(&written, &again).await?;
                    }
                    Ok(seen)
                })
            });
            let seen = found.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
            assert_eq!(seen, [false, true, true, true]);
        })
        .await;
    }
}
