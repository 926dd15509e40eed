//! What reaches the world outside: the one dispatcher, and what stands behind it.
//!
//! Practice code never performs an effect. It records an intent in the transaction of the change
//! that wants it; [`Dispatcher`] does it later, through the environment's own connectors. In a
//! Sandbox these are simulators with an inbox, which open no socket. Live connectors take
//! Production's witness to build, and a dispatcher of the other environment does not accept them:
//! both are errors of the compiler (ISO-26). A class that is switched off ([`policy`]) waits.
//!
//! Absent on purpose: any network access, any switch between simulated and live, any knowledge of
//! what an effect means to the practice. Whether the instance may act at all (it may be
//! quarantined) is decided by who runs the dispatcher.

mod about;
mod awaiting;
mod caused;
mod cohort;
mod counts;
mod dispatcher;
mod env;
mod hold;
mod letters;
mod mail;
mod message;
mod policy;
mod port;
mod purge;
mod release;
mod scanner;
mod sim;
mod text;
mod told;
mod video;

pub use about::About;
pub use awaiting::Awaiting;
pub use caused::caused;
pub use cohort::{
    COHORT_MAX, CohortChange, CohortEnd, CohortPerson, EFFECT_COHORTS, change as change_cohort,
    effect_cohorts, has_cohort, held, people as cohort,
};
pub use counts::{Pending, pending, waiting};
pub use dispatcher::{Dispatcher, LEASE, Report, kinds};
pub use env::{Env, Ports, ProductionEnv, SandboxEnv};
pub use hold::{Held, discard, hold};
pub use letters::{failed, replay};
pub use mail::render::{MAIL_KINDS, rendered};
pub use mail::render_error::RenderError;
pub use message::{Content, Message};
pub use policy::{
    EFFECT_POLICIES, EffectMode, EffectPolicy, Policy, at_birth, decide, effect_policies, policy,
};
pub use port::{Live, Port, Sent};
pub use purge::purge;
pub use release::{HELD_SECONDS, Released, expire, release, release_own};
pub use scanner::{Judged, LiveScanner, Scanner};
pub use sim::inbox::{INBOX_MAX, InboxFilter, inbox};
pub use sim::magic::{CARRIER_SECONDS, COMPLAINT_SECONDS, SLOW_SECONDS};
pub use sim::rotation::rotation_hooks;
pub use sim::simulator::Simulator;
pub use sim::tables::{Medium, SIMULATED_MESSAGES, SimulatedMessage, simulated_messages};
pub use told::{tellable, told};

/// The tables of this crate. Both environments have them; only a Sandbox's simulator writes
/// messages.
pub fn tables() -> Vec<&'static ward_store::Table> {
    vec![&EFFECT_POLICIES, &EFFECT_COHORTS, &SIMULATED_MESSAGES]
}
