//! A simulator is no live connector, so Production's dispatcher does not take one.

use ward_effects::{Awaiting, Dispatcher, Ports, ProductionEnv, Simulator};

type Env = ProductionEnv<Simulator, Awaiting, Awaiting, Awaiting>;

fn wire(db: ward_store::Db, mail: Simulator, sms: Awaiting, push: Awaiting, video: Awaiting) {
    let ports = Ports::<Env> { mail, sms, push, video };
    let _ = Dispatcher::new(db, ports);
}

fn main() {}
