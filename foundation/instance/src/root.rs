//! The root keys of an instance and everything derived from them.
//!
//! `D/root.key` is text: a line that names kind and tag, a line with the instance id, then one line
//! a root, `<version> current|old <base64 of 32 bytes>`. Exactly one root is current; old ones only
//! read. The kind is part of every derivation, so one root placed in both environments by mistake
//! still gives two unrelated sets of keys (ISO-15).

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::InstanceError;
use crate::files;
use crate::kind::{InstanceId, Kind, Tag};
use crate::random::Random;

/// The most roots that a ring holds: rotations end with dropping the old root, so few are alive.
pub const ROOTS_MAX: usize = 16;

/// A 256-bit key; wiped when dropped, never shown.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// Takes 32 bytes as a key.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Draws a new key.
    pub fn draw(random: &Random) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The key's bytes, for the primitive that needs them and nothing else.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// What a derived key is for; each has its own key, none can stand in for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// MAC of the birth certificate.
    Birth,
    /// Wraps data keys.
    Kek,
    /// MAC of security rows such as API keys.
    RowMac,
    /// MAC of the files beside the database.
    Ledger,
    /// Look-up digests of sessions.
    Session,
    /// Look-up digests of reset links.
    ResetToken,
    /// Look-up digests of invitations.
    Invite,
    /// Look-up digests of links that confirm an e-mail address.
    ConfirmEmail,
    /// MAC of pagination cursors.
    Cursor,
    /// MAC of signed file links.
    FileUrl,
    /// Look-up digests of calendar feeds.
    IcsFeed,
    /// Seed of webhook secrets.
    WebhookSeed,
    /// Names of event streams.
    StreamName,
    /// Blind indexes over sealed columns.
    BlindIndex,
    /// Digests of idempotency keys.
    Idempotency,
    /// The audit chain.
    AuditChain,
    /// Signature of dossiers.
    DossierSign,
    /// Encryption of backups.
    Backup,
    /// MAC of commands to the running server, and of its answers.
    Control,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Purpose; 19] = [
        Purpose::Birth,
        Purpose::Kek,
        Purpose::RowMac,
        Purpose::Ledger,
        Purpose::Session,
        Purpose::ResetToken,
        Purpose::Invite,
        Purpose::ConfirmEmail,
        Purpose::Cursor,
        Purpose::FileUrl,
        Purpose::IcsFeed,
        Purpose::WebhookSeed,
        Purpose::StreamName,
        Purpose::BlindIndex,
        Purpose::Idempotency,
        Purpose::AuditChain,
        Purpose::DossierSign,
        Purpose::Backup,
        Purpose::Control,
    ];

    /// The label inside the derivation; changing one loses everything sealed under it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Birth => "birth",
            Purpose::Kek => "kek",
            Purpose::RowMac => "row-mac",
            Purpose::Ledger => "ledger",
            Purpose::Session => "session",
            Purpose::ResetToken => "reset-token",
            Purpose::Invite => "invite",
            Purpose::ConfirmEmail => "confirm-email",
            Purpose::Cursor => "cursor",
            Purpose::FileUrl => "file-url",
            Purpose::IcsFeed => "ics-feed",
            Purpose::WebhookSeed => "webhook-seed",
            Purpose::StreamName => "stream-name",
            Purpose::BlindIndex => "blind-index",
            Purpose::Idempotency => "idempotency",
            Purpose::AuditChain => "audit-chain",
            Purpose::DossierSign => "dossier-sign",
            Purpose::Backup => "backup",
            Purpose::Control => "control",
        }
    }
}

/// The roots of one instance: one current, older ones only to read.
#[derive(Clone)]
pub struct RootRing {
    kind: Kind,
    instance_id: InstanceId,
    current: u32,
    roots: Vec<(u32, Key)>,
}

impl RootRing {
    /// A new ring in memory, with version 1 as its only root.
    pub fn generate(kind: Kind, instance_id: InstanceId, random: &Random) -> Self {
        Self { kind, instance_id, current: 1, roots: vec![(1, Key::draw(random))] }
    }

