//! Tests of the domain: rules without a database, and operations through the
//! front door of the engine.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod autolock;
mod confidential;
mod filled;
mod filled_access;
mod filled_asked;
mod filled_lists;
mod filled_sessions;
mod flow_edges;
mod flows;
mod forms;
mod group_notes;
mod group_notes_confidential;
mod group_notes_edges;
mod notes;
mod proxies;
mod questions;
mod recurrence;
mod requests;
mod requests_access;
mod requests_again;
mod requests_kept;
mod rules;
mod seeds;
mod sharing;
mod signed_content;
mod support;
mod versions;
