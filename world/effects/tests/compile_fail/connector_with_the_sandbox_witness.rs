//! The Sandbox's witness arms nothing of Production.

use ward_effects::AwaitingMail;

fn wire(witness: ward_instance::SandboxWitness) {
    let _ = AwaitingMail::arm(&witness);
}

fn main() {}
