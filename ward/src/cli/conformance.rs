//! `ward conformance`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `ward conformance …`
#[derive(Subcommand)]
pub enum ConformanceCommand {
    /// Try everything that keeps a Sandbox and a Production apart: on a pair that is made for it and gone afterwards, or from outside on your own
    Isolation(IsolationArgs),
}

/// `ward conformance isolation`
#[derive(Args, Clone, Debug)]
pub struct IsolationArgs {
    /// Your own pair instead: the Sandbox's address; then only what reads is tried
    #[arg(long, value_name = "URL", requires_all = ["production_url", "sandbox_key_file", "production_key_file"])]
    pub sandbox_url: Option<String>,
    /// The Production's address
    #[arg(long, value_name = "URL", requires = "sandbox_url")]
    pub production_url: Option<String>,
    /// File with a key of the Sandbox, `-` for standard input
    #[arg(long, value_name = "FILE", requires = "sandbox_url")]
    pub sandbox_key_file: Option<String>,
    /// File with a key of the Production, `-` for standard input (its second line when both are)
    #[arg(long, value_name = "FILE", requires = "sandbox_url")]
    pub production_key_file: Option<String>,
    /// File with a session token of the Sandbox, to try it at Production
    #[arg(long, value_name = "FILE", requires = "sandbox_url")]
    pub sandbox_session_file: Option<PathBuf>,
    /// File with a session token of the Production, to try it at the Sandbox
    #[arg(long, value_name = "FILE", requires = "sandbox_url")]
    pub production_session_file: Option<PathBuf>,
    /// Certificates to trust beside the usual authorities, PEM
    #[arg(long, value_name = "FILE", requires = "sandbox_url")]
    pub ca_file: Option<PathBuf>,
    /// Send keys over http:// to other machines, too: whoever is on the way can read them
    #[arg(long, requires = "sandbox_url")]
    pub allow_http: bool,
    /// How long the whole run may take; 20 unless given
    #[arg(long, value_name = "MINUTES", requires = "sandbox_url", value_parser = clap::value_parser!(u16).range(1..=1440))]
    pub minutes: Option<u16>,
    /// File to write the signed report to: .json or .html; repeatable
    #[arg(long, value_name = "FILE")]
    pub save: Vec<PathBuf>,
    /// Ed25519 key to sign with, PEM; a fresh one unless given
    #[arg(long, value_name = "FILE")]
    pub signing_key: Option<PathBuf>,
}
