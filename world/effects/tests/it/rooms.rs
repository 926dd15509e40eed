//! Rooms for video calls: what the simulator makes of an order, and which of two orders counts.

use std::sync::Mutex;

use futures_util::future::BoxFuture;
use serde_json::{Value as Json, json};
use ward_effects::{
    EffectMode, HELD_SECONDS, InboxFilter, Released, Report, expire, failed, held, release, replay,
};
use ward_store::intents::{self, EffectIntent, SUPERSEDED};
use ward_store::room::{Room, RoomOrder};
use ward_store::system::EffectClass;
use ward_store::{Actor, StoreError, Tx};

use crate::support::World;

/// What was kept of all rooms of this process: organization, appointment, number, room.
static KEPT: Mutex<Vec<(i64, i64, i64, Room)>> = Mutex::new(Vec::new());

fn keep<'a>(
    _: &'a mut Tx,
    org_id: i64,
    order: &'a RoomOrder,
    room: &'a Room,
) -> BoxFuture<'a, Result<(), StoreError>> {
    let kept = (org_id, order.appointment_id, order.number, room.clone());
    Box::pin(async move {
        KEPT.lock().unwrap().push(kept);
        Ok(())
    })
}

/// The rooms of an appointment that were kept; every test has appointments of its own.
fn kept(appointment: i64) -> Vec<(i64, Room)> {
    let all = KEPT.lock().unwrap();
    let own = all.iter().filter(|it| it.1 == appointment);
    own.map(|(_, _, number, room)| (*number, room.clone())).collect()
}

fn key(appointment: i64, number: i64) -> String {
    format!("room:{appointment}:{number}")
}

async fn order(w: &World, appointment: i64, number: i64, minutes: Option<i64>) {
    let wanted = minutes.map(|minutes| {
        json!({"start": "2026-03-04T15:00:00Z", "minutes": minutes, "timezone": "Etc/UTC",
            "host_id": 7})
    });
    let payload = json!({"appointment_id": appointment, "number": number, "wanted": wanted});
    let to = format!("appointment-{appointment}");
    let intent = EffectIntent {
        class: EffectClass::Video,
        recipient: minutes.map(|_| 2_000_000_007),
        idempotency_key: key(appointment, number),
        ..w.intent("video_room", &to, payload)
    };
    assert!(w.intend(intent).await);
}

async fn supersede(w: &World, appointment: i64, number: i64) -> bool {
    let (org_id, key) = (w.org_id, key(appointment, number));
    let done = w.db.write(move |tx| {
        let key = key.clone();
        Box::pin(async move { intents::supersede(tx, org_id, EffectClass::Video, &key).await })
    });
    done.await.unwrap()
}

async fn rooms(w: &World) -> Vec<Json> {
    w.inbox(InboxFilter { class: Some("video".to_owned()), ..InboxFilter::default() }).await
}

both! {
    Sandbox,
    /// The same room for all orders of an appointment, another for another; what its length says.
    async fn what_the_simulator_makes(w) {
        let [first, other, refused, silent, join, host] = [(); 6].map(|()| ward_instance::Random::os()
            .below(1 << 40)).map(|it| i64::try_from(it).unwrap());
        let dispatcher = w.sandbox().keeping_rooms(keep);
        order(&w, first, 1, Some(50)).await;
        assert_eq!(dispatcher.run_due().await.unwrap(), Report { done: 1, ..Report::default() });
        order(&w, first, 2, Some(30)).await;
        order(&w, other, 1, Some(50)).await;
        assert_eq!(dispatcher.run_due().await.unwrap().done, 2);
        order(&w, first, 3, None).await;
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        let made = kept(first);
        assert_eq!(made.len(), 2, "an order to close keeps no room: {made:?}");
        assert_eq!((made[0].0, made[1].0), (1, 2));
        let room = &made[0].1;
        assert_eq!(room, &made[1].1);
        assert_ne!(room.meeting_id, kept(other)[0].1.meeting_id);
        let page = format!("{}/sandbox/v1/rooms/{}", crate::support::BASE, room.meeting_id);
        assert_eq!((&room.join_url, room.start_url.as_str()), (&page, format!("{page}/host").as_str()));
        assert!(room.is_sound());
        let told = rooms(&w).await;
        assert_eq!(told.len(), 4);
        assert!(told[0]["text"].as_str().unwrap().ends_with("is wanted no more"), "{told:?}");
        assert!(told[3]["text"].as_str().unwrap().contains(&room.join_url), "{told:?}");
        assert_eq!(told[3]["about"], json!({"type": "Appointment", "id": first.to_string()}));
        for (appointment, minutes) in [(refused, 41), (silent, 42), (join, 43), (host, 44)] {
            order(&w, appointment, 1, Some(minutes)).await;
        }
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { done: 2, failed: 1, retried: 1, ..Report::default() });
        assert!(kept(refused).is_empty() && kept(silent).is_empty());
        assert!(kept(join)[0].1.join_url.ends_with("/join-fail"));
        assert!(kept(host)[0].1.start_url.ends_with("/token-expired"));
        assert_eq!(rooms(&w).await.len(), 7, "what did not answer has nothing");
    }
}

