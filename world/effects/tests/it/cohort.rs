//! The stage between off and live: effects for chosen people.

use serde_json::json;
use ward_effects::{
    CohortChange, CohortEnd, EffectMode, HELD_SECONDS, Released, Report, change_cohort, cohort,
    failed, held, release, release_own, replay,
};
use ward_store::intents::{self, EffectIntent};
use ward_store::system::{EffectClass, EffectOutcome};
use ward_store::{Actor, StoreError, Uuid, keyring};

use crate::support::World;

/// Somebody's id in a Sandbox, by a small number.
const fn id_of(person: i64) -> i64 {
    2_000_000_000 + person
}

async fn sms_of(w: &World, person: Option<i64>, key: &str) {
    let intent = w.intent("reminder", "555-0100", json!({ "text": "See you tomorrow" }));
    let intent = EffectIntent {
        class: EffectClass::Sms,
        recipient: person.map(id_of),
        idempotency_key: key.to_owned(),
        ..intent
    };
    assert!(w.intend(intent).await);
}

async fn change(w: &World, org_id: i64, add: &[i64], remove: &[i64]) -> CohortEnd {
    let ids = |people: &[i64]| people.iter().copied().map(id_of).collect();
    let change = CohortChange { add: ids(add), remove: ids(remove), reason: "a pilot".to_owned() };
    let actor = Actor::system(org_id);
    change_cohort(&w.db, &actor, EffectClass::Sms, change).await.unwrap()
}

both! {
    Sandbox,
    /// Who is in the cohort is reached at once, nobody else; what is held is listed, let go when
    /// its person joins or the class is live, and given up after a day.
    async fn iso_31_only_the_cohort_is_reached(w) {
        w.decide(EffectClass::Sms, EffectMode::Cohort).await;
        assert_eq!(change(&w, w.org_id, &[1, 2], &[]).await, CohortEnd::Changed(2));
        // Twice is once; who was never there can't go.
        assert_eq!(change(&w, w.org_id, &[1], &[9]).await, CohortEnd::Changed(2));
        for (person, key) in [(Some(1), "a"), (Some(2), "b"), (Some(3), "c"), (None, "d")] {
            sms_of(&w, person, key).await;
        }
        let report = w.sandbox().run_due().await.unwrap();
        assert_eq!(report, Report { done: 2, waiting: 2, ..Report::default() });
        let (items, count) = held(&w.db, w.org_id, Some(EffectClass::Sms), true).await.unwrap();
        assert_eq!((items.len(), count), (2, 2), "{items:?}");
        let mut people: Vec<_> = items.iter().map(|item| item["user_id"].as_str()).collect();
        people.sort_unstable();
        assert_eq!(people, [None, Some("2000000003")], "{items:?}");
        assert!(items[0]["why"].as_str().unwrap().contains("cohort"), "{items:?}");
        assert!(!json!(items).to_string().contains("555-0100"), "an address: {items:?}");
        let (items, _) = held(&w.db, w.org_id, None, false).await.unwrap();
        assert!(items.iter().all(|item| item["user_id"].is_null()), "{items:?}");
        let mail = held(&w.db, w.org_id, Some(EffectClass::Email), true).await.unwrap();
        assert!(mail.0.is_empty());
        assert!(held(&w.db, w.org_id + 1, None, true).await.unwrap().0.is_empty());
        // A look lets nobody else go, and ends.
        let looked = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(looked, Released::default());
        assert_eq!(change(&w, w.org_id, &[3], &[1]).await, CohortEnd::Changed(2));
        let released = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(released, Released { queued: 1, expired: 0 });
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        sms_of(&w, Some(1), "e").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().waiting, 1, "who left is held");
        // Nothing is lost: after a day it is listed as failed, and can be replayed when live.
        w.later(HELD_SECONDS + 1);
        let released = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(released, Released { queued: 0, expired: 2 });
        let letters = failed(&w.db, w.org_id, None).await.unwrap();
        assert_eq!(letters.len(), 2);
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        for letter in letters {
            let id = letter["id"].as_str().unwrap();
            assert!(replay(&w.db, &Actor::system(w.org_id), id).await.unwrap());
        }
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 2);
    }
}

async fn another_organization(w: &World) -> i64 {
    let made = w.db.write(|tx| {
        Box::pin(async move {
            let org_id = tx.next_id_of("Organization").await?;
            keyring::create_for(tx, org_id).await?;
            Ok::<_, StoreError>(org_id)
        })
    });
    made.await.unwrap()
}

