//! The field of a witness is private: no connector can be armed with a forged one.

use ward_effects::Awaiting;

fn main() {
    let _ = Awaiting::arm(&ward_instance::ProductionWitness(()));
}
