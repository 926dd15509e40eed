//! `ward backup` and `ward restore`: everything that an instance knows in one sealed file, and back.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, IsTerminal, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use ward_instance::{Random, State, Timestamp};
use ward_server::admin::{self, Command, Context};
use ward_server::{Opened, backup, restore};

use crate::cli::{BackupArgs, RestoreArgs};
use crate::connect;
use crate::failure::{Done, Failure};
use crate::output::{GREEN, Out, PLAIN, YELLOW, plain};

/// Bytes that are held before they are written.
const BUFFER: usize = 256 * 1024;

/// Standard output or input.
const STREAM: &str = "-";

/// `ward backup`.
pub async fn backup(args: BackupArgs, out: Out) -> Done {
    let to = Target::new(&args.file)?;
    let opened = connect::look(&args.here, "backup").await?;
    let bar = out.progress("backing up");
    let told = |rows: u64| bar.set_message(format!("backing up: {rows} rows"));
    let written = write(&opened, to, &told).await;
    bar.finish_and_clear();
    let noted = match &written {
        Ok(answer) => note(&opened, answer).await,
        Err(_) => Ok(()),
    };
    connect::close(opened).await?;
    let answer = written?;
    if let Err(failure) = noted {
        out.say(format!("the audit log does not tell of this backup: {}", failure.sentence));
    }
    let human = || {
        format!(
            "{GREEN}done{PLAIN}: {} rows of {} tables and {} files, as of {}",
            plain(&answer["rows"]),
            plain(&answer["tables"]),
            plain(&answer["files"]),
            plain(&answer["created_at"])
        )
    };
    // The backup itself is what standard output has.
    match args.file == Path::new(STREAM) {
        true if out.json => out.say(&answer),
        true => out.say(human()),
        false => out.answer(&answer, human),
    }
    if let Some(bucket) = answer["files_elsewhere"].as_str() {
        out.say(format!("stored files are not in it: they are in the bucket {bucket}, which keeps them by itself"));
    }
    out.say("it opens with the instance's root.key alone: keep a copy of that elsewhere, and never beside the backups");
    match &answer["missing_files"] {
        Json::Number(number) if number.as_u64() != Some(0) => Err(Failure::said_no(format!(
            "the backup is whole but for {number} stored files that the database knows and that are not there; ward doctor names them"
        ))),
        _ => Ok(()),
    }
}

async fn write(opened: &Opened, to: Target, told: backup::Told<'_>) -> Done<Json> {
    match to {
        Target::Stream => {
            let stdout = BufWriter::with_capacity(BUFFER, std::io::stdout());
            Ok(backup::backup(opened, stdout, told).await?.0)
        }
        Target::File(part) => {
            let file = BufWriter::with_capacity(BUFFER, part.create()?);
            let (answer, file) = backup::backup(opened, file, told).await?;
            let file = file.into_inner().map_err(|error| part.failed(error.error()))?;
            part.finish(&file)?;
            Ok(answer)
        }
    }
}

