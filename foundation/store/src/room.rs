//! Rooms for video calls: what a practice orders of the service that has them, and what the service
//! answers. Both sides of the door know them; neither knows the other.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::tx::Tx;

/// The longest address of a room, in characters.
pub const ADDRESS_CHARS_MAX: usize = 2_048;
/// The longest meeting id, in characters.
const MEETING_CHARS_MAX: usize = 64;
/// The longest text about dialling in, in characters.
const DIAL_IN_CHARS_MAX: usize = 1_000;

/// What is wanted of the room of one appointment: the payload of an effect of the class `video`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomOrder {
    /// The appointment.
    pub appointment_id: i64,
    /// Larger than those of all orders before: an older one counts no more.
    pub number: i64,
    /// How the room is to be; none when it is wanted no more.
    pub wanted: Option<RoomFacts>,
    /// What caused the change that ordered it: the first event of the chain, and its depth.
    #[serde(default)]
    pub cause: Option<(String, i64)>,
}

/// How a room is to be. Nothing of a client's is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomFacts {
    /// When the call begins: `2026-03-04T14:00:00Z`.
    pub start: String,
    /// How long it takes.
    pub minutes: i64,
    /// The zone in which it was booked, an IANA name.
    pub timezone: String,
    /// The member who gives it.
    pub host_id: i64,
}

impl RoomOrder {
    /// What the service calls the room; the same for all orders of an appointment.
    pub fn room(&self) -> String {
        format!("appointment-{}", self.appointment_id)
    }
}

/// A room as the service made it. Whoever has an address comes in by it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// The service's number of it.
    pub meeting_id: String,
    /// Where those who attend come in.
    pub join_url: String,
    /// Where who gives it opens it.
    pub start_url: String,
    /// How to take part by telephone.
    #[serde(default)]
    pub dial_in: Option<String>,
}

impl Room {
    /// Whether it is one that can be shown to people: addresses are web addresses, and nothing is
    /// without end.
    pub fn is_sound(&self) -> bool {
        let is_address = |text: &str| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
            text.len() <= ADDRESS_CHARS_MAX
                && text
                    .chars()
                    .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\'))
                && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
        };
        let is_id = |text: &str| {
            !text.is_empty()
                && text.len() <= MEETING_CHARS_MAX
                && text.chars().all(|c| c.is_ascii_graphic())
        };
        let is_line = |text: &String| {
            text.chars().count() <= DIAL_IN_CHARS_MAX && !text.chars().any(char::is_control)
        };
        is_id(&self.meeting_id)
            && is_address(&self.join_url)
            && is_address(&self.start_url)
            && self.dial_in.as_ref().is_none_or(is_line)
    }
}

/// Never the addresses.
impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Room({})", self.meeting_id)
    }
}

/// What keeps a room that was made for an organization's appointment, in the transaction that
/// records that it was made, and before that record. It keeps nothing of an order behind which
/// there is a later one.
pub type KeepRoom =
    for<'a> fn(&'a mut Tx, i64, &'a RoomOrder, &'a Room) -> BoxFuture<'a, Result<(), StoreError>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_has_plain_web_addresses() {
        let good = Room {
            meeting_id: "912 345".replace(' ', ""),
            join_url: "https://video.example/j/912345?pwd=x".to_owned(),
            start_url: "https://video.example/s/912345".to_owned(),
            dial_in: Some("+1 212-555-0100".to_owned()),
        };
        assert!(good.is_sound());
        for join_url in [
            "",
            "video.example/j/1",
            "javascript:alert(1)",
            "https://",
            "https:///j",
            "https://user@video.example/j",
            "https://video.example/a b",
            "https://video.example/\"x",
            "https://video.example/\n",
        ] {
            let bad = Room { join_url: join_url.to_owned(), ..good.clone() };
            assert!(!bad.is_sound(), "{join_url}");
        }
        let long = format!("https://video.example/{}", "x".repeat(ADDRESS_CHARS_MAX));
        assert!(!Room { start_url: long, ..good.clone() }.is_sound());
        assert!(!Room { meeting_id: String::new(), ..good.clone() }.is_sound());
        assert!(!Room { dial_in: Some("a\nb".to_owned()), ..good }.is_sound());
    }
}
