//! Webhooks: how long after its commit an event is with its receiver, how many
//! a second one receiver gets, and how soon after a start the first of many
//! that wait goes out.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::load::{self, Outcome, Until};
use crate::process::Server;
use crate::setup::{self, World};
use crate::{Check, Chosen, Row};

/// Milliseconds within which all but one in a hundred first attempts begin.
const FIRST_MS: f64 = 25.0;
/// Events a second to one receiver, delivered and in the log.
const RATE: f64 = 2_500.0;
/// Milliseconds from a start to the first of what waits.
const RESTART_MS: f64 = 2_000.0;
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much is done: a debug build shows only that it runs.
struct Size {
    idle: usize,
    a_second: u64,
    seconds: u64,
    replayed: u64,
    waiting: u64,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => Size { idle: 10, a_second: 20, seconds: 2, replayed: 150, waiting: 150 },
    false => Size { idle: 200, a_second: 500, seconds: 20, replayed: 10_000, waiting: 100_000 },
};

const CREATE: &str = "mutation($n: String) { createClient(input: {first_name: $n, last_name: \"Bench\", \
    email: $n, dont_send_welcome: true}) { user { id } messages { message } } }";
const HOOK: &str = "mutation($url: String) { createWebhook(input: {url: $url, event_type: \"patient.created\"}) \
    { webhook { id } messages { message } } }";
const REPLAY: &str = "mutation($id: ID!) { replayWebhookEvents(input: {id: $id, \
    occurred_after: \"2020-01-01T00:00:00Z\"}) { event_count messages { message } } }";

/// `webhook-first@idle`, `webhook-first@rate`, `webhook-delivered` and `webhook-restart`.
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
    if chosen.has("webhook-restart") {
        rows.push(restart().await?);
    }
    Ok(rows)
}

async fn idle() -> Result<Row> {
    let (world, ward, receiver) = begin(true).await?;
    let mut times = Vec::new();
    for n in 0..SIZE.idle {
        let id = create(ward.port, &world.key, n as u64).await?;
        let committed = Instant::now();
        let arrived = receiver.arrived(&id).await?;
        times.push(millis(arrived.saturating_duration_since(committed)));
    }
    Ok(first("webhook-first@idle", times, "one event after another"))
}

async fn at_rate() -> Result<Row> {
    let (world, ward, receiver) = begin(true).await?;
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / SIZE.a_second));
    let mut asked = Vec::new();
    for n in 0..SIZE.a_second * SIZE.seconds {
        tick.tick().await;
        let (port, key) = (ward.port, world.key.clone());
        asked.push(tokio::spawn(async move {
            let id = create(port, &key, n).await?;
            Ok::<_, anyhow::Error>((id, Instant::now()))
        }));
    }
    let mut times = Vec::new();
    for asked in asked {
        let (id, committed) = asked.await??;
        let arrived = receiver.arrived(&id).await?;
        times.push(millis(arrived.saturating_duration_since(committed)));
    }
    let notes = format!("{} events a second for {} s", SIZE.a_second, SIZE.seconds);
    Ok(first("webhook-first@rate", times, &notes))
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
    let webhook = webhook(&ward, &world.key, &receiver).await?;
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

async fn restart() -> Result<Row> {
    let (world, ward, receiver) = begin(true).await?;
    receiver.state.answers.store(false, Ordering::SeqCst);
    fill(&ward, &world.key, SIZE.waiting).await?;
    drop(ward);
    receiver.state.answers.store(true, Ordering::SeqCst);
    let seen = receiver.count();
    let began = Instant::now();
    let _ward = world.serve_with(&["--allow-loopback-webhooks"])?;
    while receiver.count() == seen {
        if began.elapsed() > PATIENCE {
            bail!("nothing came after a restart");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let waited = millis(began.elapsed());
    Ok(Row {
        name: "webhook-restart".to_owned(),
        ward: waited,
        limit: None,
        unit: " ms",
        checks: vec![Check::at_most("first ms", waited, RESTART_MS)],
        notes: format!("{} deliveries wait; with the start itself", SIZE.waiting),
    })
}

/// A world, its server and a receiver, with a webhook if one is wanted.
async fn begin(hooked: bool) -> Result<(World, Server, Receiver)> {
    let world = setup::world().await?;
    let ward = world.serve_with(&["--allow-loopback-webhooks"])?;
    let receiver = Receiver::start().await?;
    if hooked {
        webhook(&ward, &world.key, &receiver).await?;
    }
    Ok((world, ward, receiver))
}

async fn webhook(ward: &Server, key: &str, receiver: &Receiver) -> Result<String> {
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let made = load::ask(ward.port, key, HOOK, &json!({"url": url})).await?;
    let id = made["data"]["createWebhook"]["webhook"]["id"].as_str();
    Ok(id.with_context(|| made.to_string())?.to_owned())
}

fn client(n: u64) -> Json {
    json!({"n": format!("bench{n}@client.example")})
}

async fn create(port: u16, key: &str, n: u64) -> Result<String> {
    let made = load::ask(port, key, CREATE, &client(n)).await?;
    let id = made["data"]["createClient"]["user"]["id"].as_str();
    Ok(id.with_context(|| made.to_string())?.to_owned())
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

impl State {
    fn at(&self, id: &str) -> Option<Instant> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }
}

/// Takes requests and notes when each record's first came.
struct Receiver {
    port: u16,
    state: Arc<State>,
}

struct State {
    answers: AtomicBool,
    arrived: Mutex<HashMap<String, Instant>>,
}

impl Receiver {
    async fn start() -> Result<Receiver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State { answers: AtomicBool::new(true), arrived: Mutex::default() });
        let taking = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, taking.clone()));
            }
        });
        Ok(Receiver { port, state })
    }

    fn count(&self) -> usize {
        self.state.arrived.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// When the first request about a record came.
    async fn arrived(&self, id: &str) -> Result<Instant> {
        let began = Instant::now();
        loop {
            if let Some(at) = self.state.at(id) {
                return Ok(at);
            }
            if began.elapsed() > PATIENCE {
                bail!("nothing came about {id}");
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
}

async fn take(mut stream: TcpStream, state: Arc<State>) -> Result<()> {
    let mut buffer = Vec::new();
    load::answer(&mut stream, &mut buffer).await?;
    let now = Instant::now();
    if !state.answers.load(Ordering::SeqCst) {
        // Until the sender has had enough.
        let _ = stream.read(&mut [0]).await;
        return Ok(());
    }
    let text = String::from_utf8_lossy(&buffer);
    let id = text.split("\"resource_id\":").nth(1).unwrap_or_default();
    let id: String = id.chars().take_while(char::is_ascii_digit).collect();
    state.arrived.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(now);
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer.as_bytes()).await?;
    Ok(())
}