/// Has the audit log tell of it, unless nothing may be written: in quarantine.
async fn note(opened: &Opened, answer: &Json) -> Done {
    if opened.certificate.state == State::Quarantined {
        return Ok(());
    }
    let at = answer["created_at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let command = Command::BackupMade { made_at: at.map_or(0, |at| at.0), by: who() };
    match opened.lock {
        Some(_) => drop(admin::run(&Context::held(opened), command).await?),
        None => drop(connect::ask(&opened.dir, &command).await?),
    }
    Ok(())
}

/// Who does this, as far as the system knows.
fn who() -> String {
    format!("operating-system user {}", rustix::process::getuid().as_raw())
}

/// Where a backup is written.
enum Target {
    Stream,
    File(Part),
}

impl Target {
    fn new(file: &Path) -> Done<Target> {
        if file == Path::new(STREAM) {
            return match std::io::stdout().is_terminal() {
                true => Err(Failure::usage(
                    "a backup is no text: send it into a file or a program, or name a file",
                )),
                false => Ok(Target::Stream),
            };
        }
        if file.exists() {
            return Err(Failure::usage(format!(
                "{} is there already and is not overwritten; name another file",
                file.display()
            )));
        }
        let mut name = file.as_os_str().to_owned();
        // Its own: another backup with the same name may be under way.
        name.push(format!(".{:08x}.part", Random::os().u64() >> 32));
        let is_whole = Cell::new(false);
        Ok(Target::File(Part { part: name.into(), file: file.to_owned(), is_whole }))
    }
}

/// A file under another name until it is whole; what is left of it is removed.
struct Part {
    part: PathBuf,
    file: PathBuf,
    /// Whether all of it is on the disk: then it is kept, whatever it is called.
    is_whole: Cell<bool>,
}

impl Part {
    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::unavailable(format!("cannot write {}: {error}", self.file.display()))
    }

    fn create(&self) -> Done<File> {
        let mut options = OpenOptions::new();
        let made = options.write(true).create_new(true).mode(0o600).open(&self.part);
        made.map_err(|error| self.failed(&error))
    }

    fn finish(&self, file: &File) -> Done {
        file.sync_all().map_err(|error| self.failed(&error))?;
        self.is_whole.set(true);
        let named = || {
            // Never over a file that came meanwhile.
            std::fs::hard_link(&self.part, &self.file)?;
            std::fs::remove_file(&self.part)?;
            let parent = self.file.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        named().map_err(|error| {
            Failure::unavailable(format!(
                "the backup is whole and could not be called {}: {error}; it is {}",
                self.file.display(),
                self.part.display()
            ))
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_whole.get() {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// `ward restore`.
pub async fn restore(args: RestoreArgs, out: Out) -> Done {
    let from: Box<dyn Read> = match args.file == Path::new(STREAM) {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(&args.file).map_err(|error| {
            Failure::usage(format!("cannot read {}: {error}", args.file.display()))
        })?),
    };
    let what = restore::Restore {
        kind: args.here.kind,
        dir: args.here.dir.clone(),
        old_key: args.old_key,
        reason: args.reason,
        by: who(),
    };
    let bar = out.progress("opening the backup");
    let told = |rows: u64| bar.set_message(format!("restoring: {rows} rows"));
    let from = BufReader::with_capacity(BUFFER, from);
    let done = restore::restore(&what, from, &connect::env(), &told).await;
    bar.finish_and_clear();
    let answer = done?;
    out.answer(&answer, || human(&answer));
    tell_next(&answer, &args.here, out);
    match answer["audit"].as_str() {
        Some("intact") => Ok(()),
        _ => Err(Failure::said_no(format!(
            "the instance is restored, and the audit log that was in the backup is broken: {}",
            plain(&answer["audit"])
        ))),
    }
}

fn human(answer: &Json) -> String {
    format!(
        "{GREEN}restored{PLAIN}: {} rows of {} tables and {} files, as of {}; the instance is {}",
        plain(&answer["rows"]),
        plain(&answer["tables"]),
        plain(&answer["files"]),
        plain(&answer["backup_of"]),
        plain(&answer["state"])
    )
}

/// What is to be done now.
fn tell_next(answer: &Json, here: &crate::cli::Here, out: Out) {
    if let Some(bucket) = answer["files_elsewhere"].as_str() {
        out.say(format!("its stored files were in the bucket {bucket} and are not in the backup"));
    }
    if answer["old_root_keys"] != 0 {
        out.say("root.key has the old root key beside the present one until the next start has brought everything under the present one");
    }
    if answer["state"] != "quarantined" {
        return;
    }
    let (kind, dir) = (here.kind, here.dir.display());
    out.say(format!(
        "{YELLOW}quarantined{PLAIN}: administrators may read, nothing is written or sent; look through users and keys, which are as they were then, and say that it is meant to be: ward attest --kind {kind} --dir {dir} --reason TEXT"
    ));
    if answer["held"].as_object().is_some_and(|held| !held.is_empty()) {
        let on = plain(&answer["were_on"]);
        out.say(format!(
            "every class of effects is off, these were on: {on}; what waits is let go by class with ward effects set CLASS live, or given up with ward effects discard CLASS"
        ));
    }
}
