//! `ward conformance isolation`: hands over to the program `ward-probe`. Code that knows both
//! instances is in that program alone, so nothing that serves an instance has it linked.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::{ConformanceCommand, IsolationArgs};
use crate::failure::{Done, Failure};
use crate::output::Out;

/// The program beside this one.
const PROBE: &str = "ward-probe";

/// `ward conformance …`
pub fn run(command: &ConformanceCommand, out: Out) -> Done {
    let ConformanceCommand::Isolation(args) = command;
    let own = std::env::current_exe()
        .map_err(|error| Failure::unavailable(format!("this program is not found: {error}")))?;
    let probe = beside(&own).ok_or_else(|| {
        Failure::unavailable(format!(
            "{PROBE} is neither beside {} nor on PATH; it is a program of its own, and comes with ward",
            own.display()
        ))
    })?;
    let mut command = Command::new(&probe);
    command.args(arguments(args, &own));
    if out.json {
        command.arg("--json");
    }
    // In place of this process: its exit status is the answer.
    let error = command.exec();
    Err(Failure::unavailable(format!("{} cannot be started: {error}", probe.display())))
}

fn beside(own: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = own.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
    folders.map(|folder| folder.join(PROBE)).find(|file| file.is_file())
}

fn arguments(args: &IsolationArgs, own: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = match args.sandbox_url {
        Some(_) => vec!["run".into()],
        None => vec!["isolation".into(), "--ward".into(), own.into()],
    };
    let given = [
        ("--sandbox-url", &args.sandbox_url),
        ("--production-url", &args.production_url),
        ("--sandbox-key-file", &args.sandbox_key_file),
        ("--production-key-file", &args.production_key_file),
    ];
    for (name, value) in given {
        words.extend(value.iter().flat_map(|value| [name.into(), value.into()]));
    }
    let files = [
        ("--sandbox-session-file", &args.sandbox_session_file),
        ("--production-session-file", &args.production_session_file),
        ("--ca-file", &args.ca_file),
        ("--signing-key", &args.signing_key),
    ];
    for (name, file) in files {
        words.extend(file.iter().flat_map(|file| [name.into(), file.into()]));
    }
    for file in &args.save {
        words.extend(["--save".into(), file.into()]);
    }
    if args.allow_http {
        words.push("--allow-http".into());
    }
    if let Some(minutes) = args.minutes {
        words.extend(["--minutes".into(), minutes.to_string().into()]);
    }
    words
}
