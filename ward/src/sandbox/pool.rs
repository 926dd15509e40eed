//! `ward sandbox pool`: the same command several times at once, each run with a Sandbox and a
//! process of its own. Which one it is, it learns by two variables.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::forward::Forwarded;
use crate::cli::{PoolArgs, Wanted};
use crate::failure::{Done, Failure};
use crate::output::Out;

/// `ward sandbox pool`.
pub async fn run(args: PoolArgs, out: Out) -> Done {
    let mut signals = Forwarded::new()?;
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("a run can't be started: {error}"));
    let mut runs = JoinSet::new();
    let mut ids = Vec::new();
    for index in 0..args.shards {
        // From this very thread: the run is killed when it ends.
        let mut run = start(&args, index, out).map_err(failed)?;
        ids.extend(run.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
        runs.spawn(async move {
            let status = run.wait().await.ok().and_then(|status| status.code());
            (index, status.unwrap_or(i32::from(Failure::INTERNAL)))
        });
    }
    let mut statuses = Vec::new();
    loop {
        tokio::select! {
            ended = runs.join_next() => match ended {
                Some(ended) => statuses.extend(ended.ok()),
                None => break,
            },
            number = signals.next(true) => {
                let Some(signal) = Signal::from_named_raw(number) else { continue };
                for id in &ids {
                    let _ = kill_process(*id, signal);
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
                "{} of {} shards ended: {}",
                told.len(),
                args.shards,
                told.join(", ")
            ),
        }),
    }
}

fn start(args: &PoolArgs, index: u32, out: Out) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    if out.json {
        command.arg("--json");
    }
    command.args(["sandbox", "run", "--with-parent", &std::process::id().to_string()]);
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
