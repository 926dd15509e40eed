//! The Sandbox's witness arms nothing of Production.

use ward_effects::Awaiting;

fn wire(witness: ward_instance::SandboxWitness) {
    let _ = Awaiting::arm(&witness);
}

fn main() {}
