//! List, count, get, search and create at several sizes of the practice,
//! each against the limit, and how they grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::load::{self, Make, Until};
use crate::table::median;
use crate::world::{Engine, SIZES, Sample, World, Worlds};
use crate::{Check, Chosen, Row};

/// How long one run of reads takes.
pub const RUN: Duration = Duration::from_millis(1_500);
/// Requests of one run of creates: few, so that a small practice stays small.
const CREATES: u64 = 320;
/// Interleaved runs of each row.
pub const ROUNDS: usize = 3;
/// Connections.
pub const CONNECTIONS: usize = 32;

/// Fifty clients with what a list shows of them.
pub const LIST: &str = "{ users(page_size: 50) { id first_name last_name email phone_number dob dietitian { id full_name } user_group { id name } active_tags { id name } } }";
const TOTAL: &str = "{ usersCount users(page_size: 50) { id first_name last_name email phone_number dob dietitian { id full_name } user_group { id name } active_tags { id name } } }";
/// One client.
pub const GET: &str = "query($id: ID) { user(id: $id) { id first_name last_name email } }";
const SEARCH: &str =
    "query($k: String) { users(page_size: 25, keywords: $k) { id first_name last_name email } }";
const CREATE: &str = "mutation($input: createClientInput) { createClient(input: $input) { user { id } messages { field message } } }";

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    List,
    /// A list and how many there are in all.
    Total,
    Get,
    /// For somebody: by name, telephone number or e-mail address.
    Search,
    /// For a word that nearly everybody has.
    Common,
    Create,
}

impl What {
    fn goal(self) -> Goal {
        match self {
            What::List => Goal::Cpu(2.5),
            What::Get => Goal::Cpu(3.5),
            What::Create => Goal::Rate(0.4),
            What::Total | What::Search | What::Common => Goal::None,
        }
    }

    /// How much more a large practice may cost than a small one.
    fn slope(self) -> f64 {
        if matches!(self, What::Search | What::Common) { 2.0 } else { 1.2 }
    }
}

const ALL: [(What, &str); 6] = [
    (What::List, "list"),
    (What::Total, "total"),
    (What::Get, "get"),
    (What::Search, "search"),
    (What::Common, "common"),
    (What::Create, "create"),
];

/// One run's figures: microseconds of CPU a request, requests a second, milliseconds.
pub struct Figures {
    cpu: f64,
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Figures {
    /// Of a run that took so many microseconds of CPU.
    pub fn of(outcome: &load::Outcome, cpu_micros: f64) -> Self {
        let cpu = cpu_micros / outcome.requests as f64;
        Figures { cpu, rate: outcome.rate(), p50: outcome.p50, p99: outcome.p99 }
    }
}

/// How Ward is to compare with the limit.
#[derive(Clone, Copy)]
pub enum Goal {
    /// At most so many times its CPU.
    Cpu(f64),
    /// At least so much of its rate.
    Rate(f64),
    None,
}

/// Rows such as `list@100`, on PostgreSQL `pg-list@100`.
pub async fn measure(chosen: &Chosen, worlds: &mut Worlds, engine: Engine) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, word) in ALL {
        let name = |size: usize| format!("{}{word}@{size}", engine.prefix());
        let sizes: Vec<usize> = SIZES.into_iter().filter(|size| chosen.has(&name(*size))).collect();
        let mut runs: Vec<(Vec<Figures>, Vec<Figures>)> =
            sizes.iter().map(|_| (Vec::new(), Vec::new())).collect();
        for round in 0..ROUNDS {
            for (size, (limits, wards)) in sizes.iter().zip(&mut runs) {
                let Some(world) = worlds.get(engine, *size).await? else {
                    eprintln!("NOT RUN: {} (no WARD_BENCH_POSTGRES)", name(*size));
                    return Ok(rows);
                };
                limits.push(of_limit(world, what, word).await?);
                wards.push(of_ward(world, what, round).await?);
            }
        }
        let first = rows.len();
        for (size, (limits, wards)) in sizes.into_iter().zip(runs) {
            rows.push(row(name(size), what.goal(), &limits, &wards));
        }
        grow(&mut rows[first..], what.slope());
    }
    Ok(rows)
}