both! {
    Sandbox,
    /// A later order takes the place of one that waits or is tried again, for good.
    async fn the_later_order_counts(w) {
        let appointment = 1 + i64::try_from(ward_instance::Random::os().below(1 << 40)).unwrap();
        let dispatcher = w.sandbox().keeping_rooms(keep);
        w.decide(EffectClass::Video, EffectMode::Off).await;
        order(&w, appointment, 1, Some(50)).await;
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 1);
        assert!(supersede(&w, appointment, 1).await);
        assert!(!supersede(&w, appointment, 1).await, "once");
        order(&w, appointment, 2, Some(42)).await;
        w.decide(EffectClass::Video, EffectMode::Live).await;
        let released = release(&w.db, EffectClass::Video).await.unwrap();
        assert_eq!(released, Released::default(), "the first waits no more");
        assert_eq!(dispatcher.run_due().await.unwrap().retried, 1);
        // The service does not answer; whoever moves the call meanwhile is not made to wait for it.
        assert!(supersede(&w, appointment, 2).await);
        order(&w, appointment, 3, Some(50)).await;
        assert_eq!(dispatcher.run_due().await.unwrap(), Report { done: 1, ..Report::default() });
        let made = kept(appointment);
        assert_eq!(made.iter().map(|it| it.0).collect::<Vec<_>>(), [3]);
        w.later(HELD_SECONDS);
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default(), "nothing is tried again");
        let rows = w.rows("SELECT id, last_error FROM effect_intents WHERE state = 'failed'").await;
        assert_eq!(rows.len(), 2);
        for row in rows.iter() {
            assert_eq!(row[1].text(), Some(SUPERSEDED));
            let id = row[0].text().unwrap();
            assert!(!replay(&w.db, &Actor::system(w.org_id), id).await.unwrap(), "nobody lets it go");
        }
    }
}

both! {
    Sandbox,
    /// A room that waits is wanted until its appointment is over, however long that is.
    async fn a_room_waits_until_its_call_is_over(w) {
        let appointment = 1 + i64::try_from(ward_instance::Random::os().below(1 << 40)).unwrap();
        let dispatcher = w.sandbox().keeping_rooms(keep);
        w.decide(EffectClass::Video, EffectMode::Off).await;
        let end = w.now().plus_seconds(10 * HELD_SECONDS);
        for (number, expires_at) in [(1, end), (2, w.now().plus_seconds(2 * HELD_SECONDS))] {
            let payload = json!({"appointment_id": appointment + number, "number": 1, "wanted": {
                "start": "2026-03-12T09:00:00Z", "minutes": 50, "timezone": "Etc/UTC", "host_id": 7}});
            let intent = EffectIntent {
                class: EffectClass::Video,
                recipient: Some(2_000_000_007),
                idempotency_key: key(appointment + number, 1),
                expires_at: Some(expires_at),
                ..w.intent("video_room", "a room", payload)
            };
            assert!(w.intend(intent).await);
        }
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 2);
        let (items, _) = held(&w.db, w.org_id, Some(EffectClass::Video), true).await.unwrap();
        let until: Vec<_> = items.iter().map(|it| it["expires_at"].clone()).collect();
        assert!(until.contains(&json!(end.to_string())), "{until:?}");
        w.later(3 * HELD_SECONDS);
        w.decide(EffectClass::Video, EffectMode::Cohort).await;
        assert_eq!(release(&w.db, EffectClass::Video).await.unwrap(), Released::default());
        w.decide(EffectClass::Video, EffectMode::Live).await;
        let released = release(&w.db, EffectClass::Video).await.unwrap();
        assert_eq!(released, Released { queued: 2, expired: 0 });
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { done: 1, failed: 1, ..Report::default() });
        assert_eq!(kept(appointment + 1).len(), 1);
    }
}

