//! Many at once: nobody is booked twice who may not be (trust ruling 5).

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_identity::flags::{CAN_ADD_OTHERS_APPOINTMENTS, SEES_ALL_CLIENTS};
use ward_store::{Query, Sql, Value};

use crate::booking::{Desk, ahead, appointments, book, booked, change, message, with};
use crate::clients_own::always_free;
use crate::support::World;

/// So many ask at once.
const BOOKERS: usize = 32;

/// Pairs of entries of one member that overlap.
pub async fn overlaps(w: &World) -> i64 {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM calendar_entries a JOIN calendar_entries b ON b.org_id = a.org_id \
         AND b.user_id = a.user_id AND b.appointment_id > a.appointment_id \
         AND b.start_at < a.end_at AND a.start_at < b.end_at",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}

async fn all(w: &Arc<World>, inputs: Vec<Json>, change_them: bool) -> Vec<Json> {
    let mut tasks = Vec::new();
    for input in inputs {
        let w = Arc::clone(w);
        tasks.push(tokio::spawn(async move {
            match change_them {
                true => change(&w, &w.owner, input).await,
                false => book(&w, &w.owner, input).await,
            }
        }));
    }
    let mut payloads = Vec::new();
    for task in tasks {
        payloads.push(task.await.unwrap());
    }
    payloads
}

fn winners(payloads: &[Json]) -> usize {
    let refused = "That time is not available. Choose another one.";
    for payload in payloads.iter().filter(|payload| !payload["messages"].is_null()) {
        assert_eq!(message(payload), ("datetime".to_owned(), refused.to_owned()));
        assert_eq!(payload["appointment"], Json::Null);
    }
    payloads.iter().filter(|payload| payload["messages"].is_null()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_who_book_one_hour_one_gets_it() {
    World::each(async |w| {
        let w = Arc::new(w);
        always_free(&w).await;
        let desk = Desk::of(&w).await;
        // Of 50 minutes, at quarters of one hour: all of them overlap.
        let at = |n: usize| ahead(&w, 3, ["15:00", "15:15", "15:30", "15:45"][n % 4]);
        let enforced = json!({ "enforce_availability": true });
        let inputs = (0..BOOKERS).map(|n| with(&desk.at(&at(n)), enforced.clone())).collect();
        assert_eq!(winners(&all(&w, inputs, false).await), 1);
        assert_eq!(appointments(&w, &w.owner, "filter: \"all\"").await.len(), 1);
        assert_eq!(overlaps(&w).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_move_or_revive_into_one_hour_one_gets_it() {
    World::each(async |w| {
        let w = Arc::new(w);
        always_free(&w).await;
        let desk = Desk::of(&w).await;
        let mut inputs = Vec::new();
        for n in 0..12 {
            let id = booked(&w, &w.owner, desk.at(&ahead(&w, 5 + n, "15:00"))).await;
            let input = json!({ "id": id, "datetime": ahead(&w, 3, "15:00"),
                "enforce_availability": true });
            inputs.push(input);
        }
        // What was called off comes back at its hour only when that is free.
        for _ in 0..4 {
            let id = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:15"))).await;
            change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
            inputs.push(json!({ "id": id, "pm_status": "", "enforce_availability": true }));
        }
        assert_eq!(winners(&all(&w, inputs, true).await), 1);
        assert_eq!(overlaps(&w).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_the_last_seats_no_more_get_them() {
    World::each(async |w| {
        let w = Arc::new(w);
        let of = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        let mut clients = Vec::new();
        for n in 0..8 {
            clients.push(w.client("Ada", &format!("ada{n}@example.com")).await);
        }
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 3, "15:00"), "attendee_ids": clients });
        let id = booked(&w, &w.owner, input).await;
        let off: Vec<Json> =
            clients.iter().map(|it| json!({ "user_id": it, "cancelled": true })).collect();
        let input = json!({ "id": id, "attended_clients": off, "max_attendees": "3" });
        // They give their seats back first; the bound counts from then on.
        let payload = change(&w, &w.owner, with(&input, json!({ "max_attendees": null }))).await;
        assert!(payload["messages"].is_null(), "{payload}");
        change(&w, &w.owner, json!({ "id": id, "max_attendees": "3" })).await;
        let inputs = clients.iter().map(
            |it| json!({ "id": id, "attended_clients": [{ "user_id": it, "cancelled": false }] }),
        );
        let payloads = all(&w, inputs.collect(), true).await;
        let won = payloads.iter().filter(|payload| payload["messages"].is_null()).count();
        for payload in payloads.iter().filter(|payload| !payload["messages"].is_null()) {
            assert_eq!(message(payload).1, "The appointment has only 3 seats");
        }
        assert_eq!(won, 3);
    })
    .await;
}

#[tokio::test]
async fn booking_over_is_for_who_may_edit_the_calendar_and_is_marked() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let input = with(
            &desk.at(&ahead(&w, 3, "15:00")),
            json!({ "other_party_id": w.owner.user_id.to_string() }),
        );
        booked(&w, &w.owner, input.clone()).await;
        let books = w.with(&w.standard, &[CAN_ADD_OTHERS_APPOINTMENTS, SEES_ALL_CLIENTS]);
        let refused = book(&w, &books, input.clone()).await;
        assert_eq!(message(&refused).0, "datetime");
        // The owner edits every calendar.
        let id = booked(&w, &w.owner, input.clone()).await;
        let marked = Sql::fixed(
            "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'APPOINTMENT' \
             AND resource_id = $1",
            [id.as_str().into()],
        );
        let rows = w.db.read().await.unwrap().rows(&marked).await.unwrap();
        assert_eq!(rows.scalar().and_then(Value::int), Some(1));
        let over = Sql::fixed("SELECT COUNT(*) FROM appointments WHERE booked_over = TRUE", []);
        let rows = w.db.read().await.unwrap().rows(&over).await.unwrap();
        assert_eq!(rows.scalar().and_then(Value::int), Some(1));
        // Enforced, not even the owner.
        let enforced = with(&input, json!({ "enforce_availability": true }));
        assert_eq!(message(&book(&w, &w.owner, enforced).await).0, "datetime");
        // Moved away, it lies over nothing.
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 6, "15:00") })).await;
        let rows = w.db.read().await.unwrap().rows(&over).await.unwrap();
        assert_eq!(rows.scalar().and_then(Value::int), Some(0));
    })
    .await;
}
