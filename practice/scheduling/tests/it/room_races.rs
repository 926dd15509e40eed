//! Many at once: no room is taken twice, whoever books and by whatever way (trust ruling
//! 5), and the rule of when a place is full.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_scheduling::availability::wall::Interval;
use ward_scheduling::slots::rooms::Full;
use ward_store::Actor;

use crate::booking::{Desk, ahead, book, booked, change, message, with};
use crate::checkout::Door;
use crate::places::{clinic, text};
use crate::rooms::{number, overlaps, taken};
use crate::support::World;

/// So many ask at once.
const BOOKERS: usize = 32;

/// Providers of the practice, so many.
async fn providers(w: &World, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let input = json!({ "first_name": format!("P{n}"), "last_name": "Provider",
            "email": format!("p{n}@example.com"), "org_role": "Standard" });
        let made = w
            .mutate(
                &w.owner,
                "createOrganizationMembership",
                "organizationMembership { user { id } }",
                input,
            )
            .await;
        ids.push(text(&made["organizationMembership"]["user"]["id"]));
    }
    ids
}

async fn all(w: &Arc<World>, inputs: Vec<Json>, change_them: bool) -> Vec<Json> {
    let tasks = inputs.into_iter().map(|input| {
        let w = Arc::clone(w);
        tokio::spawn(async move {
            match change_them {
                true => change(&w, &w.owner, input).await,
                false => book(&w, &w.owner, input).await,
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut payloads = Vec::new();
    for task in tasks {
        payloads.push(task.await.unwrap());
    }
    payloads
}

fn winners(payloads: &[Json]) -> usize {
    for payload in payloads.iter().filter(|payload| !payload["messages"].is_null()) {
        assert_eq!(message(payload), taken());
    }
    payloads.iter().filter(|payload| payload["messages"].is_null()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_who_book_one_room_with_different_providers_one_gets_it() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        let who = providers(&w, 8).await;
        let desk = Desk::of(&w).await;
        let w = Arc::new(w);
        // Of 50 minutes, at quarters of one hour: all of them overlap.
        let inputs = (0..BOOKERS).map(|n| {
            let at = ["15:00", "15:15", "15:30", "15:45"][n / 8];
            with(
                &desk.at(&ahead(&w, 3, at)),
                json!({ "room_id": rooms[0], "other_party_id": who[n % 8] }),
            )
        });
        let payloads = all(&w, inputs.collect(), false).await;
        assert_eq!(winners(&payloads), 1);
        assert_eq!((overlaps(&w).await, w.written("room_entries").await.0), (0, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_move_revive_and_repeat_into_one_room_one_gets_it() {
    World::each(async |w| {
        let (_, rooms) = clinic(&w, 1).await;
        let who = providers(&w, 8).await;
        let desk = Desk::of(&w).await;
        let w = Arc::new(w);
        let mut inputs = Vec::new();
        for (n, provider) in who.iter().enumerate() {
            let own = json!({ "room_id": rooms[0], "other_party_id": provider });
            let days = 5 + i64::try_from(n).unwrap();
            let id =
                booked(&w, &w.owner, with(&desk.at(&ahead(&w, days, "15:00")), own.clone())).await;
            inputs.push(json!({ "id": id, "datetime": ahead(&w, 3, "15:30") }));
            // One that was called off, one that is in no room yet, one that comes every week.
            let off = booked(&w, &w.owner, with(&desk.at(&ahead(&w, 3, "15:00")), own)).await;
            change(&w, &w.owner, json!({ "id": off, "pm_status": "Cancelled" })).await;
            inputs.push(json!({ "id": off, "pm_status": "" }));
            let bare =
                with(&desk.at(&ahead(&w, 3, "15:10")), json!({ "other_party_id": provider }));
            let bare = booked(&w, &w.owner, bare).await;
            inputs.push(json!({ "id": bare, "room_id": rooms[0] }));
            let series = with(
                &desk.at(&ahead(&w, 3, "12:00")),
                json!({ "other_party_id": provider,
                "recurring_appointment": { "repeat_interval": "Weekly", "repeat_times": "3" } }),
            );
            let series = booked(&w, &w.owner, series).await;
            inputs.push(
                json!({ "id": series, "datetime": ahead(&w, 3, "15:20"), "room_id": rooms[0],
                "updateRecurring": true }),
            );
        }
        let payloads = all(&w, inputs, true).await;
        assert_eq!(winners(&payloads), 1);
        assert_eq!(overlaps(&w).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_visitors_no_more_are_let_in_than_there_are_rooms() {
    World::each(async |w| {
        let (main, _) = clinic(&w, 2).await;
        let door = Door::new(w, json!({})).await;
        let w = Arc::clone(&door.w);
        let who = providers(&w, 6).await;
        for provider in &who {
            for day in 0..7 {
                let input = json!({ "is_repeating": true, "day_of_week": day, "range_start": "2020-01-05",
                    "time": "09 00", "end_time": "17 00", "timezone": "America/New_York", "user_id": provider });
                w.mutate(&w.owner, "createAvailability", "availability { id }", input).await;
            }
        }
        let door = Arc::new(door);
        let when = crate::checkout::ahead(&w, 3, "10:00");
        let tasks = (0..24).map(|n: usize| {
            let (door, who) = (Arc::clone(&door), who[n % 6].clone());
            let input = with(&door.visit(&format!("Visitor{n}"), &when), json!({ "provider_id": who,
                "appointment_location_id": main }));
            tokio::spawn(async move {
                door.book_from(&format!("198.51.100.{n}"), &Actor::anonymous(), input).await
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut won = 0;
        for task in tasks {
            let payload = task.await.unwrap();
            match payload["messages"].is_null() {
                true => won += 1,
                false => assert_eq!(message(&payload).1, "That time is not available. Choose another one."),
            }
        }
        assert_eq!(won, 2);
        assert_eq!((overlaps(&w).await, w.written("room_entries").await.0), (0, 2));
        // Nobody became a client for a time that was gone.
        assert_eq!(number(&w, "SELECT COUNT(*) FROM users WHERE is_patient = TRUE").await, 2);
    })
    .await;
}

const MINUTE: i64 = 60_000_000;

proptest! {
    /// A place is full exactly where no room is free in every minute.
    #[test]
    fn full_is_what_every_minute_says(
        rooms in proptest::collection::vec(
            proptest::collection::vec((0..240_i64, 1..90_i64), 0..6), 0..5),
        length in 1..70_i64,
    ) {
        let interval = |(from, long): &(i64, i64)| Interval {
            start: Timestamp(from * MINUTE), end: Timestamp((from + long) * MINUTE) };
        let busy: Vec<Vec<Interval>> =
            rooms.iter().map(|room| room.iter().map(interval).collect()).collect();
        let full = Full::of(&busy, length);
        for start in -80..340_i64 {
            let is_free = |room: &Vec<(i64, i64)>| (start..start + length)
                .all(|at| !room.iter().any(|(from, long)| (*from..from + long).contains(&at)));
            let expected = !rooms.is_empty() && !rooms.iter().any(is_free);
            prop_assert_eq!(full.at(Timestamp(start * MINUTE)), expected, "{}", start);
        }
    }
}
