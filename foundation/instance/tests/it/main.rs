//! One binary for all tests of the crate; each module is one subject.
#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used, missing_docs)]

mod api_key;
mod birth;
mod clock;
mod config;
mod control;
mod envelope;
mod file_seal;
mod host;
mod ids;
mod instance;
mod ledger;
mod root;
mod seal;
mod token;
mod vectors;
mod witness;

use std::sync::Arc;

use ward_instance::{InstanceId, Kind, Random, RootRing, Timestamp};

/// A fixed moment: 2023-11-14T22:13:20Z.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// The instance of the known-answer vectors, whose tag is K7QF2.
pub const VECTOR_ID: &str = "99eef100112233445566778899aabbcc";

pub fn vector_id() -> InstanceId {
    VECTOR_ID.parse().unwrap()
}

/// A ring whose only root is the bytes 0 to 31.
pub fn vector_ring(kind: Kind) -> Arc<RootRing> {
    let root = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let text = format!("{kind} K7QF2 ward root key\ninstance {VECTOR_ID}\n1 current {root}\n");
    Arc::new(RootRing::from_text(&text).unwrap())
}

/// A ring of an instance of its own, the same for the same seed.
pub fn ring(kind: Kind, seed: u64) -> Arc<RootRing> {
    let random = Random::seeded(seed);
    let id = InstanceId::draw(&random);
    Arc::new(RootRing::generate(kind, id, &random))
}