    /// Makes a new ring and its key file, mode 0600; an existing file is an error.
    pub fn create(
        path: &Path,
        kind: Kind,
        instance_id: InstanceId,
        random: &Random,
    ) -> Result<Self, InstanceError> {
        let ring = Self::generate(kind, instance_id, random);
        files::create_private(path, ring.to_text().as_bytes())?;
        Ok(ring)
    }

    /// Reads a key file; refuses one that group or world may read or write.
    pub fn load(path: &Path) -> Result<Self, InstanceError> {
        let shown = path.display();
        let meta = fs::metadata(path).map_err(InstanceError::io(format!("cannot read {shown}")))?;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(InstanceError::config(format!(
                "{shown} has mode {mode:04o} and others may read the root key; run `chmod 600 {shown}`"
            )));
        }
        let text = Zeroizing::new(files::read(path)?);
        Self::from_text(&text).map_err(|wrong| InstanceError::config(format!("{shown}: {wrong}")))
    }

    /// Replaces the key file after [`RootRing::add_root`] or [`RootRing::drop_root`], in one step.
    pub fn save(&self, path: &Path) -> Result<(), InstanceError> {
        files::write_atomically(path, self.to_text().as_bytes())
    }

    /// Reads the text of a key file. The error quotes no line: each may hold a key.
    pub fn from_text(text: &str) -> Result<Self, KeyFileError> {
        let mut lines = text.lines();
        let (kind, tag) = title(lines.next().unwrap_or_default()).ok_or(KeyFileError::Title)?;
        let id = lines.next().and_then(|line| line.strip_prefix("instance "));
        let instance_id: InstanceId =
            id.and_then(|id| id.parse().ok()).ok_or(KeyFileError::Instance)?;
        if instance_id.tag() != tag {
            return Err(KeyFileError::Instance);
        }
        let mut current = None;
        let mut roots: Vec<(u32, Key)> = Vec::new();
        for (index, line) in lines.enumerate() {
            let (version, is_current, key) =
                root_line(line).ok_or(KeyFileError::Root(index + 3))?;
            let known = roots.iter().any(|(other, _)| *other == version);
            if known || roots.len() == ROOTS_MAX || (is_current && current.is_some()) {
                return Err(KeyFileError::Root(index + 3));
            }
            if is_current {
                current = Some(version);
            }
            roots.push((version, key));
        }
        let current = current.ok_or(KeyFileError::NoCurrent)?;
        Ok(Self { kind, instance_id, current, roots })
    }

    /// The text of the key file; wiped when dropped.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Reserved in full, so that no half-filled buffer with a key is left behind by growth.
        let mut text = Zeroizing::new(String::with_capacity(128 + 96 * self.roots.len()));
        text.push_str(&format!("{} {} ward root key\n", self.kind, self.tag()));
        text.push_str(&format!("instance {}\n", self.instance_id));
        for (version, key) in &self.roots {
            let word = if *version == self.current { "current" } else { "old" };
            let encoded = Zeroizing::new(STANDARD.encode(key.as_bytes()));
            text.push_str(&format!("{version} {word} "));
            text.push_str(&encoded);
            text.push('\n');
        }
        text
    }

    /// The kind that the key file names.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The instance that the key file names.
    pub const fn instance_id(&self) -> InstanceId {
        self.instance_id
    }

    /// The tag of that instance.
    pub fn tag(&self) -> Tag {
        self.instance_id.tag()
    }

    /// The version of the current root.
    pub const fn current_version(&self) -> u32 {
        self.current
    }

    /// All versions that can still be read, in the order in which they were made.
    pub fn versions(&self) -> Vec<u32> {
        self.roots.iter().map(|(version, _)| *version).collect()
    }

    /// Adds a root and makes it current; the old ones stay to read. Gives its version.
    pub fn add_root(&mut self, random: &Random) -> Result<u32, InstanceError> {
        if self.roots.len() == ROOTS_MAX {
            return Err(InstanceError::config(
                "the key file holds 16 roots; finish a rotation first",
            ));
        }
        let newest = self.roots.iter().map(|(version, _)| *version).max().unwrap_or_default();
        let version = newest
            .checked_add(1)
            .ok_or_else(|| InstanceError::config("the key file has no version left"))?;
        self.roots.push((version, Key::draw(random)));
        self.current = version;
        Ok(version)
    }

    /// Takes the roots of an older key file of the same instance, to read what was sealed then; how
    /// many were new. A rotation then brings everything under the current one.
    pub fn adopt(&mut self, older: &RootRing) -> Result<usize, InstanceError> {
        if older.kind != self.kind || older.instance_id != self.instance_id {
            return Err(InstanceError::config("the old key file belongs to another instance"));
        }
        let mut roots = self.roots.clone();
        for (version, key) in &older.roots {
            match roots.iter().find(|(known, _)| known == version) {
                Some((_, known)) if known.as_bytes() == key.as_bytes() => {}
                None if *version < self.current => roots.push((*version, key.clone())),
                _ => {
                    return Err(InstanceError::config(
                        "the old key file is not of a time before the present one",
                    ));
                }
            }
        }
        if roots.len() > ROOTS_MAX {
            return Err(InstanceError::config("the key file would hold more than 16 roots"));
        }
        roots.sort_by_key(|(version, _)| *version);
        let new = roots.len() - self.roots.len();
        self.roots = roots;
        Ok(new)
    }

    /// Forgets an old root: from then on it opens nothing. The current one stays (`false`).
    pub fn drop_root(&mut self, version: u32) -> bool {
        let before = self.roots.len();
        let current = self.current;
        self.roots.retain(|(other, _)| *other != version || *other == current);
        self.roots.len() < before
    }

    /// The current key for `purpose`.
    pub fn derive(&self, purpose: Purpose) -> Key {
        self.derive_version(self.current, purpose).expect("the ring holds its current root")
    }

    /// The key for `purpose` under root `version`; `None` when that root is gone or never was.
    pub fn derive_version(&self, version: u32, purpose: Purpose) -> Option<Key> {
        let (_, root) = self.roots.iter().find(|(known, _)| *known == version)?;
        let info = format!("ward/v1/{}/{}/{version}", self.kind, purpose.as_str());
        let mut okm = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(self.instance_id.as_bytes()), root.as_bytes())
            .expand(info.as_bytes(), okm.as_mut_slice())
            .expect("HKDF-SHA256 gives up to 8,160 bytes");
        Some(Key(okm))
    }
}

