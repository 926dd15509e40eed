//! A live connector does not fit into the Sandbox's dispatcher.

use ward_effects::{AwaitingMail, Dispatcher, SandboxEnv};

fn wire(db: ward_store::Db, witness: ward_instance::ProductionWitness) {
    let _ = Dispatcher::<SandboxEnv>::new(db, AwaitingMail::arm(&witness));
}

fn main() {}
