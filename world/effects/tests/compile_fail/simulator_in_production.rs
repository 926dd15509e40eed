//! A simulator is no live connector, so Production's dispatcher does not take one.

use ward_effects::{Awaiting, Dispatcher, Ports, ProductionEnv, Simulator};

type Env = ProductionEnv<Simulator, Awaiting, Awaiting, Awaiting, Awaiting>;

fn wire(db: ward_store::Db, mail: Simulator, [sms, push, video, scan]: [Awaiting; 4]) {
    let ports = Ports::<Env> { mail, sms, push, video, scan };
    let _ = Dispatcher::new(db, ports);
}

fn main() {}
