//! Commands that exist for a Sandbox only.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo};
use ward_instance::FaultKind;
use ward_server::packs::Pack;

use super::{JsonWanted, There};

/// `ward sandbox …`
#[derive(Subcommand, Clone, Debug)]
pub enum SandboxCommand {
    /// Run a command against a Sandbox of its own, which is gone when the command ends
    Run(RunArgs),
    /// The same several times at once, each with a Sandbox of its own: shards of a test suite
    Pool(PoolArgs),
    #[command(hide = true)]
    Keeper(KeeperArgs),
    #[command(hide = true)]
    Maker(MakerArgs),
    /// Fill the Sandbox with synthetic data; the same seed gives the same data
    Seed {
        /// Which Sandbox
        #[command(flatten)]
        which: Which,
        /// The seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Which world; `ward sandbox packs` tells of them
        #[arg(long, default_value = "standard", value_name = "PACK")]
        pack: Pack,
        /// How many clients, up to 200,000, of the standard pack; with --dir
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
        clients: Option<u32>,
    },
    /// Empty the Sandbox; its ids move to a fresh range, old ones are refused
    Reset {
        /// Which Sandbox
        #[command(flatten)]
        which: Which,
        /// Seed it again
        #[arg(long)]
        seed: Option<u64>,
        /// With this world
        #[arg(long, default_value = "standard", value_name = "PACK", requires = "seed")]
        pack: Pack,
    },
    /// Keep what the Sandbox holds at this moment, to come back to it
    Snapshot(SnapshotArgs),
    /// Go back to a snapshot; ids given out since are refused
    Restore {
        /// What it is called
        #[arg(value_name = "NAME")]
        name: String,
        /// Which Sandbox
        #[command(flatten)]
        which: Which,
    },
    /// A private copy of a running Sandbox on a port of its own, with the same keys, for a while
    Fork(ForkArgs),
    /// The worlds that a Sandbox can be filled with
    Packs(PacksArgs),
    /// A session as a member or client of the Sandbox, to see what they see; marked in the audit log
    Be {
        /// Their id or e-mail address
        #[arg(value_name = "ID|EMAIL")]
        user: String,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
    /// Simulated messages, newest first
    Inbox(InboxArgs),
    /// The time that everybody in the Sandbox lives in
    Clock {
        /// What to do
        #[command(subcommand)]
        command: ClockCommand,
    },
    /// Things that go wrong on purpose, to see how your program takes them
    Faults {
        /// What to do
        #[command(subcommand)]
        command: FaultsCommand,
    },
}

/// A Sandbox by its directory, or a running one by its address.
#[derive(Args, Clone, Debug)]
pub struct Which {
    /// The Sandbox's directory
    #[arg(long, conflicts_with = "url")]
    pub dir: Option<PathBuf>,
    /// A running Sandbox instead
    #[command(flatten)]
    pub there: There,
}

/// `ward sandbox snapshot`
#[derive(Args, Clone, Debug)]
pub struct SnapshotArgs {
    /// What it is called: small letters, digits, - and _
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<String>,
    /// Delete it
    #[arg(long, conflicts_with = "list")]
    pub delete: bool,
    /// Those there are
    #[arg(long, conflicts_with = "name")]
    pub list: bool,
    /// Which Sandbox
    #[command(flatten)]
    pub which: Which,
}

/// `ward sandbox packs`
#[derive(Args, Clone, Debug)]
pub struct PacksArgs {
    /// A Sandbox's directory; this program's own without
    #[arg(long, conflicts_with = "url")]
    pub dir: Option<PathBuf>,
    /// A running Sandbox instead
    #[command(flatten)]
    pub there: There,
}

/// `ward sandbox fork`
#[derive(Args, Clone, Debug)]
pub struct ForkArgs {
    /// How long it lives: 90s, 20m, PT1H, at most 24 hours; 20m unless said
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["list", "end", "end_all"])]
    pub ttl: Option<String>,
    /// Those there are
    #[arg(long, conflicts_with_all = ["end", "end_all"])]
    pub list: bool,
    /// End this one
    #[arg(long, value_name = "ID", conflicts_with = "end_all")]
    pub end: Option<String>,
    /// End all
    #[arg(long)]
    pub end_all: bool,
    /// Which Sandbox
    #[command(flatten)]
    pub which: Which,
}

/// `ward sandbox faults …`
#[derive(Subcommand, Clone, Debug)]
pub enum FaultsCommand {
    /// Those that have not ended
    List(There),
    /// Make something go wrong, for an hour at most
    Add(FaultArgs),
    /// End one, or all
    Clear {
        /// Its number; all without
        id: Option<i64>,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
}

/// `ward sandbox faults add`
#[derive(Args, Clone, Debug)]
pub struct FaultArgs {
    /// Such as latency, rate_limited, timeout_after_commit or webhook_duplicate
    #[arg(value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(FaultKind::ALL.map(FaultKind::as_str)))]
    pub kind: String,
    /// Only requests whose document has this name of an operation or a field
    #[arg(long)]
    pub operation: Option<String>,
    /// Only requests of the key with this id: the eight characters behind the instance's tag
    #[arg(long)]
    pub key: Option<String>,
    /// Only deliveries of this webhook
    #[arg(long)]
    pub webhook: Option<i64>,
    /// Only deliveries of this event
    #[arg(long)]
    pub event: Option<String>,
    /// How many of a hundred
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub percent: Option<u8>,
    /// At most so many
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub times: Option<u32>,
    /// How late an answer or a webhook is
    #[arg(long, value_name = "MS")]
    pub milliseconds: Option<u32>,
    /// What decides which are hit; the same seed hits the same again
    #[arg(long)]
    pub seed: Option<u64>,
    /// How long the fault lasts, in seconds
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..=3_600))]
    pub seconds: Option<i64>,
    /// The running Sandbox
    #[command(flatten)]
    pub there: There,
}

