//! For how long what happened is kept.

use ward_effects::{InboxFilter, purge};
use ward_store::intents::KEPT_MICROS;

const MINUTE: i64 = 60;

async fn purged(w: &crate::support::World) -> u64 {
    w.db.write(|tx| Box::pin(async move { purge(tx).await })).await.unwrap()
}

both! {
    Sandbox,
    /// What happened goes at its time; what is still asked for stays.
    async fn half_a_year(w) {
        let bad = ["bounce+hard@harbor.example", "complaint@harbor.example"];
        for to in ["ada@harbor.example", bad[0], bad[1]] {
            w.intend_reset(to).await;
            assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        }
        w.later(5 * MINUTE);
        while w.reports().await > 0 {}
        w.intend_reset("failed@harbor.example").await;
        w.execute("UPDATE effect_intents SET state = 'failed' WHERE state = 'queued'").await;
        w.later(KEPT_MICROS / 1_000_000 - 6 * MINUTE);
        assert_eq!(purged(&w).await, 0);
        // Later ones are not old yet.
        w.intend_reset("ben@harbor.example").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        while w.reports().await > 0 {}
        w.later(2 * MINUTE);
        // Three messages of the inbox, and the one effect that went well.
        assert_eq!(purged(&w).await, 4);
        let mut left = w.outcomes().await;
        left.sort();
        assert_eq!(left, ["-", "bounced", "complained", "delivered"]);
        assert_eq!(w.inbox(InboxFilter::default()).await.len(), 1);
        assert_eq!(purged(&w).await, 0);
    }
}

both! {
    Sandbox,
    /// One run deletes a thousand of each at most.
    async fn a_run_is_bounded(w) {
        w.intend_reset("ada@harbor.example").await;
        assert_eq!(w.sandbox().run_due().await.unwrap().done, 1);
        while w.reports().await > 0 {}
        let columns = "org_id, class, kind, to_sealed, payload, subject_id, state, attempts, cause";
        let others = "not_before, created_at, done_at, last_error, outcome";
        let sql = format!(
            "INSERT INTO effect_intents (id, {columns}, idempotency_key, {others}) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1100) \
             SELECT SUBSTR(id, 1, 24) || SUBSTR(CAST(1000000000000 + n.i AS TEXT), 2), {columns}, \
             'copy ' || n.i, {others} FROM effect_intents, n"
        );
        w.execute(sql.leak()).await;
        w.later(KEPT_MICROS / 1_000_000 + MINUTE);
        assert_eq!(purged(&w).await, 1_001);
        assert_eq!(purged(&w).await, 101);
    }
}
