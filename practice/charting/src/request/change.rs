//! `deleteRequestedFormCompletion`: a client is not asked any more (behaviour 28).

use ward_clients::access;
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_store::Level;

use super::input::DeleteRequest;
use super::recurring;
use super::tables::RequestedFormCompletion;
use crate::events;

/// Deletes a request, and with it what brings it back, where that is named; what was filled in
/// stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteRequest) -> Answer<Payload> {
    members_only(call.actor)?;
    let (id, recurring_id) = (named(&input.id), named(&input.recurringFormId));
    if let Some(id) = recurring_id {
        let row = recurring::held(call, Some(id), "recurringFormId").await?;
        recurring::end(call, &row).await?;
    }
    let Some(id) = id else {
        return match recurring_id {
            Some(_) => Ok(Payload::new()),
            None => Err(Refused::not_found("id")),
        };
    };
    let found = call.visible::<RequestedFormCompletion>(id, Level::Full).await?;
    let (row, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let client = access::client_to_change(call, row.recipient_id, "id").await?;
    // It may have been completed, or deleted, until the client was held.
    let row: Option<RequestedFormCompletion> = call.find(id).await?;
    let mut row = row.ok_or_else(|| Refused::not_found("id"))?;
    // The event and the audit entry of it are for those who look after the client now.
    row.unit_id = client.unit_id;
    call.scope.subject_id = Some(row.recipient_id.0);
    call.destroy(&row).await?;
    call.emit(events::request_deleted(&row));
    Ok(Payload::new().one("requestedFormCompletion", row.id.0))
}
