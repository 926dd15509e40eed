//! `ward backup`, `ward restore` and `ward attest`.

use std::path::PathBuf;

use clap::Args;

use super::Here;

/// `ward backup`
#[derive(Args, Clone, Debug)]
pub struct BackupArgs {
    /// The file to be made, `-` for standard output
    pub file: PathBuf,
    /// The instance
    #[command(flatten)]
    pub here: Here,
}

/// `ward restore`
#[derive(Args, Clone, Debug)]
pub struct RestoreArgs {
    /// The backup, `-` for standard input
    pub file: PathBuf,
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// The root.key of the backup's time, when the root key was rotated since
    #[arg(long, value_name = "FILE")]
    pub old_key: Option<PathBuf>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `ward attest`
#[derive(Args, Clone, Debug)]
pub struct AttestArgs {
    /// The instance
    #[command(flatten)]
    pub here: Here,
    /// Its address from now on
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// An administrator who attests; Production takes two where two exist
    #[arg(long, value_name = "EMAIL")]
    pub by: Vec<String>,
}
