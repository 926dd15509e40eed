//! `ward dev`: a Sandbox and a Production side by side on one machine. This
//! process only starts, watches and stops them: it holds no key and opens no
//! database, and each child gets its own kind's variables only.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use ward_instance::{EXIT_REFUSED, EXIT_USAGE, Kind};

use crate::cli::DevArgs;
use crate::failure::{Done, Failure};
use crate::output::Out;
use crate::signals::Signals;

/// Starts again at most, in a minute.
const RESTARTS_MAX: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// The first wait before starting again; each further one is twice as long.
const BACKOFF: Duration = Duration::from_millis(500);
/// A child may take so long to stop before it is told again.
const STOP: Duration = Duration::from_secs(8);
/// Then so long before it is killed.
const STOP_NOW: Duration = Duration::from_millis(1_500);
/// Variables that every child needs and that belong to no environment.
const SHARED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "TERM", "NO_COLOR", "TZ"];

/// `ward dev`.
pub async fn run(args: DevArgs, out: Out) -> Done {
    let mut signals = Signals::new()?;
    let (stop, stopped) = watch::channel(false);
    let child = |kind: Kind, port| Watched { kind, dir: args.dir.join(kind.as_str()), port, out };
    let sandbox = tokio::spawn(child(Kind::Sandbox, args.sandbox_port).watch(stopped.clone()));
    let production = tokio::spawn(child(Kind::Production, args.production_port).watch(stopped));
    out.say("starting a Sandbox and a Production; Ctrl-C stops both");
    let both = async {
        let codes = (sandbox.await, production.await);
        [codes.0, codes.1].map(|code| code.unwrap_or(i32::from(Failure::INTERNAL)))
    };
    tokio::pin!(both);
    let codes = tokio::select! {
        codes = &mut both => codes,
        _ = signals.next() => {
            out.say("stopping both");
            let _ = stop.send(true);
            both.await
        }
    };
    match codes.into_iter().find(|code| *code != 0) {
        Some(code) => Err(Failure { code, sentence: String::new() }),
        None => Ok(()),
    }
}

/// One instance's process.
struct Watched {
    kind: Kind,
    dir: PathBuf,
    port: u16,
    out: Out,
}

impl Watched {
    /// Keeps the child running until told to stop, or until it can't run. Gives
    /// the exit status.
    async fn watch(self, mut stop: watch::Receiver<bool>) -> i32 {
        let name = self.kind.title();
        let mut starts = VecDeque::new();
        loop {
            let mut child = match self.start() {
                Ok(child) => child,
                Err(error) => {
                    self.out.say(format_args!("{name} cannot be started: {error}"));
                    return i32::from(Failure::INTERNAL);
                }
            };
            // Waiting would close it, and the child would take that for our end.
            let _open = child.stdin.take();
            let code = tokio::select! {
                ended = child.wait() => ended.ok().and_then(|status| status.code()).unwrap_or(i32::from(Failure::INTERNAL)),
                _ = stop.changed() => {
                    end(&mut child).await;
                    return 0;
                }
            };
            if code == EXIT_REFUSED || code == EXIT_USAGE {
                self.out.say(format_args!("{name} was refused (status {code}, said above) and is not started again; the other instance is not touched"));
                return code;
            }
            let Some(wait) = backoff(&mut starts, Instant::now()) else {
                self.out.say(format_args!("{name} ended {} times within a minute (status {code}, said above) and is not started again", RESTARTS_MAX + 1));
                return if code == 0 { i32::from(Failure::INTERNAL) } else { code };
            };
            self.out.say(format_args!(
                "{name} ended with status {code}; starting it again in {} ms",
                wait.as_millis()
            ));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.changed() => return 0,
            }
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("dev-child")
            .args(["--kind", self.kind.as_str(), "--port", &self.port.to_string(), "--dir"])
            .arg(&self.dir);
        if self.out.json {
            command.arg("--json");
        }
        isolate(&mut command, self.kind);
        command.spawn()
    }
}

/// A child of its own process group with its own kind's variables only. Its
/// standard input stays open as long as this process lives, and it stops when
/// that ends, however it ends.
pub fn isolate(command: &mut Command, kind: Kind) {
    command
        .env_clear()
        .envs(own_variables(kind, std::env::vars_os()))
        .stdin(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
}

fn own_variables(
    kind: Kind,
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(OsString, OsString)> {
    let own = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| SHARED.contains(&name) || name.starts_with(kind.variable_prefix()))
    };
    all.filter(|(name, _)| own(name)).collect()
}

/// SIGTERM, once more after a while, and in the end a kill.
pub async fn end(child: &mut Child) {
    for patience in [STOP, STOP_NOW] {
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::TERM);
        }
        if tokio::time::timeout(patience, child.wait()).await.is_ok() {
            return;
        }
    }
    let _ = child.kill().await;
}

/// How long to wait before starting again; none when it was too often.
fn backoff(starts: &mut VecDeque<Instant>, now: Instant) -> Option<Duration> {
    while starts.front().is_some_and(|start| now.duration_since(*start) > MINUTE) {
        starts.pop_front();
    }
    if starts.len() >= RESTARTS_MAX {
        return None;
    }
    let wait = BACKOFF * (1 << starts.len());
    starts.push_back(now);
    Some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_again_ever_more_slowly_and_at_most_five_times_a_minute() {
        let begin = Instant::now();
        let mut starts = VecDeque::new();
        let waits: Vec<_> =
            (0..6).map(|_| backoff(&mut starts, begin).map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [Some(500), Some(1_000), Some(2_000), Some(4_000), Some(8_000), None]);
        assert_eq!(backoff(&mut starts, begin + MINUTE + Duration::from_secs(1)), Some(BACKOFF));
    }

    #[test]
    fn a_child_gets_nothing_of_the_other_kind() {
        let all = [
            "PATH",
            "WARD_SANDBOX_RATE_LIMIT",
            "WARD_PRODUCTION_RATE_LIMIT",
            "WARD_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
        ];
        let all = || all.into_iter().map(|name| (OsString::from(name), OsString::from("x")));
        let names =
            |kind| own_variables(kind, all()).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(Kind::Sandbox), ["PATH", "WARD_SANDBOX_RATE_LIMIT"]);
        assert_eq!(names(Kind::Production), ["PATH", "WARD_PRODUCTION_RATE_LIMIT"]);
    }
}
