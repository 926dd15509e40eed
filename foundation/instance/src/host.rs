//! Where an instance runs: its volume, its machine, and the lock that one process holds.
//!
//! A copied directory has a new `volume.id` and so another birth time of it; a restarted container
//! on the same volume has the same. Only facts are found here; what follows from them (quarantine,
//! ISO-09) is the caller's.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::base_url::BaseUrl;
use crate::birth::Certificate;
use crate::error::InstanceError;
use crate::files;
use crate::mac::sha256_fields;
use crate::random::Random;
use crate::text::hex;

/// The file whose birth time identifies the volume.
pub const VOLUME_FILE: &str = "volume.id";
/// The file that a running process locks.
pub const LOCK_FILE: &str = "lock";

/// Makes `D/volume.id`, once, at birth.
pub fn create_volume(dir: &Path, random: &Random) -> Result<(), InstanceError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes);
    files::create_private(&dir.join(VOLUME_FILE), format!("{}\n", hex(&bytes)).as_bytes())
}

/// The host binding of an instance on SQLite: digests of the volume and of the address.
pub fn binding(dir: &Path, base_url: &BaseUrl) -> Result<String, InstanceError> {
    let path = dir.join(VOLUME_FILE);
    let failed = InstanceError::io(format!("cannot read {}", path.display()));
    let meta = fs::metadata(&path).map_err(failed)?;
    let born = meta.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(match born {
        Some(time) => joined("birth-time", &time.as_nanos().to_be_bytes(), base_url),
        None => joined("inode", &meta.ino().to_be_bytes(), base_url),
    })
}

/// A name for the process that holds this directory, the same after a restart: several may share
/// a PostgreSQL database, and a copied directory is another one.
pub fn node(dir: &Path) -> Result<String, InstanceError> {
    let path = dir.join(VOLUME_FILE);
    let meta = fs::metadata(&path)
        .map_err(InstanceError::io(format!("cannot read {}", path.display())))?;
    let born = meta.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let born = born.map(|time| time.as_nanos().to_be_bytes()).unwrap_or_default();
    let inode = meta.ino().to_be_bytes();
    let digest = sha256_fields(&[b"ward/node/v1", &born, &inode, machine().as_bytes()]);
    Ok(hex(digest.split_at(16).0))
}

/// The host binding of an instance on PostgreSQL: the database system identifier and the address.
pub fn binding_of_database(system_identifier: &str, base_url: &BaseUrl) -> String {
    joined("system", system_identifier.as_bytes(), base_url)
}

fn joined(what: &str, value: &[u8], base_url: &BaseUrl) -> String {
    let volume = sha256_fields(&[b"ward/volume/v1", what.as_bytes(), value]);
    let address = sha256_fields(&[b"ward/address/v1", base_url.identity().as_bytes()]);
    format!("{}.{}", hex(&volume), hex(&address))
}

/// A digest that names this machine; empty where the system gives no identity (many containers),
/// which then never counts as another machine.
pub fn machine() -> String {
    let sources = ["/etc/machine-id", "/var/lib/dbus/machine-id", "/sys/class/dmi/id/product_uuid"];
    let named = sources.into_iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        let text = text.trim();
        (text.len() >= 16).then(|| sha256_fields(&[b"ward/machine/v1", text.as_bytes()]))
    });
    named.map(|digest| hex(digest.split_at(16).0)).unwrap_or_default()
}

/// Whether the instance is still where its certificate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Same volume, same address, nothing suspicious about the last stop.
    Same,
    /// Something moved; several may be true at once.
    Moved {
        /// The directory was copied, or the database server is another one.
        volume: bool,
        /// The base URL is another one.
        address: bool,
        /// Another machine, and the last process never stopped cleanly: a snapshot of a running
        /// volume.
        machine: bool,
    },
}

