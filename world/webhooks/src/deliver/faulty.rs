//! What the Sandbox's faults do to a delivery ([`ward_instance::faults`]): it comes late, twice, or
//! signed with a secret that the receiver does not have. The log has what was sent.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use ward_instance::{Fault, FaultKind, Instance};

use crate::address::Address;
use crate::deliver::Engine;
use crate::deliver::claim::Claimed;
use crate::guard::Openings;
use crate::secret;

/// The fault that holds a new delivery back, if one does.
pub fn holding(instance: &Instance, webhook: i64, event: &str) -> Option<Fault> {
    instance.faults().of_queue(instance.clock().wall(), webhook, event)
}

/// For how long it is held back, in microseconds of the instance's clock.
pub fn held_back(holding: Option<&Fault>) -> i64 {
    holding.map_or(0, |fault| i64::from(fault.milliseconds) * 1_000)
}

/// The fault that hits the request of a delivery, whose secrets it may change. Probes find out how
/// the receiver is, so none hits them.
pub fn hit(claimed: &mut Claimed, instance: &Instance) -> Option<Fault> {
    let delivery = &claimed.delivery;
    if delivery.probe.is_some() {
        return None;
    }
    let (wall, webhook) = (instance.clock().wall(), delivery.webhook_id.0);
    let fault = instance.faults().of_delivery(wall, webhook, &delivery.event_type)?;
    match fault.kind {
        FaultKind::WebhookBadSignature => claimed.secrets = vec![secret::new(instance)],
        FaultKind::WebhookRotatedSecret => {
            for secret in &mut claimed.secrets {
                *secret = secret::successor(secret);
            }
        }
        _ => {}
    }
    Some(fault)
}

/// A request that is sent a second time. What is answered the first time counts.
pub struct Again {
    /// Where it goes.
    pub address: Address,
    /// What it is.
    pub request: Request<Full<Bytes>>,
    /// The wall time that it says, in seconds.
    pub seconds: u64,
}

/// Sends it, if there is one.
pub async fn once_more(again: Option<Again>, engine: &Engine) {
    let Some(Again { address, request, seconds }) = again else { return };
    let openings = Openings::of(engine.db.instance());
    let _ = engine.client.send(&address, openings, request, seconds).await;
}
