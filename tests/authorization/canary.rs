//! Words that say whose they are, and who may read them. A word is
//! `canary-<organization>-<of what>-<field or number>`.

use crate::principal::{Principal, Site};
use crate::world::CANARY;

/// Of a client whom nobody cares for but the owner.
pub const UNCARED: &str = "uncared";
/// Of a restricted client.
pub const RESTRICTED: &str = "restricted";
/// Of a client whose primary provider asks.
pub const PRIMARYS: &str = "primarys";
/// Of a client whose care-team member asks.
pub const CARE_TEAMS: &str = "careteams";
/// Of a client for whom the member with a single flag cares.
pub const BEARERS: &str = "bearers";
/// Of the client who asks.
pub const OWN: &str = "own";

/// Words of which only those who see the client read anything.
const OF_CLIENTS: [&str; 6] = [UNCARED, RESTRICTED, PRIMARYS, CARE_TEAMS, BEARERS, OWN];

/// A word that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub site: Site,
    pub of: String,
    pub field: String,
}

/// All words in a text.
pub fn found(text: &str) -> Vec<Found> {
    let text = text.to_lowercase();
    let words = text.match_indices(CANARY).filter_map(|(at, _)| {
        let rest = &text[at + CANARY.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c));
        let mut parts = rest[..end.unwrap_or(rest.len())].splitn(3, '-');
        let site = parts.next()?;
        let site = Site::ALL.into_iter().find(|known| known.word() == site)?;
        let of = parts.next()?.to_owned();
        Some(Found { site, of, field: parts.next().unwrap_or_default().to_owned() })
    });
    words.collect()
}

/// The first word in a text that a principal must not read.
pub fn leaked(flag: Option<&str>, principal: Principal, text: &str) -> Option<Found> {
    found(text).into_iter().find(|word| !may_read(flag, principal, word))
}

/// Flags that open clients whom their holder does not care for (behaviour 16.2).
const OPENS_CLIENTS: [&str; 3] = ["is_admin", "can_see_clients", "sees_all_clients"];

fn may_read(flag: Option<&str>, principal: Principal, word: &Found) -> bool {
    let below_a = matches!(word.site, Site::A | Site::A1 | Site::A2);
    let of = word.of.as_str();
    let of_client = OF_CLIENTS.contains(&of);
    let unless_restricted = below_a && of != RESTRICTED;
    match principal {
        Principal::Owner | Principal::Parent | Principal::OwnerSession => below_a,
        Principal::Admin | Principal::Support | Principal::Integration => unless_restricted,
        Principal::Flag(_) | Principal::CaringFlag(_) => {
            let opens = flag.is_some_and(|flag| OPENS_CLIENTS.contains(&flag));
            below_a && (!of_client || of == BEARERS || opens && of != RESTRICTED)
        }
        Principal::Bare | Principal::Standard => below_a && !of_client,
        Principal::Primary => below_a && (!of_client || of == PRIMARYS),
        Principal::CareTeam => below_a && (!of_client || of == CARE_TEAMS),
        Principal::SubOwner => word.site == Site::A1,
        Principal::SubMember => word.site == Site::A1 && !of_client,
        Principal::Sibling => word.site == Site::A2,
        Principal::Other => word.site == Site::B,
        Principal::Own | Principal::Client => word.site == Site::A && of == OWN,
        Principal::Restricted | Principal::Archived | Principal::Deactivated => false,
        Principal::Anonymous => is_public(word),
    }
}

/// What a stranger reads of a provider: the name (behaviour 3.4).
fn is_public(word: &Found) -> bool {
    word.of == "owner" && (word.field == "first" || word.field == "last")
}
