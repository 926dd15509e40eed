//! What the server answers on the level of HTTP, to clients that are wrong, slow or hostile too.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod accesses;
mod bodies;
mod consents;
mod consents_apart;
mod export;
mod faults;
mod files;
mod headers;
mod notes_pdf;
mod population;
mod proxies;
mod proxies_ends;
mod proxies_read;
mod questionnaire;
mod running;
mod tripwire;
mod uploads;
