//! Devices that people are notified on: each their own, with the contract's own field.

use serde_json::{Value as Json, json};
use ward_identity::admin;
use ward_identity::push_device::{DEVICES_MAX, PushDevice, key_end};
use ward_store::intents::{self, EffectIntent};
use ward_store::system::{EffectClass, EffectRow};
use ward_store::{Actor, Cond, Id, Query, Scope, Sql, StoreError};

use crate::support::World;

async fn register(w: &World, actor: &Actor, more: Json) -> Json {
    w.mutate(actor, "updateUser", "user { id }", more).await["messages"].clone()
}

/// Whose devices there are, and their names, the latest first.
async fn devices(w: &World) -> Vec<(i64, String)> {
    let mut rows = w.rows::<PushDevice>(Cond::Always).await;
    rows.sort_by_key(|row| std::cmp::Reverse((row.registered_at, row.id.0.clone())));
    rows.into_iter().map(|row| (row.user_id.0, row.token)).collect()
}

#[tokio::test]
async fn people_register_their_own_devices_and_nobody_elses() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let own: i64 = ada.parse().unwrap();
        assert!(register(&w, &as_ada, json!({ "uniq_push_id": " phone-1 " })).await.is_null());
        assert_eq!(devices(&w).await, [(own, "phone-1".to_owned())]);
        // The same again is the same device, and a second is a second.
        assert!(register(&w, &as_ada, json!({ "uniq_push_id": "phone-1" })).await.is_null());
        assert_eq!(devices(&w).await.len(), 1);
        assert!(register(&w, &as_ada, json!({ "uniq_push_id": "tablet" })).await.is_null());
        assert_eq!(devices(&w).await.len(), 2);
        // Staff who change a client don't have the client's notices sent to themselves.
        let theirs = json!({ "id": ada, "uniq_push_id": "phone-of-staff" });
        let refused = register(&w, &w.owner, theirs).await;
        assert_eq!(refused[0]["field"], "uniq_push_id", "{refused}");
        let refused = register(&w, &w.owner, json!({ "id": ada, "uniq_push_id": "" })).await;
        assert_eq!(refused[0]["field"], "uniq_push_id", "{refused}");
        assert_eq!(devices(&w).await.len(), 2);
        for wrong in ["two words".to_owned(), "é".to_owned(), "x".repeat(4_097)] {
            let refused = register(&w, &as_ada, json!({ "uniq_push_id": wrong })).await;
            assert_eq!(
                refused[0]["message"],
                "Uniq push id must be at most 4,096 visible ASCII characters",
                "{refused}"
            );
        }
        assert_eq!(devices(&w).await.len(), 2);
        // Something else about oneself leaves them; blank forgets them all.
        assert!(register(&w, &as_ada, json!({ "first_name": "Ada" })).await.is_null());
        assert_eq!(devices(&w).await.len(), 2);
        assert!(register(&w, &as_ada, json!({ "uniq_push_id": null })).await.is_null());
        assert!(devices(&w).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_device_has_one_owner_in_a_practice_and_another_practice_is_not_concerned() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let phone = json!({ "uniq_push_id": "phone-1" });
        assert!(register(&w, &as_ada, phone.clone()).await.is_null());
        // The telephone was handed on: who had it is told nothing there any more.
        assert!(register(&w, &w.standard, phone.clone()).await.is_null());
        assert_eq!(devices(&w).await, [(w.standard.user_id, "phone-1".to_owned())]);
        // In another practice it is another registration.
        assert!(register(&w, &w.stranger, phone).await.is_null());
        assert_eq!(devices(&w).await, [(w.standard.user_id, "phone-1".to_owned())]);
    })
    .await;
}

async fn count(w: &World, sql: &str, what: &str) -> i64 {
    let mut counted = Sql::new();
    counted.push(sql).bind(what);
    let rows = w.db.read().await.unwrap().rows(&counted).await.unwrap();
    rows.scalar().unwrap().int().unwrap()
}

/// Records a notification that waits for a person's only device.
async fn on_its_way(w: &World, user: i64) {
    let device = w.rows::<PushDevice>(Cond::eq("user_id", user)).await.remove(0);
    let intent = EffectIntent {
        class: EffectClass::Push,
        kind: "new_message",
        to: device.token.clone(),
        payload: json!({ "text": "You have a new message" }),
        subject_client: Some(user),
        recipient: Some(user),
        cause: "note 1".into(),
        idempotency_key: format!("note-1{}", key_end(&device)),
        not_before: None,
        expires_at: None,
    };
    let org_id = device.org_id.0;
    let intended = w.db.write(move |tx| {
        let intent = intent.clone();
        Box::pin(async move { intents::intend(tx, org_id, intent).await })
    });
    assert!(intended.await.unwrap());
}

/// Two clients, and their ids.
async fn ada_and_ben(w: &World) -> (Vec<Actor>, Vec<i64>) {
    let (mut people, mut ids) = (Vec::new(), Vec::new());
    for name in ["ada", "ben"] {
        let id = w.client(name, &format!("{name}@example.com")).await;
        people.push(w.as_client(&id).await);
        ids.push(id.parse::<i64>().unwrap());
    }
    (people, ids)
}

