//! How guessing is slowed down.

use ward_identity::attempt::wait_seconds;
use ward_identity::tables::AttemptScope;

#[test]
fn waits_double_up_to_a_quarter_of_an_hour() {
    let waits: Vec<i64> = (1..=12).map(|n| wait_seconds(AttemptScope::Account, n)).collect();
    assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(wait_seconds(AttemptScope::Account, 20), 900);
    assert_eq!(wait_seconds(AttemptScope::Account, i64::MAX / 2), 900);
    assert_eq!(wait_seconds(AttemptScope::Address, 30), 0);
    assert_eq!(wait_seconds(AttemptScope::Address, 31), 1);
}
