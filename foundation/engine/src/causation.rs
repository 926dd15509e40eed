//! Chains of causes that leave the instance and come back: an event is delivered,
//! its receiver writes because of it, that is an event again (ISO-41).
//!
//! A receiver says so with `X-Causation-Id`, the `webhook-id` of the delivery.

use ward_store::events::{self, Cause};
use ward_store::{Role, Tx};

use crate::call::Request;
use crate::outcome::{Answer, Refused, RequestError};

/// Events of one chain; longer ones go in a circle.
pub const CHAIN_MAX: i64 = 16;

/// What a write is caused by, as its member says. Of an event that the caller's
/// organization does not have, nothing follows: another instance's, an expired one.
pub(crate) async fn cause(tx: &mut Tx, request: &Request) -> Answer<Option<Cause>> {
    let Some(id) = request.caused_by.as_ref().filter(|_| request.actor.role == Role::Member) else {
        return Ok(None);
    };
    let found = events::get(tx, &request.instance, request.actor.org_id, id).await?;
    let Some(event) = found else { return Ok(None) };
    let depth = event.cause.depth + 1;
    if depth >= CHAIN_MAX {
        let message = format!(
            "{CHAIN_MAX} events caused one another up to this change, from event {} on: a loop. \
             Nothing was written; let your receiver ignore what its own writes cause.",
            event.cause.root_event_id.0
        );
        return Err(Refused::Error(RequestError::coded("CAUSATION_LOOP", message)));
    }
    Ok(Some(Cause { depth, ..event.cause }))
}
