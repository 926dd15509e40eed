//! Documents of a practice and of its clients, the folders they are in, and whom
//! they are shared with (behaviour 10, 31).
//!
//! Absent on purpose: any way to change a file's content, to reach a file but by a
//! link that ends, or to build a path out of a name that somebody sent.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod archive;
pub mod bindings;
pub mod document;
pub mod document_input;
pub mod events;
pub mod file;
pub mod folder;
pub mod from_notes;
pub mod listing;
pub mod name;
pub mod quarantine;
pub mod shareable;
pub mod sharing;
pub mod tables;
pub mod viewing;
pub mod visibility;

pub use bindings::bind;
pub use tables::tables;

/// The media type of archives of a client's data: no upload is ever stored with it, so that an
/// archive is not packed into the next one.
pub const EXPORT_TYPE: &str = "application/zip";
/// The media type of the list of a population's archives: no upload is stored with it either.
pub const MANIFEST_TYPE: &str = "application/json";
