//! Production's witness does not move the clock.

fn freeze(clock: &ward_instance::Clock, witness: ward_instance::ProductionWitness) {
    clock.set_rate(&witness, 0);
}

fn main() {}
