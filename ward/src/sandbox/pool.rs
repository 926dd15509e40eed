//! `ward sandbox pool`: the same command several times at once, each run with a Sandbox and a
//! process of its own. Which one it is, it learns by two variables.

use std::ffi::OsString;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::forward::Forwarded;
use super::report;
use crate::cli::{PoolArgs, Wanted};
use crate::failure::{Done, Failure};
use crate::output::Out;

/// `ward sandbox pool`.
pub async fn run(args: PoolArgs, out: Out) -> Done {
    let files = [args.wanted.json_file(), args.wanted.junit.as_ref()];
    let [json, junit] = files.map(|file| file.map(|file| of_shard(file, 0)));
    report::check(json.as_deref(), junit.as_deref())?;
    let mut signals = Forwarded::new()?;
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("a run can't be started: {error}"));
    let mut runs = Vec::new();
    for index in 0..args.shards {
        // From this very thread: the run is killed when it ends.
        runs.push((index, start(&args, index, out).map_err(failed)?));
    }
    let mut statuses = Vec::new();
    while !runs.is_empty() {
        tokio::select! {
            ended = next(&mut runs) => statuses.push(ended),
            got = signals.next() => {
                // A key has reached them, they are in this process's group.
                let signal = Signal::from_named_raw(got.number).filter(|_| !got.by_key);
                for (id, signal) in runs.iter().filter_map(|(_, run)| Some((id(run)?, signal?))) {
                    let _ = kill_process(id, signal);
                }
            }
        }
    }
    statuses.sort_unstable();
    let bad: Vec<_> = statuses.iter().filter(|(_, status)| *status != 0).collect();
    let told: Vec<String> =
        bad.iter().map(|(index, status)| format!("shard {index} with status {status}")).collect();
    match bad.first() {
        None => {
            out.say(format_args!("ward sandbox pool: all {} shards ended well", args.shards));
            Ok(())
        }
        Some((_, status)) => Err(Failure {
            code: *status,
            sentence: format!(
                "{} of {} shards failed: {}",
                told.len(),
                args.shards,
                told.join(", ")
            ),
        }),
    }
}

/// The next run that ends, and its status. It is taken out as it is waited for: its number may be
/// another process's from then on.
async fn next(runs: &mut Vec<(u32, Child)>) -> (u32, i32) {
    let (at, status) = poll_fn(|context| {
        let polled = runs.iter_mut().enumerate().find_map(|(at, (_, run))| {
            match pin!(run.wait()).poll(context) {
                Poll::Ready(status) => Some((at, status)),
                Poll::Pending => None,
            }
        });
        polled.map_or(Poll::Pending, Poll::Ready)
    })
    .await;
    let (index, _) = runs.swap_remove(at);
    let status = status.ok().and_then(|status| status.code());
    (index, status.unwrap_or(i32::from(Failure::INTERNAL)))
}

/// The number of a run that has not been waited for.
fn id(run: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(run.id()?).ok()?)
}

fn start(args: &PoolArgs, index: u32, out: Out) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    if out.json {
        command.arg("--json");
    }
    command.args(["sandbox", "run", "--with-parent", &std::process::id().to_string()]);
    command.args(["--shard", &index.to_string()]);
    command.args(options(&args.wanted, index)).arg("--").args(&args.command);
    command.env("WARD_SHARD_INDEX", index.to_string());
    command.env("WARD_SHARD_TOTAL", args.shards.to_string());
    command.spawn()
}

fn options(wanted: &Wanted, index: u32) -> Vec<OsString> {
    let mut options: Vec<OsString> = vec!["--seed".into(), wanted.seed.to_string().into()];
    options.extend(["--pack".into(), wanted.pack.as_str().into()]);
    if let Some(ttl) = wanted.ttl {
        options.extend(["--ttl".into(), format!("{}ms", ttl.as_millis()).into()]);
    }
    if let Some(url) = &wanted.webhook {
        options.extend(["--webhook".into(), url.into()]);
    }
    for (name, file) in [("--json", wanted.json_file()), ("--junit", wanted.junit.as_ref())] {
        if let Some(file) = file {
            options.extend([name.into(), of_shard(file, index).into()]);
        }
    }
    options
}

/// `report.json` of the third shard is `report.2.json`.
fn of_shard(file: &Path, index: u32) -> PathBuf {
    let extension = file.extension().map(|it| it.to_string_lossy().into_owned());
    match extension {
        Some(extension) => file.with_extension(format!("{index}.{extension}")),
        None => file.with_extension(index.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shard_has_a_report_of_its_own() {
        assert_eq!(of_shard(Path::new("out/report.json"), 2), Path::new("out/report.2.json"));
        assert_eq!(of_shard(Path::new("out/report"), 0), Path::new("out/report.0"));
    }
}
