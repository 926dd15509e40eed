//! `ward files`.

use clap::Subcommand;

use super::Here;

/// `ward files`
#[derive(Subcommand)]
pub enum FilesCommand {
    /// Copy Production's files from its directory to the bucket that ward.toml names; the server is stopped meanwhile
    Copy {
        /// The instance.
        #[command(flatten)]
        here: Here,
        /// Use the bucket although files that the database knows are not in the directory
        #[arg(long)]
        leave_missing: bool,
    },
}