/// `ward sandbox run`
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// What both have in common.
    #[command(flatten)]
    pub wanted: Wanted,
    #[arg(long, hide = true)]
    pub with_parent: Option<u32>,
    #[arg(long, hide = true)]
    pub shard: Option<u32>,
    /// The command with its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// `ward sandbox pool`
#[derive(Args, Clone, Debug)]
pub struct PoolArgs {
    /// How many at once, up to 64
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub shards: u32,
    /// What both have in common.
    #[command(flatten)]
    pub wanted: Wanted,
    /// The command with its arguments, behind `--`; WARD_SHARD_INDEX (from 0) and WARD_SHARD_TOTAL say which it is
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// What a Sandbox of one command is to be.
#[derive(Args, Clone, Debug)]
pub struct Wanted {
    /// The same seed gives the same ids and data
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The world that it is furnished with; `ward sandbox packs` tells of them
    #[arg(long, default_value = "standard", value_name = "PACK")]
    pub pack: Pack,
    /// The command is ended after this time, with status 124: 90s, 20m, 3d, PT1H
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub ttl: Option<Duration>,
    /// Where the webhook on all events leads; without, it is disabled
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,
    /// Write what happened to this file, as JSON
    #[arg(id = "json", long = "json", value_name = "FILE", value_parser = JsonWanted::file)]
    pub report: Option<JsonWanted>,
    /// Write it to this file, as JUnit's XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

impl Wanted {
    /// Where the JSON goes, if it is wanted.
    pub fn json_file(&self) -> Option<&PathBuf> {
        match &self.report {
            Some(JsonWanted::File(path)) => Some(path),
            _ => None,
        }
    }
}

/// `ward sandbox keeper`: looks after the command of a run, and outlives the run for a moment.
#[derive(Args, Clone, Debug)]
pub struct KeeperArgs {
    /// The run's directory.
    #[arg(long)]
    pub dir: PathBuf,
    /// The process group of the run, which the command joins.
    #[arg(long)]
    pub group: i32,
    /// Files that the command may open, as before the run raised that.
    #[arg(long)]
    pub files: Option<u64>,
    /// Whether the command may have huge pages, as before the run gave them up.
    #[arg(long)]
    pub huge_pages: bool,
    /// The command.
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// `ward sandbox maker`: makes the Sandbox of a run.
#[derive(Args, Clone, Debug)]
pub struct MakerArgs {
    /// The run's directory.
    #[arg(long)]
    pub dir: PathBuf,
    /// The process of the run: without it there is nothing to make.
    #[arg(long)]
    pub parent: u32,
    /// Where the Sandbox will be reached.
    #[arg(long)]
    pub base_url: String,
    /// The seed.
    #[arg(long)]
    pub seed: u64,
    /// The world.
    #[arg(long)]
    pub pack: Pack,
}

/// A day has 24 hours, a week seven days; months and years have no length.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time above zero such as 90s, 20m, 3d or PT1H".to_owned();
    let span: Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    Duration::try_from(duration).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

/// `ward sandbox clock …`
#[derive(Subcommand, Clone, Debug)]
pub enum ClockCommand {
    /// What it shows
    Show(There),
    /// Stop it
    Freeze(There),
    /// Let it go on from where it is, as fast as real time
    Resume(There),
    /// Let it go on from where it is, so many times as fast as real time
    Rate {
        /// From 0.001 to 3600, an hour a second
        #[arg(value_name = "K")]
        rate: f64,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
    /// Go forward to a moment; all that is due by then happens, in order
    Set {
        /// Such as 2026-03-02T09:00:00Z
        #[arg(value_name = "TIME")]
        to: String,
        /// Answer at once; what is due happens behind
        #[arg(long = "async")]
        no_wait: bool,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
    /// Go forward by a time; all that is due by then happens, in order
    Advance {
        /// Such as 90s, 20m, 3d or PT1H
        #[arg(value_name = "DURATION")]
        by: String,
        /// Answer at once; what is due happens behind
        #[arg(long = "async")]
        no_wait: bool,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
}

/// `ward inbox`
#[derive(Args, Clone, Debug)]
pub struct InboxArgs {
    /// The running Sandbox
    #[command(flatten)]
    pub there: There,
    /// Only to this address
    #[arg(long)]
    pub to: Option<String>,
    /// Only of this class
    #[arg(long, value_parser = ["email", "sms", "push", "video"])]
    pub class: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_is_in_words_or_as_iso_8601() {
        for (text, seconds) in [
            ("90s", 90),
            ("20m", 1_200),
            ("3d", 259_200),
            ("1d 2h", 93_600),
            ("P1D", 86_400),
            ("P1DT1H", 90_000),
            ("P2W", 1_209_600),
        ] {
            assert_eq!(duration(text).map(|it| it.as_secs()), Ok(seconds), "{text}");
        }
        for wrong in ["0s", "-5s", "P1M", "1y", "soon", "", "10"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
