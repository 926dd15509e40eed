//! Time: wall and logical, and what only a Sandbox may do to it; and unbiased randomness.

use ward_instance::clock::Course;
use ward_instance::{Certificate, Clock, Kind, Random, SandboxWitness, Timestamp};

use crate::{NOW, ring};

const SECOND: i64 = 1_000_000;

fn witness() -> SandboxWitness {
    let ring = ring(Kind::Sandbox, 1);
    let certificate = Certificate::new(&ring, NOW, "http://localhost:1", "v.a");
    certificate.verify(&ring).unwrap().sandbox().unwrap()
}

#[test]
fn logical_time_follows_wall_time_until_it_is_moved() {
    let clock = Clock::manual(NOW);
    clock.advance(5 * SECOND);
    assert_eq!((clock.now(), clock.wall()), (NOW.plus_seconds(5), NOW.plus_seconds(5)));
    clock.set_offset_micros(&witness(), 3_600 * SECOND);
    assert_eq!(clock.now(), NOW.plus_seconds(3_605));
    assert_eq!(clock.offset_micros(), 3_600 * SECOND);
    clock.advance(SECOND);
    assert_eq!((clock.now(), clock.wall()), (NOW.plus_seconds(3_606), NOW.plus_seconds(6)));
    assert_eq!(clock.monotonic_micros(), 6 * SECOND as u64);
}

#[test]
fn logical_time_freezes_runs_faster_and_survives_a_restart() {
    let clock = Clock::manual(NOW);
    clock.set_rate(&witness(), 0);
    clock.advance(10 * SECOND);
    assert_eq!(clock.now(), NOW);
    clock.set_rate(&witness(), 60_000);
    clock.advance(SECOND);
    assert_eq!(clock.now(), NOW.plus_seconds(60));
    let again = Clock::manual(clock.wall());
    again.set_course(&witness(), clock.course());
    assert_eq!(again.now(), clock.now());
    again.set_course(&witness(), Course::REAL);
    assert_eq!(again.now(), again.wall());
}

#[test]
fn a_course_never_goes_back_behind_the_moment_it_was_set_at() {
    let course = Course { wall: NOW, logical: NOW.plus_seconds(60), rate: 1_000 };
    assert_eq!(course.at(NOW.plus_seconds(-3_600)), NOW.plus_seconds(60));
    assert_eq!(course.at(NOW.plus_seconds(1)), NOW.plus_seconds(61));
}

#[test]
fn clones_share_and_system_clocks_stay() {
    let clock = Clock::manual(NOW);
    clock.clone().set(Timestamp(7));
    assert_eq!(clock.now(), Timestamp(7));
    let system = Clock::system();
    system.set(Timestamp(7));
    system.advance(i64::MAX);
    assert!(system.wall() > NOW);
    assert!(system.wall() <= system.wall());
}

#[test]
fn timestamps_print_and_read_rfc_3339() {
    assert_eq!(NOW.to_string(), "2023-11-14T22:13:20Z");
    assert_eq!("2023-11-14T22:13:20Z".parse(), Ok(NOW));
    assert!("yesterday".parse::<Timestamp>().is_err());
    for far in [i64::MIN, i64::MAX] {
        assert!(!Timestamp(far).to_string().is_empty());
        let _ = Timestamp(far).plus_seconds(i64::MAX).minus_micros(i64::MIN).micros_since(NOW);
    }
}

#[test]
fn drawn_numbers_stay_below_and_reach_all() {
    let random = Random::seeded(1);
    let mut counts = [0_u32; 62];
    for _ in 0..62_000 {
        counts[random.below(62) as usize] += 1;
    }
    assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    assert_eq!((random.below(0), random.below(1)), (0, 0));
    assert_eq!(random.base62(0), "");
    assert_eq!(random.base62(100).len(), 100);
    assert_ne!(Random::os().u64(), Random::os().u64());
}
