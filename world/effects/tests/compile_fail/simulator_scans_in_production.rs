//! A simulator is no live scanner, so Production's files are not looked at by one.

use ward_effects::{Awaiting, Dispatcher, Ports, ProductionEnv, Simulator};

type Env = ProductionEnv<Awaiting, Awaiting, Awaiting, Awaiting, Simulator>;

fn wire(db: ward_store::Db, [mail, sms, push, video]: [Awaiting; 4], scan: Simulator) {
    let ports = Ports::<Env> { mail, sms, push, video, scan };
    let _ = Dispatcher::new(db, ports);
}

fn main() {}
