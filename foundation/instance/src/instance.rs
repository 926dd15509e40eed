//! One verified instance: what every other part is handed to make keys, ids and tokens with.

use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::api_key::{ApiKey, KeyClass, KeyRole, MintedKey};
use crate::base_url::BaseUrl;
use crate::birth::{Certificate, Witness};
use crate::calendar_link::{self, CalendarLink};
use crate::clock::{Clock, Timestamp};
use crate::error::{InstanceError, IsoError};
use crate::faults::Faults;
use crate::ids::IdCodec;
use crate::kind::{InstanceId, Kind, Tag};
use crate::ledger::Ledger;
use crate::mac;
use crate::random::Random;
use crate::reach::Reach;
use crate::room_link::{self, RoomLink};
use crate::root::{Key, Purpose, RootRing};
use crate::seal::Sealer;
use crate::token::{
    self, CursorRefusal, FileLink, LinkRefusal, MintedToken, TokenClass, TokenPurpose,
};
use crate::upload_link::{self, UploadLink};
use crate::uuid;

/// What everything that leaves an instance bears, if the instance is no Production: nobody takes
/// it for the real thing (ISO-34, ISO-36).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// One word, for across a page.
    pub word: String,
    /// A line with the instance's tag, for a page's foot.
    pub line: String,
}

/// A verified instance; shared as an `Arc`.
pub struct Instance {
    kind: Kind,
    instance_id: InstanceId,
    tag: Tag,
    witness: Witness,
    base_url: RwLock<BaseUrl>,
    ring: RwLock<Arc<RootRing>>,
    ledger: Mutex<Ledger>,
    ids: IdCodec,
    clock: Clock,
    random: Random,
    reach: Reach,
    faults: Faults,
}

impl Instance {
    /// Puts a verified instance together. Refuses a certificate or a ledger that is not the
    /// ring's own (ISO-02, ISO-06).
    pub fn assemble(
        ring: Arc<RootRing>,
        certificate: &Certificate,
        ledger: Ledger,
        clock: Clock,
        random: Random,
    ) -> Result<Arc<Self>, InstanceError> {
        let witness = certificate.verify(&ring)?;
        if ledger.kind() != ring.kind() || ledger.instance_id() != ring.instance_id() {
            return Err(IsoError::new(
                "ISO-02",
                "the id ledger belongs to another instance than the key file",
                "put back the ledger that belongs to this key file",
            )
            .into());
        }
        let base_url = certificate.base_url.parse().map_err(|_| {
            InstanceError::config("the birth certificate's base URL is not a base URL")
        })?;
        Ok(Arc::new(Self {
            kind: ring.kind(),
            instance_id: ring.instance_id(),
            tag: ring.tag(),
            witness,
            base_url: RwLock::new(base_url),
            ring: RwLock::new(ring),
            ids: ledger.codec(),
            ledger: Mutex::new(ledger),
            clock,
            random,
            reach: Reach::default(),
            faults: Faults::default(),
        }))
    }

    /// Sandbox or Production.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The 128 bits drawn at birth.
    pub const fn instance_id(&self) -> InstanceId {
        self.instance_id
    }

    /// The five characters for people.
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// The proof of the kind.
    pub const fn witness(&self) -> Witness {
        self.witness
    }

    /// The address that links are built with, without a trailing slash.
    pub fn base_url(&self) -> BaseUrl {
        self.base_url.read().clone()
    }

    /// Looks at that address without a copy of it.
    pub fn with_base_url<T>(&self, look: impl FnOnce(&BaseUrl) -> T) -> T {
        look(&self.base_url.read())
    }

    /// Tells the port actually listened on. Only a loopback address takes it over; any other is
    /// what the certificate says.
    pub fn listening_on(&self, port: u16) {
        let mut url = self.base_url.write();
        if url.is_loopback() {
            *url = url.with_port(port);
        }
    }

    /// The root keys as they are now.
    pub fn ring(&self) -> Arc<RootRing> {
        Arc::clone(&self.ring.read())
    }

    /// Takes over a ring of the same instance in which roots were added or dropped, and re-signs
    /// the ledger under it.
    pub fn replace_ring(&self, ring: Arc<RootRing>) -> Result<(), InstanceError> {
        if ring.kind() != self.kind || ring.instance_id() != self.instance_id {
            return Err(InstanceError::config("the new key file belongs to another instance"));
        }
        self.ledger.lock().resign(&ring)?;
        *self.ring.write() = ring;
        Ok(())
    }

    /// What it can do to the world outside.
    pub const fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The faults that are made on purpose; none in Production.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Logical time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The mark of what leaves this instance; a Production has none.
    pub fn mark(&self) -> Option<Mark> {
        self.witness.sandbox().map(|_| Mark {
            word: self.kind.title().to_uppercase(),
            line: format!("{}, tag {}", self.kind.words(), self.tag.as_str()),
        })
    }

