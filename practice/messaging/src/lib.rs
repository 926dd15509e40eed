//! Messaging between a practice and its clients: conversations, who takes part,
//! what they have read and what was written (behaviour 32).
//!
//! Absent on purpose: any way to delete a conversation, to write as somebody
//! else, or to reach anybody outside but through an intent.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod attachments;
pub mod automatic;
pub mod away;
pub mod bindings;
pub mod conversation;
pub mod counts;
pub mod draft;
pub mod events;
pub mod html;
pub mod listing;
pub mod membership;
pub mod metadata;
pub mod names;
pub mod note;
pub mod note_input;
pub mod notices;
pub mod owner;
pub mod participants;
pub mod parts;
pub mod scheduler;
pub mod seed;
pub mod seed_words;
pub mod sender;
pub mod tables;
pub mod tags;
pub mod visibility;

pub use bindings::bind;
pub use tables::tables;
