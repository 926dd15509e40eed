//! A live connector does not fit into the Sandbox's dispatcher.

use ward_effects::{Awaiting, Dispatcher, Ports, SandboxEnv, Simulator};

fn wire(
    db: ward_store::Db,
    witness: ward_instance::ProductionWitness,
    sms: Simulator,
    push: Simulator,
    video: Simulator,
    scan: Simulator,
) {
    let ports = Ports { mail: Awaiting::arm(&witness), sms, push, video, scan };
    let _ = Dispatcher::<SandboxEnv>::new(db, ports);
}

fn main() {}
