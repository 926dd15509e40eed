//! Clients who act for other clients: a parent for a minor, somebody whom an adult named (DOM-35;
//! 45 CFR 164.502(g)). They sign in as themselves and act with a session of its own, which every
//! request judges anew.

pub mod act;
pub mod grant;
pub mod over;
pub mod rules;
pub mod table;

pub use rules::Terms;
pub use table::{CLIENT_PROXIES, ClientProxy, Ended, client_proxies};