impl fmt::Debug for RootRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RootRing({} {} v{})", self.kind, self.tag(), self.current)
    }
}

fn title(line: &str) -> Option<(Kind, Tag)> {
    let mut words = line.strip_suffix(" ward root key")?.split(' ');
    let kind = words.next()?.parse().ok()?;
    let tag = words.next()?.parse().ok()?;
    words.next().is_none().then_some((kind, tag))
}

fn root_line(line: &str) -> Option<(u32, bool, Key)> {
    let mut words = line.split(' ');
    let version = words.next()?.parse().ok().filter(|version| *version > 0)?;
    let current = match words.next()? {
        "current" => true,
        "old" => false,
        _ => return None,
    };
    let decoded = Zeroizing::new(STANDARD.decode(words.next()?).ok()?);
    let bytes: [u8; 32] = decoded.as_slice().try_into().ok()?;
    words.next().is_none().then(|| (version, current, Key::from_bytes(bytes)))
}

/// What is wrong with a key file, without quoting it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The first line is not `<kind> <tag> ward root key`.
    #[error("the first line does not name a kind and a tag")]
    Title,
    /// The second line is missing or does not fit the tag.
    #[error("the second line does not name the instance of the first")]
    Instance,
    /// The line with this number is not a root, repeats one, or is a second current one.
    #[error("line {0} is not a root key of its own")]
    Root(usize),
    /// No root is current.
    #[error("no root key is marked current")]
    NoCurrent,
}
