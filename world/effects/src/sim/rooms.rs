//! The Sandbox's video service: it makes rooms in which nobody is, at pages of the instance itself.
//! How long the call is to take says what becomes of the room.

use ward_instance::{Instance, mac};
use ward_store::room::{Room, RoomOrder};

/// What a meeting's number is drawn from.
const PURPOSE: &[u8] = b"ward/simulated-room/v1";

/// What the service does with an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is a room.
    Made(Room),
    /// There is none any more.
    Closed,
    /// It makes no such room, and never will.
    Refused,
    /// It does not answer; another time it might.
    Silent,
}

/// The answer to an order of an organization's: the same whenever it is asked.
pub(crate) fn answer(instance: &Instance, org_id: i64, order: &RoomOrder) -> Answer {
    let Some(facts) = &order.wanted else { return Answer::Closed };
    let (join, start) = match facts.minutes {
        41 => return Answer::Refused,
        42 => return Answer::Silent,
        43 => ("/join-fail", "/host"),
        44 => ("", "/token-expired"),
        _ => ("", "/host"),
    };
    let meeting_id = meeting_id(org_id, &order.room());
    let page = format!("{}/sandbox/v1/rooms/{meeting_id}", instance.base_url());
    let dial_in = Some(format!("+1 212-555-0100, meeting {meeting_id} (simulated)"));
    let (join_url, start_url) = (format!("{page}{join}"), format!("{page}{start}"));
    Answer::Made(Room { meeting_id, join_url, start_url, dial_in })
}

/// Eleven digits, the same for a room as long as it is that room.
fn meeting_id(org_id: i64, room: &str) -> String {
    let digest = mac::sha256_fields(&[PURPOSE, &org_id.to_be_bytes(), room.as_bytes()]);
    let number = digest.iter().take(8).fold(0_u64, |all, byte| (all << 8) | u64::from(*byte));
    format!("9{:010}", number % 10_000_000_000)
}
