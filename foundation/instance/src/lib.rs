//! What makes one running system *one* instance: its birth, its keys, its identifiers.
//!
//! An instance is born Sandbox or Production once and stays it. Everything that could carry one
//! environment's authority into the other (keys, ids, tokens, ciphertexts, cursors) is bound here
//! to the instance, so a mix-up is an error with a name and never a silent hit.
//!
//! Absent on purpose: any way to convert an instance, any knowledge of a peer instance, any
//! database or network access. This crate alone reads the clock and draws randomness.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api_key;
pub mod base_url;
pub mod birth;
pub mod calendar_link;
pub mod clock;
pub mod config;
pub mod control;
pub mod crash;
pub mod envelope;
pub mod error;
pub mod faults;
pub mod file_seal;
mod files;
pub mod holder;
pub mod host;
pub mod ids;
pub mod instance;
pub mod kind;
pub mod ledger;
pub mod mac;
pub mod random;
pub mod reach;
pub mod room_link;
pub mod root;
pub mod seal;
pub mod text;
pub mod token;
pub mod upload_link;
pub mod uuid;

pub use birth::{Certificate, ProductionWitness, SandboxWitness, State, Witness, agree};
pub use clock::{Clock, Timestamp};
pub use config::Config;
pub use error::{
    EXIT_BUSY, EXIT_INTERNAL, EXIT_REFUSED, EXIT_UNAVAILABLE, EXIT_USAGE, InstanceError, IsoError,
};
pub use faults::{Fault, FaultKind, Faults};
pub use ids::{IdCodec, IdRefusal};
pub use instance::{Instance, Mark};
pub use kind::{InstanceId, Kind, Tag};
pub use ledger::Ledger;
pub use random::Random;
pub use reach::Reach;
pub use root::{Key, Purpose, RootRing};
pub use seal::{Place, SealError, Sealer};
