//! Devices that people are notified on: each their own, with the contract's own field.

use serde_json::{Value as Json, json};
use ward_clients::push_device::{DEVICES_MAX, PushDevice};
use ward_store::{Actor, Cond};

use crate::support::World;

async fn register(w: &World, actor: &Actor, more: Json) -> Json {
    w.mutate(actor, "updateUser", "user { id }", more).await["messages"].clone()
}

/// Whose devices there are, and their names, the latest first.
async fn devices(w: &World) -> Vec<(i64, String)> {
    let mut rows = w.rows::<PushDevice>(Cond::Always).await;
    rows.sort_by_key(|row| std::cmp::Reverse((row.created_at, row.id.0.clone())));
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
