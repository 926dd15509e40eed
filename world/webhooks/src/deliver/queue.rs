//! Putting deliveries into a webhook's queue.

use ward_instance::Timestamp;
use ward_store::{Actor, Id, Scope, StoreError, Tx, Uuid};

use crate::deliver::faulty;
use crate::lane;
use crate::payload::{self, Told};
use crate::tables::{DeliveryCause, DeliveryState, IdEncoding, Probe, WebhookDelivery};

/// A delivery to be.
#[derive(Clone, Debug)]
pub struct New<'a> {
    /// The event's id.
    pub event_id: Uuid,
    /// Why.
    pub cause: DeliveryCause,
    /// Which probe it is, if one. Probes go before everything that waits.
    pub probe: Option<Probe>,
    /// Which replay wants it; empty for none.
    pub replay: String,
    /// What it tells.
    pub told: &'a Told<'a>,
    /// How ids are written.
    pub encoding: IdEncoding,
    /// Whether it waits for earlier ones of the same record.
    pub is_ordered: bool,
}

/// Adds deliveries, due now unless a fault holds one back, in this order. Nothing is added for a webhook that is gone.
pub async fn add(
    tx: &mut Tx,
    org_id: i64,
    unit_id: i64,
    webhook: i64,
    new: &[New<'_>],
) -> Result<(), StoreError> {
    let count = i64::try_from(new.len()).unwrap_or(0);
    let Some(first) = lane::enqueue(tx, org_id, webhook, count).await? else { return Ok(()) };
    let (now, wall, instance) = (tx.now(), tx.wall(), tx.instance().clone());
    let row = |(position, new): (i64, &New<'_>), id: Uuid| {
        // Probes find out how the receiver is, so none is held back.
        let held = match new.probe {
            Some(_) => None,
            None => faulty::holding(&instance, webhook, new.told.event_type),
        };
        WebhookDelivery {
            id,
            org_id: Id::new(org_id),
            unit_id: Id::new(unit_id),
            webhook_id: Id::new(webhook),
            event_id: new.event_id.clone(),
            event_type: new.told.event_type.to_owned(),
            resource_type: new.told.resource_type.to_owned(),
            resource_id: new.told.resource_id,
            body: payload::body(new.told, new.encoding),
            cause: new.cause,
            probe: new.probe,
            replay: new.replay.clone(),
            state: DeliveryState::Pending,
            position,
            is_ordered: new.is_ordered,
            due_at: match new.probe {
                Some(_) => Timestamp(0),
                None => now.plus_micros(faulty::held_back(held.as_ref())),
            },
            fault: held.map(|fault| fault.mark()),
            attempts: 0,
            first_failed_at: None,
            lease_epoch: None,
            lease_token: None,
            lease_until: None,
            started_at: new.probe.map(|_| wall),
            created_at: now,
            updated_at: now,
        }
    };
    let rows: Vec<WebhookDelivery> = (first..).zip(new).map(|it| row(it, tx.uuid())).collect();
    let system = Actor::system(org_id);
    Scope::new(tx, &system).create_all(&rows).await?;
    tx.on_commit(ward_store::Hint::Events);
    Ok(())
}
