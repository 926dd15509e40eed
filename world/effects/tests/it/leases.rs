//! Two dispatchers, and a dispatcher that was overtaken (ISO-32).

use std::time::Duration;

use ward_effects::{InboxFilter, LEASE, Report};
use ward_store::{StoreError, jobs};

both! {
    Sandbox,
    /// Two that run at once: each job once.
    async fn iso_32_two_runners_do_each_job_once(w) {
        for n in 0..30 {
            w.intend_reset(&format!("client{n}@harbor.example")).await;
        }
        let (one, other) = (w.sandbox(), w.sandbox());
        let first = tokio::spawn(async move { one.run_due().await.unwrap() });
        let second = tokio::spawn(async move { other.run_due().await.unwrap() });
        let (first, second) = (first.await.unwrap(), second.await.unwrap());
        assert_eq!(first.done + second.done, 30, "{first:?} {second:?}");
        assert_eq!(w.number("SELECT COUNT(*) FROM effect_intents WHERE attempts = 1").await, 30);
        let all = InboxFilter { limit: Some(200), ..InboxFilter::default() };
        assert_eq!(w.inbox(all).await.len(), 30);
    }
}

both! {
    Sandbox,
    /// A job that another worker holds is left alone, until its lease is over.
    async fn a_lease_is_kept_and_ends(w) {
        w.intend_reset("ada@harbor.example").await;
        let held = jobs::claim(&w.db, ward_effects::kinds(), 1, Duration::from_secs(60)).await;
        assert_eq!(held.unwrap().len(), 1);
        let dispatcher = w.sandbox();
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        w.later(61);
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
    }
}

both! {
    Sandbox,
    /// A job whose worker went away in its last attempt is dead, and its intent can be replayed.
    async fn a_dead_job_is_replayed(w) {
        w.intend_reset("ada@harbor.example").await;
        w.execute("UPDATE jobs SET attempts = max_attempts").await;
        let dispatcher = w.sandbox();
        assert_eq!(dispatcher.run_due().await.unwrap(), Report::default());
        let org_id = w.org_id;
        let replayed = w.db.write(move |tx| Box::pin(async move {
            let dead = jobs::list_dead(tx, org_id).await?;
            let mut replayed = 0;
            for job in dead {
                replayed += usize::from(jobs::replay(tx, org_id, &job.id).await?);
            }
            Ok::<_, StoreError>(replayed)
        }));
        assert_eq!(replayed.await.unwrap(), 1);
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
    }
}

/// Longer than any send may take, shorter than anybody would wait.
#[test]
fn the_lease_has_a_bound() {
    assert!(LEASE >= Duration::from_secs(30) && LEASE <= Duration::from_secs(600));
}

/// A worker that was overtaken during its send records nothing; the other one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_lease_records_nothing() {
    async fn test(w: crate::support::World) {
        w.intend_reset("ada@harbor.example").await;
        w.execute(
            "CREATE TRIGGER overtaken AFTER INSERT ON simulated_messages \
             BEGIN UPDATE jobs SET lease_token = 'of another'; END",
        )
        .await;
        let dispatcher = w.sandbox();
        let report = dispatcher.run_due().await.unwrap();
        assert_eq!(report, Report { lost: 1, ..Report::default() });
        assert_eq!(w.intents().await, ["queued 0 -"]);
        w.execute("DROP TRIGGER overtaken").await;
        w.later(LEASE.as_secs().cast_signed() + 1);
        assert_eq!(dispatcher.run_due().await.unwrap().done, 1);
        assert_eq!(w.intents().await, ["done 1 -"]);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
    }
    crate::support::run(ward_store::Engine::Lite, ward_instance::Kind::Sandbox, test).await;
}
