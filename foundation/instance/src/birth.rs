//! The birth certificate: one row that says what an instance is, under a MAC that only its own
//! root key can make, and the witnesses that a verified certificate yields.

use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;
use crate::error::IsoError;
use crate::kind::{InstanceId, Kind, Tag};
use crate::mac;
use crate::root::{Purpose, RootRing};

/// Proof that this process runs a verified Sandbox. Made only by [`Certificate::verify`].
#[derive(Clone, Copy, Debug)]
pub struct SandboxWitness(());

/// Proof that this process runs a verified Production. Made only by [`Certificate::verify`].
#[derive(Clone, Copy, Debug)]
pub struct ProductionWitness(());

/// Which environment this process was proved to be.
#[derive(Clone, Copy, Debug)]
pub enum Witness {
    /// A Sandbox: simulators and the control plane may be built.
    Sandbox(SandboxWitness),
    /// Production: live connectors may be armed.
    Production(ProductionWitness),
}

impl Witness {
    /// The kind that was proved.
    pub const fn kind(&self) -> Kind {
        match self {
            Witness::Sandbox(_) => Kind::Sandbox,
            Witness::Production(_) => Kind::Production,
        }
    }

    /// The Sandbox's witness, if this is one.
    pub const fn sandbox(&self) -> Option<SandboxWitness> {
        match self {
            Witness::Sandbox(witness) => Some(*witness),
            Witness::Production(_) => None,
        }
    }

    /// Production's witness, if this is it.
    pub const fn production(&self) -> Option<ProductionWitness> {
        match self {
            Witness::Production(witness) => Some(*witness),
            Witness::Sandbox(_) => None,
        }
    }
}

/// Whether the instance may act on the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ordinary work.
    Active,
    /// Moved, copied or restored: read-only for administrators, no effects, jobs or webhooks.
    Quarantined,
}

impl State {
    /// The word in the database: `active` or `quarantined`.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Quarantined => "quarantined",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state is `active` or `quarantined`")]
pub struct NotAState;

impl FromStr for State {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        match text {
            "active" => Ok(State::Active),
            "quarantined" => Ok(State::Quarantined),
            _ => Err(NotAState),
        }
    }
}

/// The one row of table `instance`. A changed field means nothing until it is signed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Sandbox or Production, for ever.
    pub kind: Kind,
    /// The 128 bits drawn at birth.
    pub instance_id: InstanceId,
    /// First 25 bits of the id, for people.
    pub tag: Tag,
    /// When the instance was made.
    pub born_at: Timestamp,
    /// Where it is reached; links are built from this and from no settings table (ISO-24).
    pub base_url: String,
    /// Number of the newest migration applied.
    pub schema_epoch: i64,
    /// How often a backup was brought back.
    pub restore_epoch: i64,
    /// How often ids moved on to a fresh slot.
    pub id_epoch: i64,
    /// See [`crate::host::binding`].
    pub host_binding: String,
    /// Ordinary work or quarantine.
    pub state: State,
    /// Version of the root that made the MAC.
    pub root_version: u32,
    /// HMAC-SHA256 under purpose `birth` over all fields above.
    pub mac: [u8; 32],
}

impl Certificate {
    /// A certificate signed by `ring`, whose kind and id it takes.
    pub fn new(ring: &RootRing, born_at: Timestamp, base_url: &str, host_binding: &str) -> Self {
        let mut certificate = Self {
            kind: ring.kind(),
            instance_id: ring.instance_id(),
            tag: ring.tag(),
            born_at,
            base_url: base_url.to_owned(),
            schema_epoch: 0,
            restore_epoch: 0,
            id_epoch: 0,
            host_binding: host_binding.to_owned(),
            state: State::Active,
            root_version: ring.current_version(),
            mac: [0; 32],
        };
        certificate.sign(ring);
        certificate
    }

    /// Signs the fields as they are now with the current root. Kind and id are not taken from the
    /// ring: a certificate of another instance stays one that does not verify.
    pub fn sign(&mut self, ring: &RootRing) {
        self.root_version = ring.current_version();
        self.mac = self.over_fields(|fields| mac::mac(&ring.derive(Purpose::Birth), fields));
    }

