//! The repository's own tools: contract check, coverage report, replay documents, tidy, test runner.
//!
//! The binary (`cargo xtask`) is a thin shell over this library, so that tests of other crates can
//! use the same functions. Nothing here knows the engine: it reads SDL text only.
#![allow(clippy::disallowed_methods, reason = "a tool is configured by its environment")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod browser;
pub mod check;
pub mod contract_files;
pub mod coverage;
pub mod postgres;
pub mod replay;
pub mod schema;
pub mod test_runner;
pub mod tidy;
pub mod trust;
pub mod unserved;
pub mod usage;

pub use check::contract_check;
pub use replay::{Replay, ReplayView, Variable, replay_documents};
pub use unserved::{Unserved, parse_unserved, unserved_check};
pub use usage::Usage;

/// The repository's root directory.
pub fn repository() -> std::path::PathBuf {
    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}
