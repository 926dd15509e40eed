//! Allowances come back by themselves.

use proptest::prelude::*;
use ward_identity::allowance::Allowance;
use ward_instance::Timestamp;

const THREE: Allowance = Allowance { kind: "test", most: 3, seconds: 60 };

#[test]
fn one_is_back_after_each_time() {
    let at = |seconds: i64| Timestamp(seconds * 1_000_000);
    assert_eq!(THREE.used(3, at(0), at(59)), (3, at(0)));
    assert_eq!(THREE.used(3, at(0), at(61)), (2, at(60)), "a second counts for the next one");
    assert_eq!(THREE.used(3, at(0), at(180)), (0, at(180)));
    assert_eq!(THREE.used(3, at(500), at(0)), (3, at(500)), "a clock that was put back");
}

proptest! {
    /// Who asks again and again gets what is allowed at once and what came back since,
    /// and is never locked out for longer than one takes to come back.
    #[test]
    fn nobody_gets_more_or_waits_for_ever(steps in prop::collection::vec(0_i64..200, 1..60)) {
        let (mut now, mut held, mut got) = (Timestamp(0), (0, Timestamp(0)), 0);
        let mut refused_since = None;
        for step in steps {
            now = now.plus_seconds(step);
            held = THREE.used(held.0, held.1, now);
            if held.0 < THREE.most {
                held.0 += 1;
                got += 1;
                refused_since = None;
            } else {
                let since = *refused_since.get_or_insert(now);
                prop_assert!(now.0 - since.0 < 60_000_000);
            }
        }
        prop_assert!(got <= 3 + now.0 / 60_000_000);
    }
}
