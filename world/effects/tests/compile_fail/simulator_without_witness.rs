//! The fields of the simulator are private, so nothing but the witness builds one.

use ward_effects::Simulator;

fn wire(db: ward_store::Db) {
    let _ = Simulator { db };
}

fn main() {}
