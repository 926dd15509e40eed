//! A Sandbox's record of requests: what each was, how it was answered, which permissions decided
//! that, and what it caused. Bodies are redacted before they are kept; a Production keeps none.

mod recorder;
mod redact;
mod table;
mod tree;

pub use recorder::{Facts, KEPT_OF_KEY, Recorder};
pub use table::{REQUEST_RECORDS, purge};
pub use tree::{Filter, list, show};
