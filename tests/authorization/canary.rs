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
/// Of an archived client.
pub const ARCHIVED: &str = "archived";
/// Of an organization's own address.
pub const ORGANIZATION: &str = "organization";
/// Of API keys.
pub const KEY: &str = "apikey";

/// Of permission templates and of intake flows, which a root has for its units, too.
const OF_UNITS: [&str; 3] =
    ["permissiontemplate", "onboardingflow", "careplanrecommendationcategory"];

/// Words of which only those who see the client read anything.
const OF_CLIENTS: [&str; 7] = [UNCARED, RESTRICTED, PRIMARYS, CARE_TEAMS, BEARERS, OWN, ARCHIVED];

/// What a stranger reads of a provider (behaviour 3.4).
const PUBLIC: [&str; 8] =
    ["bio", "first", "first_name", "last", "last_name", "profession", "qualifications", "title"];

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

/// Whether a principal may read anything of such a thing.
pub fn may_read_of(flag: Option<&str>, principal: Principal, site: Site, of: &str) -> bool {
    let word = Found { site, of: of.to_owned(), field: String::new() };
    may_read(flag, principal, &word)
}

/// Whether a principal may read a word.
pub fn may_read(flag: Option<&str>, principal: Principal, word: &Found) -> bool {
    let below_a = matches!(word.site, Site::A | Site::A1 | Site::A2);
    let of = word.of.as_str();
    // What is everybody's: the address of a practice.
    if of == ORGANIZATION && principal != Principal::Deactivated {
        return true;
    }
    // Where strangers reach a sub-organization: the address of whoever founded it.
    let is_contact = of == "owner" && word.field == "email";
    if is_contact && matches!(word.site, Site::A1 | Site::A2) {
        return true;
    }
    // What a parent has for its sub-organizations (behaviour 15).
    if OF_UNITS.contains(&of) && word.site == Site::A && principal.is_below_a() {
        return true;
    }
    let of_client = OF_CLIENTS.contains(&of);
    // What all members of an organization know.
    let inside = !of_client && of != KEY;
    match principal {
        Principal::Owner | Principal::Parent | Principal::OwnerSession => below_a,
        Principal::Admin => below_a && of != RESTRICTED,
        Principal::Support | Principal::Integration => below_a && of != RESTRICTED && of != KEY,
        Principal::Flag(_) | Principal::CaringFlag(_) => {
            let holds = |flags: &[&str]| flag.is_some_and(|flag| flags.contains(&flag));
            let of_others = of_client && of != RESTRICTED && holds(&OPENS_CLIENTS);
            let key = of == KEY && holds(&["is_admin", "is_developer"]);
            below_a && (inside || of == BEARERS || of_others || key)
        }
        Principal::Bare | Principal::Standard => below_a && inside,
        Principal::Primary => below_a && (inside || of == PRIMARYS),
        Principal::CareTeam => below_a && (inside || of == CARE_TEAMS),
        Principal::SubOwner => word.site == Site::A1,
        Principal::SubMember => word.site == Site::A1 && inside,
        Principal::Sibling => word.site == Site::A2,
        Principal::Other => word.site == Site::B,
        Principal::Own | Principal::Client => is_clients(word, OWN),
        Principal::Restricted => is_clients(word, RESTRICTED),
        Principal::Archived => is_clients(word, ARCHIVED),
        Principal::Deactivated => false,
        Principal::Anonymous => is_public(word),
    }
}

/// What is a client's own, the public part of their provider, and what that provider lets all
/// clients see and track (behaviour 19).
fn is_clients(word: &Found, own: &str) -> bool {
    word.site == Site::A && (word.of == own || word.of == "featuretoggle" || is_public(word))
}

/// The names of providers, the owner and any other (behaviour 3.4).
fn is_public(word: &Found) -> bool {
    ["owner", "organizationmembership"].contains(&word.of.as_str())
        && PUBLIC.contains(&word.field.as_str())
}

#[test]
fn a_word_of_others_is_found_wherever_it_stands() {
    let reads = |principal, text: &str| leaked(None, principal, text).is_some();
    let answer =
        |word: &str| format!("{{\"data\":{{\"user\":{{\"name\":\"Dr {word} Tester\"}}}}}}");
    let uncared = answer("CANARY-A-uncared-first_name");
    for principal in [Principal::Other, Principal::SubOwner, Principal::Standard, Principal::Own] {
        assert!(reads(principal, &uncared), "{principal:?} may read a client of A's owner");
    }
    assert!(!reads(Principal::Owner, &uncared) && !reads(Principal::Support, &uncared));
    let error = "{\"errors\":[{\"message\":\"canary-b-owner-email@x.example is taken\"}]}";
    assert!(reads(Principal::Owner, error) && !reads(Principal::Other, error));
    assert!(reads(Principal::Admin, &answer("canary-a-restricted-ssn")));
    assert!(!reads(Principal::Anonymous, &answer("canary-a-owner-last_name")));
    assert!(reads(Principal::Anonymous, &answer("canary-a-owner-email")));
}
