//! A server's process shuts itself out of everything that is not its instance's: on Linux, with
//! Landlock, before it has a second thread. It is a further wall, not the wall: an instance's files
//! are of no use to another one without it, too.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible as _, LandlockStatus,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
    make_bitflags,
};
use ward_instance::{Config, EXIT_REFUSED, IsoError, Kind, RootRing};
use ward_server::file_mark;

use crate::cli::{Command, Here};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::Out;

/// Without the right to move files between folders (Linux 5.19), no upload could be stored.
const LEAST: ABI = ABI::V2;
/// What is asked for where the kernel can. Later versions restrict sockets in the file system, one
/// of which may be PostgreSQL's, or the malware scanner's.
const MOST: ABI = ABI::V7;

/// What the system's libraries read while Ward runs. Folders and not files where files are
/// replaced: a name server that changes gives `/etc/resolv.conf` a new file.
const SYSTEM: [&str; 15] = [
    "/etc",
    "/run/systemd/resolve",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/proc/self",
    "/proc/sys/vm/overcommit_memory",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/sys/class/dmi/id/product_uuid",
    "/var/lib/dbus/machine-id",
    "/dev/urandom",
];

/// What may be written that is no instance's.
const NOWHERE: &str = "/dev/null";

/// What tells that an instance is born.
const KEY: &str = "root.key";

/// What a start reads in an instance's directory.
const PARTS: [&str; 7] =
    ["ward.db", "root.key", "ward.toml", "files", "ids.ledger", "volume.id", "chain.heads"];

/// How this process is confined; none is "not at all".
static CONFINED: OnceLock<Option<String>> = OnceLock::new();

/// How this process is confined, for what it answers.
pub fn told() -> Option<&'static str> {
    CONFINED.get()?.as_deref()
}

/// What may be opened.
#[derive(Debug, Default, PartialEq, Eq)]
struct Own {
    /// Read and written, with all that is below.
    folders: Vec<PathBuf>,
    /// Read.
    files: Vec<PathBuf>,
}

/// Confines the process if the command serves; to be called while it has one thread.
pub fn begin(command: &Command, out: Out) -> Done {
    let (here, own) = match command {
        Command::Serve(args) => (&args.here, own(&args.here)?),
        Command::DevChild(args) => {
            let here = &args.here;
            let own = if is_born(here) { own(here)? } else { unborn(here)? };
            // A rule needs a directory that is there; the birth takes an empty one.
            make(&here.dir)?;
            (here, own)
        }
        _ => return Ok(()),
    };
    for path in own.folders.iter().chain(&own.files).filter(|path| is_everybodys(path)) {
        out.say(format_args!(
            "{} is in a folder of the system, which every server on this machine may read; better move it into the instance's directory",
            path.display()
        ));
    }
    if let (true, Some((part, to))) = (is_possible(), leads_out(here, &own)) {
        return Err(refused(&here.dir.join(part), part, &to));
    }
    let confined = confine(&own).map_err(|error| {
        Failure::unavailable(format!("cannot confine the server to its own files: {error}"))
    })?;
    if confined.is_none() && here.kind == Kind::Production {
        out.say("this kernel cannot confine the server to its own files (Landlock, Linux 5.19 or later): it serves without; let no other instance run as this user");
    }
    let _ = CONFINED.set(confined);
    Ok(())
}

/// Whether this kernel can confine a server.
pub fn is_possible() -> bool {
    least().is_some()
}

fn is_born(here: &Here) -> bool {
    here.dir.join(KEY).exists()
}

fn own(here: &Here) -> Done<Own> {
    let mut own = Own { folders: vec![here.dir.clone()], files: Vec::new() };
    // What is wrong with a configuration is said by the start, which then gets no further.
    let Ok(config) = Config::load(&here.dir, here.kind, connect::env().into_iter()) else {
        return Ok(own);
    };
    own.files = config.files_named(&here.dir);
    if let Some(files) = config.files.as_ref().map(PathBuf::from) {
        // So is what is wrong with the key.
        let Ok(ring) = RootRing::load(&here.dir.join(KEY)) else { return Ok(own) };
        if ring.kind() == here.kind {
            claim(here, &files, &ring)?;
            make(&files)?;
            own.folders.push(files);
        }
    }
    Ok(own)
}

/// Marks the directory of files before anything in it may be opened: whose the directory around it is
/// can't be read any more afterwards, and another node of the instance may be the one.
fn claim(here: &Here, files: &Path, ring: &RootRing) -> Done {
    match file_mark::claim(&here.dir, files, ring) {
        Err(error) if error.exit_code() == EXIT_REFUSED => Err(error.into()),
        // Where it can't be written, the start says so if it needs it: the files may be in a bucket.
        _ => Ok(()),
    }
}

/// The same of an instance whose birth is next: its directory of files may be nobody else's.
fn unborn(here: &Here) -> Done<Own> {
    let mut own = Own { folders: vec![here.dir.clone()], files: Vec::new() };
    if let Some(files) = file_mark::named(here.kind, &connect::env()) {
        file_mark::check_unborn(&here.dir, &files, here.kind)?;
        make(&files)?;
        own.folders.push(files);
    }
    Ok(own)
}

/// The first part of an instance that is a link to somewhere that will be closed.
fn leads_out(here: &Here, own: &Own) -> Option<(&'static str, PathBuf)> {
    let folders = own.folders.iter().chain(&own.files).map(PathBuf::as_path);
    let folders = folders.chain(SYSTEM.map(Path::new)).filter_map(|path| path.canonicalize().ok());
    let folders: Vec<PathBuf> = folders.collect();
    PARTS.into_iter().find_map(|part| {
        let to = here.dir.join(part).canonicalize().ok()?;
        let is_out = !folders.iter().any(|folder| to.starts_with(folder));
        is_out.then_some((part, to))
    })
}

