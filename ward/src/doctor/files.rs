//! What the doctor sees without the database: files, disk, configuration.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use ward_instance::config::SignUp;
use ward_instance::host::{self, Binding};
use ward_instance::{Kind, State};
use ward_server::Opened;
use ward_server::admin::credentials_file;

use super::Check;
use crate::confine;

/// Below this the disk fails the check, in bytes.
const DISK_FAIL: u64 = 100 * 1024 * 1024;
/// Below this it is a warning.
const DISK_WARN: u64 = 1024 * 1024 * 1024;

/// What can be said before anything is opened.
pub fn checks(dir: &Path) -> Vec<Check> {
    vec![
        private("key file", &dir.join("root.key"), 0o600),
        private("directory", dir, 0o700),
        whole(dir),
        disk(dir),
        confinement(),
    ]
}

/// Whether a server that starts here shuts itself out of other instances' files.
fn confinement() -> Check {
    if confine::is_possible() {
        return Check::ok("confinement", "a server opens no files but its instance's (Landlock)");
    }
    Check::warn(
        "confinement",
        "this kernel can't keep a server to its instance's files (Landlock)",
        "run each instance as a user of its own, or Linux 5.19 or later with Landlock",
    )
}

/// Whether only the owner gets at it.
fn private(name: &'static str, path: &Path, wanted: u32) -> Check {
    let fix = format!("chmod {wanted:o} {}", path.display());
    match std::fs::metadata(path) {
        Err(error) => Check::fail(name, format!("{}: {error}", path.display()), fix),
        Ok(meta) if meta.permissions().mode() & 0o077 == 0 => {
            Check::ok(name, format!("{} is this user's alone", path.display()))
        }
        Ok(meta) => {
            let found = format!(
                "other users get at {} (mode {:o})",
                path.display(),
                meta.permissions().mode() & 0o777
            );
            if wanted == 0o600 {
                Check::fail(name, found, fix)
            } else {
                Check::warn(name, found, fix)
            }
        }
    }
}

fn whole(dir: &Path) -> Check {
    let missing: Vec<&str> = ["ward.toml", "ids.ledger", "volume.id"]
        .into_iter()
        .filter(|name| !dir.join(name).exists())
        .collect();
    if missing.is_empty() {
        return Check::ok("files", "ward.toml, ids.ledger and volume.id are there");
    }
    Check::fail(
        "files",
        format!("missing: {}", missing.join(", ")),
        "bring the files back from the volume's own backup; they are not in another instance's",
    )
}

fn disk(dir: &Path) -> Check {
    let Ok(space) = rustix::fs::statvfs(dir) else {
        return Check::warn("disk", "the system does not say how much is free", "look with df");
    };
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let found = format!("{} MiB free", free / 1024 / 1024);
    match free {
        ..DISK_FAIL => Check::fail("disk", found, "make room: a full disk stops every write"),
        DISK_FAIL..DISK_WARN => {
            Check::warn("disk", found, "make room soon: a full disk stops every write")
        }
        _ => Check::ok("disk", found),
    }
}

/// What the configuration and the certificate say.
pub fn settings(opened: &Opened) -> Vec<Check> {
    vec![quarantine(opened), roots(opened), sign_up(opened), address(opened), development(opened)]
}

fn quarantine(opened: &Opened) -> Check {
    let attest = format!(
        "when it is meant to be here: ward attest --kind {} --dir {} --reason TEXT",
        opened.instance.kind(),
        opened.dir.display()
    );
    if opened.certificate.state == State::Quarantined {
        return Check::fail(
            "quarantine",
            "the files were moved, copied or restored: administrators read, nothing is written or sent",
            attest,
        );
    }
    let now = opened.config.parsed_base_url().and_then(|url| host::binding(&opened.dir, &url));
    match now {
        Ok(now) if host::compare(&opened.certificate, &now, false) == Binding::Same => {
            Check::ok("quarantine", "none: the instance is where its certificate says")
        }
        Ok(_) => Check::warn(
            "quarantine",
            "the volume or the base URL is another than the certificate's; the next start quarantines",
            attest,
        ),
        Err(error) => {
            Check::fail("quarantine", error.to_string(), "put ward.toml and volume.id right")
        }
    }
}

/// Whether a rotation of the root key waits to be finished.
fn roots(opened: &Opened) -> Check {
    let ring = opened.instance.ring();
    let current = ring.current_version();
    let old = ring.versions().into_iter().filter(|version| *version != current);
    let old: Vec<String> = old.map(|version| version.to_string()).collect();
    if old.is_empty() {
        return Check::ok("root key", format!("root key {current} is the only one"));
    }
    Check::warn(
        "root key",
        format!("a rotation to root key {current} is not finished; {} still opens", old.join(", ")),
        format!(
            "it goes on while the server runs; ward status tells how far it is, and at once: ward key rotate-root --kind {} --dir {}",
            opened.instance.kind(),
            opened.dir.display()
        ),
    )
}

fn sign_up(opened: &Opened) -> Check {
    match (opened.config.sign_up, opened.instance.kind()) {
        (SignUp::Closed, _) => {
            Check::ok("sign-up", "closed: only the operator makes organizations")
        }
        (SignUp::Open, Kind::Sandbox) => {
            Check::ok("sign-up", "open: anybody may found an organization in this Sandbox")
        }
        (SignUp::Open, Kind::Production) => Check::warn(
            "sign-up",
            "open: anybody may found an organization in Production",
            "if that is not meant: sign_up = \"closed\" in ward.toml",
        ),
    }
}

fn address(opened: &Opened) -> Check {
    let url = opened.instance.base_url();
    if url.is_secure() || url.is_loopback() {
        return Check::ok("address", url.to_string());
    }
    Check::warn(
        "address",
        format!("{url} is plain HTTP beyond this machine"),
        "put a proxy that terminates TLS in front and make base_url https://",
    )
}

fn development(opened: &Opened) -> Check {
    let path = credentials_file(&opened.dir);
    if !path.exists() {
        return Check::ok("passwords", "no development credentials");
    }
    if opened.instance.base_url().is_loopback() {
        return private("passwords", &path, 0o600);
    }
    Check::fail(
        "passwords",
        format!("{} holds passwords of an instance that others reach", path.display()),
        "remove the file, disable these users or give them new passwords with ward user link",
    )
}
