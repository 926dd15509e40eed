//! Events: written with their change, taken by state.

use futures_util::FutureExt;
use ward_store::events::{self, Event};
use ward_store::{Sql, StoreError};

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

/// Emits so many events, numbered and, but for those from `waiting` on, handed on.
async fn emitted(w: &World, org: i64, count: i64, waiting: i64) {
    for n in 0..count {
        w.act(&member(org), move |mut scope| {
            async move { Ok(scope.emit(Event::new("patient.updated", "User", org + n))) }.boxed()
        })
        .await
        .unwrap();
    }
    w.sequence().await;
    let relayed = Sql::fixed("UPDATE events SET relayed = (seq <= $1)", [waiting.into()]);
    w.execute(relayed).await.unwrap();
}

/// Puts all events so many days back, past the MAC: nothing here reads them.
async fn happened(w: &World, days: i64) {
    let at = w.instance.now().minus_micros(days * 24 * 3600 * 1_000_000);
    let back = Sql::fixed("UPDATE events SET occurred_at = $1", [at.0.into()]);
    w.execute(back).await.unwrap();
}

/// Events go after 180 days: but none that a relay has not handed on, none
/// without number, and not the newest of an organization.
async fn events_are_kept_for_a_time(w: World) {
    let org = w.organization(1).await;
    emitted(&w, org, 6, 4).await;
    w.execute(Sql::fixed("UPDATE events SET seq = NULL WHERE seq = 2", [])).await.unwrap();
    let purge = async || w.db.write(|tx| events::purge(tx).boxed()).await.unwrap();
    happened(&w, 179).await;
    assert_eq!(purge().await, 0, "179 days are not 180");
    happened(&w, 181).await;
    assert_eq!(purge().await, 3, "1, 3 and 4");
    let left = w.rows(Sql::fixed("SELECT seq FROM events ORDER BY seq", [])).await;
    let left: Vec<Option<i64>> = left.iter().map(|row| row[0].int()).collect();
    let mut expected = vec![None, Some(5), Some(6)];
    if w.db.engine() == ward_store::Engine::Pg {
        expected.rotate_left(1);
    }
    assert_eq!(left, expected);
    w.execute(Sql::fixed("UPDATE events SET relayed = TRUE", [])).await.unwrap();
    assert_eq!(purge().await, 1, "5; the newest holds the place in the numbering");
    let next = w.number("SELECT MAX(seq) FROM events").await;
    assert_eq!(next, 6);
}

both!(events_are_kept_for_a_time);
