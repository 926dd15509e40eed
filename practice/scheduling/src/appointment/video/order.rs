//! Ordering a room, ordering it otherwise, and giving it up. What is wanted is a pure rule.

use ward_engine::{Answer, Call};
use ward_instance::Timestamp;
use ward_store::intents::{self, EffectIntent};
use ward_store::room::{RoomFacts, RoomOrder};
use ward_store::system::EffectClass;

use crate::appointment::calendar;
use crate::appointment::table::Appointment;
use crate::contact_type::ContactType;

/// The kind of effect.
const KIND: &str = "video_room";

/// Whether an appointment has a room: a video call of which somebody said so, that takes place and
/// is not over.
pub fn is_wanted(row: &Appointment, now: Timestamp) -> bool {
    is_called(row) && row.end_at > now
}

/// The same, over or not.
fn is_called(row: &Appointment) -> bool {
    row.is_zoom_chat
        && row.contact_type_id == Some(ContactType::Video.number())
        && !row.is_blocker
        && calendar::takes_time(row)
}

/// How its room is to be.
pub fn facts(row: &Appointment) -> RoomFacts {
    let start = jiff::Timestamp::from_microsecond(row.start_at.0).ok();
    RoomFacts {
        start: start.map(|start| start.to_string()).unwrap_or_default(),
        minutes: row.length,
        timezone: row.timezone.clone(),
        host_id: row.provider_id.0,
    }
}

/// A copy of an appointment has no room yet.
pub(crate) fn afresh(row: &mut Appointment) {
    row.room_orders = 0;
    empty(row);
}

/// Of a room that is wanted no more nothing stays, at rest neither.
fn empty(row: &mut Appointment) {
    row.room_ordered = false;
    row.zoom_meeting_id = None;
    row.zoom_join_url = None;
    row.zoom_start_url = None;
    row.zoom_dial_in_info = None;
}

/// Orders what a change makes of an appointment's room; `before` is none of a new one. The caller
/// writes `after`. What has become of a call that is over changes nothing of its room.
pub(crate) async fn follow(
    call: &mut Call<'_>,
    before: Option<&Appointment>,
    after: &mut Appointment,
) -> Answer<()> {
    let ordered = before.filter(|before| before.room_ordered);
    let wanted = is_wanted(after, call.now()).then(|| facts(after));
    match (ordered, &wanted) {
        (Some(before), Some(wanted)) if facts(before) == *wanted => return Ok(()),
        (None, None) => return Ok(()),
        (Some(_), None) if is_called(after) => return Ok(()),
        (_, Some(_)) => {
            after.room_ordered = true;
            // Where the host before opens it is nobody else's.
            if ordered.is_some_and(|before| before.provider_id != after.provider_id) {
                after.zoom_start_url = None;
            }
        }
        (Some(_), None) => empty(after),
    }
    after.room_orders += 1;
    place(call, after, wanted).await
}

/// Gives up the room of an appointment that is about to be deleted, over or not; the appointment
/// as it is kept then.
pub(crate) async fn end(call: &mut Call<'_>, row: Appointment) -> Answer<Appointment> {
    if !row.room_ordered {
        return Ok(row);
    }
    let mut last = Appointment { room_orders: row.room_orders + 1, ..row.clone() };
    empty(&mut last);
    place(call, &last, None).await?;
    call.update(&row, &last).await?;
    Ok(call.find(row.id).await?.unwrap_or(last))
}

/// Places the order of this number, instead of the one before if that has not happened yet.
async fn place(call: &mut Call<'_>, row: &Appointment, wanted: Option<RoomFacts>) -> Answer<()> {
    const CLASS: EffectClass = EffectClass::Video;
    let org_id = row.org_id.0;
    let key = |number: i64| format!("room:{}:{number}", row.id);
    intents::supersede(call.tx, org_id, CLASS, &key(row.room_orders - 1)).await?;
    let expires_at = wanted.is_some().then_some(row.end_at);
    // A room that is told of may lead to the next change: such chains end (ISO-41).
    let cause = call.scope.cause.as_ref().map(|it| (it.root_event_id.0.clone(), it.depth));
    let (appointment_id, number) = (row.id.0, row.room_orders);
    let order = RoomOrder { appointment_id, number, wanted, cause };
    let payload = serde_json::to_value(&order).map_err(|error| {
        ward_store::StoreError::internal(format!("an order has no JSON: {error}"))
    })?;
    let intent = EffectIntent {
        class: CLASS,
        kind: KIND,
        to: order.room(),
        payload,
        subject_client: row.user_id.map(|client| client.0),
        // A cohort chooses rooms by who gives the calls. One that was made is given up whoever
        // gives the call by now.
        recipient: order.wanted.is_some().then_some(row.provider_id.0),
        cause: call.request.request_id.clone(),
        idempotency_key: key(order.number),
        not_before: None,
        expires_at,
    };
    intents::intend(call.tx, org_id, intent).await?;
    Ok(())
}
