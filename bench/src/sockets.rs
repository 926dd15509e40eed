//! One event to many sockets: how long until the last one has it, and what an
//! open subscription costs in memory. The limit writes the same bytes to as
//! many connections, without reading anything.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::load;
use crate::process::Server;
use crate::setup;
use crate::{Check, Chosen, Row};

/// Sockets, and within how many milliseconds the last has to have the event.
const SOCKETS: [(usize, f64); 2] = [(1_000, 50.0), (5_000, 250.0)];
/// Events that are measured.
const EVENTS: usize = 20;
/// KiB of memory that a socket may cost.
const KIB: f64 = 15.0;
const SUBSCRIBE: &str = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { userUpdatedSubscription { id } }"}}"#;
const CHANGE: &str = "mutation($name: String) { updateOrganizationMember(input: {first_name: $name}) { user { id } messages { message } } }";

/// `sockets@1000` and `sockets@5000`.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (count, goal) in SOCKETS {
        let name = format!("sockets@{count}");
        if !chosen.has(&name) {
            continue;
        }
        let world = setup::world().await?;
        let ward = world.serve()?;
        load::ask(ward.port, &world.key, "{ currentUser { id } }", &json!({})).await?;
        let before = ward.memory_mib()?;
        let (told, mut telling) = mpsc::unbounded_channel();
        let opened = Instant::now();
        for _ in 0..count {
            let mut stream = subscribed(&ward, &world.key).await?;
            let told = told.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 1024];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    let _ = told.send(Instant::now());
                }
            });
        }
        let opened = opened.elapsed().as_secs_f64();
        let kib = (ward.memory_mib()? - before) * 1024.0 / count as f64;
        let mut last = Vec::new();
        for n in 0..EVENTS {
            let began = Instant::now();
            let variables = json!({"name": format!("Name {n}")});
            let change = load::ask(ward.port, &world.key, CHANGE, &variables);
            let (changed, ended) = tokio::join!(change, all(&mut telling, count));
            changed?;
            last.push((ended? - began).as_secs_f64() * 1000.0);
        }
        let cpu = ward.cpu_micros()?;
        let limit = broadcast(count, TOLD).await?;
        last.sort_by(f64::total_cmp);
        let median = last[EVENTS / 2];
        rows.push(Row {
            name,
            ward: median,
            limit: Some(limit),
            unit: " ms",
            checks: vec![
                Check::at_most("last socket ms", median, goal),
                Check::at_most("KiB a socket", kib, KIB),
            ],
            notes: format!(
                "worst of {EVENTS}: {:.1} ms, with the mutation itself; {count} opened in {opened:.1} s; {:.0} ms of CPU in all",
                last[EVENTS - 1],
                cpu / 1000.0
            ),
        });
    }
    Ok(rows)
}

/// Bytes of a message with its head.
const TOLD: usize = 94;

/// Waits until so many messages came; when the last did.
async fn all(telling: &mut mpsc::UnboundedReceiver<Instant>, count: usize) -> Result<Instant> {
    let mut last = None;
    for _ in 0..count {
        let next = tokio::time::timeout(Duration::from_secs(30), telling.recv()).await;
        last = next.context("a socket was not told")?;
    }
    last.context("no socket")
}

/// A socket that listens.
async fn subscribed(ward: &Server, key: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", ward.port)).await?;
    stream.set_nodelay(true)?;
    let upgrade = format!(
        "GET /graphql/ws HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
        ward.port
    );
    stream.write_all(upgrade.as_bytes()).await?;
    answered(&mut stream, "\r\n\r\n").await?;
    let init = json!({"type": "connection_init", "payload": {"token": key}}).to_string();
    stream.write_all(&frame(&init)).await?;
    answered(&mut stream, "connection_ack").await?;
    stream.write_all(&frame(SUBSCRIBE)).await?;
    stream.write_all(&frame("{\"type\":\"ping\"}")).await?;
    let said = answered(&mut stream, "pong").await?;
    ensure!(!said.contains("error"), "a subscription was refused: {said}");
    Ok(stream)
}

/// A text message of a client, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0x80 | 126);
            frame.extend((long as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// What came until the wanted text.
async fn answered(stream: &mut TcpStream, wanted: &str) -> Result<String> {
    let mut buffer = [0; 2048];
    let mut all = String::new();
    while !all.contains(wanted) {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            bail!("closed instead of {wanted}: {all}");
        }
        all += &String::from_utf8_lossy(&buffer[..read]);
    }
    Ok(all)
}

/// The same bytes to as many connections of this process: milliseconds until
/// the last has them, the median.
async fn broadcast(count: usize, length: usize) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (told, mut telling) = mpsc::unbounded_channel();
    let mut writers = Vec::with_capacity(count);
    for _ in 0..count {
        let connecting = TcpStream::connect(("127.0.0.1", port));
        let (reader, accepted) = tokio::join!(connecting, listener.accept());
        let (writer, _) = accepted?;
        writer.set_nodelay(true)?;
        writers.push(writer);
        let (told, mut reader) = (told.clone(), reader?);
        tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(1..) = reader.read(&mut buffer).await {
                let _ = told.send(Instant::now());
            }
        });
    }
    let bytes = vec![b'x'; length];
    let mut last = Vec::new();
    for _ in 0..EVENTS {
        let began = Instant::now();
        for writer in &mut writers {
            writer.write_all(&bytes).await?;
        }
        last.push((all(&mut telling, count).await? - began).as_secs_f64() * 1000.0);
    }
    ensure!(last.len() == EVENTS, "every event was told");
    last.sort_by(f64::total_cmp);
    Ok(last[EVENTS / 2])
}
