//! A simulator is no live connector, so Production's dispatcher does not take one.

use ward_effects::{Awaiting, Dispatcher, Ports, ProductionEnv, Simulator};

fn wire(db: ward_store::Db, mail: Simulator, sms: Awaiting, push: Awaiting) {
    let ports = Ports::<ProductionEnv<Simulator, Awaiting, Awaiting>> { mail, sms, push };
    let _ = Dispatcher::new(db, ports);
}

fn main() {}
