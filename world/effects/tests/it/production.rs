//! Production without a connector.

use ward_effects::{InboxFilter, Report, Waiting, waiting};
use ward_store::system::EffectClass;

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
        let counted = [Waiting { class: EffectClass::Email, count: 2 }];
        assert_eq!(waiting(&w.db).await.unwrap(), counted);
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        assert!(w.inbox(InboxFilter::default()).await.is_empty());
    }
}
