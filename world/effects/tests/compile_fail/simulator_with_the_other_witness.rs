//! Production's witness builds no simulator.

use ward_effects::SimMail;

fn wire(db: ward_store::Db, witness: ward_instance::ProductionWitness) {
    let _ = SimMail::new(&witness, db);
}

fn main() {}
