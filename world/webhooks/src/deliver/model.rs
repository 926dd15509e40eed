//! Random histories against what has to hold in each (REL-18): a delivery is nobody's or one
//! process's, a lane is never over its bound, a record's events keep their order where that is
//! asked for, and in the end everything that was committed is delivered.

use std::collections::{BTreeMap, BTreeSet};

use ward_instance::Random;

use super::claim::Claimed;
use super::trial::World;
use crate::lane::IN_FLIGHT_MAX;
use crate::tables::{DeliveryState, Outcome, SentWebhook, WebhookDelivery};

const STEPS: usize = 60;
const SEEDS: u64 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn rel_18_random_histories() {
    for seed in 0..SEEDS {
        World::each(async |w| history(&w, seed).await).await;
    }
}

async fn history(w: &World, seed: u64) {
    let dice = Random::seeded(seed);
    let ordered = w.webhook(true).await;
    let webhooks = [w.webhook(false).await, ordered];
    let mut under_way: Vec<Claimed> = Vec::new();
    let (mut epoch, mut emitted, mut cut) = (0, 0, 0);
    for _ in 0..STEPS {
        match dice.below(10) {
            0..=2 => {
                let records: Vec<i64> =
                    (0..=dice.below(4)).map(|_| i64::try_from(dice.below(3)).unwrap()).collect();
                emitted += records.len();
                w.emit(&records).await;
            }
            3..=5 => {
                let room = World::room(usize::try_from(dice.below(6)).unwrap(), 2);
                let claimed = w.claim(&epoch.to_string(), room.clone()).await;
                assert!(claimed.len() <= room.all, "seed {seed}: more than there is room for");
                check(seed, ordered, &under_way, &claimed);
                under_way.extend(claimed);
            }
            6..=7 if !under_way.is_empty() => {
                let at = usize::try_from(dice.below(under_way.len() as u64)).unwrap();
                let done = under_way.swap_remove(at);
                let status = if dice.below(3) == 0 { 500 } else { 200 };
                w.record(&[done], status).await;
            }
            // Time alone would end the claims, too.
            8 if under_way.is_empty() => {
                w.clock.advance(i64::try_from(dice.below(600)).unwrap() * 1_000_000);
            }
            _ => {
                // The process dies: what is under way is nobody's, once its time is over.
                cut += under_way.len();
                under_way.clear();
                epoch += 1;
                w.clock.advance(super::claim::LEASE);
            }
        }
    }
    w.record(&under_way, 200).await;
    finish(w, &epoch.to_string()).await;
    let deliveries = w.rows::<WebhookDelivery>().await;
    assert_eq!(deliveries.len(), emitted * webhooks.len(), "seed {seed}");
    let states: BTreeSet<&str> = deliveries.iter().map(|it| it.state.as_str()).collect();
    assert!(
        states.iter().all(|it| *it == DeliveryState::Delivered.as_str()),
        "seed {seed}: {states:?}"
    );
    let log = w.rows::<SentWebhook>().await;
    let unknown = log.iter().filter(|it| it.outcome == Outcome::Unknown).count();
    assert_eq!(unknown, cut, "seed {seed}: a request that was cut off is in the log");
    for delivery in &deliveries {
        let lines = log.iter().filter(|it| it.delivery_id == delivery.id);
        assert_eq!(i64::try_from(lines.count()).unwrap(), delivery.attempts, "seed {seed}");
    }
    in_order(seed, ordered, &deliveries, &log);
}

/// What a claim may not break.
fn check(seed: u64, ordered: i64, under_way: &[Claimed], claimed: &[Claimed]) {
    let all: Vec<&Claimed> = under_way.iter().chain(claimed).collect();
    let ids: BTreeSet<&str> = all.iter().map(|it| it.delivery.id.0.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "seed {seed}: a delivery was claimed twice");
    let mut lanes: BTreeMap<i64, i64> = BTreeMap::new();
    let mut records: BTreeMap<i64, i64> = BTreeMap::new();
    for it in all {
        *lanes.entry(it.webhook.id.0).or_default() += 1;
        if it.webhook.id.0 == ordered {
            *records.entry(it.delivery.resource_id).or_default() += 1;
        }
    }
    assert!(lanes.values().all(|count| *count <= IN_FLIGHT_MAX), "seed {seed}: {lanes:?}");
    assert!(records.values().all(|count| *count == 1), "seed {seed}: not one by one: {records:?}");
    assert!(claimed.iter().all(|it| !it.secrets.is_empty()));
}

/// Everything succeeds from now on.
async fn finish(w: &World, epoch: &str) {
    for _ in 0..10_000 {
        let claimed = w.claim(epoch, World::all_room()).await;
        w.record(&claimed, 200).await;
        let open = "SELECT COUNT(*) FROM webhook_deliveries WHERE state IN ('pending', 'leased')";
        let unrelayed = w.number("SELECT COUNT(*) FROM events WHERE relayed = FALSE AND event_type = 'patient.updated'").await;
        if w.number(open).await + unrelayed == 0 {
            return;
        }
        if claimed.is_empty() {
            w.clock.advance(60 * 1_000_000);
        }
    }
    panic!("something is never delivered");
}

/// The last attempt of each event of a record comes after that of the one before.
fn in_order(seed: u64, ordered: i64, deliveries: &[WebhookDelivery], log: &[SentWebhook]) {
    let mut own: Vec<&WebhookDelivery> =
        deliveries.iter().filter(|it| it.webhook_id.0 == ordered).collect();
    own.sort_by_key(|it| (it.resource_id, it.position));
    for pair in own.windows(2).filter(|pair| pair[0].resource_id == pair[1].resource_id) {
        let last = log.iter().filter(|it| it.delivery_id == pair[0].id).map(|it| it.id).max();
        let first = log.iter().filter(|it| it.delivery_id == pair[1].id).map(|it| it.id).min();
        assert!(last < first, "seed {seed}: an event overtook the one before it");
    }
}
