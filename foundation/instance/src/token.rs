//! Tokens of one instance: sessions, reset links, invitations, feeds, file links, cursors.
//!
//! A stored token is `wt<letter>_<sbx|live>_<tag>_<32 base62><6 checksum>`; the database keeps only
//! its digest under the purpose's key, so neither a stolen database nor another instance can make
//! one. File links are not stored: they carry what they open, under a MAC. Cursors keep the
//! contract's observable form. A token of elsewhere is refused by its text alone (ISO-15, ISO-25).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::kind::{Kind, Tag};
use crate::mac;
use crate::random::Random;
use crate::root::{Purpose, RootRing};
use crate::text::{BASE62, checksum, is_base62};

/// The contract's extension code for a token of another environment or instance.
pub const WRONG_ENVIRONMENT_TOKEN: &str = "WRONG_ENVIRONMENT_TOKEN";

/// Cursors longer than this are refused unread.
pub const CURSOR_CHARACTERS_MAX: usize = 8_192;

const BODY: usize = 32;
const CHECKSUM: usize = 6;
const CURSOR_MAC: usize = 16;
const LINK_MAC: usize = 32;

/// What a stored token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenPurpose {
    /// A signed-in browser.
    Session,
    /// Setting a new password.
    Reset,
    /// Joining an organization.
    Invite,
    /// Saying that an e-mail address is one's own.
    ConfirmEmail,
    /// One file, revocable (for links that need no row, see [`file_link`]).
    File,
    /// A calendar feed.
    IcsFeed,
}

impl TokenPurpose {
    /// Every purpose.
    pub const ALL: [TokenPurpose; 6] =
        [Self::Session, Self::Reset, Self::Invite, Self::ConfirmEmail, Self::File, Self::IcsFeed];

    const fn start(self) -> &'static str {
        match self {
            Self::Session => "wts",
            Self::Reset => "wtr",
            Self::Invite => "wti",
            Self::ConfirmEmail => "wte",
            Self::File => "wtf",
            Self::IcsFeed => "wtc",
        }
    }

    const fn key(self) -> Purpose {
        match self {
            Self::Session => Purpose::Session,
            Self::Reset => Purpose::ResetToken,
            Self::Invite => Purpose::Invite,
            Self::ConfirmEmail => Purpose::ConfirmEmail,
            Self::File => Purpose::FileUrl,
            Self::IcsFeed => Purpose::IcsFeed,
        }
    }
}

/// A new token: the text goes out, the look-up digest is stored.
pub struct MintedToken {
    /// What the holder presents; 190 random bits.
    pub text: Zeroizing<String>,
    /// HMAC of the text under the purpose's key.
    pub lookup: [u8; 32],
}

/// What a presented text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenClass {
    /// No token, or mistyped.
    Malformed,
    /// A token of the other environment.
    WrongEnvironment(Kind, Tag),
    /// A token of another instance of this environment.
    WrongInstance(Tag),
    /// A token of ours for something else.
    WrongPurpose(TokenPurpose),
    /// A token that this instance may have given out under its current root.
    Ours {
        /// What to look up.
        lookup: [u8; 32],
    },
}

impl TokenClass {
    /// The contract's extension code, where the text names another environment or instance.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::WrongEnvironment(..) | Self::WrongInstance(_) => Some(WRONG_ENVIRONMENT_TOKEN),
            Self::Malformed | Self::WrongPurpose(_) | Self::Ours { .. } => None,
        }
    }
}

/// Makes a token of the ring's instance.
pub fn mint(ring: &RootRing, purpose: TokenPurpose, random: &Random) -> MintedToken {
    made(ring, purpose, &Zeroizing::new(random.base62(BODY)))
}

/// The token of a row: the same whenever it is asked for, so that it can be shown again to those
/// who may see it. Who has the database and not the root key can't make it.
pub fn of_row(ring: &RootRing, purpose: TokenPurpose, row: &str) -> MintedToken {
    let key = ring.derive(purpose.key());
    let half = |n: u8| mac::mac(&key, &[b"ward/token-of-row/v1", row.as_bytes(), &[n]]);
    let bytes = Zeroizing::new([half(0), half(1)].concat());
    let digit = |pair: &[u8]| {
        let number = pair.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        char::from(BASE62[number % BASE62.len()])
    };
    let body: Zeroizing<String> = Zeroizing::new(bytes.chunks_exact(2).map(digit).collect());
    made(ring, purpose, &body)
}

