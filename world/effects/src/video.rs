//! What is asked of a video service, in words and for its connector.

use ward_store::room::RoomOrder;

use crate::about::About;
use crate::mail::render_error::RenderError;
use crate::message::Content;

/// The order out of an intent's payload (JSON), and the appointment that it is about.
pub(crate) fn rendered(payload: &str) -> Result<(Content, Option<About>), RenderError> {
    let order: RoomOrder = serde_json::from_str(payload).map_err(|_| RenderError::Payload)?;
    let room = order.room();
    let text = match &order.wanted {
        Some(facts) => format!(
            "{room} is wanted: {} for {} minutes ({}), host {}",
            facts.start, facts.minutes, facts.timezone, facts.host_id
        ),
        None => format!("{room} is wanted no more"),
    };
    let id = order.appointment_id.to_string();
    let about = About { kind: "Appointment".to_owned(), id };
    Ok((Content { text, order: Some(order), ..Content::default() }, Some(about)))
}
