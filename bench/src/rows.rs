//! The measured rows.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use crate::load::{self, Make, Outcome};
use crate::process::Server;
use crate::setup::{self, World};
use crate::{Goal, Row};

/// How long one run of a load takes.
const RUN: Duration = Duration::from_secs(4);
/// Interleaved runs of each row.
const ROUNDS: usize = 3;
/// Connections.
const CONNECTIONS: usize = 32;

const LIST: &str = "{ users(page_size: 50) { id first_name last_name email phone_number dob dietitian { id full_name } user_group { id name } active_tags { id name } } }";
const GET: &str = "query($id: ID) { user(id: $id) { id first_name last_name email } }";
const CREATE: &str = "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { field message } } }";

/// Measures every row.
pub async fn measure(world: &World) -> Result<Vec<Row>> {
    let mut rows = vec![start(world).await?];
    let ward = world.serve()?;
    setup::ask(&ward, &world.key, LIST, json!(null)).await?;
    rows.push(Row {
        name: "memory idle (PSS)",
        ward: ward.memory_mib()?,
        limit: None,
        unit: "MiB",
        goal: Goal::AtMost(35.0),
        notes: String::new(),
    });
    let limit = Server::start(
        Command::new(std::env::current_exe()?).arg("limit").arg(world.limit_database()),
    )?;
    let body = |query: &str, variables: serde_json::Value| {
        json!({"query": query, "variables": variables}).to_string()
    };
    let list = body(LIST, json!({}));
    let get = body(GET, json!({"id": world.client_id}));
    rows.push(
        reads(
            &ward,
            &limit,
            world,
            "list of 50 clients, CPU a request, 32 conns",
            "/list",
            list,
            "\"active_tags\"",
            Goal::RatioAtMost(2.5),
        )
        .await?,
    );
    rows.push(
        reads(
            &ward,
            &limit,
            world,
            "get one client, CPU a request, 32 conns",
            "/get",
            get,
            "\"first_name\"",
            Goal::RatioAtMost(3.5),
        )
        .await?,
    );
    rows.push(create(&ward, &limit, world).await?);
    rows.push(Row {
        name: "memory after load (PSS)",
        ward: ward.memory_mib()?,
        limit: None,
        unit: "MiB",
        goal: Goal::AtMost(90.0),
        notes: String::new(),
    });
    Ok(rows)
}

/// From the start of the process on an existing directory to its first answer.
async fn start(world: &World) -> Result<Row> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let ward = world.serve()?;
        setup::ask(&ward, &world.key, "{ currentUser { id } }", json!(null)).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(Row {
        name: "start to first answer",
        ward: median(times),
        limit: None,
        unit: "ms",
        goal: Goal::AtMost(60.0),
        notes: format!("median of 5, 1,040 clients, {} cores", cores()),
    })
}

#[expect(clippy::too_many_arguments, reason = "one call for each row of the table")]
async fn reads(
    ward: &Server,
    limit: &Server,
    world: &World,
    name: &'static str,
    path: &str,
    body: String,
    expected: &'static str,
    goal: Goal,
) -> Result<Row> {
    let asked: Make = fixed(load::post(ward.port, "/graphql", Some(&world.key), &body));
    let raw: Make = fixed(load::post(limit.port, path, None, ""));
    let (mut ours, mut theirs, mut notes) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..ROUNDS {
        theirs.push(cpu(limit, &raw, expected).await?.0);
        let (micros, outcome) = cpu(ward, &asked, expected).await?;
        notes = format!(
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
            outcome.requests as f64 / outcome.seconds,
            outcome.p50,
            outcome.p99
        );
        ours.push(micros);
    }
    Ok(Row { name, ward: median(ours), limit: Some(median(theirs)), unit: "us", goal, notes })
}

async fn create(ward: &Server, limit: &Server, world: &World) -> Result<Row> {
    let (port, key) = (ward.port, world.key.clone());
    let run = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (mut ours, mut theirs, mut notes) = (Vec::new(), Vec::new(), String::new());
    let raw: Make = fixed(load::post(limit.port, "/create", None, ""));
    for _ in 0..ROUNDS {
        let outcome = load::run(limit.port, CONNECTIONS, RUN, raw.clone(), "createClient").await?;
        theirs.push(outcome.requests as f64 / outcome.seconds);
        let round = run.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let key = key.clone();
        let made: Make = Arc::new(move |n| {
            let input = json!({"first_name": "Load", "last_name": format!("Test{round}x{n}"), "email": format!("load{round}x{n}@example.com"), "dont_send_welcome": true});
            load::post(
                port,
                "/graphql",
                Some(&key),
                &json!({"query": CREATE, "variables": {"input": input}}).to_string(),
            )
        });
        let before = ward.cpu_micros()?;
        let outcome = load::run(ward.port, CONNECTIONS, RUN, made, "\"messages\":null").await?;
        let micros = (ward.cpu_micros()? - before) / outcome.requests as f64;
        notes = format!("{micros:.0} us CPU, p50 {:.1} ms, p99 {:.1} ms", outcome.p50, outcome.p99);
        ours.push(outcome.requests as f64 / outcome.seconds);
    }
    Ok(Row {
        name: "durable create, a second, 32 conns",
        ward: median(ours),
        limit: Some(median(theirs)),
        unit: "/s",
        goal: Goal::RatioAtLeast(0.4),
        notes,
    })
}

/// CPU microseconds a request.
async fn cpu(server: &Server, make: &Make, expected: &'static str) -> Result<(f64, Outcome)> {
    let before = server.cpu_micros()?;
    let outcome = load::run(server.port, CONNECTIONS, RUN, make.clone(), expected).await?;
    Ok(((server.cpu_micros()? - before) / outcome.requests as f64, outcome))
}

fn fixed(request: Vec<u8>) -> Make {
    Arc::new(move |_| request.clone())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
