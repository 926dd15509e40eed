//! `ward sandbox keeper`: starts the command of a run, and outlives the run for a moment, so that
//! nothing is left of it however it ends. When the run is gone it kills the command with all that
//! the command has started, and deletes the directory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getpgid, getrlimit, kill_process, setrlimit};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::ground;
use super::kin;
use super::talk::{self, Line, Order, Told, Why};
use crate::cli::KeeperArgs;
use crate::failure::Done;

/// A command whose time is over may take so long to end.
const END: Duration = Duration::from_secs(5);
/// What a command that has ended left running may take so long.
const LEFT: Duration = Duration::from_secs(1);
/// Between two looks at whether something is left.
const LOOK: Duration = Duration::from_millis(5);
/// What can't be killed for so long is given up: a disk that does not answer.
const HOPELESS: Duration = Duration::from_secs(10);

/// `ward sandbox keeper`.
pub async fn run(args: KeeperArgs) -> Done {
    // Somebody else's directory, or the run is gone and another has cleared it away.
    if !ground::is_of_a_run(&args.dir) {
        return Ok(());
    }
    kin::adopt_orphans();
    keep(&args).await;
    kill_all(HOPELESS).await;
    ground::clear(&args.dir);
    Ok(())
}

async fn keep(args: &KeeperArgs) {
    // A run that is over before it had a command says why itself.
    let Ok(stream) = UnixStream::connect(talk::socket(&args.dir)).await else { return };
    let mut line = Line::of(stream);
    let Some(Order::Start(variables)) = line.hear().await else { return };
    let told = match start(args, &variables) {
        Ok(child) => {
            line.say(&Told::Started).await;
            watch(child, args.group, &mut line).await
        }
        Err(error) => Some(unable(&error)),
    };
    if let Some(told) = told {
        line.say(&told).await;
        // The run reads it and leaves.
        while line.hear::<Order>().await.is_some() {}
    }
}

fn start(args: &KeeperArgs, variables: &BTreeMap<String, String>) -> std::io::Result<Child> {
    if let Some(files) = args.files {
        let maximum = getrlimit(Resource::Nofile).maximum;
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum });
    }
    if args.huge_pages {
        crate::allow_huge_pages();
    }
    let (name, arguments) = args.command.split_first().ok_or(ErrorKind::NotFound)?;
    let name: &OsString = name;
    Command::new(name).args(arguments).envs(variables).process_group(args.group).spawn()
}

fn unable(error: &std::io::Error) -> Told {
    let why = match error.kind() {
        ErrorKind::NotFound => Why::NotFound,
        _ => Why::NotExecutable,
    };
    Told::Unable(why, error.to_string())
}

/// Waits for the command's end, and for the end of what it left; nothing when the run is gone.
async fn watch(mut child: Child, group: i32, line: &mut Line) -> Option<Told> {
    let mut children = signal(SignalKind::child()).ok()?;
    let mut deadline: Option<Instant> = None;
    let status = loop {
        let over = async {
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => break status.ok()?,
            order = line.hear::<Order>() => match order {
                Some(Order::Signal(number)) => pass_on(&child, number),
                // As long as the command is in the group, the key has reached it.
                Some(Order::Key(number)) => {
                    let now = id(&child).and_then(|id| getpgid(Some(id)).ok());
                    if now != Pid::from_raw(group) {
                        pass_on(&child, number);
                    }
                }
                Some(Order::End) => {
                    if !kin::signal_all(Signal::TERM) {
                        pass_on(&child, Signal::TERM.as_raw());
                    }
                    deadline = Some(Instant::now() + END);
                }
                Some(Order::Start(_)) => {}
                None => {
                    let _ = child.start_kill();
                    kill_all(HOPELESS).await;
                    let _ = child.wait().await;
                    return None;
                }
            },
            _ = children.recv() => kin::bury_orphans(child.id()),
            () = over => {
                deadline = None;
                let _ = child.start_kill();
                kin::signal_all(Signal::KILL);
            }
        }
    };
    if kin::signal_all(Signal::TERM) {
        wait_for_none(LEFT).await;
    }
    kill_all(HOPELESS).await;
    Some(ended(status))
}

fn ended(status: ExitStatus) -> Told {
    match (status.code(), status.signal()) {
        (Some(code), _) => Told::Ended(code),
        (None, number) => Told::Killed(number.unwrap_or(Signal::KILL.as_raw())),
    }
}

fn id(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()?).ok()?)
}

fn pass_on(child: &Child, number: i32) {
    if let (Some(id), Some(signal)) = (id(child), Signal::from_named_raw(number)) {
        let _ = kill_process(id, signal);
    }
}

/// Kills whatever is below this process, until nothing is.
pub async fn kill_all(patience: Duration) {
    let end = Instant::now() + patience;
    while kin::signal_all(Signal::KILL) && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        kin::bury_orphans(None);
    }
    kin::bury_orphans(None);
}

async fn wait_for_none(patience: Duration) {
    let end = Instant::now() + patience;
    while !kin::descendants().is_empty() && Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        kin::bury_orphans(None);
    }
}
