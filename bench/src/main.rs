//! `make bench`: Ward against the physical limit, in one run.
//!
//! The limit programs read and write the same rows with the raw driver and
//! hand-written JSON, without GraphQL, permissions, audit or events. Each row
//! is measured limit, Ward, limit, Ward, … and quoted as the median: machines
//! are noisy, ratios of one run are not.
//!
//! Rows have names, `list@100000` or `pg-search@100`; arguments choose those
//! that begin with one of them, so `ward-bench list search@100000 overload`
//! runs a part. `webhook-waiting@2000000` runs only when it is named in full.
//! `ward-bench hostile` and `ward-bench enumeration` are measurements of their
//! own: what dear documents cost, and whether answers to guesses differ in time.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]
mod authorization;
mod charting;
mod enumeration;
mod files;
mod group_commit;
mod hostile;
mod limit;
mod limit_pg;
mod load;
mod overload;
mod process;
mod sandbox_back;
mod sandbox_days;
mod sandbox_guard;
mod sandbox_run;
mod scheduling;
mod setup;
mod sizes;
mod sockets;
mod start;
mod table;
mod webhooks;
mod world;

use anyhow::{Context, Result};

pub use table::{Check, Row};
use world::{Engine, Worlds};

/// Which rows were asked for.
pub struct Chosen(Vec<String>);

impl Chosen {
    /// Whether a row was asked for; without arguments, every one.
    pub fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|chosen| name.starts_with(chosen.as_str()))
    }

    /// Whether a row was asked for by its whole name: one that takes too long for every run.
    pub fn names(&self, name: &str) -> bool {
        self.0.iter().any(|chosen| chosen == name)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("limit") => return limit::serve(arguments.get(1).context("limit DATABASE")?).await,
        Some("limit-pg") => {
            return limit_pg::serve(arguments.get(1).context("limit-pg URL")?).await;
        }
        Some("limit-scheduling") => {
            let usage = "limit-scheduling DATABASE APPOINTMENT";
            let of = |at: usize| arguments.get(at).context(usage);
            return scheduling::limit::serve(of(1)?, of(2)?.parse()?).await;
        }
        Some("limit-charting") => {
            let usage = "limit-charting DATABASE NOTE";
            let of = |at: usize| arguments.get(at).context(usage);
            return charting::limit::serve(of(1)?, of(2)?.parse()?).await;
        }
        Some(files::STATIC) => {
            return files::serve(arguments.get(1).context("limit-file PATH")?).await;
        }
        Some("enumeration") => {
            let samples = arguments.get(1).map(|text| text.parse()).transpose()?;
            return enumeration::run(samples.unwrap_or(enumeration::SAMPLES)).await;
        }
        Some(sandbox_run::INSIDE) => return sandbox_run::inside().await,
        Some("hostile") => return hostile::run().await,
        _ => {}
    }
    let chosen = Chosen(arguments);
    let mut worlds = Worlds::new()?;
    let mut rows = Vec::new();
    rows.extend(start::measure(&chosen, &mut worlds).await?);
    rows.extend(sandbox_run::measure(&chosen).await?);
    rows.extend(sandbox_days::measure(&chosen).await?);
    rows.extend(sandbox_back::measure(&chosen).await?);
    rows.extend(sandbox_guard::measure(&chosen).await?);
    for engine in [Engine::Lite, Engine::Pg] {
        rows.extend(sizes::measure(&chosen, &mut worlds, engine).await?);
    }
    rows.extend(authorization::measure(&chosen, &mut worlds).await?);
    rows.extend(scheduling::measure(&chosen).await?);
    rows.extend(charting::measure(&chosen).await?);
    rows.extend(files::measure(&chosen).await?);
    rows.extend(sockets::measure(&chosen).await?);
    rows.extend(webhooks::measure(&chosen).await?);
    rows.extend(overload::measure(&chosen, &mut worlds).await?);
    worlds.close().await?;
    table::print(&rows)
}