fn made(ring: &RootRing, purpose: TokenPurpose, body: &str) -> MintedToken {
    let start = format!("{}_{}_{}_", purpose.start(), ring.kind().short(), ring.tag());
    let mut text = Zeroizing::new(String::with_capacity(64));
    text.push_str(&start);
    text.push_str(body);
    let sum = checksum(&text);
    text.push_str(&sum);
    let lookup = lookup(ring, purpose, &text);
    MintedToken { text, lookup }
}

/// What `text` is when a token for `purpose` is expected. Looks nothing up.
pub fn classify(ring: &RootRing, purpose: TokenPurpose, text: &str) -> TokenClass {
    let Some((named, kind, tag)) = parts(text) else {
        return TokenClass::Malformed;
    };
    if kind != ring.kind() {
        TokenClass::WrongEnvironment(kind, tag)
    } else if tag != ring.tag() {
        TokenClass::WrongInstance(tag)
    } else if named != purpose {
        TokenClass::WrongPurpose(named)
    } else {
        TokenClass::Ours { lookup: lookup(ring, purpose, text) }
    }
}

fn lookup(ring: &RootRing, purpose: TokenPurpose, text: &str) -> [u8; 32] {
    mac::mac(&ring.derive(purpose.key()), &[b"ward/token/v1", text.as_bytes()])
}

fn parts(text: &str) -> Option<(TokenPurpose, Kind, Tag)> {
    let (start, kind, tag, body) = words(text)?;
    let purpose = TokenPurpose::ALL.into_iter().find(|purpose| purpose.start() == start)?;
    if body.len() != BODY + CHECKSUM || !is_base62(body) {
        return None;
    }
    let (summed, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    (checksum(summed) == sum).then_some((purpose, kind, tag))
}

fn words(text: &str) -> Option<(&str, Kind, Tag, &str)> {
    let mut words = text.splitn(4, '_');
    let start = words.next()?;
    let kind = Kind::from_short(words.next()?)?;
    let tag = words.next()?.parse().ok()?;
    Some((start, kind, tag, words.next()?))
}

/// What a signed file link opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// The blob's id.
    pub blob: String,
    /// For whom the link was made; permissions are checked again when it is used.
    pub user_id: i64,
    /// The other user who asked for it, acting for them; 0 for nobody. Whether they still may is
    /// checked, too.
    pub proxy_id: i64,
    /// Wall time after which it opens nothing.
    pub expires: Timestamp,
}

/// Why a file link does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRefusal {
    /// No file link.
    Malformed,
    /// Made by the other environment.
    WrongEnvironment(Kind, Tag),
    /// Made by another instance of this environment.
    WrongInstance(Tag),
    /// Names this instance, but was not signed by its current root.
    Forged,
    /// Was good once.
    Expired,
}

impl LinkRefusal {
    /// The contract's extension code, where the text names another environment or instance.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::WrongEnvironment(..) | Self::WrongInstance(_) => Some(WRONG_ENVIRONMENT_TOKEN),
            Self::Malformed | Self::Forged | Self::Expired => None,
        }
    }
}

/// Signs a file link: `wtu_<sbx|live>_<tag>_<base64url of expiry, user, who acts, blob
/// and MAC>`.
pub fn file_link(ring: &RootRing, link: &FileLink) -> String {
    let mut payload = Vec::with_capacity(24 + link.blob.len() + LINK_MAC);
    payload.extend_from_slice(&link.expires.0.to_be_bytes());
    payload.extend_from_slice(&link.user_id.to_be_bytes());
    payload.extend_from_slice(&link.proxy_id.to_be_bytes());
    payload.extend_from_slice(link.blob.as_bytes());
    signed(ring, &FILES, payload)
}

/// Opens a file link at wall time `now`.
pub fn open_file_link(
    ring: &RootRing,
    text: &str,
    now: Timestamp,
) -> Result<FileLink, LinkRefusal> {
    let payload = opened(ring, &FILES, text)?;
    let link = link_of(&payload).ok_or(LinkRefusal::Malformed)?;
    if link.expires < now { Err(LinkRefusal::Expired) } else { Ok(link) }
}

/// A sort of links that carry what they open, under a MAC.
pub(crate) struct SignedLinks {
    /// What their text begins with.
    pub start: &'static str,
    /// Whose key signs them.
    pub purpose: Purpose,
    /// What they are, signed with them.
    pub what: &'static [u8],
}

const FILES: SignedLinks =
    SignedLinks { start: "wtu", purpose: Purpose::FileUrl, what: b"ward/file-link/v2" };

