//! Effects are recorded with the change that wants them, once.

use std::time::Duration;

use futures_util::FutureExt;
use ward_store::intents::{self, EffectIntent};

use crate::support::World;
use ward_store::system::{EffectClass, EffectState};
use ward_store::{StoreError, Uuid, jobs};

use crate::services_tables::member;

fn welcome() -> EffectIntent {
    EffectIntent {
        class: EffectClass::Email,
        kind: "welcome",
        to: "ada@example.org".into(),
        payload: serde_json::json!({ "link": "http://127.0.0.1/x" }),
        subject_client: Some(7),
        recipient: None,
        cause: "request 1".into(),
        idempotency_key: "welcome 7".into(),
        not_before: None,
        expires_at: None,
    }
}

const KINDS: &[&str] = &[intents::job_kind(EffectClass::Email)];

/// From the change to the dispatcher and back.
async fn an_intent_is_done_once(w: World) {
    let org = w.organization(1).await;
    let twice = w
        .act(&member(org), |mut scope| {
            async move { Ok([scope.intend(welcome()).await?, scope.intend(welcome()).await?]) }
                .boxed()
        })
        .await
        .unwrap();
    assert_eq!(twice, [true, false]);
    let job = jobs::claim(&w.db, KINDS, 16, Duration::from_secs(60)).await.unwrap();
    let [job] = &job[..] else { panic!("{job:?}") };
    let payload: serde_json::Value = serde_json::from_str(&job.payload).unwrap();
    let id = Uuid(payload["intent"].as_str().unwrap().to_owned());
    let sealed =
        w.rows(ward_store::Sql::fixed("SELECT to_sealed, payload FROM effect_intents", [])).await;
    for value in sealed.row(0) {
        assert!(!String::from_utf8_lossy(value.bytes().unwrap()).contains("127.0.0.1"));
    }
    let states =
        w.db.write(move |tx| {
            let id = id.clone();
            async move {
                let row = intents::intent(tx, org, &id).await?.unwrap();
                assert_eq!(
                    (row.to_sealed.as_str(), row.class),
                    ("ada@example.org", EffectClass::Email)
                );
                assert!(intents::mark_waiting(tx, org, &id, "pilot").await?);
                assert!(intents::mark_failed(tx, org, &id, "refused", false).await?);
                assert!(intents::mark_done(tx, org, &id).await?);
                assert!(!intents::mark_done(tx, org, &id).await?);
                let row = intents::intent(tx, org, &id).await?.unwrap();
                Ok::<_, StoreError>((row.state, row.attempts, row.done_at.is_some()))
            }
            .boxed()
        })
        .await
        .unwrap();
    assert_eq!(states, (EffectState::Done, 2, true));
}

both!(an_intent_is_done_once);