/// Compares what the certificate says with what is so `now` ([`binding`]); `torn` is
/// [`InstanceLock::is_torn`], false on PostgreSQL.
pub fn compare(certificate: &Certificate, now: &str, torn: bool) -> Binding {
    let (volume_then, address_then) = halves(&certificate.host_binding);
    let (volume_now, address_now) = halves(now);
    let volume = volume_then != volume_now;
    let address = address_then != address_now;
    match volume || address || torn {
        false => Binding::Same,
        true => Binding::Moved { volume, address, machine: torn },
    }
}

fn halves(binding: &str) -> (&str, &str) {
    binding.split_once('.').unwrap_or((binding, ""))
}

/// The lock of an instance's files: the kernel's, so it ends with the process however that ends.
/// The file's text says who holds it and, afterwards, whether the holder stopped cleanly.
#[derive(Debug)]
pub struct InstanceLock {
    file: File,
    machine: String,
    holder: String,
    torn: bool,
}

impl InstanceLock {
    /// Takes `D/lock` for this process, which does `what` (for example `serve`). Held by another:
    /// [`InstanceError::Busy`], which names the holder.
    pub fn acquire(dir: &Path, what: &str) -> Result<Self, InstanceError> {
        let holder = format!("process {} ({what})", std::process::id());
        Self::acquire_on(dir, &holder, &machine())
    }

    /// [`InstanceLock::acquire`] on a machine of the given name; for tests of moved volumes.
    pub fn acquire_on(dir: &Path, holder: &str, machine: &str) -> Result<Self, InstanceError> {
        let path = dir.join(LOCK_FILE);
        let failed = || InstanceError::io(format!("cannot lock {}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed())?;
        let taken = flock(&file, FlockOperation::NonBlockingLockExclusive);
        let mut text = String::new();
        // A record that is not text is no record.
        let _ = (&mut file).take(4_096).read_to_string(&mut text);
        let last = Record::of(&text);
        match taken {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(busy(dir, last)),
            Err(other) => return Err(failed()(other.into())),
        }
        let torn = last.is_some_and(|last| last.torn_on(machine));
        let shown = if torn { last.map_or(machine, |last| last.machine) } else { machine };
        let mut lock =
            Self { file, machine: machine.to_owned(), holder: holder.replace('\n', " "), torn };
        lock.write("running", shown).map_err(failed())?;
        Ok(lock)
    }

    /// Whether these files were last used on another machine by a process that never stopped.
    pub const fn is_torn(&self) -> bool {
        self.torn
    }

    /// Accepts this machine, after the instance went to quarantine or was attested.
    pub fn settle(&mut self) -> Result<(), InstanceError> {
        self.torn = false;
        let machine = self.machine.clone();
        self.write("running", &machine).map_err(InstanceError::io("cannot write the lock file"))
    }

    /// Writes the clean-stop record and lets go. Dropping the lock without this is no clean stop.
    /// A torn instance that nobody settled keeps its record.
    pub fn stop_cleanly(mut self) -> Result<(), InstanceError> {
        if self.torn {
            return Ok(());
        }
        let machine = self.machine.clone();
        self.write("stopped", &machine).map_err(InstanceError::io("cannot write the lock file"))
    }

    fn write(&mut self, state: &str, machine: &str) -> std::io::Result<()> {
        let text = format!("{state}\n{machine}\n{}\n", self.holder);
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_data()
    }
}

#[derive(Clone, Copy)]
struct Record<'a> {
    running: bool,
    machine: &'a str,
    holder: &'a str,
}

impl<'a> Record<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut lines = text.lines();
        let running = match lines.next()? {
            "running" => true,
            "stopped" => false,
            _ => return None,
        };
        Some(Self { running, machine: lines.next()?, holder: lines.next()? })
    }

    fn torn_on(&self, machine: &str) -> bool {
        let known = !self.machine.is_empty() && !machine.is_empty();
        self.running && known && self.machine != machine
    }
}

fn busy(dir: &Path, last: Option<Record<'_>>) -> InstanceError {
    let holder = last.filter(|last| last.running).map_or("another process", |last| last.holder);
    InstanceError::Busy(format!("{} is in use by {holder}; stop it or try again", dir.display()))
}
