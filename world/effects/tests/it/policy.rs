//! Classes that are switched off and on, and what waits or failed meanwhile.

use ward_effects::{
    EffectMode, HELD_SECONDS, InboxFilter, Released, Report, at_birth, failed, pending, policy,
    release, replay,
};
use ward_instance::Kind;
use ward_store::Actor;
use ward_store::system::{EffectClass, EffectState};

/// A new Production does nothing but account mail; a Sandbox everything.
#[test]
fn at_birth_only_account_mail_leaves_production() {
    for class in EffectClass::ALL {
        assert_eq!(at_birth(Kind::Sandbox, class), EffectMode::Live, "{class}");
        let open = at_birth(Kind::Production, class) == EffectMode::Live;
        assert_eq!(open, class == EffectClass::AccountMail, "{class}");
    }
}

both! {
    Sandbox,
    /// What is off waits; switched on, it is sent, once; the other classes are not concerned.
    async fn off_and_on(w) {
        w.decide(EffectClass::Sms, EffectMode::Off).await;
        let stands = policy(&mut w.db.read().await.unwrap(), Kind::Sandbox, EffectClass::Sms).await;
        let stands = stands.unwrap();
        assert_eq!((stands.mode, stands.reason.as_deref()), (EffectMode::Off, Some("for a test")));
        w.intend_sms("555-0100").await;
        w.intend_sms("555-0199").await;
        w.intend_reset("ada@harbor.example").await;
        let dispatcher = w.sandbox();
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { done: 1, waiting: 2, ..Report::default() });
        let told = w.intents().await;
        assert_eq!(told[..2], ["waiting 0 its class is switched off"; 2], "{told:?}");
        let waiting = pending(&w.db).await.unwrap();
        assert_eq!(waiting.len(), 1);
        let one = (waiting[0].class, waiting[0].state, waiting[0].count);
        assert_eq!(one, (EffectClass::Sms, EffectState::Waiting, 2));
        // Nothing moves by itself.
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        let released = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(released, Released { queued: 2, expired: 0 });
        assert_eq!(release(&w.db, EffectClass::Sms).await.unwrap(), Released::default());
        assert_eq!(dispatcher.run_due().await.unwrap().done, 2);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 3);
        assert_eq!(w.number("SELECT COUNT(*) FROM effect_policies").await, 1);
    }
}

both! {
    Sandbox,
    /// What waited for more than a day is not sent, but listed; one by one it can be.
    async fn what_waited_too_long_is_given_up(w) {
        w.decide(EffectClass::Sms, EffectMode::Off).await;
        w.intend_sms("555-0100").await;
        w.sandbox().run_due().await.unwrap();
        w.later(HELD_SECONDS);
        w.intend_sms("555-0199").await;
        w.later(1);
        w.sandbox().run_due().await.unwrap();
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        let released = release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(released, Released { queued: 1, expired: 1 });
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        let letters = failed(&w.db, w.org_id, None).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0]["error"], "it waited for more than 24 hours");
        let id = letters[0]["id"].as_str().unwrap();
        assert!(replay(&w.db, &Actor::system(w.org_id), id).await.unwrap());
        assert!(!replay(&w.db, &Actor::system(w.org_id), id).await.unwrap(), "it is queued");
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        assert!(failed(&w.db, w.org_id, None).await.unwrap().is_empty());
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 2);
    }
}

both! {
    Sandbox,
    /// Failed ones and those whose worker went away; of one organization, and of one class.
    async fn dead_letters(w) {
        w.intend_reset("no address").await;
        w.sandbox().run_due().await.unwrap();
        w.intend_sms("555-0100").await;
        w.execute("UPDATE jobs SET attempts = max_attempts WHERE state = 'ready'").await;
        w.sandbox().run_due().await.unwrap();
        let errors = async |class| {
            let found = failed(&w.db, w.org_id, class).await.unwrap();
            let mut told: Vec<_> =
                found.iter().map(|it| it["error"].as_str().unwrap().to_owned()).collect();
            told.sort();
            told
        };
        let gone = "its worker went away in the last attempt";
        assert_eq!(errors(None).await, [gone, "the address is not an e-mail address"]);
        assert_eq!(errors(Some(EffectClass::Sms)).await, [gone]);
        assert!(failed(&w.db, w.org_id + 1, None).await.unwrap().is_empty());
        let found = failed(&w.db, w.org_id, Some(EffectClass::Sms)).await.unwrap();
        let id = found[0]["id"].as_str().unwrap();
        assert!(!replay(&w.db, &Actor::system(w.org_id + 1), id).await.unwrap());
        assert!(!replay(&w.db, &Actor::system(w.org_id), "of nothing").await.unwrap());
        assert!(replay(&w.db, &Actor::system(w.org_id), id).await.unwrap());
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
    }
}
