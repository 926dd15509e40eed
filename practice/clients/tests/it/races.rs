//! Equal clients made at the same moment.

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::oneshot;
use ward_clients::tables::Location;
use ward_identity::tables::{BreakGlassAccess, User};
use ward_store::{Actor, Cond, Engine, Id, Level, Query, Scope, StoreError};

use crate::care::{now, restricted, whole};
use crate::support::World;

/// Of equal clients one is made, of others of the same address all, and the
/// accounts of an address are one human.
#[tokio::test(flavor = "multi_thread")]
async fn of_equal_clients_at_once_one_is_made() {
    World::each(async |w| {
        let make = async |first: &str| {
            let email = "Both@example.com";
            let input = json!({ "first_name": first, "last_name": "Twin", "email": email });
            w.mutate(&w.owner, "createClient", "user { id }", input).await
        };
        let names = ["Ada", "Bo", "ADA", "Ada", "Bó", "Cy", "Ada", "Bo"];
        let made = join_all(names.map(make)).await;
        let refused = made.iter().filter(|payload| payload["user"].is_null());
        let messages: Vec<_> = refused.map(|payload| &payload["messages"][0]["message"]).collect();
        assert_eq!(messages, ["Email has already been taken"; 5]);
        let clients = w.rows::<User>(Cond::is_true("is_patient")).await;
        assert_eq!(clients.len(), 3);
        assert!(clients.iter().all(|client| client.human_id == clients[0].human_id));
    })
    .await;
}

/// Of one member's broken glass at once, one is broken.
#[tokio::test(flavor = "multi_thread")]
async fn a_glass_is_broken_once() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let member = now(&w, &w.with(&w.standard, &[]));
        let open = async || {
            let input = json!({ "client_id": client, "reason": "Fell" });
            w.mutate(&member, "createBreakGlassAccess", "break_glass_access { id }", input).await
        };
        let opened = join_all((0..8).map(|_| open())).await;
        let done = opened.iter().filter(|payload| payload["messages"].is_null()).count();
        assert_eq!(done, 1, "{opened:?}");
        assert_eq!(w.rows::<BreakGlassAccess>(Cond::Always).await.len(), 1);
    })
    .await;
}

/// Whoever adds a client waits for the same address only.
#[tokio::test(flavor = "multi_thread")]
async fn other_addresses_do_not_wait() {
    World::each(async |w| {
        if w.db.read().await.unwrap().engine() == Engine::Lite {
            return;
        }
        let (locked, is_locked) = oneshot::channel();
        let (finish, finished) = oneshot::channel::<()>();
        let org = w.organization.id.0;
        let hands = std::sync::Arc::new(std::sync::Mutex::new(Some((locked, finished))));
        let db = w.db.clone();
        let holder = tokio::spawn(async move {
            db.write(move |tx| {
                let hands = hands.clone();
                Box::pin(async move {
                    let actor = Actor::system(org);
                    let mut scope = Scope::new(tx, &actor);
                    let address = Some("held@example.com");
                    ward_identity::account::lock_address(&mut scope, address).await?;
                    let (locked, finished) = hands.lock().unwrap().take().unwrap();
                    locked.send(()).unwrap();
                    finished.await.unwrap();
                    Ok::<_, StoreError>(())
                })
            })
            .await
        });
        is_locked.await.unwrap();
        // Would never come back if the address of another client held it up.
        w.client("Ada", "free@example.com").await;
        finish.send(()).unwrap();
        holder.await.unwrap().unwrap();
    })
    .await;
}

/// Whoever writes for a client while the client is merged into another writes
/// first, and what they wrote moves; or they do not find the client any more.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_during_a_merge_is_not_lost() {
    World::each(async |w| {
        if w.db.read().await.unwrap().engine() == Engine::Lite {
            return;
        }
        let (from, to) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let (found, is_found) = oneshot::channel();
        let (finish, finished) = oneshot::channel::<()>();
        let hands = std::sync::Arc::new(std::sync::Mutex::new(Some((found, finished))));
        let (db, owner) = (w.db.clone(), w.owner.clone());
        let id = Id::<User>::new(from.parse().unwrap());
        let writer = tokio::spawn(async move {
            db.write(move |tx| {
                let (hands, owner) = (hands.clone(), owner.clone());
                Box::pin(async move {
                    let mut scope = Scope::new(tx, &owner);
                    let seen = scope.visible_for_reference(id, Level::Full).await?;
                    let (client, _) = seen.unwrap();
                    let (found, finished) = hands.lock().unwrap().take().unwrap();
                    found.send(()).unwrap();
                    finished.await.unwrap();
                    let id = scope.next_id().await?;
                    let (org, unit) = (client.org_id, client.unit_id);
                    let blank = Location::blank(id, org, unit, scope.now());
                    let location = Location { user_id: Some(client.id), ..blank };
                    scope.create(&location).await
                })
            })
            .await
        });
        is_found.await.unwrap();
        let input = json!({ "ids": [from, to], "target_user_id": to });
        let merge = w.mutate(&w.owner, "mergeClients", "user { id }", input);
        let mut merge = std::pin::pin!(merge);
        let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut merge).await;
        assert!(early.is_err(), "merged before the other was done: {early:?}");
        finish.send(()).unwrap();
        writer.await.unwrap().unwrap_or_else(|error: StoreError| panic!("{error}"));
        assert!(merge.await["messages"].is_null());
        let at = w.rows::<Location>(Cond::Always).await;
        assert_eq!(at[0].user_id.unwrap().to_string(), to);
    })
    .await;
}
