//! No other crate can say what an environment is.

use ward_effects::{AwaitingMail, Env};

enum Mixed {}

impl Env for Mixed {
    type Mail = AwaitingMail;
    const KIND: ward_instance::Kind = ward_instance::Kind::Sandbox;
}

fn main() {}
