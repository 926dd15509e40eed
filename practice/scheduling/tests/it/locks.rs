//! Who holds what when: what is decided is decided by what is so behind the lock, and
//! whoever takes several locks takes them in one order, so that nobody waits in a ring.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};
use tokio::sync::{Notify, Semaphore};
use ward_store::{Engine, Query, Sql, StoreError, Value};

use crate::booking::{Desk, ahead, book, booked, change, message, with};
use crate::credits::{set, settings};
use crate::places::clinic;
use crate::support::World;

/// What a transaction does once another one waits for it.
enum Then {
    /// It ends.
    Ends,
    /// It refers to a row.
    Refers(&'static str, i64),
    /// It takes a client's credits.
    TakesCredits(i64),
}

/// Holds by a statement what another operation comes to wait for, and then goes on; the
/// operation's payload, and how many tries it took to go on: more than one where the
/// operation held what comes then.
async fn against(
    w: &Arc<World>,
    (held, id): (&'static str, i64),
    then: Then,
    other: impl Future<Output = Json> + Send + 'static,
) -> (Json, usize) {
    let (is_held, gate) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    let (tries, then) = (Arc::new(AtomicUsize::new(0)), Arc::new(then));
    let holder = {
        let (w, is_held, gate) = (Arc::clone(w), Arc::clone(&is_held), Arc::clone(&gate));
        let tries = Arc::clone(&tries);
        tokio::spawn(async move {
            let engine = w.db.engine();
            let org = w.organization.id.0.to_string();
            let done = w.db.write(move |tx| {
                let (is_held, gate, then) = (is_held.clone(), gate.clone(), then.clone());
                let org = org.clone();
                tries.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move {
                    let number = [Value::from(id)];
                    tx.rows(&Sql::fixed(held, number)).await?;
                    is_held.notify_one();
                    // SQLite has one writer, who waits for nothing and nobody: there the
                    // other operation comes behind it.
                    if engine == Engine::Pg {
                        gate.acquire().await.unwrap().forget();
                        tx.execute(&Sql::fixed("SET LOCAL lock_timeout = '300ms'", [])).await?;
                    }
                    match *then {
                        Then::Ends => {}
                        Then::Refers(sql, id) => {
                            tx.rows(&Sql::fixed(sql, [Value::from(id)])).await?;
                        }
                        Then::TakesCredits(client) => {
                            tx.lock(&["credits", &org, &client.to_string()]).await?;
                        }
                    }
                    Ok::<_, StoreError>(())
                })
            });
            done.await
        })
    };
    is_held.notified().await;
    if w.db.engine() == Engine::Lite {
        holder.await.unwrap().unwrap();
        return (other.await, tries.load(Ordering::SeqCst));
    }
    let other = tokio::spawn(other);
    let waits = "SELECT COUNT(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waits = Sql::fixed(waits, []);
    while !other.is_finished() {
        let rows = w.db.read().await.unwrap().rows(&waits).await.unwrap();
        if rows.scalar().and_then(Value::int) > Some(0) {
            break;
        }
        tokio::task::yield_now().await;
    }
    gate.add_permits(10);
    holder.await.unwrap().unwrap();
    (other.await.unwrap(), tries.load(Ordering::SeqCst))
}

const ROOM_GOES: &str = "UPDATE rooms SET deleted_at = 1 WHERE id = $1 RETURNING id";
const PLACE_GOES: &str =
    "UPDATE appointment_locations SET deleted_at = 1 WHERE id = $1 RETURNING id";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_at_this_moment_is_not_booked() {
    World::each(async |w| {
        let w = Arc::new(w);
        let desk = Desk::of(&w).await;
        let known = booked(&w, &w.owner, desk.at(&ahead(&w, 3, "15:00"))).await;
        let number = |id: &str| id.parse::<i64>().unwrap();
        for changes in [false, true] {
            let (_, rooms) = clinic(&w, 1).await;
            let (other, _) = clinic(&w, 1).await;
            for (goes, where_) in [
                ((ROOM_GOES, number(&rooms[0])), ("room_id", rooms[0].clone())),
                ((PLACE_GOES, number(&other)), ("appointment_location_id", other.clone())),
            ] {
                let at = json!({ where_.0: where_.1 });
                let (own, known) = (Arc::clone(&w), known.clone());
                let new = with(&desk.at(&ahead(&w, 4, "15:00")), at.clone());
                let (payload, _) = against(&w, goes, Then::Ends, async move {
                    match changes {
                        true => change(&own, &own.owner, with(&at, json!({ "id": known }))).await,
                        false => book(&own, &own.owner, new).await,
                    }
                })
                .await;
                let refused = (where_.0.to_owned(), "Object not found".to_owned());
                assert_eq!(message(&payload), refused, "{changes}");
            }
        }
        assert_eq!((w.written("appointments").await.0, w.written("room_entries").await.0), (1, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_come_before_credits() {
    World::each(async |w| {
        let w = Arc::new(w);
        let (_, rooms) = clinic(&w, 1).await;
        let desk = Desk::of(&w).await;
        settings(&w, json!({ "use_client_credit_system": true })).await;
        set(&w, &w.owner, &desk.client, &desk.of, "3").await;
        let input = with(
            &desk.at(&ahead(&w, 3, "15:00")),
            json!({ "room_id": rooms[0], "exclude_no_credits": true }),
        );
        let room =
            ("SELECT id FROM rooms WHERE id = $1 FOR_NO_KEY_UPDATE", rooms[0].parse().unwrap());
        let credits = Then::TakesCredits(desk.client.parse().unwrap());
        let own = Arc::clone(&w);
        let (payload, tries) =
            against(&w, room, credits, async move { book(&own, &own.owner, input).await }).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(tries, 1, "who waits for the room holds no credits");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_holds_what_clients_take_part_in_before_the_clients() {
    World::each(async |w| {
        let w = Arc::new(w);
        let (ada, bea) =
            (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        let of = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, of).await;
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
            "datetime": ahead(&w, 3, "15:00"), "attendee_ids": [ada] });
        let id = booked(&w, &w.owner, input).await;
        let class = ("SELECT id FROM appointments WHERE id = $1 FOR_UPDATE", id.parse().unwrap());
        let client = "SELECT id FROM users WHERE id = $1 FOR_KEY_SHARE";
        let (own, input) =
            (Arc::clone(&w), json!({ "ids": [ada, bea], "target_user_id": bea.clone() }));
        let then = Then::Refers(client, ada.parse().unwrap());
        let (payload, tries) = against(&w, class, then, async move {
            own.mutate(&own.owner, "mergeClients", "user { id }", input).await
        })
        .await;
        assert_eq!(payload["user"]["id"], json!(bea), "{payload}");
        assert_eq!(tries, 1, "who waits for the appointment holds no client");
        let query = "query($id: ID) { appointment(id: $id) { attendees { id } } }";
        let seen = w.run(&w.owner, query, json!({ "id": id })).await;
        assert_eq!(seen["appointment"]["attendees"], json!([{ "id": bea }]));
    })
    .await;
}
