//! Events: written with their change, taken by state.

use futures_util::FutureExt;
use ward_store::StoreError;
use ward_store::events::{self, Event};

use crate::services_tables::member;
use crate::support::World;

/// An event is written with its transaction and handed on once.
async fn events_are_taken_by_state(w: World) {
    let org = w.organization(1).await;
    let id = w
        .act(&member(org), move |mut scope| {
            async move {
                let event = Event::new("patient.updated", "User", org + 5).changed(&["name"]);
                Ok(scope.emit(event.with("reason", "test").about(org + 5)))
            }
            .boxed()
        })
        .await
        .unwrap();
    w.sequence().await;
    let mut reader = w.db.read().await.unwrap();
    assert!(events::any_unrelayed(&mut reader).await.unwrap());
    drop(reader);
    let taken =
        w.db.write(|tx| {
            async move {
                let taken = events::take_unrelayed(tx, 10).await?;
                events::mark_relayed(tx, &taken).await?;
                Ok::<_, StoreError>(taken)
            }
            .boxed()
        })
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    let event = &taken[0];
    assert_eq!((&event.id, event.seq, event.org_id), (&id, Some(1), org));
    assert_eq!(event.changed_fields, r#"["name"]"#);
    assert_eq!(event.extra, r#"{"reason":"test"}"#);
    assert_eq!((&event.cause.root_event_id, event.cause.depth), (&id, 0));
    let mut reader = w.db.read().await.unwrap();
    assert!(!events::any_unrelayed(&mut reader).await.unwrap());
    let found = events::after(&mut reader, &w.instance, org, 0, 10).await.unwrap();
    assert_eq!(found.len(), 1);
    let found = events::get(&mut reader, &w.instance, org, &id).await.unwrap();
    assert_eq!(found.as_ref(), Some(event));
    drop(reader);
    w.tamper("UPDATE events SET extra = '{}'").await;
    let mut reader = w.db.read().await.unwrap();
    assert!(events::get(&mut reader, &w.instance, org, &id).await.is_err());
}

both!(events_are_taken_by_state);
