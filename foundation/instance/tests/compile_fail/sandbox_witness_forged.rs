//! The field of a witness is private, so no other crate can make one.

fn main() {
    let _ = ward_instance::SandboxWitness(());
}