/// What several runs of one row come to: the median of each figure.
pub fn row(name: String, goal: Goal, limits: &[Figures], wards: &[Figures]) -> Row {
    let middle = |all: &[Figures], of: fn(&Figures) -> f64| median(all.iter().map(of).collect());
    let (ward, limit) = (middle(wards, |it| it.cpu), middle(limits, |it| it.cpu));
    let (p50, p99) = (middle(wards, |it| it.p50), middle(wards, |it| it.p99));
    let (rate, limit_rate) = (middle(wards, |it| it.rate), middle(limits, |it| it.rate));
    let ratio = match goal {
        Goal::Cpu(most) => Some(Check::at_most("ratio", ward / limit, most)),
        Goal::Rate(least) => Some(Check::at_least("rate ratio", rate / limit_rate, least)),
        Goal::None => None,
    };
    let tail = Check::at_most("p99/p50", p99 / p50, 3.0);
    Row {
        name,
        ward,
        limit: Some(limit),
        unit: "us CPU",
        checks: ratio.into_iter().chain([tail]).collect(),
        notes: format!("{rate:.0}/s (limit {limit_rate:.0}), p50 {p50:.2} ms, p99 {p99:.2} ms"),
    }
}

/// How the rows of larger practices compare with the smallest one's.
pub fn grow(rows: &mut [Row], goal: f64) {
    let Some((first, others)) = rows.split_first_mut() else { return };
    for row in others {
        row.checks.insert(0, Check::at_most("slope", row.ward / first.ward, goal));
    }
}

async fn of_ward(world: &World, what: What, round: usize) -> Result<Figures> {
    let port = world.ward()?.port;
    let (make, expected) = requests(world, port, what, round);
    let before = world.ward_cpu().await?;
    let outcome = load::run(port, CONNECTIONS, until(what), make, expected).await?;
    Ok(Figures::of(&outcome, world.ward_cpu().await? - before))
}

async fn of_limit(world: &World, what: What, word: &'static str) -> Result<Figures> {
    let port = world.limit.port;
    let samples = world.samples.clone();
    let make: Make = Arc::new(move |n| {
        let sample = &samples[n as usize % samples.len()];
        let (id, email) = (sample.id, &sample.email);
        load::post(port, &format!("/{word}?id={id}&email={email}"), None, "")
    });
    let expected = if what == What::Create { "createClient" } else { "\"first_name\"" };
    let before = world.limit_cpu().await?;
    let outcome = load::run(port, CONNECTIONS, until(what), make, expected).await?;
    Ok(Figures::of(&outcome, world.limit_cpu().await? - before))
}

fn until(what: What) -> Until {
    if what == What::Create { Until::Requests(CREATES) } else { Until::Time(RUN) }
}

fn requests(world: &World, port: u16, what: What, round: usize) -> (Make, &'static str) {
    let key = world.key.clone();
    let fixed = |query: &str, variables| -> Make {
        let request = load::graphql(port, &key, query, &variables);
        Arc::new(move |_| request.clone())
    };
    let each = |query: &'static str, variables: fn(u64, &Sample) -> serde_json::Value| -> Make {
        let (key, samples) = (key.clone(), world.samples.clone());
        Arc::new(move |n| {
            let sample = &samples[n as usize % samples.len()];
            load::graphql(port, &key, query, &variables(n, sample))
        })
    };
    match what {
        What::List => (fixed(LIST, json!({})), "\"active_tags\""),
        What::Total => (fixed(TOTAL, json!({})), "\"active_tags\""),
        What::Get => (each(GET, |_, it| json!({"id": it.id.to_string()})), "\"first_name\""),
        What::Search => (each(SEARCH, |n, it| json!({"k": keywords(n, it)})), "\"first_name\""),
        What::Common => (fixed(SEARCH, json!({"k": "example.com"})), "\"first_name\""),
        What::Create => (creates(port, key, round), "\"messages\":null"),
    }
}

/// As people look for somebody.
fn keywords(n: u64, it: &Sample) -> String {
    match n / 7 % 3 {
        0 => format!("{} {}", it.last_name, it.first_name),
        1 => it.phone.replace('-', "."),
        _ => it.email.clone(),
    }
}

fn creates(port: u16, key: String, round: usize) -> Make {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    Arc::new(move |n| {
        let input = json!({"first_name": "Load", "last_name": format!("Test{round}x{n}"), "email": format!("load{run}x{n}@example.com"), "dont_send_welcome": true});
        load::graphql(port, &key, CREATE, &json!({"input": input}))
    })
}
