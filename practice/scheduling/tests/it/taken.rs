//! What is busy in a window, against looking at everything; and the rules of what
//! clients may do, against saying them again.

use proptest::prelude::*;
use serde_json::json;
use ward_instance::Timestamp;
use ward_scheduling::appointment::calendar;
use ward_scheduling::appointment::rules::{Facts, cant_cancel, cant_reschedule};
use ward_scheduling::appointment::status::PmStatus;
use ward_scheduling::appointment::when::{Known, Times, when};
use ward_scheduling::availability::wall::Interval;
use ward_scheduling::settings::layers::resolve;
use ward_store::Id;

use crate::booking::booked;
use crate::support::World;

const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

fn iso(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at).unwrap().to_string()
}

#[tokio::test]
async fn a_window_has_what_lies_in_it_however_long_it_is() {
    World::each(async |w| {
        let first = (w.instance.now().0 / HOUR + 24) * HOUR;
        // Start and length in hours: short ones, ones of a day exactly, and far longer.
        let spans = [
            (0, 1),
            (0, 24),
            (1, 24),
            (5, 25),
            (10, 300),
            (30, 2),
            (47, 1),
            (48, 1),
            (200, 24),
            (224, 1),
        ];
        let mut all = Vec::new();
        for (start, length) in spans {
            let at = (first + start * HOUR, first + (start + length) * HOUR);
            let input = json!({ "is_blocker": true, "datetime": iso(at.0), "end_date": iso(at.1) });
            let id: i64 = booked(&w, &w.owner, input).await.parse().unwrap();
            all.push((at, id));
        }
        for from in (-30..330).step_by(7) {
            for length in [1, 24, 100] {
                let window = Interval {
                    start: Timestamp(first + from * HOUR),
                    end: Timestamp(first + (from + length) * HOUR),
                };
                for without in [None, Some(all[4].1)] {
                    let mut wanted: Vec<i64> = all
                        .iter()
                        .filter(|((start, end), id)| {
                            *start < window.end.0 && window.start.0 < *end && Some(*id) != without
                        })
                        .map(|(_, id)| *id)
                        .collect();
                    wanted.sort_unstable();
                    let mut reader = w.db.read().await.unwrap();
                    let members = [w.owner.user_id, w.standard.user_id];
                    let org = w.owner.org_id;
                    let without = without.map(Id::new);
                    let found = calendar::taken(&mut reader, org, &members, &window, without)
                        .await
                        .unwrap();
                    let mut found: Vec<i64> = found.iter().map(|it| it.appointment_id).collect();
                    found.sort_unstable();
                    assert_eq!(found, wanted, "{from} {length}");
                }
            }
        }
        let (a_day, elsewhere) = (Timestamp(first), Timestamp(first + 24 * HOUR));
        let window = Interval { start: a_day, end: elsewhere };
        let mut reader = w.db.read().await.unwrap();
        let (org, owner) = (w.stranger.org_id, [w.owner.user_id]);
        let other = calendar::busy(&mut reader, org, &owner, &window, None);
        assert!(other.await.unwrap().is_empty(), "of another practice");
    })
    .await;
}

fn statuses() -> impl Strategy<Value = Option<PmStatus>> {
    let all: Vec<Option<PmStatus>> =
        PmStatus::TEXTS.iter().map(|text| PmStatus::from_text(text)).chain([None; 6]).collect();
    proptest::sample::select(all)
}

proptest! {
    #[test]
    fn clients_may_what_the_settings_let_them(
        left in -5_000_i64..5_000, status in statuses(), is_group in any::<bool>(),
        moved in 0_i64..4, cap in proptest::option::of(0_i64..4), notice in 0_i64..3_000,
        (cancels, moves, past) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let now = Timestamp(1_800_000_000_000_000);
        let start_at = Timestamp(now.0 + left * MINUTE);
        let facts = Facts { start_at, pm_status: status, is_shared: is_group, is_off: false,
            may_schedule: true, reschedules: moved };
        let mut settings = resolve(&[]);
        settings.allow_clients_to_cancel_appt = cancels;
        settings.allow_clients_to_reschedule_appt = moves;
        settings.allow_past_appointment_rescheduling = past;
        settings.minimum_advance_cancel_time = notice;
        settings.minimum_advance_reschedule_time = notice;
        settings.patient_reschedule_count_cap = cap;
        let in_time = left > 0 && left >= notice;
        let may_cancel = cancels && status.is_none() && in_time;
        prop_assert_eq!(cant_cancel(&facts, &settings, now).is_none(), may_cancel);
        let may_move = moves && !is_group && status.is_none() && cap.is_none_or(|cap| moved < cap)
            && (in_time || (past && left <= 0));
        prop_assert_eq!(cant_reschedule(&facts, &settings, now).is_none(), may_move);
    }

    #[test]
    fn no_text_makes_a_time_that_cannot_be(
        texts in proptest::array::uniform5(proptest::option::of(
            "([0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}(T[0-9]{1,2}:[0-9]{1,2}(:[0-9]{2})?(Z|[+-][0-9]{4})?)?)|[0-9]{1,2} [0-9]{1,2}|\\PC{0,12}"
        )),
        length in proptest::option::of(1_i64..1_440), is_blocker in any::<bool>(),
    ) {
        let text = |n: usize| texts[n].as_deref().filter(|text| !text.trim().is_empty());
        let times = Times { datetime: text(0), date: text(1), time: text(2), end_date: text(3), end_time: text(4) };
        let known = Known { before: None, length, is_blocker };
        let now = Timestamp(1_800_000_000_000_000);
        let mut problems = ward_engine::Problems::new();
        let zone = ward_engine::moment::zone("America/New_York").unwrap();
        match when(&times, &known, &zone, now, &mut problems) {
            None => {}
            Some(found) => {
                prop_assert!(problems.is_empty());
                prop_assert!(found.start < found.end && found.start.0 >= 0);
                let most = if is_blocker { 366 * 1_440 } else { 1_440 };
                prop_assert!(found.minutes() <= most);
                prop_assert!(found.start.0 % MINUTE == 0 && found.end.0 % MINUTE == 0);
            }
        }
    }
}
