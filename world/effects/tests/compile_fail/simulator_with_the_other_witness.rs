//! Production's witness builds no simulator.

use ward_effects::Simulator;

fn wire(db: ward_store::Db, witness: ward_instance::ProductionWitness) {
    let _ = Simulator::new(&witness, db);
}

fn main() {}
