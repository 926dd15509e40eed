//! A repeated request has one effect and one answer.

use std::sync::Arc;

use futures_util::FutureExt;
use ward_store::idempotency::{self, Outcome, RequestKey, lookup, store};
use ward_store::{Actor, Id, Scope, Sql, StoreError};

use crate::services_tables::Person;
use crate::services_tables::person;
use crate::support::World;

async fn request(
    w: &World,
    org: i64,
    key: &'static str,
    body: &'static [u8],
) -> Result<Outcome, StoreError> {
    let hash = Arc::new(idempotency::request_hash(&w.db, &[body]));
    w.db.write(move |tx| {
        let hash = Arc::clone(&hash);
        async move {
            let key = RequestKey { org_id: org, actor_id: 7, key, alias: "createClient" };
            let outcome = lookup(tx, &key, &hash).await?;
            if outcome == Outcome::Fresh {
                let actor = Actor::system(org);
                let mut scope = Scope::new(tx, &actor);
                let id: Id<Person> = scope.next_id().await?;
                let new = person(scope.tx, org, id.0, "Ada");
                scope.create(&new).await?;
                store(tx, &key, id.to_string().as_bytes()).await?;
            }
            Ok(outcome)
        }
        .boxed()
    })
    .await
}

/// Fifty at once: one effect, the same answer for all.
async fn fifty_callers_have_one_effect(w: World) {
    let org = w.organization(1).await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let w = w.clone();
        callers.spawn(async move { request(&w, org, "k1", b"body").await });
    }
    let (mut fresh, mut answers) = (0, Vec::new());
    while let Some(outcome) = callers.join_next().await {
        match outcome.unwrap().unwrap() {
            Outcome::Fresh => fresh += 1,
            Outcome::Replay(answer) => answers.push(answer),
            Outcome::Mismatch => panic!("the same request"),
        }
    }
    assert_eq!((fresh, answers.len()), (1, 49));
    answers.dedup();
    let id = w.number("SELECT id FROM persons").await;
    assert_eq!(answers, [id.to_string().into_bytes()]);
    assert_eq!(w.number("SELECT COUNT(*) FROM persons").await, 1);
}

both!(fifty_callers_have_one_effect);

/// Another body is refused, another key is another request, a day later
/// the key is new.
async fn keys_are_bound_and_expire(w: World) {
    let org = w.organization(1).await;
    assert_eq!(request(&w, org, "k1", b"body").await.unwrap(), Outcome::Fresh);
    assert_eq!(request(&w, org, "k1", b"other").await.unwrap(), Outcome::Mismatch);
    assert_eq!(request(&w, org, "k2", b"body").await.unwrap(), Outcome::Fresh);
    let sealed = w.rows(Sql::fixed("SELECT answer FROM idempotency_keys", [])).await;
    let id = w.number("SELECT MIN(id) FROM persons").await.to_string();
    let bytes = sealed.row(0)[0].bytes().unwrap();
    assert!(!bytes.windows(id.len()).any(|part| part == id.as_bytes()));
    w.execute(Sql::fixed("UPDATE idempotency_keys SET expires_at = 5 WHERE key = 'k1'", []))
        .await
        .unwrap();
    assert_eq!(request(&w, org, "k1", b"other").await.unwrap(), Outcome::Fresh);
    w.execute(Sql::fixed("UPDATE idempotency_keys SET expires_at = 5", [])).await.unwrap();
    let purged = w.db.write(|tx| idempotency::purge(tx).boxed()).await.unwrap();
    assert_eq!(purged, 2);
}

both!(keys_are_bound_and_expire);

/// What was rolled back is not answered for.
async fn a_failed_request_leaves_the_key_free(w: World) {
    let org = w.organization(1).await;
    let hash = Arc::new(idempotency::request_hash(&w.db, &[b"hash"]));
    let failed: Result<Outcome, _> =
        w.db.write(move |tx| {
            let hash = Arc::clone(&hash);
            async move {
                let key = RequestKey { org_id: org, actor_id: 7, key: "k1", alias: "createClient" };
                lookup(tx, &key, &hash).await?;
                Err(StoreError::Conflict)
            }
            .boxed()
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(request(&w, org, "k1", b"body").await.unwrap(), Outcome::Fresh);
}

both!(a_failed_request_leaves_the_key_free);