fn refused(path: &Path, part: &str, to: &Path) -> Failure {
    let what =
        format!("{} leads to {}, out of the instance's directory", path.display(), to.display());
    match part {
        "ward.db" => IsoError::new(
            "ISO-08",
            format!("{what}, where another instance's database may be"),
            "put the database into the directory, or mount its volume there",
        )
        .into(),
        "files" => Failure::refused(format!(
            "{what}; name the place: files = \"{}\" in ward.toml",
            to.display()
        )),
        _ => Failure::refused(format!("{what}; put the file itself there, or mount it there")),
    }
}

fn make(dir: &Path) -> Done {
    std::fs::create_dir_all(dir)
        .map_err(|error| Failure::unavailable(format!("cannot make {}: {error}", dir.display())))
}

fn is_everybodys(path: &Path) -> bool {
    let path = path.canonicalize();
    path.is_ok_and(|path| SYSTEM.iter().any(|folder| path.starts_with(folder)))
}

/// The beginning of a rule set, where the kernel has what is needed at least.
fn least() -> Option<Ruleset> {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .ok()
}

/// Confines this thread and those that it starts; what to call it, or none where the kernel can't.
fn confine(own: &Own) -> Result<Option<String>, RulesetError> {
    let Some(least) = least() else { return Ok(None) };
    let mut rules = least
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(MOST))?
        .scope(Scope::Signal)?
        .create()?;
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    // Nothing is executed, and no device made.
    let write = AccessFs::from_all(MOST)
        & !make_bitflags!(AccessFs::{Execute | MakeChar | MakeBlock | IoctlDev});
    let all = SYSTEM.iter().map(|path| (Path::new(*path), read));
    let all = all.chain([(Path::new(NOWHERE), write)]);
    let all = all.chain(own.folders.iter().map(|path| (path.as_path(), write)));
    let all = all.chain(own.files.iter().map(|path| (path.as_path(), read)));
    for (path, access) in all {
        if let Some(rule) = rule(path, access) {
            rules = rules.add_rule(rule)?;
        }
    }
    Ok(match rules.restrict_self()?.landlock {
        LandlockStatus::Available { effective_abi, .. } => {
            Some(format!("landlock ABI {effective_abi}"))
        }
        _ => None,
    })
}

/// Where a path leads now, through links. What can't be opened now needs no rule: whoever needs it
/// says why not.
fn rule(path: &Path, access: BitFlags<AccessFs>) -> Option<PathBeneath<PathFd>> {
    let fd = PathFd::new(path).ok()?;
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(MOST) };
    Some(PathBeneath::new(fd, access))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_systems_folders_is_everybodys() {
        assert!(is_everybodys(Path::new("/etc/passwd")));
        let place = tempfile::tempdir().unwrap();
        assert!(!is_everybodys(place.path()));
        let link = place.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(is_everybodys(&link));
    }

    #[test]
    fn a_part_that_leads_out_is_found() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        std::fs::create_dir_all(path("own/kept")).unwrap();
        std::fs::create_dir(path("large")).unwrap();
        std::fs::write(path("own/root.key"), "").unwrap();
        std::os::unix::fs::symlink(path("large"), path("own/files")).unwrap();
        std::os::unix::fs::symlink("kept", path("own/chain.heads")).unwrap();
        let here = Here { kind: Kind::Sandbox, dir: path("own") };
        let found = |folders: &[&str]| {
            let folders = folders.iter().map(|name| path(name)).collect();
            leads_out(&here, &Own { folders, files: Vec::new() }).map(|(part, _)| part)
        };
        assert_eq!(found(&["own"]), Some("files"));
        assert_eq!(found(&["own", "large"]), None);
    }

    /// In threads of their own, which alone are confined.
    #[test]
    fn what_is_confined_opens_its_own_and_nothing_else() {
        if !is_possible() {
            println!("skipped: this kernel has no Landlock");
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name);
        for name in ["own", "other"] {
            std::fs::create_dir(path(name)).unwrap();
            std::fs::write(path(name).join("file"), name).unwrap();
        }
        std::fs::write(path("named"), "named").unwrap();
        std::os::unix::fs::symlink(path("named"), path("link")).unwrap();
        std::os::unix::fs::symlink(path("other/file"), path("own/out")).unwrap();
        let _scanner = std::os::unix::net::UnixListener::bind(path("other/socket")).unwrap();
        let own = Own { folders: vec![path("own")], files: vec![path("link"), path("missing")] };
        let opened = |name: &str| std::fs::read(path(name)).is_ok();
        let opens = |own: &Own| {
            assert!(confine(own).unwrap().unwrap().starts_with("landlock ABI "));
            let read = ["own/file", "link", "named", "other/file", "own/out"].map(opened);
            let wrote = ["own/new", "named", "other/new"]
                .map(|name| std::fs::write(path(name), "new").is_ok());
            let moved = std::fs::create_dir(path("own/folder"))
                .and_then(|()| std::fs::rename(path("own/new"), path("own/folder/new")));
            let ran = std::process::Command::new("/bin/true").status().is_ok();
            let reached = std::os::unix::net::UnixStream::connect(path("other/socket")).is_ok();
            (read, wrote, moved.is_ok(), ran, reached)
        };
        let got = std::thread::scope(|scope| scope.spawn(|| opens(&own)).join().unwrap());
        let (read, wrote) = ([true, true, true, false, false], [true, false, false]);
        let expected = (read, wrote, true, false, true);
        assert_eq!(got, expected);
        assert!(opened("other/file"), "this thread is not confined");
    }
}
