//! Isolation.
fn main() {}
