//! `ward trust`.

use std::path::PathBuf;

use clap::Args;

/// `ward trust`
#[derive(Args, Clone, Debug)]
pub struct TrustArgs {
    /// Record of the test run to show; `make test` and `make soak` write it
    #[arg(long, value_name = "FILE", default_value = "target/trust.json")]
    pub record: PathBuf,
}
