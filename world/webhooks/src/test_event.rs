//! `sendTestWebhook` (behaviour 13.4): something to receive, of no real record.

use ward_engine::{Answer, Call, Payload, input};
use ward_store::Id;

use crate::catalogue;
use crate::deliver::queue::{self, New};
use crate::payload::Told;
use crate::tables::{DeliveryCause, Webhook};
use crate::webhook::{named, requires};

/// No record has this id: numbers below a million are given to none.
const NO_RECORD: i64 = 1;

input! {
    /// `sendTestWebhookInput`.
    pub struct SendTestWebhook { id: Id<Webhook> }
}

/// Puts `test.created` into the webhook's queue. It is sent as soon as this is committed, once
/// whatever comes of it, and `sentWebhooks` tells what came.
pub async fn send(call: &mut Call<'_>, input: &SendTestWebhook) -> Answer<Payload> {
    requires(call)?;
    let webhook = named(call, input.id.value()).await?;
    if !webhook.is_enabled {
        let why = "Webhook is disabled. Enable it to send it something";
        return Ok(Payload::new().leaf("sent", false).remark("id", why));
    }
    let told = Told {
        event_type: catalogue::TEST,
        resource_type: "Test",
        resource_id: NO_RECORD,
        changed_fields: "[]",
        extra: "{}",
    };
    let new = New {
        event_id: call.uuid(),
        cause: DeliveryCause::Test,
        probe: None,
        replay: String::new(),
        told: &told,
        encoding: webhook.id_encoding,
        is_ordered: false,
    };
    queue::add(call.tx, webhook.org_id.0, webhook.unit_id.0, webhook.id.0, &[new]).await?;
    Ok(Payload::new().leaf("sent", true))
}