both! {
    Sandbox,
    /// Another organization's people of the same number are nobody's here, and a thousand is most.
    async fn a_cohort_is_of_one_organization_and_bounded(w) {
        w.decide(EffectClass::Sms, EffectMode::Cohort).await;
        let other = another_organization(&w).await;
        assert_eq!(change(&w, other, &[1], &[]).await, CohortEnd::Changed(1));
        sms_of(&w, Some(1), "a").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().waiting, 1);
        assert!(cohort(&w.db, w.org_id, EffectClass::Sms).await.unwrap().is_empty());
        let many: Vec<i64> = (1..=1_001).collect();
        assert_eq!(change(&w, w.org_id, &many, &[]).await, CohortEnd::TooMany);
        assert!(cohort(&w.db, w.org_id, EffectClass::Sms).await.unwrap().is_empty());
        assert_eq!(change(&w, w.org_id, &many[..1_000], &[]).await, CohortEnd::Changed(1_000));
        // Full is no reason against who is there already, or comes for somebody who goes.
        assert_eq!(change(&w, w.org_id, &many[..5], &[]).await, CohortEnd::Changed(1_000));
        let swap = change(&w, w.org_id, &[1_001], &many[..998]).await;
        assert_eq!(swap, CohortEnd::Changed(3));
        let people = cohort(&w.db, w.org_id, EffectClass::Sms).await.unwrap();
        assert_eq!((people.len(), &people[0]["reason"]), (3, &json!("a pilot")), "{people:?}");
        // A class that is off holds them too, and its release lets nothing go.
        w.decide(EffectClass::Sms, EffectMode::Off).await;
        sms_of(&w, Some(1_001), "b").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().waiting, 1);
        // What one lets go for its people is not another's.
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        let of_other = release_own(&w.db, EffectClass::Sms, other).await.unwrap();
        assert_eq!(of_other, Released::default());
        w.decide(EffectClass::Sms, EffectMode::Off).await;
        let released = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(released, Released::default());
    }
}

both! {
    Sandbox,
    /// What was held is not sent to who has said meanwhile that they want no more, nor when its
    /// time is over: it fails, and says why.
    async fn iso_31_what_is_held_is_asked_again_when_it_is_let_go(w) {
        sms_of(&w, Some(1), "sent").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        w.decide(EffectClass::Sms, EffectMode::Off).await;
        sms_of(&w, Some(1), "unwanted").await;
        sms_of(&w, Some(2), "wanted").await;
        for (key, seconds) in [("late", 3_600), ("in time", 3_601)] {
            let intent = w.intent("reminder", "555-0100", json!({ "text": "See you" }));
            let expires_at = Some(w.now().plus_seconds(seconds));
            let class = EffectClass::Sms;
            let (recipient, idempotency_key) = (Some(3), key.to_owned());
            assert!(w.intend(EffectIntent { class, recipient, idempotency_key, expires_at, ..intent }).await);
        }
        assert_eq!(w.sandbox().run_due().await.unwrap().waiting, 4);
        w.later(3_600);
        let (org_id, rows) = (w.org_id, w.rows("SELECT id FROM effect_intents WHERE idempotency_key = 'sent'").await);
        let id = Uuid(rows.scalar().unwrap().text().unwrap().to_owned());
        let told = w.db.write(move |tx| {
            let id = id.clone();
            Box::pin(async move { intents::report(tx, org_id, &id, EffectOutcome::OptedOut).await })
        });
        assert!(told.await.unwrap());
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        assert_eq!(release(&w.db, EffectClass::Sms).await.unwrap().queued, 4);
        let report = w.sandbox().run_due().await.unwrap();
        assert_eq!(report, Report { done: 2, failed: 2, ..Report::default() });
        let why = |key: &str| format!("SELECT COUNT(*) FROM effect_intents WHERE state = 'failed' \
            AND idempotency_key = '{key}' AND last_error LIKE '%{}%'", if key == "late" { "too late" } else { "wants no more" });
        for key in ["late", "unwanted"] {
            assert_eq!(w.number(why(key).leak()).await, 1, "{key}");
        }
        // What is wanted after they said so has been asked where it was made.
        w.later(1);
        sms_of(&w, Some(1), "anew").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
    }
}