    /// Whether this certificate belongs to the ring's instance and is as it was signed.
    /// Refuses with ISO-02 (another instance's) or ISO-06 (changed by hand).
    pub fn verify(&self, ring: &RootRing) -> Result<Witness, IsoError> {
        self.verify_for(ring, None)
    }

    fn verify_for(&self, ring: &RootRing, cli_kind: Option<Kind>) -> Result<Witness, IsoError> {
        if self.instance_id != ring.instance_id() {
            return Err(foreign(&opinions(ring, self, cli_kind)));
        }
        if self.kind == ring.kind() && !ring.versions().contains(&self.root_version) {
            return Err(other_root(ring, self));
        }
        if self.kind != ring.kind() || self.tag != ring.tag() || !self.mac_fits(ring) {
            return Err(changed(&opinions(ring, self, cli_kind)));
        }
        Ok(match self.kind {
            Kind::Sandbox => Witness::Sandbox(SandboxWitness(())),
            Kind::Production => Witness::Production(ProductionWitness(())),
        })
    }

    fn mac_fits(&self, ring: &RootRing) -> bool {
        ring.derive_version(self.root_version, Purpose::Birth)
            .is_some_and(|key| self.over_fields(|fields| mac::verify(&key, fields, &self.mac)))
    }

    fn over_fields<R>(&self, then: impl FnOnce(&[&[u8]]) -> R) -> R {
        then(&[
            b"ward/certificate/v1",
            self.kind.as_str().as_bytes(),
            self.instance_id.as_bytes(),
            self.tag.as_str().as_bytes(),
            &self.born_at.0.to_be_bytes(),
            self.base_url.as_bytes(),
            &self.schema_epoch.to_be_bytes(),
            &self.restore_epoch.to_be_bytes(),
            &self.id_epoch.to_be_bytes(),
            self.host_binding.as_bytes(),
            self.state.as_str().as_bytes(),
            &self.root_version.to_be_bytes(),
        ])
    }
}

/// The three-way agreement at start: command line, key file and certificate name one kind, one
/// instance, and the MAC verifies. Refuses with ISO-01, ISO-02 or ISO-06, naming all three.
pub fn agree(
    cli_kind: Kind,
    ring: &RootRing,
    certificate: &Certificate,
) -> Result<Witness, IsoError> {
    let witness = certificate.verify_for(ring, Some(cli_kind))?;
    if cli_kind == witness.kind() {
        return Ok(witness);
    }
    Err(IsoError::new(
        "ISO-01",
        opinions(ring, certificate, Some(cli_kind)),
        format!("use --kind {}, or name the {cli_kind} directory", ring.kind()),
    ))
}

/// What each source says this instance is; the database first, since it is what gets moved about.
fn opinions(ring: &RootRing, certificate: &Certificate, cli_kind: Option<Kind>) -> String {
    let cli = cli_kind.map(|kind| format!(", the command line says {}", kind.title()));
    format!(
        "database born as {} {}, the key file is of {} {}{}",
        certificate.kind.title(),
        certificate.tag,
        ring.kind().title(),
        ring.tag(),
        cli.unwrap_or_default()
    )
}

fn foreign(opinions: &str) -> IsoError {
    IsoError::new("ISO-02", opinions, "put back the database that belongs to this key file")
}

/// A rotation of the root came between the key file and the database (SEC-22).
fn other_root(ring: &RootRing, certificate: &Certificate) -> IsoError {
    let (at, has) = (certificate.root_version, ring.current_version());
    let (sentence, fix) = if at > has {
        (
            format!(
                "the database is signed by root key {at}, and this key file ends at {has}: it was copied before the root key was rotated"
            ),
            "use the instance's present root.key; an old copy opens only backups of its time",
        )
    } else {
        (
            format!(
                "the database is signed by root key {at}, which this key file no longer has: the root key was rotated since"
            ),
            "put back the root.key of the time of this database, or the database of today",
        )
    };
    IsoError::new("ISO-02", sentence, fix)
}

fn changed(opinions: &str) -> IsoError {
    IsoError::new(
        "ISO-06",
        format!("{opinions}, and the seal of the birth certificate is broken"),
        "bring the database back from a backup; an instance cannot be converted",
    )
}