    /// The source of randomness.
    pub const fn random(&self) -> &Random {
        &self.random
    }

    /// The codec that turns text into ids.
    pub const fn ids(&self) -> &IdCodec {
        &self.ids
    }

    /// The id ledger, locked while the guard lives.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock()
    }

    /// The current key for `purpose`.
    pub fn key(&self, purpose: Purpose) -> Key {
        self.ring.read().derive(purpose)
    }

    /// A new UUID of this environment, dated in logical time.
    pub fn uuid(&self) -> String {
        uuid::new(self.kind, &self.tag, self.now(), &self.random)
    }

    /// A new API key.
    pub fn mint_key(&self, class: KeyRole) -> Result<MintedKey, InstanceError> {
        ApiKey::mint(self.kind, &self.tag, class, &self.random)
    }

    /// What a presented API key is.
    pub fn classify_key(&self, text: &str) -> KeyClass {
        ApiKey::classify(text, self.kind, &self.tag)
    }

    /// A new token.
    pub fn mint_token(&self, purpose: TokenPurpose) -> MintedToken {
        token::mint(&self.ring.read(), purpose, &self.random)
    }

    /// The token of a row, which can be made again.
    pub fn token_of_row(&self, purpose: TokenPurpose, row: &str) -> MintedToken {
        token::of_row(&self.ring.read(), purpose, row)
    }

    /// What a presented token is.
    pub fn classify_token(&self, purpose: TokenPurpose, text: &str) -> TokenClass {
        token::classify(&self.ring.read(), purpose, text)
    }

    /// A signed file link.
    pub fn file_link(&self, link: &FileLink) -> String {
        token::file_link(&self.ring.read(), link)
    }

    /// Opens a signed file link, at wall time.
    pub fn open_file_link(&self, text: &str) -> Result<FileLink, LinkRefusal> {
        token::open_file_link(&self.ring.read(), text, self.clock.wall())
    }

    /// A signed link to send a file.
    pub fn upload_link(&self, link: &UploadLink) -> String {
        upload_link::upload_link(&self.ring.read(), link)
    }

    /// Opens a signed link to send a file, at wall time.
    pub fn open_upload_link(&self, text: &str) -> Result<UploadLink, LinkRefusal> {
        upload_link::open_upload_link(&self.ring.read(), text, self.clock.wall())
    }

    /// A signed link to a calendar.
    pub fn calendar_link(&self, link: &CalendarLink) -> String {
        calendar_link::calendar_link(&self.ring.read(), link)
    }

    /// Opens a signed link to a calendar.
    pub fn open_calendar_link(&self, text: &str) -> Result<CalendarLink, LinkRefusal> {
        calendar_link::open_calendar_link(&self.ring.read(), text)
    }

    /// A signed link to the room of a video call.
    pub fn room_link(&self, link: &RoomLink) -> String {
        room_link::room_link(&self.ring.read(), link)
    }

    /// Opens a signed link to the room of a video call.
    pub fn open_room_link(&self, text: &str) -> Result<RoomLink, LinkRefusal> {
        room_link::open_room_link(&self.ring.read(), text)
    }

    /// A pagination cursor; see [`token::cursor_encode`].
    pub fn cursor_encode(&self, scope: &str, keys: &[Option<String>]) -> String {
        token::cursor_encode(&self.ring.read(), scope, keys)
    }

    /// The keys of a cursor of this instance; see [`token::cursor_decode`].
    pub fn cursor_decode(
        &self,
        scope: &str,
        text: &str,
    ) -> Result<Vec<Option<String>>, CursorRefusal> {
        token::cursor_decode(&self.ring.read(), scope, text)
    }

    /// A sealer for one unwrapped data key.
    pub fn sealer(&self, data_key: &Key, version: u32) -> Sealer {
        Sealer::new(self.kind, self.instance_id, data_key, version)
    }

    /// The MAC of a security row of `table`, bound to the instance (ISO-13).
    pub fn row_mac(&self, table: &str, fields: &[&[u8]]) -> [u8; 32] {
        mac::mac(&self.key(Purpose::RowMac), &self.row_fields(table, fields))
    }

    /// Whether a row's MAC is right under the current root or one that is still readable.
    pub fn row_mac_fits(&self, table: &str, fields: &[&[u8]], tag: &[u8]) -> bool {
        let ring = self.ring();
        let fields = self.row_fields(table, fields);
        let mut versions = ring.versions();
        // The newest first: nearly every row has it.
        versions.reverse();
        versions
            .into_iter()
            .filter_map(|version| ring.derive_version(version, Purpose::RowMac))
            .any(|key| mac::verify(&key, &fields, tag))
    }

    fn row_fields<'a>(&'a self, table: &'a str, fields: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let mut all: Vec<&[u8]> =
            vec![b"ward/row/v1", self.instance_id.as_bytes(), table.as_bytes()];
        all.extend_from_slice(fields);
        all
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instance({} {})", self.kind, self.tag)
    }
}
