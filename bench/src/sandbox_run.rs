//! `sandbox-run`: from the start of `ward sandbox run` until its command has the first answer of the
//! seeded Sandbox, and the memory that it then takes, of both processes (X1, X3). `sandbox-many`: a
//! hundred of them one after another, and ten at once (X4).

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{Check, Chosen, Row, load, world};

/// Runs, one after another.
const RUNS: usize = 50;
/// What this program is called with inside of a run.
pub const INSIDE: &str = "first-answer";

/// Asks once, says so, and waits for the end of its input.
pub async fn inside() -> Result<()> {
    let of = |name: &str| std::env::var(name).with_context(|| name.to_owned());
    let url = of("WARD_URL")?;
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).context("a port")?;
    load::ask(port, &of("WARD_API_KEY")?, "{ currentUser { id } }", &json!(null)).await?;
    let mut out = std::io::stdout();
    writeln!(out, "answered")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// The rows.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if chosen.has("sandbox-run") {
        rows.push(one(&world::release()?)?);
    }
    if chosen.has("sandbox-many") {
        rows.push(many(&world::release()?)?);
    }
    Ok(rows)
}

fn one(ward: &Path) -> Result<Row> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    // The first fills the caches of the machine.
    run(ward)?;
    for _ in 0..RUNS {
        let (millis, mib) = run(ward)?;
        times.push(millis);
        memory.push(mib);
    }
    times.sort_by(f64::total_cmp);
    memory.sort_by(f64::total_cmp);
    let (p50, p95) = (times[RUNS / 2], times[RUNS * 95 / 100]);
    let most = memory[RUNS - 1];
    Ok(Row {
        name: "sandbox-run".to_owned(),
        ward: p50,
        limit: None,
        unit: "ms",
        checks: vec![
            Check::at_most("p95", p95, 400.0),
            Check::at_most("MiB of both processes", most, 60.0),
        ],
        notes: format!("start to first answer, p50 of {RUNS}, standard pack"),
    })
}

/// Sandboxes one after another, and at once.
const MANY: usize = 100;
const AT_ONCE: usize = 10;

fn many(ward: &Path) -> Result<Row> {
    let began = Instant::now();
    for _ in 0..MANY {
        ended(Command::new(ward).args(["sandbox", "run", "--", "true"]))?;
    }
    let seconds = began.elapsed().as_secs_f64();
    let together = Instant::now();
    ended(Command::new(ward).args(["sandbox", "pool", &AT_ONCE.to_string(), "--", "true"]))?;
    let together = together.elapsed().as_secs_f64();
    Ok(Row {
        name: "sandbox-many".to_owned(),
        ward: seconds / MANY as f64 * 1_000.0,
        limit: None,
        unit: "ms",
        checks: Vec::new(),
        notes: format!(
            "each of {MANY} one after another, from start to end: {seconds:.1} s in all; \
             {AT_ONCE} at once in {together:.2} s"
        ),
    })
}

fn ended(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "a run failed: {status}");
    Ok(())
}

/// Milliseconds until the first answer, and MiB after it.
fn run(ward: &Path) -> Result<(f64, f64)> {
    let began = Instant::now();
    let mut child = Command::new(ward)
        .args(["sandbox", "run", "--"])
        .arg(std::env::current_exe()?)
        .arg(INSIDE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
    let millis = began.elapsed().as_secs_f64() * 1_000.0;
    ensure!(line.trim() == "answered", "no answer: {line:?}");
    let mib = memory(&child)?;
    drop(child.stdin.take());
    ensure!(child.wait()?.success(), "a run failed");
    Ok((millis, mib))
}

/// Proportional memory of the run and of its keeper, without the command's.
fn memory(child: &Child) -> Result<f64> {
    let run = child.id();
    let children = std::fs::read_to_string(format!("/proc/{run}/task/{run}/children"))?;
    let keeper = children.split_whitespace().next().context("no keeper")?.parse()?;
    [run, keeper].into_iter().map(crate::process::memory_mib).sum()
}
