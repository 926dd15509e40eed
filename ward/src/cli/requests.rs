//! `ward requests …`.

use clap::{Args, Subcommand};

use super::There;

/// `ward requests …`
#[derive(Subcommand, Clone, Debug)]
pub enum RequestsCommand {
    /// The last ones of your organization, newest first; 200 are kept of each key and session
    List(RequestsArgs),
    /// One of them: how it was answered and why, and as a tree what it caused
    Show {
        /// The X-Request-Id of its answer
        id: String,
        /// The running Sandbox
        #[command(flatten)]
        there: There,
    },
}

/// Which requests are listed.
#[derive(Args, Clone, Debug)]
pub struct RequestsArgs {
    /// Of this key only, by the eight characters that the list shows
    #[arg(long)]
    pub key: Option<String>,
    /// Only those whose operation's name has this in it
    #[arg(long)]
    pub operation: Option<String>,
    /// Only those that were refused or failed
    #[arg(long)]
    pub failed: bool,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// The running Sandbox
    #[command(flatten)]
    pub there: There,
}
