//! The fields of the simulator are private, so nothing but the witness builds one.

use ward_effects::SimMail;

fn wire(db: ward_store::Db) {
    let _ = SimMail { db };
}

fn main() {}
