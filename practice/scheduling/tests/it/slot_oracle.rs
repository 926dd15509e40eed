//! What the front door answers, against looking at every minute of the calendars:
//! weekly and one-time availability in zones of their own, what is booked, every rule,
//! the days of changing clocks, and days of a client who lives somewhere else.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_instance::Timestamp;
use ward_scheduling::appointment_location::table::RoomEntry;
use ward_scheduling::slots::Rules;
use ward_scheduling::tables::Availability;
use ward_store::{Actor, Day, Id, Scope, Sql, StoreError};

use crate::calendars::Booked;
use crate::slots::{CHANGES, MINUTE, Minutes, rules};
use crate::support::World;

/// Where the availability and the client can be.
const ZONES: [&str; 5] = [
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Honolulu",
];
/// Days around the change that the oracle knows.
const DAYS: i64 = 7;

#[derive(Clone, Debug)]
struct Hours {
    zone: &'static str,
    /// Days from the first one; weekly ones are of that weekday.
    day: i64,
    start_minute: i64,
    minutes: i64,
    weekly: bool,
}

/// Whether a room holds one at a time, and from when and how long it is taken.
type Booking = (bool, Vec<(i64, i64)>);

#[derive(Clone, Debug)]
struct Case {
    change: (&'static str, Date),
    hours: Vec<Hours>,
    busy: Vec<(i64, i64)>,
    /// The rooms of the place that is asked for: what is booked in each, and whether it
    /// holds one at a time.
    rooms: Option<Vec<Booking>>,
    rules: Rules,
    asks_from: &'static str,
    asked: (i64, i64),
    now_minute: i64,
}

fn cases() -> impl Strategy<Value = Case> {
    let hours =
        (proptest::sample::select(&ZONES[..]), 1..6_i64, 0..92_i64, 1..60_i64, any::<bool>())
            .prop_map(|(zone, day, quarter, long, weekly)| {
                let start_minute = quarter * 15;
                // Weekly ones end on the day on which they begin.
                let most = if weekly { 1_440 - start_minute } else { 2_880 };
                Hours { zone, day, start_minute, minutes: (long * 15).min(most), weekly }
            });
    let busy = proptest::collection::vec((0..DAYS * 1_440, 1..300_i64), 0..5);
    // Long ones, so that several rooms are full at once.
    let in_room = proptest::collection::vec((0..DAYS * 1_440, 1..2_900_i64), 0..6);
    let room = (proptest::bool::weighted(0.9), in_room);
    let rooms = proptest::option::weighted(0.6, proptest::collection::vec(room, 0..4));
    (
        proptest::sample::select(&CHANGES[..]),
        proptest::collection::vec(hours, 1..5),
        (busy, rooms),
        rules(),
        proptest::sample::select(&ZONES[..]),
        (1..5_i64, 0..3_i64),
        -3_000..5_000_i64,
    )
        .prop_map(|(change, hours, (busy, rooms), rules, asks_from, asked, now_minute)| Case {
            change,
            hours,
            busy,
            rooms,
            rules,
            asks_from,
            asked,
            now_minute,
        })
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn wall(zone: &TimeZone, date: Date, minute: i64) -> i64 {
    let midnight = date.at(0, 0, 0, 0).checked_add(minute.minutes()).unwrap();
    midnight.to_zoned_datetime(zone.clone()).unwrap().timestamp().as_microsecond()
}

impl Case {
    fn first_day(&self) -> Date {
        self.change.1.checked_sub(3.days()).unwrap()
    }

    fn base(&self) -> i64 {
        wall(&zone(self.change.0), self.first_day(), 0)
    }

    /// Hours as minutes from the base: a one-time end is so much later, a weekly one's
    /// is at that time on the wall.
    fn spans(&self) -> Vec<(i64, i64)> {
        let mut spans = Vec::new();
        for hours in &self.hours {
            let zone = zone(hours.zone);
            let named = self.first_day().checked_add(hours.day.days()).unwrap();
            let offsets: &[i64] = if hours.weekly { &[0, 7] } else { &[0] };
            for offset in offsets {
                let date = named.checked_add(offset.days()).unwrap();
                let start = wall(&zone, date, hours.start_minute);
                let end = match hours.weekly {
                    true => wall(&zone, date, hours.start_minute + hours.minutes),
                    false => start + hours.minutes * MINUTE,
                };
                let minute = |at: i64| (at - self.base()) / MINUTE;
                if start < end {
                    spans.push((minute(start), minute(end)));
                }
            }
        }
        spans
    }

    fn expected(&self) -> Vec<i64> {
        let spans = self.spans();
        let provider = zone(self.change.0);
        // Minute zero of the sets is two days before the first one.
        let (before, width) = (2_880, 2_880 * 2 + (DAYS + 8) as usize * 1_440);
        let shifted: Vec<(i64, i64)> =
            spans.iter().map(|(from, to)| (from + before, to + before)).collect();
        let mut minutes = Minutes {
            zone: &provider,
            spans: &shifted,
            free: vec![false; width],
            busy: vec![false; width],
            base: self.base() - before * MINUTE,
        };
        let mark = |of: &mut Vec<bool>, from: i64, to: i64| {
            let inside = (from..to).filter_map(|at| usize::try_from(at).ok());
            inside.for_each(|at| of[at] = true);
        };
        for (from, to) in &shifted {
            mark(&mut minutes.free, *from, *to);
        }
        for (from, long) in &self.busy {
            mark(&mut minutes.busy, from + before, from + before + long);
        }
        let client = zone(self.asks_from);
        let (first, last) = self.asked_days();
        let from = wall(&client, first, 0);
        let to = wall(&client, last.tomorrow().unwrap(), 0);
        let now = self.now().0;
        let all = (0..width as i64).map(|minute| (minute, minutes.base + minute * MINUTE));
        let asked = all.filter(|(_, at)| *at >= from && *at < to);
        asked
            .filter(|(minute, _)| minutes.allows(&self.rules, *minute, now))
            .filter(|(_, at)| self.has_room((at - self.base()) / MINUTE))
            .map(|(_, at)| at)
            .collect()
    }

    /// Whether one room is free in every minute of what begins then.
    fn has_room(&self, minute: i64) -> bool {
        let Some(rooms) = self.rooms.as_ref().filter(|rooms| !rooms.is_empty()) else {
            return true;
        };
        let needed = minute..minute + self.rules.length_minutes;
        let is_free = |busy: &Vec<(i64, i64)>| {
            needed
                .clone()
                .all(|at| !busy.iter().any(|(from, long)| (*from..from + long).contains(&at)))
        };
        rooms.iter().any(|(is_limited, busy)| !is_limited || is_free(busy))
    }

    fn asked_days(&self) -> (Date, Date) {
        let first = self.first_day().checked_add(self.asked.0.days()).unwrap();
        (first, first.checked_add(self.asked.1.days()).unwrap())
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.base() + self.now_minute * MINUTE)
    }
}

/// The place that is asked for, where the case has one.
async fn arrange(w: &World, case: &Case, setting: &Json) -> Json {
    let provider = w.standard.user_id;
    for table in ["room_entries", "calendar_entries", "appointments", "availabilities"] {
        let mut sql = Sql::new();
        sql.push("DELETE FROM ").push(table);
        w.execute(sql).await;
    }
    let mut sql = Sql::new();
    sql.push("UPDATE users SET timezone = ")
        .bind(case.change.0)
        .push(" WHERE id = ")
        .bind(provider);
    w.execute(sql).await;
    let rules = &case.rules;
    let grid = [(5, "FIVE_MINUTES"), (10, "TEN_MINUTES"), (15, "FIFTEEN_MINUTES")];
    let grid = grid.iter().find(|(minutes, _)| *minutes == rules.grid_minutes).unwrap().1;
    let input = json!({ "id": setting, "base_calendar_interval": grid,
        "booking_interval_restriction": rules.interval_minutes, "buffer": rules.buffer_minutes.to_string(),
        "minimum_advance_schedule_time": rules.notice_minutes, "same_day_appointments": rules.not_today,
        "max_days_in_future": rules.days_ahead.map(|days| days.to_string()).unwrap_or_default() });
    let changed =
        w.mutate(&w.owner, "updateAppointmentSetting", "appointmentSetting { id }", input).await;
    assert!(changed["messages"].is_null(), "{changed}");
    for hours in case.hours.clone() {
        let (org, first_day) = (w.organization.id, case.first_day());
        let done = w.db.write(move |tx| {
            let hours = hours.clone();
            Box::pin(async move {
                let system = Actor::system(org.0);
                let mut scope = Scope::new(tx, &system);
                let row =
                    availability(&hours, org, Id::new(provider), first_day, &mut scope).await?;
                scope.create(&row).await
            })
        });
        done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
    for (from, minutes) in &case.busy {
        let start = Timestamp(case.base() + from * MINUTE);
        w.booked(Booked { provider, start, minutes: *minutes, group: None, clients: Vec::new() })
            .await;
    }
    match &case.rooms {
        Some(rooms) => place(w, case, rooms, setting).await,
        None => Json::Null,
    }
}

/// A place with these rooms, and what others have booked in them.
async fn place(w: &World, case: &Case, rooms: &[(bool, Vec<(i64, i64)>)], setting: &Json) -> Json {
    let sent: Vec<Json> = rooms
        .iter()
        .map(|(is_limited, _)| json!({ "name": "Room", "limit_to_one": is_limited }))
        .collect();
    let input = json!({ "id": setting, "appointment_locations": [
        { "location": "Main Street 1", "rooms": sent }] });
    let selects = "appointmentSetting { appointment_locations { id rooms { id } } }";
    let made = w.mutate(&w.owner, "updateAppointmentSetting", selects, input).await;
    let all = made["appointmentSetting"]["appointment_locations"].as_array();
    let place = all.unwrap_or_else(|| panic!("{made}")).last().unwrap().clone();
    for ((_, busy), room) in rooms.iter().zip(place["rooms"].as_array().unwrap()) {
        let room: i64 = room["id"].as_str().unwrap().parse().unwrap();
        for (from, minutes) in busy {
            let start = Timestamp(case.base() + from * MINUTE);
            let other = w.owner.user_id;
            let booked =
                Booked { provider: other, start, minutes: *minutes, group: None, clients: vec![] };
            let appointment = w.booked(booked).await;
            let (org, end) = (w.organization.id, start.plus_seconds(minutes * 60));
            let done = w.db.write(move |tx| {
                Box::pin(async move {
                    let system = Actor::system(org.0);
                    let entry = RoomEntry {
                        org_id: org,
                        appointment_id: Id::new(appointment),
                        room_id: Id::new(room),
                        start_at: start,
                        end_at: end,
                    };
                    Scope::new(tx, &system).create(&entry).await
                })
            });
            done.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        }
    }
    place["id"].clone()
}

async fn availability(
    hours: &Hours,
    org: Id<ward_identity::tables::Organization>,
    provider: Id<ward_identity::tables::User>,
    first_day: Date,
    scope: &mut Scope<'_>,
) -> Result<Availability, StoreError> {
    let date = first_day.checked_add(hours.day.days()).unwrap();
    let start = wall(&zone(hours.zone), date, hours.start_minute);
    let end = Timestamp(start + hours.minutes * MINUTE);
    let now = scope.now();
    Ok(Availability {
        id: scope.next_id().await?,
        org_id: org,
        unit_id: org,
        user_id: provider,
        appointment_type_id: None,
        contact_type_id: None,
        appointment_location_id: None,
        is_repeating: hours.weekly,
        day_of_week: hours.weekly.then(|| i64::from(date.weekday().to_sunday_zero_offset())),
        first_day: Day(date),
        end_on: None,
        start_minute: hours.start_minute,
        end_minute: hours.start_minute + hours.minutes,
        start_at: (!hours.weekly).then_some(Timestamp(start)),
        end_at: (!hours.weekly).then_some(end),
        timezone: hours.zone.to_owned(),
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

const SLOTS: &str = "query($p: ID!, $tz: String, $length: String, $from: ISO8601DateTime, $to: ISO8601DateTime, $at: ID) { \
    availableSlotsForRange(provider_id: $p, appt_loc_id: $at, timezone: $tz, length: $length, start_date: $from, end_date: $to) \
    { date user_id length } }";
const NEXT: &str = "query($p: ID, $tz: String, $length: String, $from: String, $to: String, $at: ID) { \
    nextAvailableSlot(provider_id: $p, appt_loc_id: $at, timezone: $tz, length: $length, start_date_boundary: $from, end_date_boundary: $to) }";
const DAYS_OF: &str = "query($p: String, $tz: String, $length: String, $from: String, $to: ISO8601DateTime, $at: ID) { \
    daysAvailableForRange(provider_id: $p, appt_loc_id: $at, timezone: $tz, length: $length, start_date: $from, end_date: $to) }";

#[tokio::test]
async fn dom_02_04_08_the_front_door_tells_what_every_minute_says() {
    World::each(async |w| {
        let input = json!({ "start_time": "00:00", "end_time": "23:00" });
        let made = w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", input).await;
        let setting = made["appointmentSetting"]["id"].clone();
        let mut runner = TestRunner::new(Config::default());
        let mut told = 0;
        for _ in 0..60 {
            let case = cases().new_tree(&mut runner).unwrap().current();
            let place = arrange(&w, &case, &setting).await;
            let (first, last) = case.asked_days();
            let variables = json!({ "p": w.standard.user_id.to_string(), "tz": case.asks_from,
                "length": case.rules.length_minutes.to_string(), "from": first.to_string(), "to": last.to_string(), "at": place });
            let nobody = Actor::anonymous();
            let answer = w.run_at(case.now(), ViewId::V2026, &nobody, SLOTS, variables.clone()).await;
            let slots = answer["data"]["availableSlotsForRange"].as_array().unwrap_or_else(|| panic!("{answer}"));
            let starts: Vec<i64> = slots.iter().map(|slot| {
                let date = slot["date"].as_str().unwrap();
                date.parse::<jiff::Timestamp>().unwrap().as_microsecond()
            }).collect();
            let expected = case.expected();
            assert_eq!(starts, expected, "{case:?}");
            told += starts.len();
            let days = w.run_at(case.now(), ViewId::V2026, &nobody, DAYS_OF, variables.clone()).await;
            let next = w.run_at(case.now(), ViewId::V2026, &nobody, NEXT, variables).await;
            let next = next["data"]["nextAvailableSlot"].as_str().map(|date| {
                date.parse::<jiff::Timestamp>().unwrap().as_microsecond()
            });
            assert_eq!(next, expected.first().copied(), "the first of them: {case:?}");
            let client = zone(case.asks_from);
            let mut shown: Vec<String> = expected.iter().map(|at| {
                let at = jiff::Timestamp::from_microsecond(*at).unwrap();
                at.to_zoned_datetime(client.clone()).date().to_string()
            }).collect();
            shown.dedup();
            assert_eq!(days["data"]["daysAvailableForRange"], json!(shown), "{days} {case:?}");
        }
        assert!(told > 200, "the cases have slots: {told}");
    })
    .await;
}
