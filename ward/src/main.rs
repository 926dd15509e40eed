//! `ward`: the one binary. It is born, served and looked after here; what it
//! does is in `ward-server` and below.
#![allow(
    clippy::disallowed_methods,
    reason = "the command line reads the environment once, and watches its children"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attest;
mod audit;
mod backup;
mod cli;
mod confine;
mod conformance;
mod connect;
mod dev;
mod dev_child;
mod doctor;
mod effects;
mod events;
mod failure;
mod files;
mod graphql;
mod http;
mod init;
mod listen;
mod logging;
mod migrate;
mod output;
mod people;
mod requests;
mod rotate;
mod sandbox;
mod scan;
mod serve;
mod signals;
mod status;
mod tour;
mod trust;
mod webhooks;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::Parser;

use crate::cli::{Cli, Command, JsonWanted};
use crate::failure::{Done, Failure};
use crate::output::Out;

/// Requests are many short-lived allocations; the system's allocator takes a tenth
/// of a small query's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    failure::report_panics();
    forbid_core_dumps();
    allow_many_files();
    // Before anything is allocated that could be spared.
    if is_of_a_run(std::env::args_os().skip(1)) {
        forbid_huge_pages();
    }
    let cli = Cli::parse();
    let out = Out::new(cli.json == JsonWanted::Answer);
    let outcome = std::panic::catch_unwind(|| run(cli.command, out));
    match outcome {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            out.failure(&failure);
            ExitCode::from(failure.status())
        }
        // The hook has said it.
        Err(_) => ExitCode::from(Failure::INTERNAL),
    }
}

/// A dump of the memory would hold root keys and clients' data (SEC-32). Who may not lower the
/// limit has one that is lower already.
fn forbid_core_dumps() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
}

/// How many files a process may open that is not this one.
static FILES_BEFORE: OnceLock<Option<u64>> = OnceLock::new();

/// The number of files that this process was given, before it took more.
fn files_before() -> Option<u64> {
    FILES_BEFORE.get().copied().flatten()
}

/// Each socket and connection is an open file: as many as the system lets this process have.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let _ = FILES_BEFORE.set(current);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Whether the words are those of a Sandbox for one command, of what makes it, or of what looks after
/// the command.
fn is_of_a_run(words: impl Iterator<Item = OsString>) -> bool {
    let mut words = words.skip_while(|word| word.to_string_lossy().starts_with('-'));
    words.next().is_some_and(|word| word == "sandbox")
        && words.next().is_some_and(|word| word == "run" || word == "keeper" || word == "maker")
}

/// Whether this process had huge pages, before it gave them up.
static HUGE_PAGES_BEFORE: OnceLock<bool> = OnceLock::new();

/// Whether what this process starts for somebody may have huge pages, as before.
fn huge_pages_before() -> bool {
    HUGE_PAGES_BEFORE.get().copied().unwrap_or(false)
}

/// The allocator asks for pages of 2 MiB, which make a server faster and a Sandbox of one command,
/// of which many are to fit on a machine, twice as large.
fn forbid_huge_pages() {
    use rustix::thread::{disable_transparent_huge_pages, transparent_huge_pages_are_disabled};
    let had = transparent_huge_pages_are_disabled().is_ok_and(|disabled| !disabled);
    let _ = HUGE_PAGES_BEFORE.set(had);
    let _ = disable_transparent_huge_pages(true);
}

/// What a run's command gets back: the setting is inherited.
fn allow_huge_pages() {
    let _ = rustix::thread::disable_transparent_huge_pages(false);
}

fn run(command: Command, out: Out) -> Done {
    // Threads have it from the one that starts them.
    confine::begin(&command, out)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::unavailable(format!("cannot start worker threads: {error}")))?;
    let done = runtime.block_on(dispatch(command, out));
    // Background work that hangs must not hold the end up.
    runtime.shutdown_background();
    done
}

async fn dispatch(command: Command, out: Out) -> Done {
    match command {
        Command::Dev(args) => dev::run(args, out).await,
        Command::DevChild(args) => dev_child::run(args, out).await,
        Command::Init(args) => init::run(args, out).await,
        Command::Serve(args) => serve::run(args, out).await,
        Command::Key { command } => people::key(command, out).await,
        Command::User { command } => people::user(command, out).await,
        Command::Status(here) => status::run(here, out).await,
        Command::Files { command } => files::run(command, out).await,
        Command::Migrate(args) => migrate::run(args, out).await,
        Command::Doctor(here) => doctor::run(here, out).await,
        Command::Attest(args) => attest::run(args, out).await,
        Command::Backup(args) => backup::backup(args, out).await,
        Command::Restore(args) => backup::restore(args, out).await,
        Command::Audit { command } => audit::run(command, out).await,
        Command::Effects { command } => effects::run(&command, out),
        Command::Requests { command } => requests::run(&command, out),
        Command::Events { command } => events::run(&command, out),
        Command::Webhooks { command } => webhooks::run(&command, out),
        Command::Listen(args) => listen::run(args, out).await,
        Command::Scan(args) => scan::run(&args, out),
        Command::Trust(args) => trust::run(&args, out),
        Command::Conformance { command } => conformance::run(&command, out),
        Command::Inbox(args) => sandbox::inbox(&args, out),
        Command::Sandbox { command } => sandbox::run(command, out).await,
        Command::Tour => tour::run(out).await,
    }
}
