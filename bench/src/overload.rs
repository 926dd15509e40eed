//! Ten times the load that Ward can answer, for a minute: refusals are fast,
//! what is answered stays near the peak, memory stays bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::load::{self, Make, Outcome, Until};
use crate::sizes::CONNECTIONS;
use crate::world::{Engine, Worlds};
use crate::{Check, Chosen, Row};

const SIZE: usize = 10_000;
/// Two hundred clients: a page that takes a millisecond or two.
const PAGE: &str = "{ users(page_size: 200) { id first_name last_name email phone_number dob dietitian { id full_name } user_group { id name } active_tags { id name } } }";
/// So many times the peak is offered.
const TIMES: f64 = 10.0;
/// Over so many connections.
const CALLERS: u64 = 400;
const MINUTE: Duration = Duration::from_secs(60);

/// `overload`.
pub async fn measure(chosen: &Chosen, worlds: &mut Worlds) -> Result<Vec<Row>> {
    if !chosen.has("overload") {
        return Ok(Vec::new());
    }
    let Some(world) = worlds.get(Engine::Lite, SIZE).await? else { return Ok(Vec::new()) };
    let ward = world.ward()?;
    let request = load::graphql(ward.port, &world.key, PAGE, &json!({}));
    let asked = request.clone();
    let make: Make = Arc::new(move |_| asked.clone());
    let peak = load::run(
        ward.port,
        CONNECTIONS,
        Until::Time(Duration::from_secs(8)),
        make,
        "\"active_tags\"",
    )
    .await?
    .rate();
    let offered = peak * TIMES;
    let began = Instant::now();
    let next = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(caller(ward.port, request.clone(), next.clone(), began, offered)))
        .collect();
    let mut memory: f64 = 0.0;
    while began.elapsed() < MINUTE {
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory = memory.max(ward.memory_mib()?);
    }
    let (mut answered, mut refused) = (Vec::new(), Vec::new());
    for caller in callers {
        let (some, others) = caller.await??;
        answered.extend(some);
        refused.extend(others);
    }
    let sent = (answered.len() + refused.len()) as f64 / MINUTE.as_secs_f64();
    let (answered, refused) =
        (Outcome::of(answered, MINUTE.as_secs_f64()), Outcome::of(refused, MINUTE.as_secs_f64()));
    Ok(vec![Row {
        name: "overload".to_owned(),
        ward: answered.rate(),
        limit: Some(peak),
        unit: "/s",
        checks: vec![
            Check::at_least("goodput of the peak", answered.rate() / peak, 0.8),
            Check::at_most("refusal p99 ms", refused.p99, 50.0),
            Check::at_most("memory MiB", memory, 150.0),
        ],
        notes: format!(
            "{offered:.0}/s offered, {sent:.0}/s sent, {:.0}/s refused, p50 {:.2} ms; answered p50 {:.1} ms, p99 {:.1} ms",
            refused.rate(),
            refused.p50,
            answered.p50,
            answered.p99
        ),
    }])
}

/// One connection that sends when a request is due, or at once when it is late:
/// the times of answers and of refusals, in milliseconds.
async fn caller(
    port: u16,
    request: Vec<u8>,
    next: Arc<AtomicU64>,
    began: Instant,
    rate: f64,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (mut answered, mut refused) = (Vec::new(), Vec::new());
    let mut buffer = Vec::with_capacity(128 * 1024);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let due = began + Duration::from_secs_f64(n as f64 / rate);
        tokio::time::sleep_until(due.into()).await;
        if began.elapsed() >= MINUTE {
            return Ok((answered, refused));
        }
        let sent = Instant::now();
        stream.write_all(&request).await?;
        load::answer(&mut stream, &mut buffer).await?;
        let millis = sent.elapsed().as_secs_f64() * 1000.0;
        match buffer.get(9..12) {
            Some(b"200") => answered.push(millis),
            Some(b"503") => refused.push(millis),
            _ => bail!("{}", String::from_utf8_lossy(&buffer)),
        }
    }
}
