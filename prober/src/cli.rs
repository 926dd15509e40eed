//! The commands and their options. A secret is never one of them: keys come from files or from
//! standard input.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Checks from outside that a Sandbox and a Production of Ward share nothing. Stores nothing, changes nothing, and signs what it found.
#[derive(Parser)]
#[command(
    name = "ward-probe",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 110
)]
#[command(after_help = AFTER_HELP)]
pub struct Cli {
    /// Answer with JSON, alone on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Exit status: 0 all that was tried held; 1 a fault was found, or a report was changed; 2 wrong use;
69 an instance is not reachable or does not answer what has to be read; 70 internal.";

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Try a pair with one key of each, and report what it shares. Reads the ids of lists, 50 rows of each: Production's access log says so
    Run(RunArgs),
    /// Try everything that keeps the two apart on a pair that is made for it (`ward conformance isolation`)
    Isolation(IsolationArgs),
    /// Say whether a saved report is as it was signed
    Verify(VerifyArgs),
}

/// `ward-probe run`
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The Sandbox's address
    #[arg(long, value_name = "URL")]
    pub sandbox_url: String,
    /// File with a key of the Sandbox, `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub sandbox_key_file: String,
    /// The Production's address
    #[arg(long, value_name = "URL")]
    pub production_url: String,
    /// File with a key of the Production, `-` for standard input (its second line when both are)
    #[arg(long, value_name = "FILE")]
    pub production_key_file: String,
    /// File with a session token of the Sandbox, to try it at Production
    #[arg(long, value_name = "FILE")]
    pub sandbox_session_file: Option<PathBuf>,
    /// File with a session token of the Production, to try it at the Sandbox
    #[arg(long, value_name = "FILE")]
    pub production_session_file: Option<PathBuf>,
    /// Certificates to trust beside the usual authorities, PEM
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Send keys over http:// to other machines, too: whoever is on the way can read them
    #[arg(long)]
    pub allow_http: bool,
    /// How long the whole run may take
    #[arg(long, value_name = "MINUTES", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub minutes: u16,
    /// How the report goes
    #[command(flatten)]
    pub out: OutArgs,
}

/// `ward-probe isolation`
#[derive(Args, Clone, Debug)]
pub struct IsolationArgs {
    /// The program `ward` to try
    #[arg(long, value_name = "FILE")]
    pub ward: PathBuf,
    /// How the report goes
    #[command(flatten)]
    pub out: OutArgs,
}

/// Where the report goes, and who signs it.
#[derive(Args, Clone, Debug)]
pub struct OutArgs {
    /// File to write the signed report to: .json or .html; repeatable
    #[arg(long, value_name = "FILE")]
    pub save: Vec<PathBuf>,
    /// Ed25519 key to sign with, PEM (openssl genpkey -algorithm ed25519); a fresh one unless given
    #[arg(long, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
}

/// `ward-probe verify`
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The report, as JSON or as a page
    pub report: PathBuf,
    /// The public key that it has to be signed with, in hexadecimal
    #[arg(long, value_name = "HEX")]
    pub public_key: Option<String>,
}
