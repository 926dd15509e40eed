//! Links to calendars, good until they are taken back: programs that show calendars have no other
//! credential. They carry what they open, under a MAC; of another instance they open nothing.

use crate::root::{Purpose, RootRing};
use crate::token::{LinkRefusal, SignedLinks, opened, signed};

const LINKS: SignedLinks =
    SignedLinks { start: "wtl", purpose: Purpose::IcsFeed, what: b"ward/calendar-link/v1" };

/// What the first number of a link says.
const APPOINTMENT: i64 = 1;
const MEMBER: i64 = 2;

/// What a link opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// One appointment, as long as somebody sees it.
    Appointment {
        /// The appointment.
        id: i64,
        /// For whom the link was made; permissions are checked again when it is used.
        user_id: i64,
    },
    /// All of a member's, as long as the generation of their feed is this one.
    Member {
        /// The member.
        user_id: i64,
        /// How many times they took their feed back.
        generation: i64,
    },
}

/// A link to a calendar of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarLink {
    /// The tenant.
    pub org_id: i64,
    /// What it opens there.
    pub calendar: Calendar,
}

/// Signs a link: `wtl_<sbx|live>_<tag>_<base64url of the numbers and MAC>`.
pub fn calendar_link(ring: &RootRing, link: &CalendarLink) -> String {
    let numbers = match link.calendar {
        Calendar::Appointment { id, user_id } => [APPOINTMENT, link.org_id, id, user_id],
        Calendar::Member { user_id, generation } => [MEMBER, link.org_id, generation, user_id],
    };
    signed(ring, &LINKS, numbers.iter().flat_map(|number| number.to_be_bytes()).collect())
}

/// Opens a link.
pub fn open_calendar_link(ring: &RootRing, text: &str) -> Result<CalendarLink, LinkRefusal> {
    let payload = opened(ring, &LINKS, text)?;
    let (words, rest) = payload.as_chunks::<8>();
    let numbers: Vec<i64> = words.iter().map(|word| i64::from_be_bytes(*word)).collect();
    let calendar = match (numbers.as_slice(), rest) {
        ([APPOINTMENT, _, id, user_id], []) => Calendar::Appointment { id: *id, user_id: *user_id },
        ([MEMBER, _, generation, user_id], []) => {
            Calendar::Member { user_id: *user_id, generation: *generation }
        }
        _ => return Err(LinkRefusal::Malformed),
    };
    Ok(CalendarLink { org_id: numbers[1], calendar })
}
