//! `sandbox-fork`, `sandbox-reset`, `sandbox-restore`: from the request until the answer, of a running
//! Sandbox with the standard pack (X2).

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};

use crate::setup::{self, World};
use crate::{Check, Chosen, Row, load};

/// Runs of each, one after another.
const RUNS: usize = 40;
/// Clients of the standard pack.
const CLIENTS: usize = 40;

const NAMES: [&str; 3] = ["sandbox-fork", "sandbox-reset", "sandbox-restore"];

/// The rows.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    if !NAMES.iter().any(|name| chosen.has(name)) {
        return Ok(Vec::new());
    }
    let world = setup::world_of(CLIENTS).await?;
    let server = world.serve()?;
    let desk = Desk { port: server.port, key: world.key.clone() };
    desk.post("snapshots", &json!({"name": "ready"})).await?;
    let (forks, answers) = forks(&desk).await?;
    let restores = restores(&desk).await?;
    let resets = resets(&desk, &world).await?;
    let row = |name: &str, times: Vec<f64>, goal, notes: String| Row {
        name: name.to_owned(),
        ward: middle(&times),
        limit: None,
        unit: "ms",
        checks: vec![Check::at_most("p50", middle(&times), goal)],
        notes,
    };
    let first = format!("p50 of {RUNS}; with its first answer {:.2} ms", middle(&answers));
    let of = format!("p50 of {RUNS}, of the standard pack");
    let rows = [
        row(NAMES[0], forks, 10.0, first),
        row(NAMES[1], resets, 20.0, of.clone()),
        row(NAMES[2], restores, 20.0, of),
    ];
    Ok(rows.into_iter().filter(|row| chosen.has(&row.name)).collect())
}

struct Desk {
    port: u16,
    key: String,
}

impl Desk {
    async fn post(&self, path: &str, body: &Json) -> Result<Json> {
        self.send("POST", path, &body.to_string()).await
    }

    async fn send(&self, method: &str, path: &str, body: &str) -> Result<Json> {
        let request = format!(
            "{method} /sandbox/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Basic {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            self.key,
            body.len()
        );
        let answer = load::send(self.port, request.as_bytes()).await?;
        ensure!(answer.get("errors").is_none(), "{method} {path}: {answer}");
        Ok(answer)
    }
}

/// Milliseconds until a fork is there, and until it has answered.
async fn forks(desk: &Desk) -> Result<(Vec<f64>, Vec<f64>)> {
    let (mut made, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        let fork = desk.post("forks", &json!({})).await?;
        made.push(millis(began));
        let url = fork["url"].as_str().context("a fork without an address")?;
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).context("a port")?;
        load::ask(port, &desk.key, "{ currentUser { id } }", &json!(null)).await?;
        answered.push(millis(began));
        desk.send("DELETE", "forks", "").await?;
    }
    Ok((made, answered))
}

async fn restores(desk: &Desk) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        desk.post("snapshots/ready/restore", &json!({})).await?;
        times.push(millis(began));
    }
    Ok(times)
}

/// Each of a full Sandbox: between them it goes back.
async fn resets(desk: &Desk, world: &World) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        desk.post("reset", &json!({})).await?;
        times.push(millis(began));
        world.run(&["sandbox", "restore", "ready"])?;
    }
    Ok(times)
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

fn middle(times: &[f64]) -> f64 {
    crate::table::median(times.to_vec())
}
