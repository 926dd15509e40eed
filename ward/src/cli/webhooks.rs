//! `ward events …`, `ward webhooks …`, `ward listen`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::There;

/// What is to be done with events.
#[derive(Subcommand, Clone, Debug)]
pub enum EventsCommand {
    /// What was sent to webhooks, latest first
    List {
        /// Only what was not taken
        #[arg(long)]
        failed: bool,
        /// Only of this record
        #[arg(long, value_name = "ID")]
        resource_id: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// Send events to a webhook again
    Resend {
        /// Ids of events; `ward events list` and the webhook-id header show them
        #[arg(required = true, value_name = "EVENT")]
        events: Vec<String>,
        /// The webhook; may be left out where there is one only
        #[arg(long, value_name = "ID")]
        webhook: Option<String>,
        /// The running instance
        #[command(flatten)]
        there: There,
    },
    /// Send what happened in a time to a webhook again, or what it never got
    Replay(ReplayArgs),
    /// Cause an event: do what causes it, with synthetic data (Sandbox only)
    Fire {
        /// Its name, such as patient.created; without one, the names that can be fired
        #[arg(value_name = "EVENT")]
        event: Option<String>,
        /// The record to do it with; a new one is made unless given
        #[arg(long, value_name = "ID")]
        id: Option<String>,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
}

/// `ward events replay`
#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// The webhook; may be left out where there is one only
    #[arg(long, value_name = "ID")]
    pub webhook: Option<String>,
    /// From this moment, such as 2026-03-02T09:00:00Z
    #[arg(long, value_name = "TIME", required_unless_present = "undelivered")]
    pub after: Option<String>,
    /// Up to this moment; now unless given
    #[arg(long, value_name = "TIME")]
    pub before: Option<String>,
    /// Only what was never delivered to it
    #[arg(long)]
    pub undelivered: bool,
    /// Only these events, such as patient.created,patient.updated
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub events: Vec<String>,
    /// Only count
    #[arg(long)]
    pub dry_run: bool,
    /// The running instance
    #[command(flatten)]
    pub there: There,
}

/// What is to be done with webhooks.
#[derive(Subcommand, Clone, Debug)]
pub enum WebhooksCommand {
    /// Check a request that arrived, and say what is wrong with it; nothing is asked over the network
    Verify {
        /// File with the webhook's secret, `-` for standard input
        #[arg(long, value_name = "FILE")]
        secret_file: String,
        /// File with the headers as they came, one `Name: value` a line; the request line may stand above
        #[arg(long, value_name = "FILE")]
        headers: PathBuf,
        /// File with the body, byte for byte
        #[arg(long, value_name = "FILE")]
        body: PathBuf,
        /// Path and query that the request went to, unless the request line says so
        #[arg(long, value_name = "PATH")]
        target: Option<String>,
    },
}

/// `ward listen`
#[derive(Args, Clone, Debug)]
pub struct ListenArgs {
    /// Where events go, such as http://127.0.0.1:3000/hook
    #[arg(long, value_name = "URL")]
    pub forward: String,
    /// Only these events, such as patient.created,patient.updated; all unless given
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub events: Vec<String>,
    /// Sign with the secret of this webhook instead of one of its own
    #[arg(long = "as", value_name = "ID")]
    pub sign_as: Option<String>,
    /// The running Sandbox
    #[command(flatten)]
    pub there: There,
}
