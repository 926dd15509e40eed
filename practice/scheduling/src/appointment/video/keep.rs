//! Keeping the room that the service made.

use futures_util::future::BoxFuture;
use ward_store::events::Cause;
use ward_store::room::{Room, RoomOrder};
use ward_store::{Actor, Id, Level, Scope, StoreError, Tx, Uuid};

use crate::appointment::table::Appointment;
use crate::appointment::update::{field, is_told};
use crate::events;

/// Writes a room to its appointment, and tells of it as of any change; nothing where the
/// appointment is gone, or wants another room or none by now.
pub fn keep<'a>(
    tx: &'a mut Tx,
    org_id: i64,
    order: &'a RoomOrder,
    room: &'a Room,
) -> BoxFuture<'a, Result<(), StoreError>> {
    Box::pin(keep_in(tx, org_id, order, room))
}

async fn keep_in(
    tx: &mut Tx,
    org_id: i64,
    order: &RoomOrder,
    room: &Room,
) -> Result<(), StoreError> {
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let id: Id<Appointment> = Id::new(order.appointment_id);
    let Some((before, _)) = scope.visible_for_update(id, Level::Full).await? else {
        return Ok(());
    };
    if !before.room_ordered || before.room_orders != order.number {
        return Ok(());
    }
    let after = Appointment {
        zoom_meeting_id: Some(room.meeting_id.clone()),
        zoom_join_url: Some(room.join_url.clone()),
        zoom_start_url: Some(room.start_url.clone()),
        zoom_dial_in_info: room.dial_in.clone(),
        ..before.clone()
    };
    scope.cause = order
        .cause
        .as_ref()
        .map(|(root, depth)| Cause { root_event_id: Uuid(root.clone()), depth: depth + 1 });
    scope.subject_id = before.user_id.map(|client| client.0);
    let changes = scope.update(&before, &after).await?;
    let fields: Vec<&'static str> = changes.columns.into_iter().filter_map(field).collect();
    if !fields.is_empty() {
        scope.emit(events::appointment_updated(&after, &fields).told(is_told(&after, true)));
    }
    Ok(())
}
