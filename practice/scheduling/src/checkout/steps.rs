//! `embedWidgetSteps`: what a booking page leads through (behaviour 23.3).

use ward_engine::{Answer, Args, Kind, Out, Request, RowView, parse_id};
use ward_store::{Cond, Id, Query};

use crate::slots::reading::seen;
use crate::tables::{APPOINTMENT_TYPES, AppointmentType, appointment_types as at};

/// The members of the contract's `EmbedWidgetStepType`.
pub const MEMBERS: &[&str] = &["id", "title"];
/// Its arguments; the steps are the same on the web and elsewhere.
pub const ARGS: &[(&str, Kind)] = &[("is_for_web", Kind::Plain), ("locationString", Kind::Plain)];

/// Steps in their order, as `id` and title.
const STEPS: [(&str, &str); 3] = [
    ("select_appt_type", "Select Appointment Type"),
    ("select_date_time", "Select Date and Time"),
    ("your_information", "Your Information"),
];
/// The longest address that is read, in bytes.
const ADDRESS_BYTES_MAX: usize = 4_096;

/// The steps. A page whose address names a type that the caller may book
/// (`?dietitian_id=1&appt_type_id=2`) asks for none.
pub async fn list(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let named = args.text("locationString").and_then(|text| named_type(request, text));
    let is_known = match named {
        Some(id) => may_book(request, q, id).await?,
        None => false,
    };
    let shown = STEPS.iter().filter(|(id, _)| !(is_known && *id == "select_appt_type"));
    let steps = shown
        .map(|(id, title)| Out::Object(vec![("id", (*id).into()), ("title", (*title).into())]));
    let list = Out::List(steps.collect());
    Ok(vec![list; rows.len()])
}

/// The one type that an address names.
fn named_type(request: &Request, address: &str) -> Option<Id<AppointmentType>> {
    let query = address.get(..ADDRESS_BYTES_MAX).unwrap_or(address).rsplit('?').next()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, text) = pairs.find(|(name, _)| matches!(*name, "appt_type_id" | "appt_type_ids"))?;
    parse_id(text, "locationString", request.instance.ids()).ok()
}

async fn may_book(request: &Request, q: &mut dyn Query, id: Id<AppointmentType>) -> Answer<bool> {
    let mut select = seen(&request.actor, &APPOINTMENT_TYPES);
    select.columns = vec![at::id];
    select.filter = Cond::eq("id", id.0).and(Cond::is_true("clients_can_book"));
    Ok(!q.rows(&select.sql()).await?.is_empty())
}
