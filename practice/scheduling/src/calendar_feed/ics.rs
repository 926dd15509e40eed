//! Calendars as programs read them (RFC 5545). Pure.
//!
//! A calendar leaves the practice's hands: it has when, how and with which practice,
//! and nobody's name, reason or notes (DOM-33).

use icalendar::{Calendar, Class, Component, Event, EventStatus, Property};
use ward_instance::Timestamp;

use crate::contact_type::ContactType;

/// One appointment in a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The appointment's.
    pub id: i64,
    /// From when.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// How they meet.
    pub contact_type_id: Option<i64>,
    /// Whether it only keeps time free.
    pub is_blocker: bool,
    /// Whether it still takes place.
    pub is_on: bool,
    /// Rises with each change.
    pub version: i64,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The text of a calendar. `place` is the host of the instance, with which an
/// appointment's id is unique in the world.
pub fn calendar(name: &str, place: &str, entries: &[Entry]) -> String {
    let mut calendar = Calendar::new();
    calendar.name(name);
    calendar.append_property(Property::new("REFRESH-INTERVAL;VALUE=DURATION", "PT15M"));
    calendar.append_property(Property::new("X-PUBLISHED-TTL", "PT15M"));
    for entry in entries {
        calendar.push(event(name, place, entry));
    }
    calendar.done().to_string()
}

fn event(name: &str, place: &str, entry: &Entry) -> Event {
    let what = if entry.is_blocker { "Blocked" } else { "Appointment" };
    let how = entry.contact_type_id.and_then(ContactType::of_number).map(ContactType::name);
    let summary = match how {
        Some(how) => format!("{what} ({how}), {name}"),
        None => format!("{what}, {name}"),
    };
    let mut event = Event::new();
    event.uid(&format!("{}@{place}", entry.id));
    event.summary(&summary);
    event.class(Class::Private);
    event.status(if entry.is_on { EventStatus::Confirmed } else { EventStatus::Cancelled });
    for (property, at) in
        [("DTSTAMP", entry.updated_at), ("DTSTART", entry.start), ("DTEND", entry.end)]
    {
        event.add_property(property, utc(at));
    }
    event.add_property("SEQUENCE", entry.version.to_string());
    event.done()
}

/// `20260304T140000Z`.
fn utc(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
