//! Commands that exist for a Sandbox only.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    #[arg(long, value_parser = ["email", "sms", "push", "video"])]
    pub class: Option<String>,
}
