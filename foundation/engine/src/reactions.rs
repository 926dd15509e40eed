//! Reactions: what later domains do in the transaction of an earlier domain's
//! change, because it must be one unit with it.

use ward_store::{Actor, Scope, StoreError, Tx};

use crate::bindings::Bindings;
use crate::call::{Call, Request};
use crate::outcome::Answer;

/// Reactions to reactions go so deep; deeper, they go in a circle.
const DEPTH_MAX: i64 = 8;

/// Runs the reactions to the events that the transaction has emitted so far, and
/// to those that the reactions themselves emit; `before` causes led to it.
pub(crate) async fn run(
    bindings: &Bindings,
    tx: &mut Tx,
    request: &Request,
    before: i64,
) -> Answer<()> {
    if bindings.reactions.is_empty() {
        return Ok(());
    }
    let mut seen = 0;
    loop {
        let emitted = tx.pending.emitted(seen);
        if emitted.is_empty() {
            return Ok(());
        }
        seen += emitted.len();
        for emitted in emitted {
            let Some(reactions) = bindings.reactions.get(emitted.event.kind) else { continue };
            if emitted.follows.depth - before > DEPTH_MAX {
                let message = format!("reactions to {} go in a circle", emitted.event.kind);
                return Err(StoreError::internal(message).into());
            }
            let system = Actor { unit_id: emitted.unit_id, ..Actor::system(emitted.org_id) };
            for reaction in reactions {
                let mut scope = Scope::new(tx, &system);
                scope.subject_id = emitted.event.subject_id;
                scope.cause = Some(emitted.follows.clone());
                reaction(&mut Call { scope, request }, &emitted.event).await?;
            }
        }
    }
}
