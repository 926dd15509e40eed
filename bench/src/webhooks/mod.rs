//! Webhooks: how long after its commit an event is with its receiver, how many
//! a second one receiver gets, what many that wait cost, and what those who
//! stall cost the others.

mod receiver;
mod stalled;
mod waiting;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tokio::net::TcpStream;

use receiver::{Answers, Receiver};

use crate::load::{self, Outcome, Until};
use crate::process::Server;
use crate::setup::{self, World};
use crate::{Check, Chosen, Row};

/// Milliseconds within which all but one in a hundred first attempts begin.
const FIRST_MS: f64 = 25.0;
/// Events a second to one receiver, delivered and in the log.
const RATE: f64 = 2_500.0;
/// How much of the wanted rate has to be reached, or it was not measured.
const REACHED: f64 = 0.95;
/// Requests at once that make events: far fewer than Ward takes.
const AT_ONCE: u64 = 64;
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ward's option to reach the receivers.
const LOOPBACK: [&str; 1] = ["--allow-loopback-webhooks"];

/// How much is done: a debug build shows only that it runs.
struct Size {
    idle: usize,
    a_second: u64,
    seconds: u64,
    replayed: u64,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => Size { idle: 10, a_second: 20, seconds: 2, replayed: 150 },
    false => Size { idle: 200, a_second: 500, seconds: 10, replayed: 10_000 },
};

const CREATE: &str = "mutation($n: String) { createClient(input: {first_name: $n, last_name: \"Bench\", \
    email: $n, dont_send_welcome: true}) { user { id } messages { message } } }";
const HOOK: &str = "mutation($url: String) { createWebhook(input: {url: $url, event_type: \"patient.created\"}) \
    { webhook { id } messages { message } } }";
const REPLAY: &str = "mutation($id: ID!) { replayWebhookEvents(input: {id: $id, \
    occurred_after: \"2020-01-01T00:00:00Z\"}) { event_count messages { message } } }";

/// `webhook-first@idle`, `webhook-first@rate`, `webhook-delivered`, and what waits and stalls.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if chosen.has("webhook-first@idle") {
        rows.push(idle().await?);
    }
    if chosen.has("webhook-first@rate") {
        rows.push(at_rate().await?);
    }
    if chosen.has("webhook-delivered") {
        rows.push(delivered().await?);
    }
    rows.extend(waiting::measure(chosen).await?);
    rows.extend(stalled::measure(chosen).await?);
    Ok(rows)
}

async fn idle() -> Result<Row> {
    let (world, ward, receiver) = begin(true).await?;
    let mut times = Vec::new();
    for n in 0..SIZE.idle {
        let id = create(ward.port, &world.key, n as u64).await?;
        let committed = Instant::now();
        let arrived = receiver.arrived(0, &id).await?;
        times.push(millis(arrived.saturating_duration_since(committed)));
    }
    Ok(first("webhook-first@idle", times, "one event after another"))
}

async fn at_rate() -> Result<Row> {
    let (world, ward, receiver) = begin(true).await?;
    // A new receiver gets one request at a time: this one is known before it counts.
    for n in 0..SIZE.idle {
        create(ward.port, &world.key, (SIZE.a_second * SIZE.seconds) + n as u64).await?;
    }
    receiver.until(SIZE.idle).await?;
    let began = Instant::now();
    let made = paced(ward.port, &world.key).await?;
    let rate = made.len() as f64 / began.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for (id, committed) in made {
        let arrived = receiver.arrived(0, &id).await?;
        times.push(millis(arrived.saturating_duration_since(committed)));
    }
    let wanted = SIZE.a_second as f64;
    let mut row = first("webhook-first@rate", times, &format!("{rate:.0} a second"));
    row.checks.push(Check::at_least("events a second", rate, REACHED * wanted));
    Ok(row)
}

