//! A backup's body: every row of the instance as plain values, and its sealed files, the same for
//! both engines, so that a backup of a SQLite database goes into PostgreSQL and back.
//!
//! It is brought back beside what is there (a second file, a second schema), finished and verified
//! there, and takes its place in one step: whenever that is cut off, the instance is the old one or
//! the new one.

mod body;
mod dump;
mod keys;
mod layout;
mod load;
mod settle;
mod swap;

pub use body::{BodyError, BodyReader, BodyWriter, End, Facts, Piece};
pub use dump::{Dumped, dump};
pub use keys::{DataKeys, data_keys, keep_keys};
pub use layout::schema;
pub use load::Loader;
pub use settle::{SKIPPED, patiently, skip_ids};
pub use swap::{Swap, SwapError, drop_staged, forget_staged, is_gone, others, told_others};
