//! The three days of a receiver that fails (behaviour 13.4), on a clock that is moved from one
//! due moment to the next.

use super::claim::LEASE;
use super::trial::World;
use crate::deliver::next_due;
use crate::tables::{Outcome, SentWebhook, Webhook, WebhookDelivery, WebhookEvent};

const HOUR: i64 = 3_600 * 1_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_day_until_the_warning_three_until_the_end() {
    World::each(async |w| {
        w.webhook(false).await;
        let start = w.clock.now();
        w.emit(&[7]).await;
        let mut attempts = 0;
        loop {
            let claimed = w.claim("one", World::all_room()).await;
            if claimed.is_empty() {
                let now = w.clock.now();
                let due = next_due(&mut w.db.read().await.unwrap(), now).await.unwrap();
                let Some(due) = due else { break };
                w.clock.set(due);
                continue;
            }
            attempts += claimed.len();
            w.record(&claimed, 500).await;
            let warned = "SELECT COUNT(*) FROM effect_intents WHERE kind = 'webhook_failing'";
            let (warned, passed) = (w.number(warned).await, w.clock.now().micros_since(start));
            assert_eq!(warned, i64::from(passed >= 24 * HOUR), "after {} hours", passed / HOUR);
        }
        assert_eq!(w.clock.now().micros_since(start), 72 * HOUR);
        assert!((18..=23).contains(&attempts), "{attempts}");
        let webhook = w.rows::<Webhook>().await.remove(0);
        assert!(!webhook.is_enabled && webhook.warned_at.is_some());
        let kinds = "SELECT COUNT(*) FROM effect_intents WHERE kind = 'webhook_disabled'";
        assert_eq!(w.number(kinds).await, 1);
        assert_eq!(w.rows::<SentWebhook>().await.len(), attempts);
        let delivery = w.rows::<WebhookDelivery>().await.remove(0);
        assert_eq!((delivery.state.as_str(), delivery.first_failed_at), ("dead", Some(start)));
        // Nothing more happens, whatever comes.
        w.emit(&[8]).await;
        w.clock.advance(100 * HOUR);
        assert!(w.claim("one", World::all_room()).await.is_empty());
        assert_eq!(w.rows::<WebhookDelivery>().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_clears_what_failed() {
    World::each(async |w| {
        w.webhook(false).await;
        w.emit(&[7]).await;
        for status in [500, 503, 200] {
            let claimed = w.claim("one", World::all_room()).await;
            assert_eq!(claimed.len(), 1);
            let failed = w.rows::<WebhookEvent>().await.remove(0);
            let times = claimed[0].delivery.attempts;
            assert_eq!(failed.first_failed_at.is_some(), times > 1);
            assert_eq!(failed.retry_count, (times - 2).max(0));
            w.record(&claimed, status).await;
            w.clock.advance(HOUR);
        }
        let event = w.rows::<WebhookEvent>().await.remove(0);
        assert_eq!(
            (event.first_failed_at, event.last_failed_at, event.retry_count),
            (None, None, 0)
        );
        assert!(w.claim("one", World::all_room()).await.is_empty());
    })
    .await;
}

/// A broken lane lets single requests through, and none in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_lane_rests() {
    World::each(async |w| {
        w.webhook(false).await;
        w.emit(&(0..200).collect::<Vec<_>>()).await;
        let mut asked = 0;
        // An hour, in which nothing but failures comes back.
        for _ in 0..360 {
            let claimed = w.claim("one", World::all_room()).await;
            assert!(claimed.len() <= 1, "{} at once to a receiver that fails", claimed.len());
            asked += claimed.len();
            w.record(&claimed, 500).await;
            w.clock.advance(10 * 1_000_000);
        }
        // Ten until it is broken; then after 30 s, 1, 2, 4, 8, 15, 15 … minutes.
        assert!((14..=18).contains(&asked), "{asked} requests in an hour");
        w.clock.advance(HOUR);
        let claimed = w.claim("one", World::all_room()).await;
        w.record(&claimed, 200).await;
        // It is well again: each success doubles what goes at once, up to the share of one
        // organization.
        let sizes: Vec<usize> = {
            let mut sizes = Vec::new();
            for _ in 0..4 {
                let claimed = w.claim("one", World::all_room()).await;
                sizes.push(claimed.len());
                w.record(&claimed, 200).await;
            }
            sizes
        };
        assert_eq!(sizes, [2, 8, 64, 64]);
    })
    .await;
}

/// A receiver that was away for a moment is not broken, however much was under way to it.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_once_is_one_failure() {
    World::each(async |w| {
        w.webhook(false).await;
        w.emit(&(0..200).collect::<Vec<_>>()).await;
        let mut claimed = Vec::new();
        while claimed.len() < 32 {
            w.record(&claimed, 200).await;
            claimed = w.claim("one", World::all_room()).await;
        }
        w.clock.advance(1_000_000);
        let (first, later) = claimed.split_at(20);
        w.record(first, 500).await;
        w.clock.advance(1_000_000);
        w.record(later, 500).await;
        assert_eq!(w.number("SELECT failures FROM webhook_lanes").await, 1);
        assert_eq!(w.claim("one", World::all_room()).await.len(), 1, "it rests");
    })
    .await;
}

/// Whatever is tried once is not tried again because the server stopped meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn one_attempt_is_one_even_when_it_is_cut_off() {
    for once in
        ["UPDATE webhooks SET should_retry = FALSE", "UPDATE webhook_deliveries SET cause = 'test'"]
    {
        World::each(async |w| {
            w.webhook(false).await;
            w.emit(&[7]).await;
            // In the queue, not yet claimed.
            assert!(w.claim("one", World::room(0, 0)).await.is_empty());
            w.spoil(once).await;
            assert_eq!(w.claim("one", World::all_room()).await.len(), 1);
            w.clock.advance(LEASE);
            assert!(w.claim("two", World::all_room()).await.is_empty(), "{once}: sent twice");
            let delivery = w.rows::<WebhookDelivery>().await.remove(0);
            assert_eq!((delivery.state.as_str(), delivery.attempts), ("dead", 1), "{once}");
            let log = w.rows::<SentWebhook>().await;
            assert_eq!(log.len(), 1);
            assert_eq!(log[0].outcome, Outcome::Unknown);
        })
        .await;
    }
}

/// What is cut off each time is not the first thing that every start does.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_cut_off_again_and_again_waits() {
    World::each(async |w| {
        w.webhook(false).await;
        w.emit(&[7]).await;
        assert_eq!(w.claim("one", World::all_room()).await.len(), 1);
        w.clock.advance(LEASE);
        assert_eq!(w.claim("two", World::all_room()).await.len(), 1, "at once, the first time");
        w.clock.advance(LEASE);
        assert!(w.claim("three", World::all_room()).await.is_empty());
        w.clock.advance(60 * 1_000_000);
        assert_eq!(w.claim("three", World::all_room()).await.len(), 1);
    })
    .await;
}
