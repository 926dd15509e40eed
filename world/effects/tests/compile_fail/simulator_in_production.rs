//! A simulator does not fit into Production's dispatcher.

use ward_effects::{Dispatcher, ProductionEnv, SimMail};

fn wire(db: ward_store::Db, mail: SimMail) {
    let _ = Dispatcher::<ProductionEnv>::new(db, mail);
}

fn main() {}
