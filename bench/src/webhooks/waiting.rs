//! Many deliveries wait: how soon after a start the first goes out, and whether what each costs
//! depends on how many there are.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rusqlite::{Connection, OpenFlags};

use super::receiver::{Answers, Receiver};
use super::{LOOPBACK, PATIENCE, fill, millis, webhook};
use crate::setup::{self, World};
use crate::{Check, Chosen, Row};

/// Milliseconds from a start to the first of what waits.
const RESTART_MS: f64 = 2_000.0;
/// What a delivery may cost with many waiting, as a multiple of what it costs with few.
const TIMES: f64 = 1.2;
/// What the many may take of memory beyond the few, in MiB.
const MEMORY_MAX: f64 = 16.0;

/// How much waits, for how many webhooks, and how many deliveries are measured after how many.
/// A debug build shows only that it runs.
struct Size {
    webhooks: u64,
    restart: u64,
    few: u64,
    many: [u64; 2],
    before: usize,
    measured: usize,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => {
        Size { webhooks: 10, restart: 200, few: 200, many: [400, 800], before: 20, measured: 100 }
    }
    false => Size {
        webhooks: 100,
        restart: 100_000,
        few: 20_000,
        many: [500_000, 2_000_000],
        before: 2_000,
        measured: 10_000,
    },
};

/// `webhook-restart` and `webhook-waiting@500000`; `webhook-waiting@2000000` only when it is named,
/// since it takes ten minutes.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if chosen.has("webhook-restart") {
        rows.push(restart().await?);
    }
    let [usual, named] = SIZE.many.map(|many| (format!("webhook-waiting@{many}"), many));
    let is_wanted = [chosen.has(&usual.0), chosen.names(&named.0)];
    if !is_wanted.contains(&true) {
        return Ok(rows);
    }
    let few = drained(SIZE.few).await?;
    for ((name, many), is_wanted) in [usual, named].into_iter().zip(is_wanted) {
        if is_wanted {
            rows.push(compared(name, &few, &drained(many).await?));
        }
    }
    Ok(rows)
}

async fn restart() -> Result<Row> {
    let seen = drained(SIZE.restart).await?;
    Ok(Row {
        name: "webhook-restart".to_owned(),
        ward: seen.first_ms,
        limit: None,
        unit: " ms",
        checks: vec![Check::at_most("first ms", seen.first_ms, RESTART_MS)],
        notes: format!(
            "{} deliveries wait for {} webhooks (made in {:.0} s); with the start itself; then {:.0} \
             a second",
            seen.waiting, SIZE.webhooks, seen.filled, seen.rate
        ),
    })
}

fn compared(name: String, few: &Drained, many: &Drained) -> Row {
    Row {
        name,
        ward: many.cpu_micros,
        limit: Some(few.cpu_micros),
        unit: " µs",
        checks: vec![
            Check::at_most("times the CPU", many.cpu_micros / few.cpu_micros, TIMES),
            Check::at_most("MiB more", many.memory - few.memory, MEMORY_MAX),
        ],
        notes: format!(
            "CPU a delivery with {} and {} waiting (made in {:.0} s); {:.0} and {:.0} a second; first \
             after {:.0} and {:.0} ms; {:.1} and {:.1} MiB",
            many.waiting,
            few.waiting,
            many.filled,
            many.rate,
            few.rate,
            many.first_ms,
            few.first_ms,
            many.memory,
            few.memory
        ),
    }
}

/// What was seen of a start with deliveries that wait.
struct Drained {
    waiting: u64,
    /// Seconds until they were there.
    filled: f64,
    /// From the start to the first request.
    first_ms: f64,
    /// Of a delivery.
    cpu_micros: f64,
    /// Deliveries a second.
    rate: f64,
    /// MiB after those that were measured.
    memory: f64,
}

async fn drained(waiting: u64) -> Result<Drained> {
    let world = setup::world().await?;
    let receiver = Receiver::start(|_| Answers::AtOnce).await?;
    let began = Instant::now();
    let waiting = filled(&world, &receiver, waiting).await?;
    let filled = began.elapsed().as_secs_f64();
    let seen = receiver.requests();
    let began = Instant::now();
    let ward = world.serve_with(&LOOPBACK)?;
    let first = receiver.until(seen + 1).await?;
    let first_ms = millis(first - began);
    let seen = seen + SIZE.before;
    let began = receiver.until(seen).await?;
    let cpu = ward.cpu_micros()?;
    let ended = receiver.until(seen + SIZE.measured).await?;
    let measured = SIZE.measured as f64;
    Ok(Drained {
        waiting,
        filled,
        first_ms,
        cpu_micros: (ward.cpu_micros()? - cpu) / measured,
        rate: measured / (ended - began).as_secs_f64(),
        memory: ward.memory_mib()?,
    })
}

/// Makes about so many deliveries that are due, and leaves the server stopped; how many there are.
/// Each event has one for each webhook. Meanwhile the receivers are slow, which is no failure after
/// which something would rest.
async fn filled(world: &World, receiver: &Receiver, waiting: u64) -> Result<u64> {
    receiver.set_busy(true);
    let ward = world.serve_with(&LOOPBACK)?;
    for path in 0..SIZE.webhooks {
        webhook(&ward, &world.key, receiver, path).await?;
    }
    fill(&ward, &world.key, waiting / SIZE.webhooks).await?;
    let database = world.dir().join("ward.db");
    let lite = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let count = |sql: &str| lite.query_row(sql, [], |row| row.get::<_, i64>(0));
    let began = Instant::now();
    while count("SELECT SUM(last_position) FROM webhook_lanes")?.unsigned_abs() < waiting {
        if began.elapsed() > PATIENCE * 5 {
            bail!("{waiting} deliveries were not made");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(ward);
    let due = count("SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'pending'")?;
    let due = due.unsigned_abs();
    if due < waiting * 9 / 10 {
        bail!("only {due} of {waiting} deliveries wait");
    }
    receiver.set_busy(false);
    Ok(due)
}
