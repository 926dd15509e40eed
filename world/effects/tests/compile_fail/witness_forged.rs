//! The field of a witness is private: no connector can be armed with a forged one.

use ward_effects::AwaitingMail;

fn main() {
    let _ = AwaitingMail::arm(&ward_instance::ProductionWitness(()));
}
