//! Commands that exist for a Sandbox only.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ward_instance::FaultKind;

use super::There;

/// `ward sandbox …`
#[derive(Subcommand, Clone, Debug)]
pub enum SandboxCommand {
    /// Fill the Sandbox with synthetic data; the same seed gives the same data
    Seed {
        /// The Sandbox's directory
        #[arg(long)]
        dir: PathBuf,
        /// The seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many clients, up to 200,000
        #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=200_000))]
        clients: u32,
    },
    /// Empty the Sandbox; its ids move to a fresh range, old ones are refused
    Reset {
        /// The Sandbox's directory
        #[arg(long, conflicts_with = "url")]
        dir: Option<PathBuf>,
        /// A running Sandbox instead
        #[command(flatten)]
        there: There,
        /// Seed it again
        #[arg(long)]
        seed: Option<u64>,
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

/// `ward sandbox clock …`
#[derive(Subcommand, Clone, Debug)]
pub enum ClockCommand {
    /// What it shows
    Show(There),
    /// Stop it
    Freeze(There),
    /// Let it go on from where it is, as fast as real time
    Resume(There),
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
    #[arg(long, value_parser = ["email", "sms", "push", "voice", "fax"])]
    pub class: Option<String>,
}
