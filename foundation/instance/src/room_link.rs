//! Links by which somebody comes into the room of a video call, from a mail: they lead to this
//! instance, which knows where the room is at that moment. They carry whose appointment it is, under
//! a MAC; of another instance they open nothing, and a calendar's link opens no room.

use crate::root::{Purpose, RootRing};
use crate::token::{LinkRefusal, SignedLinks, opened, signed};

const LINKS: SignedLinks =
    SignedLinks { start: "wtv", purpose: Purpose::IcsFeed, what: b"ward/room-link/v1" };

/// A link to the room of an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomLink {
    /// The tenant.
    pub org_id: i64,
    /// The appointment.
    pub appointment_id: i64,
    /// For whom the link was made; whether they attend is asked again when it is used.
    pub user_id: i64,
}

/// Signs a link: `wtv_<sbx|live>_<tag>_<base64url of the numbers and MAC>`.
pub fn room_link(ring: &RootRing, link: &RoomLink) -> String {
    let numbers = [link.org_id, link.appointment_id, link.user_id];
    signed(ring, &LINKS, numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

/// Opens a link.
pub fn open_room_link(ring: &RootRing, text: &str) -> Result<RoomLink, LinkRefusal> {
    let payload = opened(ring, &LINKS, text)?;
    let (words, rest) = payload.as_chunks::<8>();
    let numbers: Vec<i64> = words.iter().map(|word| i64::from_be_bytes(*word)).collect();
    match (numbers.as_slice(), rest) {
        ([org_id, appointment_id, user_id], []) => {
            Ok(RoomLink { org_id: *org_id, appointment_id: *appointment_id, user_id: *user_id })
        }
        _ => Err(LinkRefusal::Malformed),
    }
}
