//! No other crate can say what an environment is.

use ward_effects::{Awaiting, Env, Simulator};

enum Mixed {}

impl Env for Mixed {
    type Mail = Awaiting;
    type Sms = Simulator;
    type Push = Simulator;
    type Video = Simulator;
    type Scan = Simulator;
    const KIND: ward_instance::Kind = ward_instance::Kind::Sandbox;
}

fn main() {}