#[tokio::test]
async fn what_is_on_its_way_to_a_device_does_not_reach_who_has_it_next() {
    World::each(async |w| {
        let phone = json!({ "uniq_push_id": "phone-1" });
        let (people, ids) = ada_and_ben(&w).await;
        let states = "SELECT COUNT(*) FROM effect_intents WHERE class = 'push' AND state = ";
        assert!(register(&w, &people[0], phone.clone()).await.is_null());
        on_its_way(&w, ids[0]).await;
        // Another's device leaves it.
        assert!(register(&w, &people[1], json!({ "uniq_push_id": "phone-2" })).await.is_null());
        assert!(register(&w, &people[1], json!({ "uniq_push_id": null })).await.is_null());
        assert_eq!(count(&w, states, "queued").await, 1);
        assert!(register(&w, &people[1], phone).await.is_null());
        assert_eq!((count(&w, states, "queued").await, count(&w, states, "failed").await), (0, 1));
        let why = "SELECT COUNT(*) FROM effect_intents WHERE last_error = ";
        assert_eq!(count(&w, why, intents::WITHDRAWN).await, 1);
        // Nobody lets it go again either.
        let found = w.rows::<EffectRow>(Cond::eq("class", "push")).await.remove(0);
        let again = w.db.write(move |tx| {
            let (org_id, id) = (found.org_id, found.id.clone());
            Box::pin(async move { intents::requeue(tx, org_id, &id).await })
        });
        assert!(!again.await.unwrap());
        // Whose it was is told that it went; who has it next, that theirs came.
        let told = "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'PUSH_DEVICE' \
                    AND subject_id = ";
        let gone = format!("{told}{} AND event_type = ", ids[0]);
        assert_eq!(count(&w, &gone, "DESTROY").await, 1);
        on_its_way(&w, ids[1]).await;
        assert!(register(&w, &people[1], json!({ "uniq_push_id": "" })).await.is_null());
        assert_eq!((count(&w, states, "queued").await, count(&w, states, "failed").await), (0, 2));
    })
    .await;
}

#[tokio::test]
async fn who_registers_their_own_again_loses_nothing_that_is_on_its_way() {
    World::each(async |w| {
        let phone = json!({ "uniq_push_id": "phone-1" });
        let (people, ids) = ada_and_ben(&w).await;
        let states = "SELECT COUNT(*) FROM effect_intents WHERE class = 'push' AND state = ";
        assert!(register(&w, &people[0], phone.clone()).await.is_null());
        let first = w.rows::<PushDevice>(Cond::Always).await.remove(0);
        on_its_way(&w, ids[0]).await;
        assert!(register(&w, &people[0], phone.clone()).await.is_null());
        assert_eq!((count(&w, states, "queued").await, count(&w, states, "failed").await), (1, 0));
        // What is told of it under its old name says nothing of it any more.
        let again = w.rows::<PushDevice>(Cond::Always).await.remove(0);
        assert_eq!((&again.id, again.registration), (&first.id, first.registration + 1));
        assert_ne!(key_end(&again), key_end(&first));
        // Who has it next gets none of it, however often it was registered.
        assert!(register(&w, &people[1], phone).await.is_null());
        assert_eq!((count(&w, states, "queued").await, count(&w, states, "failed").await), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn who_is_signed_out_everywhere_is_notified_nowhere() {
    World::each(async |w| {
        const PASSWORD: &str = "violet-harbour-93-lantern";
        let states = "SELECT COUNT(*) FROM effect_intents WHERE class = 'push' AND state = ";
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        let (phone, tablet) =
            (json!({ "uniq_push_id": "phone" }), json!({ "uniq_push_id": "tablet" }));
        assert!(register(&w, &as_ada, phone.clone()).await.is_null());
        assert!(register(&w, &w.standard, tablet).await.is_null());
        let own: i64 = ada.parse().unwrap();
        on_its_way(&w, own).await;
        // What ends nothing forgets nothing.
        let input = json!({ "id": ada, "first_name": "Adah" });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert_eq!(devices(&w).await.len(), 2);
        let input = json!({ "id": ada, "password": PASSWORD });
        let set = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(set["messages"].is_null(), "{set}");
        assert_eq!(devices(&w).await, [(w.standard.user_id, "tablet".to_owned())]);
        assert_eq!((count(&w, states, "queued").await, count(&w, states, "failed").await), (0, 1));
        // Registered again, it is notified again; a new address ends that, too.
        assert!(register(&w, &as_ada, phone).await.is_null());
        assert_eq!(devices(&w).await.len(), 2);
        let input = json!({ "id": ada, "email": "ada@second.example" });
        let set = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(set["messages"].is_null(), "{set}");
        assert_eq!(devices(&w).await.len(), 1);
        // A member who is barred hears nothing either.
        let (org_id, standard) = (w.standard.org_id, w.standard.user_id);
        let barred = w.db.write(move |tx| {
            Box::pin(async move {
                let system = Actor::system(org_id);
                let mut scope = Scope::new(tx, &system);
                let barred = admin::disable_user(&mut scope, Id::new(standard)).await;
                barred.map(drop).map_err(|error| StoreError::internal(error.to_string()))
            })
        });
        barred.await.unwrap();
        assert_eq!(devices(&w).await, []);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_of_too_many_goes_and_who_is_merged_keeps_none() {
    World::each(async |w| {
        let ada = w.client("Ada", "ada@example.com").await;
        let as_ada = w.as_client(&ada).await;
        for number in 0..=DEVICES_MAX {
            let device = json!({ "uniq_push_id": format!("device-{number}") });
            assert!(register(&w, &as_ada, device).await.is_null());
        }
        let all = devices(&w).await;
        assert_eq!(all.len(), DEVICES_MAX, "{all:?}");
        assert!(all.iter().all(|(_, token)| token != "device-0"), "{all:?}");
        let other = w.client("Ada", "ada@second.example").await;
        let input = json!({ "ids": [ada, other], "target_user_id": other });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert!(merged["messages"].is_null(), "{merged}");
        assert!(devices(&w).await.is_empty());
    })
    .await;
}
