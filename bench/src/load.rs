//! A closed-loop load: so many connections, each with one request in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// When a run ends.
#[derive(Clone, Copy)]
pub enum Until {
    /// After so long.
    Time(Duration),
    /// After so many requests.
    Requests(u64),
}

/// What a run did.
pub struct Outcome {
    /// Requests answered.
    pub requests: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The middle answer time, in milliseconds.
    pub p50: f64,
    /// All but one in a hundred were faster, in milliseconds.
    pub p99: f64,
}

impl Outcome {
    /// From each answer's time in milliseconds.
    pub fn of(mut times: Vec<f64>, seconds: f64) -> Self {
        times.sort_by(f64::total_cmp);
        let at =
            |share: f64| times.get(((times.len() as f64) * share) as usize).copied().unwrap_or(0.0);
        Outcome { requests: times.len() as u64, seconds, p50: at(0.5), p99: at(0.99) }
    }

    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds
    }
}

/// A request's bytes for the n-th request of a run.
pub type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// A POST of a JSON body.
pub fn post(port: u16, path: &str, key: Option<&str>, body: &str) -> Vec<u8> {
    let key = key.map_or_else(String::new, |key| format!("Authorization: Basic {key}\r\n"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{key}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A GraphQL request.
pub fn graphql(port: u16, key: &str, query: &str, variables: &Json) -> Vec<u8> {
    let body = serde_json::json!({"query": query, "variables": variables}).to_string();
    post(port, "/graphql", Some(key), &body)
}

/// Whether an answer is one that was to come.
pub type Judge = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Runs a load for a while. Every answer has to hold `expected`.
pub async fn run(
    port: u16,
    connections: usize,
    until: Until,
    make: Make,
    expected: &'static str,
) -> Result<Outcome> {
    let judge = Arc::new(move |answer: &[u8]| contains(answer, expected.as_bytes()));
    run_judged(port, connections, until, make, judge).await
}

/// The same where answers differ.
pub async fn run_judged(
    port: u16,
    connections: usize,
    until: Until,
    make: Make,
    judge: Judge,
) -> Result<Outcome> {
    let counter = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let goes_on = move |n: u64| match until {
        Until::Time(time) => started.elapsed() < time,
        Until::Requests(requests) => n < requests,
    };
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (make, counter, judge) = (make.clone(), counter.clone(), judge.clone());
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
                stream.set_nodelay(true)?;
                let mut times = Vec::new();
                let mut buffer = Vec::with_capacity(64 * 1024);
                loop {
                    let n = counter.fetch_add(1, Ordering::Relaxed);
                    if !goes_on(n) {
                        return Ok::<_, anyhow::Error>(times);
                    }
                    let request = make(n);
                    let sent = Instant::now();
                    stream.write_all(&request).await?;
                    answer(&mut stream, &mut buffer).await?;
                    if !judge(&buffer) {
                        bail!("another answer: {}", String::from_utf8_lossy(&buffer));
                    }
                    times.push(sent.elapsed().as_secs_f64() * 1000.0);
                }
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    Ok(Outcome::of(times, started.elapsed().as_secs_f64()))
}

/// Asks Ward once.
pub async fn ask(port: u16, key: &str, query: &str, variables: &Json) -> Result<Json> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    ask_on(&mut stream, port, key, query, variables).await
}

/// The same on a connection that is there.
pub async fn ask_on(
    stream: &mut TcpStream,
    port: u16,
    key: &str,
    query: &str,
    variables: &Json,
) -> Result<Json> {
    stream.write_all(&graphql(port, key, query, variables)).await?;
    let json = json(stream).await?;
    if json.get("errors").is_some() {
        bail!("{json}");
    }
    Ok(json)
}

/// Sends one request by itself; its answer.
pub async fn send(port: u16, request: &[u8]) -> Result<Json> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    json(&mut stream).await
}

async fn json(stream: &mut TcpStream) -> Result<Json> {
    let mut buffer = Vec::new();
    answer(stream, &mut buffer).await?;
    let at = find(&buffer, b"\r\n\r\n").context("an answer")? + 4;
    Ok(serde_json::from_slice(&buffer[at..])?)
}

/// Reads one answer with a Content-Length, or chunked.
pub async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    let mut chunk = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut chunk).await?;
        if read == 0 {
            bail!("the connection was closed");
        }
        buffer.extend_from_slice(&chunk[..read]);
        let Some(head) = find(buffer, b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length
            .map(|length| length.trim().parse::<usize>())
            .transpose()
            .context("a content length")?;
        match length {
            Some(length) if buffer.len() >= head + 4 + length => return Ok(()),
            Some(_) => {}
            None if buffer.ends_with(b"0\r\n\r\n") => return Ok(()),
            None => {}
        }
    }
}

/// Whether the one holds the other.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    find(haystack, needle).is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
