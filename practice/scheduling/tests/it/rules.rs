//! Pure rules.

use proptest::prelude::*;
use ward_instance::Timestamp;
use ward_scheduling::contact_type::{ContactType, offered};
use ward_scheduling::money;
use ward_scheduling::settings::layers::{layers, resolve};
use ward_scheduling::settings::table::{AppointmentSetting, BaseCalendarInterval};
use ward_store::Id;

#[test]
fn a_price_is_an_amount_or_refused() {
    for (text, cents) in [
        ("120", Some(12_000)),
        ("120.5", Some(12_050)),
        (" $1,200.50 ", Some(120_050)),
        ("0", Some(0)),
        ("1000000.00", Some(100_000_000)),
        ("1000000.01", None),
        ("-1", None),
        ("1.234", None),
        ("", None),
        (".5", None),
        ("1e3", None),
        ("99999999999999999999", None),
        ("free", None),
    ] {
        assert_eq!(money::cents(text), cents, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_price_reads_back(cents in 0..=money::CENTS_MAX) {
        prop_assert_eq!(money::cents(&money::text(cents)), Some(cents));
    }

    #[test]
    fn no_text_breaks_a_price(text in "\\PC*") {
        if let Some(cents) = money::cents(&text) {
            prop_assert!((0..=money::CENTS_MAX).contains(&cents));
        }
    }

    #[test]
    fn the_nearest_price_counts(a: Option<u16>, b: Option<u16>, c: Option<u16>) {
        let [a, b, c] = [a, b, c].map(|it| it.map(i64::from));
        let nearest = [a, b, c].into_iter().flatten().next();
        prop_assert_eq!(money::price_of(a, b, c), nearest);
    }

    #[test]
    fn the_nearest_layer_that_says_something_counts(
        said in proptest::collection::vec(layer(), 0..4),
    ) {
        let rows: Vec<AppointmentSetting> = said.iter().map(Said::row).collect();
        let settings = resolve(&rows.iter().collect::<Vec<_>>());
        let first = |of: fn(&Said) -> Option<i64>, default| said.iter().find_map(of).unwrap_or(default);
        prop_assert_eq!(settings.buffer, first(|it| it.buffer, 0));
        prop_assert_eq!(
            settings.minimum_advance_schedule_time,
            first(|it| it.notice, 0)
        );
        let horizon = said.iter().find_map(|it| it.horizon);
        prop_assert_eq!(settings.max_days_in_future, horizon);
        let same_day = said.iter().find_map(|it| it.same_day).unwrap_or(false);
        prop_assert_eq!(settings.same_day_appointments, same_day);
        let grid = said.iter().find_map(|it| it.grid).unwrap_or(BaseCalendarInterval::FifteenMinutes);
        prop_assert_eq!(settings.base_calendar_interval, grid);
        for way in ContactType::ALL {
            let says = said.iter().find_map(|it| it.ways[usize::try_from(way.number()).unwrap() - 1]);
            prop_assert_eq!(settings.contact_types.contains(&way), says.unwrap_or(true));
        }
    }
}

#[derive(Clone, Debug)]
struct Said {
    buffer: Option<i64>,
    notice: Option<i64>,
    horizon: Option<i64>,
    same_day: Option<bool>,
    grid: Option<BaseCalendarInterval>,
    ways: [Option<bool>; 3],
}

impl Said {
    fn row(&self) -> AppointmentSetting {
        let blank = AppointmentSetting::blank(Id::new(1), Id::new(2), Id::new(2), Timestamp(0));
        AppointmentSetting {
            buffer: self.buffer,
            minimum_advance_schedule_time: self.notice,
            max_days_in_future: self.horizon,
            same_day_appointments: self.same_day,
            base_calendar_interval: self.grid,
            offers_video: self.ways[0],
            offers_in_person: self.ways[1],
            offers_phone: self.ways[2],
            ..blank
        }
    }
}

fn layer() -> impl Strategy<Value = Said> {
    use BaseCalendarInterval::{FifteenMinutes, FiveMinutes, TenMinutes};
    let number = || proptest::option::of(0..500_i64);
    let grid = proptest::option::of(proptest::sample::select(vec![
        FiveMinutes,
        TenMinutes,
        FifteenMinutes,
    ]));
    (number(), number(), number(), any::<Option<bool>>(), grid, any::<[Option<bool>; 3]>())
        .prop_map(|(buffer, notice, horizon, same_day, grid, ways)| Said {
            buffer,
            notice,
            horizon,
            same_day,
            grid,
            ways,
        })
}

#[test]
fn layers_go_from_the_type_to_the_organization() {
    let row = |id| AppointmentSetting::blank(Id::new(id), Id::new(9), Id::new(9), Timestamp(0));
    let (of_type, provider, unit) = (row(1), row(2), row(3));
    let ids =
        |layers: Vec<&AppointmentSetting>| layers.iter().map(|it| it.id.0).collect::<Vec<_>>();
    assert_eq!(ids(layers(Some(&of_type), Some(&provider), Some(&unit))), [1, 2, 3]);
    assert_eq!(ids(layers(None, Some(&provider), Some(&unit))), [2, 3]);
    assert_eq!(ids(layers(Some(&of_type), None, Some(&unit))), [1, 3]);
    assert!(layers(None, None, None).is_empty());
}

#[test]
fn statuses_are_those_that_are_switched_on() {
    let mut row = AppointmentSetting::blank(Id::new(1), Id::new(2), Id::new(2), Timestamp(0));
    let built_in = ["Occurred", "No-Show", "Re-Scheduled", "Cancelled"];
    assert_eq!(resolve(&[&row]).statuses(), built_in);
    row.enable_checked_in_status = Some(true);
    row.enable_late_cancellation_status = Some(true);
    let all = [&built_in[..], &["Late Cancellation", "Checked-In"]].concat();
    assert_eq!(resolve(&[&row]).statuses(), all);
}

#[test]
fn contact_types_have_three_names() {
    for way in ContactType::ALL {
        assert_eq!(ContactType::of_number(way.number()), Some(way));
        assert_eq!(ContactType::of_text(way.name()), Some(way));
        assert_eq!(ContactType::of_text(way.code()), Some(way));
    }
    assert_eq!(ContactType::of_text("secure videochat"), Some(ContactType::Video));
    assert_eq!(ContactType::of_text("by letter"), None);
    assert_eq!(ContactType::of_number(4), None);
    let none = [[Some(false); 3], [Some(true); 3]];
    assert!(offered(&none).is_empty());
    assert_eq!(
        offered(&[[None, Some(false), None], [None, Some(true), Some(false)]]),
        [ContactType::Video]
    );
}
