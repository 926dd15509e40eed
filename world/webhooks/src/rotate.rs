//! Changing the secret of a webhook (behaviour 13.3).

use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_store::{Cond, Id};

use crate::tables::{SecretState, Webhook, WebhookSecret};
use crate::webhook::{named, new_secret, requires};

/// The longest time in which both secrets sign.
const OVERLAP_HOURS_MAX: i64 = 7 * 24;

const HOUR_MICROS: i64 = 3_600 * 1_000_000;

input! {
    /// `expireWebhookSignatureInput`.
    pub struct ExpireWebhookSignature { id: Id<Webhook>, overlap_hours: i64 }
}

/// Makes a new secret. The old one is dead at once, unless an overlap is asked for: then
/// `webhook-signature` is signed with both for so long. The contract's own header has room for one
/// signature, which is always the new secret's.
pub async fn expire(call: &mut Call<'_>, input: &ExpireWebhookSignature) -> Answer<Payload> {
    requires(call)?;
    let overlap = input.overlap_hours.value().copied().unwrap_or(0);
    if !(0..=OVERLAP_HOURS_MAX).contains(&overlap) {
        return Err(Refused::on("overlap_hours", "Overlap hours must be from 0 to 168"));
    }
    let webhook = named(call, input.id.value()).await?;
    let retires_at = call.tx.wall().plus_micros(overlap * HOUR_MICROS);
    let secrets: Vec<WebhookSecret> = call.list(Cond::eq("webhook_id", webhook.id.0), &[]).await?;
    for secret in secrets {
        match secret.state {
            SecretState::Current if overlap > 0 => {
                let mut after = secret.clone();
                after.state = SecretState::Retiring;
                after.retires_at = Some(retires_at);
                call.update(&secret, &after).await?;
            }
            SecretState::Current | SecretState::Retiring => call.destroy(&secret).await?,
        }
    }
    new_secret(call, &webhook).await?;
    Ok(Payload::new().one("webhook", webhook.id.0))
}
