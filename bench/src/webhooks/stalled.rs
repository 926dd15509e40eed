//! A thousand receivers of ten organizations, of which one in a hundred never answers and another
//! answers after nine seconds: what the others notice of it.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;

use super::receiver::{Answers, Receiver};
use super::{LOOPBACK, create, millis, webhook};
use crate::load::{self, Outcome};
use crate::setup;
use crate::{Check, Chosen, Row};

/// The others' slowest in a hundred, as a multiple of what it is without those that stall.
const TIMES: f64 = 1.5;

/// An organization has at most 100 webhooks, each of which hears of each event: so many deliveries
/// come of one. A debug build shows only that it runs.
struct Size {
    organizations: usize,
    /// Webhooks of each.
    webhooks: usize,
    events_a_second: u64,
    seconds: u64,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => Size { organizations: 2, webhooks: 10, events_a_second: 2, seconds: 3 },
    false => Size { organizations: 10, webhooks: 100, events_a_second: 5, seconds: 40 },
};

const SIGN_UP: &str = "mutation($email: String) { signUp(input: {role: \"dietitian\", email: $email, \
    password: \"violet-harbour-93-lantern\", first_name: \"Bench\", last_name: \"Owner\", \
    legal_name: \"Bench\"}) { user { id } messages { message } } }";

/// `webhook-stalled`.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    if !chosen.has("webhook-stalled") {
        return Ok(Vec::new());
    }
    let without = others(|_| Answers::AtOnce).await?;
    let with = others(|path| match path % SIZE.webhooks {
        0 => Answers::Never,
        1 => Answers::AfterNineSeconds,
        _ => Answers::AtOnce,
    })
    .await?;
    Ok(vec![Row {
        name: "webhook-stalled".to_owned(),
        ward: with.p99,
        limit: Some(without.p99),
        unit: " ms",
        checks: vec![Check::at_most("times the p99", with.p99 / without.p99, TIMES)],
        notes: format!(
            "p99 from an event to its first attempts, {} deliveries a second to {} receivers; p50 \
             {:.1} and {:.1} ms without; {} attempts each",
            SIZE.events_a_second as usize * SIZE.webhooks,
            SIZE.organizations * SIZE.webhooks,
            with.p50,
            without.p50,
            with.requests
        ),
    }])
}

/// From each event to the first attempt at each receiver that does not stall in either run.
async fn others(how: fn(usize) -> Answers) -> Result<Outcome> {
    let world = setup::world().await?;
    let ward = world.serve_with(&LOOPBACK)?;
    let receiver = Receiver::start(how).await?;
    let mut keys = vec![world.key.clone()];
    for n in 1..SIZE.organizations {
        let email = format!("owner{n}@bench.example");
        let made = load::ask(ward.port, &world.key, SIGN_UP, &json!({"email": email})).await?;
        made["data"]["signUp"]["user"]["id"].as_str().with_context(|| made.to_string())?;
        keys.push(world.key_of(&email)?);
    }
    for (n, key) in keys.iter().enumerate() {
        for path in 0..SIZE.webhooks {
            webhook(&ward, key, &receiver, (n * SIZE.webhooks + path) as u64).await?;
        }
    }
    // Each receiver is known before it counts: a new one is taken for slow.
    let (first, all) = (keys.len() as u64, SIZE.events_a_second * SIZE.seconds);
    told(ward.port, &keys, &receiver, 0..first).await?;
    let times = told(ward.port, &keys, &receiver, first..first + all).await?;
    Ok(Outcome::of(times, SIZE.seconds as f64))
}

/// Makes events at their pace, in one organization after another.
async fn told(
    port: u16,
    keys: &[String],
    receiver: &Receiver,
    events: Range<u64>,
) -> Result<Vec<f64>> {
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / SIZE.events_a_second));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut asked = Vec::new();
    for n in events {
        tick.tick().await;
        let organization = n as usize % keys.len();
        let key = keys[organization].clone();
        asked.push(tokio::spawn(async move {
            let id = create(port, &key, n).await?;
            Ok::<_, anyhow::Error>((organization, id, Instant::now()))
        }));
    }
    let mut times = Vec::new();
    for asked in asked {
        let (organization, id, committed) = asked.await??;
        for path in 2..SIZE.webhooks {
            let arrived = receiver.arrived(organization * SIZE.webhooks + path, &id).await?;
            times.push(millis(arrived.saturating_duration_since(committed)));
        }
    }
    Ok(times)
}