both! {
    Sandbox,
    /// Nor does one that failed undo a later one, when somebody lets it be tried again.
    async fn a_failed_order_does_not_come_back_behind_a_later_one(w) {
        let appointment = 1 + i64::try_from(ward_instance::Random::os().below(1 << 40)).unwrap();
        let dispatcher = w.sandbox().keeping_rooms(keep);
        order(&w, appointment, 1, Some(41)).await;
        assert_eq!(dispatcher.run_due().await.unwrap().failed, 1);
        assert!(supersede(&w, appointment, 1).await);
        assert!(!supersede(&w, appointment, 1).await, "once");
        order(&w, appointment, 2, None).await;
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        let letters = failed(&w.db, w.org_id, Some(EffectClass::Video)).await.unwrap();
        assert_eq!(letters.len(), 1);
        let id = letters[0]["id"].as_str().unwrap();
        assert!(!replay(&w.db, &Actor::system(w.org_id), id).await.unwrap(), "{letters:?}");
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
    }
}

both! {
    Sandbox,
    /// A cohort holds back rooms that are wanted, by who gives the call; never that one is given up.
    async fn a_cohort_holds_no_room_open(w) {
        let appointment = 1 + i64::try_from(ward_instance::Random::os().below(1 << 40)).unwrap();
        let dispatcher = w.sandbox().keeping_rooms(keep);
        w.decide(EffectClass::Video, EffectMode::Off).await;
        order(&w, appointment, 1, None).await;
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 1);
        w.decide(EffectClass::Video, EffectMode::Cohort).await;
        order(&w, appointment + 1, 1, None).await;
        order(&w, appointment + 2, 1, Some(50)).await;
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { done: 1, waiting: 1, ..Report::default() });
        let released = release(&w.db, EffectClass::Video).await.unwrap();
        assert_eq!(released, Released { queued: 1, expired: 0 });
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        assert!(kept(appointment + 2).is_empty());
    }
}

both! {
    Sandbox,
    /// What waits of a class that is off is given up when its time is over, and then only.
    async fn what_comes_too_late_does_not_wait_for_ever(w) {
        let dispatcher = w.sandbox();
        w.decide(EffectClass::Video, EffectMode::Off).await;
        for (number, seconds) in [(1, Some(60)), (2, Some(120)), (3, None)] {
            let payload = json!({"appointment_id": number, "number": 1, "wanted": null});
            let intent = EffectIntent {
                class: EffectClass::Video,
                idempotency_key: key(number, 1),
                expires_at: seconds.map(|seconds| w.now().plus_seconds(seconds)),
                ..w.intent("video_room", "a room", payload)
            };
            assert!(w.intend(intent).await);
        }
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 3);
        assert_eq!(expire(&w.db).await.unwrap(), 0);
        w.later(90);
        assert_eq!(expire(&w.db).await.unwrap(), 1);
        assert_eq!(expire(&w.db).await.unwrap(), 0);
        let letters = failed(&w.db, w.org_id, Some(EffectClass::Video)).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0]["error"], "it would have come too late");
        let waiting = "SELECT COUNT(*) FROM effect_intents WHERE state = 'waiting'";
        assert_eq!(w.number(waiting).await, 2);
    }
}
