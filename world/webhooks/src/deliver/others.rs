//! What one practice does, or what befalls it, is not felt by another.

use super::claim::Claimed;
use super::share::UnderWay;
use super::trial::World;
use super::{SLOW_SOCKETS, SOCKETS};
use crate::tables::{Outcome, SentWebhook};

/// The sealed payload of one is put into another's row.
const DAMAGE_8: &str = "UPDATE webhook_deliveries SET body = (SELECT d.body FROM \
    webhook_deliveries d WHERE d.resource_id = 7) WHERE resource_id = 8";
const DAMAGE_9: &str = "UPDATE webhook_deliveries SET body = (SELECT d.body FROM \
    webhook_deliveries d WHERE d.resource_id = 7) WHERE resource_id = 9";

const DEAD: &str = "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'dead'";

/// Claims until nothing more is claimed, with what is under way already.
async fn claim_all(w: &World, under_way: &mut UnderWay) -> Vec<Claimed> {
    let mut all = Vec::new();
    loop {
        let claimed = w.claim("one", under_way.room(SOCKETS, SLOW_SOCKETS)).await;
        if claimed.is_empty() {
            return all;
        }
        for it in &claimed {
            under_way.add(it.webhook.org_id.0, it.is_slow);
        }
        all.extend(claimed);
    }
}

fn of(org: i64, claimed: &[Claimed]) -> usize {
    claimed.iter().filter(|it| it.webhook.org_id.0 == org).count()
}

/// However many new receivers a practice has that say nothing, the others are served.
#[tokio::test(flavor = "multi_thread")]
async fn rel_18_new_webhooks_that_hang_do_not_take_the_sockets() {
    World::each(async |w| {
        let other = w.another().await;
        w.webhook_of(other, false).await;
        w.emit_of(other, &[1]).await;
        let claimed = w.claim("one", World::all_room()).await;
        w.record(&claimed, 200).await;
        for _ in 0..70 {
            w.webhook(false).await;
        }
        w.emit(&[7]).await;
        let mut under_way = UnderWay::default();
        let hanging = claim_all(&w, &mut under_way).await;
        assert!((1..=SLOW_SOCKETS / 4).contains(&hanging.len()), "{} hang", hanging.len());
        assert!(hanging.iter().all(|it| it.is_slow));
        // A receiver that was good so far, and one that is as new as the others.
        w.webhook_of(other, false).await;
        w.emit_of(other, &[2]).await;
        let claimed = claim_all(&w, &mut under_way).await;
        assert_eq!((of(other, &claimed), of(w.org, &claimed)), (2, 0));
    })
    .await;
}

/// Receivers that answered well before they began to hang do not take them either.
#[tokio::test(flavor = "multi_thread")]
async fn rel_18_a_practice_has_a_share() {
    World::each(async |w| {
        let other = w.another().await;
        w.webhook_of(other, false).await;
        for _ in 0..20 {
            w.webhook(false).await;
        }
        w.emit(&(0..8).collect::<Vec<_>>()).await;
        for _ in 0..4 {
            // All of them at once to each from now on.
            let claimed = w.claim("one", World::all_room()).await;
            w.record(&claimed, 200).await;
        }
        w.emit(&(0..8).collect::<Vec<_>>()).await;
        let mut under_way = UnderWay::default();
        let own = claim_all(&w, &mut under_way).await;
        assert!((SLOW_SOCKETS / 4 + 1..=SOCKETS / 4).contains(&own.len()), "{}", own.len());
        w.emit_of(other, &[1]).await;
        assert_eq!(of(other, &claim_all(&w, &mut under_way).await), 1);
    })
    .await;
}

/// An event that was tampered with is told to nobody; all others are told.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_event_holds_up_nobody() {
    World::each(async |w| {
        w.webhook(false).await;
        let other = w.another().await;
        w.webhook_of(other, false).await;
        w.emit(&[7]).await;
        w.spoil("UPDATE events SET resource_id = 8 WHERE event_type = 'patient.updated'").await;
        w.emit(&[9]).await;
        w.emit_of(other, &[1]).await;
        let claimed = claim_all(&w, &mut UnderWay::default()).await;
        assert_eq!((of(w.org, &claimed), of(other, &claimed)), (1, 1));
        assert!(claimed.iter().all(|it| it.delivery.resource_id != 8));
        let waiting = "SELECT COUNT(*) FROM events WHERE relayed = FALSE";
        assert_eq!(w.number(waiting).await, 0);
    })
    .await;
}

/// A delivery that can't be read is given up, whether it waits or was being sent; those of the same
/// and of other webhooks are sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_delivery_holds_up_nobody() {
    World::each(async |w| {
        w.webhook(false).await;
        let other = w.another().await;
        w.webhook_of(other, false).await;
        w.emit(&[7]).await;
        let begun = w.claim("one:first", World::all_room()).await;
        assert_eq!(begun.len(), 1);
        w.record(&begun, 200).await;
        w.emit(&[8, 9, 10]).await;
        w.emit_of(other, &[1]).await;
        assert!(w.claim("one:first", World::room(0, 0)).await.is_empty());
        w.spoil(DAMAGE_8).await;
        let claimed = w.claim("one:first", World::all_room()).await;
        assert_eq!((of(other, &claimed), of(w.org, &claimed)), (1, 1));
        assert_eq!(w.number(DEAD).await, 1);
        // The process that was sending these is gone, and of one nobody can tell what it was.
        w.spoil(DAMAGE_9).await;
        let again = w.claim("one:second", World::all_room()).await;
        assert_eq!((of(other, &again), of(w.org, &again)), (1, 1), "{again:?}");
        assert!(again.iter().all(|it| it.delivery.resource_id != 9));
        assert_eq!(w.number(DEAD).await, 2);
        // It may have arrived, which its practice can read.
        let log = w.rows::<SentWebhook>().await;
        let unknown: Vec<&SentWebhook> =
            log.iter().filter(|it| it.outcome == Outcome::Unknown).collect();
        assert_eq!((unknown.len(), unknown[0].resource_id), (1, 9), "{log:?}");
        w.record(&again, 200).await;
        let waiting =
            "SELECT COUNT(*) FROM webhook_deliveries WHERE state IN ('pending', 'leased')";
        assert_eq!(w.number(waiting).await, 0);
    })
    .await;
}

/// Nor does a webhook whose secret can't be read; nothing of it is sent, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_secret_holds_up_nobody() {
    World::each(async |w| {
        w.webhook(false).await;
        let other = w.another().await;
        w.webhook_of(other, false).await;
        w.emit(&[7]).await;
        w.emit_of(other, &[1]).await;
        // One of them is put into both rows.
        w.spoil(
            "UPDATE webhook_secrets SET secret = (SELECT s.secret FROM webhook_secrets s \
            ORDER BY s.id LIMIT 1)",
        )
        .await;
        let claimed = claim_all(&w, &mut UnderWay::default()).await;
        assert_eq!(claimed.len(), 1);
        let waiting = "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'pending'";
        assert_eq!(w.number(waiting).await, 1);
    })
    .await;
}