pub(crate) fn signed(ring: &RootRing, links: &SignedLinks, mut payload: Vec<u8>) -> String {
    let tag = mac::mac(&ring.derive(links.purpose), &[links.what, &payload]);
    payload.extend_from_slice(&tag);
    let start = links.start;
    format!("{start}_{}_{}_{}", ring.kind().short(), ring.tag(), URL_SAFE_NO_PAD.encode(payload))
}

pub(crate) fn opened(
    ring: &RootRing,
    links: &SignedLinks,
    text: &str,
) -> Result<Vec<u8>, LinkRefusal> {
    let (start, kind, tag, body) = words(text).ok_or(LinkRefusal::Malformed)?;
    if start != links.start {
        return Err(LinkRefusal::Malformed);
    }
    if kind != ring.kind() {
        return Err(LinkRefusal::WrongEnvironment(kind, tag));
    }
    if tag != ring.tag() {
        return Err(LinkRefusal::WrongInstance(tag));
    }
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| LinkRefusal::Malformed)?;
    let (payload, seal) = bytes.split_last_chunk::<LINK_MAC>().ok_or(LinkRefusal::Malformed)?;
    if !mac::verify(&ring.derive(links.purpose), &[links.what, payload], seal) {
        return Err(LinkRefusal::Forged);
    }
    Ok(payload.to_vec())
}

fn link_of(payload: &[u8]) -> Option<FileLink> {
    let (expires, rest) = payload.split_first_chunk()?;
    let (user_id, rest) = rest.split_first_chunk()?;
    let (proxy_id, blob) = rest.split_first_chunk()?;
    Some(FileLink {
        blob: String::from_utf8(blob.to_vec()).ok()?,
        user_id: i64::from_be_bytes(*user_id),
        proxy_id: i64::from_be_bytes(*proxy_id),
        expires: Timestamp(i64::from_be_bytes(*expires)),
    })
}

/// Why a cursor is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorRefusal {
    /// Not a cursor.
    Malformed,
    /// A cursor of another environment, instance, list or order.
    WrongEnvironment,
}

impl CursorRefusal {
    /// The contract's extension code, where the cursor is one of elsewhere.
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::Malformed => None,
            Self::WrongEnvironment => Some(WRONG_ENVIRONMENT_TOKEN),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    k: Vec<Option<String>>,
    m: String,
}

/// Base64 of `{"k":[…],"m":"…"}`: the keys of the row where the page ended, and the MAC that binds
/// them to the instance and to `scope`, the list and its order.
pub fn cursor_encode(ring: &RootRing, scope: &str, keys: &[Option<String>]) -> String {
    let key = ring.derive(Purpose::Cursor);
    let whole = mac::mac(&key, &cursor_fields(scope, keys));
    let cut = whole.first_chunk::<CURSOR_MAC>().map(<[u8; CURSOR_MAC]>::as_slice);
    let cursor = Cursor { k: keys.to_vec(), m: URL_SAFE_NO_PAD.encode(cut.unwrap_or_default()) };
    let json = serde_json::to_string(&cursor).expect("strings are always JSON");
    STANDARD.encode(json)
}

/// The keys of a cursor that this instance made for `scope`.
pub fn cursor_decode(
    ring: &RootRing,
    scope: &str,
    text: &str,
) -> Result<Vec<Option<String>>, CursorRefusal> {
    if text.len() > CURSOR_CHARACTERS_MAX {
        return Err(CursorRefusal::Malformed);
    }
    let json = STANDARD.decode(text).map_err(|_| CursorRefusal::Malformed)?;
    let cursor: Cursor = serde_json::from_slice(&json).map_err(|_| CursorRefusal::Malformed)?;
    let tag = URL_SAFE_NO_PAD.decode(&cursor.m).map_err(|_| CursorRefusal::Malformed)?;
    if tag.len() != CURSOR_MAC {
        return Err(CursorRefusal::Malformed);
    }
    let key = ring.derive(Purpose::Cursor);
    if mac::verify_truncated(&key, &cursor_fields(scope, &cursor.k), &tag) {
        Ok(cursor.k)
    } else {
        Err(CursorRefusal::WrongEnvironment)
    }
}

/// A null key is told from an empty one by a field of its own before each key.
fn cursor_fields<'a>(scope: &'a str, keys: &'a [Option<String>]) -> Vec<&'a [u8]> {
    let mut fields: Vec<&[u8]> = vec![b"ward/cursor/v1", scope.as_bytes()];
    for key in keys {
        match key {
            Some(text) => fields.extend([b"s".as_slice(), text.as_bytes()]),
            None => fields.push(b"n"),
        }
    }
    fields
}
