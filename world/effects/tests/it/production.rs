//! Production without a connector.

use ward_effects::{EffectMode, InboxFilter, Report, pending, waiting};
use ward_store::system::{EffectClass, EffectState};

both! {
    Production,
    /// Intents wait, are counted, and leave no simulated message.
    async fn intents_wait(w) {
        assert!(waiting(&w.db).await.unwrap().is_empty());
        w.intend_reset("ada@harbor.example").await;
        w.intend_reset("ben@harbor.example").await;
        let dispatcher = w.production();
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { waiting: 2, ..Report::default() });
        let told = "waiting 0 no connector of its class is there";
        assert_eq!(w.intents().await, [told, told]);
        let counted = waiting(&w.db).await.unwrap();
        assert_eq!(counted, pending(&w.db).await.unwrap());
        let one = (counted[0].class, counted[0].state, counted[0].count);
        assert_eq!(one, (EffectClass::AccountMail, EffectState::Waiting, 2));
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        assert!(w.inbox(InboxFilter::default()).await.is_empty());
    }
}

both! {
    Production,
    /// But for account mail, nothing is even looked at before its class is switched on.
    async fn all_else_is_off(w) {
        w.intend_sms("555-0100").await;
        let dispatcher = w.production();
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 1);
        assert_eq!(w.intents().await, ["waiting 0 its class is switched off"]);
        w.decide(EffectClass::Sms, EffectMode::Live).await;
        ward_effects::release(&w.db, EffectClass::Sms).await.unwrap();
        assert_eq!(dispatcher.run_due().await.unwrap().waiting, 1);
        assert_eq!(w.intents().await, ["waiting 0 no connector of its class is there"]);
    }
}