/// Makes events, each at its time of the wanted rate whatever became of those before, unless all
/// connections wait for answers: then as soon as one is free.
async fn paced(port: u16, key: &str) -> Result<Vec<(String, Instant)>> {
    let (began, next) = (tokio::time::Instant::now(), Arc::new(AtomicU64::new(0)));
    let one = |_| {
        let (key, next) = (key.to_owned(), next.clone());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.set_nodelay(true)?;
            let mut made = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                // Who can't keep up has missed the rate already: it ends all the same.
                let is_late = began.elapsed() > 2 * Duration::from_secs(SIZE.seconds);
                if is_late || n >= SIZE.a_second * SIZE.seconds {
                    return Ok::<_, anyhow::Error>(made);
                }
                let after = Duration::from_micros(n * 1_000_000 / SIZE.a_second);
                tokio::time::sleep_until(began + after).await;
                let answer = load::ask_on(&mut stream, port, &key, CREATE, &client(n)).await?;
                made.push((created(&answer)?, Instant::now()));
            }
        })
    };
    let tasks: Vec<_> = (0..AT_ONCE).map(one).collect();
    let mut made = Vec::new();
    for task in tasks {
        made.extend(task.await??);
    }
    made.sort_by_key(|(_, at)| *at);
    Ok(made)
}

fn first(name: &str, times: Vec<f64>, notes: &str) -> Row {
    let seen = Outcome::of(times, 1.0);
    Row {
        name: name.to_owned(),
        ward: seen.p50,
        limit: None,
        unit: " ms",
        checks: vec![Check::at_most("p99 ms", seen.p99, FIRST_MS)],
        notes: format!("from the answer to the first attempt, {} events: {notes}", seen.requests),
    }
}

async fn delivered() -> Result<Row> {
    let (world, ward, receiver) = begin(false).await?;
    fill(&ward, &world.key, SIZE.replayed).await?;
    let webhook = webhook(&ward, &world.key, &receiver, 0).await?;
    let began = Instant::now();
    let asked = load::ask(ward.port, &world.key, REPLAY, &json!({"id": webhook})).await?;
    let count = asked["data"]["replayWebhookEvents"]["event_count"].as_u64();
    if count != Some(SIZE.replayed) {
        bail!("{asked}");
    }
    let logged = "{ sentWebhooksCount }";
    let seconds = loop {
        let data = load::ask(ward.port, &world.key, logged, &Json::Null).await?;
        if data["data"]["sentWebhooksCount"].as_u64() == count {
            break began.elapsed().as_secs_f64();
        }
        if began.elapsed() > PATIENCE {
            bail!("not all was delivered: {data}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let rate = SIZE.replayed as f64 / seconds;
    Ok(Row {
        name: "webhook-delivered".to_owned(),
        ward: rate,
        limit: None,
        unit: "/s",
        checks: vec![Check::at_least("events a second", rate, RATE)],
        notes: format!(
            "{} events to one receiver, by a replay, until all are logged",
            SIZE.replayed
        ),
    })
}

/// A world, its server and a receiver, with a webhook if one is wanted.
async fn begin(hooked: bool) -> Result<(World, Server, Receiver)> {
    let world = setup::world().await?;
    let ward = world.serve_with(&LOOPBACK)?;
    let receiver = Receiver::start(|_| Answers::AtOnce).await?;
    if hooked {
        webhook(&ward, &world.key, &receiver, 0).await?;
    }
    Ok((world, ward, receiver))
}

/// A webhook to a path of the receiver.
async fn webhook(ward: &Server, key: &str, receiver: &Receiver, path: u64) -> Result<String> {
    let url = format!("http://127.0.0.1:{}/{path}", receiver.port);
    let made = load::ask(ward.port, key, HOOK, &json!({"url": url})).await?;
    let id = made["data"]["createWebhook"]["webhook"]["id"].as_str();
    Ok(id.with_context(|| made.to_string())?.to_owned())
}

fn client(n: u64) -> Json {
    json!({"n": format!("bench{n}@client.example")})
}

async fn create(port: u16, key: &str, n: u64) -> Result<String> {
    created(&load::ask(port, key, CREATE, &client(n)).await?)
}

fn created(answer: &Json) -> Result<String> {
    let id = answer["data"]["createClient"]["user"]["id"].as_str();
    Ok(id.with_context(|| answer.to_string())?.to_owned())
}

/// Makes so many clients, as fast as it goes.
async fn fill(ward: &Server, key: &str, count: u64) -> Result<()> {
    let (port, key) = (ward.port, key.to_owned());
    let make = Arc::new(move |n| load::graphql(port, &key, CREATE, &client(n)));
    load::run(port, 32, Until::Requests(count), make, "\"id\"").await.map(drop)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
