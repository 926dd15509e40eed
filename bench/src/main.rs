//! `make bench`: Ward against the physical limit, in one run.
//!
//! The limit programs read and write the same rows with the raw driver and
//! hand-written JSON, without GraphQL, permissions, audit or events. Each row
//! is measured limit, Ward, limit, Ward, … and quoted as the median of three:
//! machines are noisy, ratios of one run are not.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures the real clock")]
mod enumeration;
mod group_commit;
mod hostile;
mod limit;
mod load;
mod process;
mod rows;
mod setup;

use anyhow::{Context, Result};

/// One measured row.
pub struct Row {
    /// What was done.
    pub name: &'static str,
    /// Ward's figure.
    pub ward: f64,
    /// The limit's figure, where there is one.
    pub limit: Option<f64>,
    /// The unit of both.
    pub unit: &'static str,
    /// What the ratio, or the figure, should be at most (or at least).
    pub goal: Goal,
    /// Further figures of the same run.
    pub notes: String,
}

/// What a row should reach.
pub enum Goal {
    /// Ward's figure at most so many times the limit's.
    RatioAtMost(f64),
    /// Ward's figure at least so many times the limit's.
    RatioAtLeast(f64),
    /// Ward's figure at most this.
    AtMost(f64),
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.limit.map(|limit| self.ward / limit)
    }

    fn holds(&self) -> bool {
        match (&self.goal, self.ratio()) {
            (Goal::RatioAtMost(most), Some(ratio)) => ratio <= *most,
            (Goal::RatioAtLeast(least), Some(ratio)) => ratio >= *least,
            (Goal::AtMost(most), _) => self.ward <= *most,
            _ => false,
        }
    }

    fn goal_text(&self) -> String {
        match self.goal {
            Goal::RatioAtMost(most) => format!("at most {most} x the limit"),
            Goal::RatioAtLeast(least) => format!("at least {least} x the limit"),
            Goal::AtMost(most) => format!("at most {most} {}", self.unit),
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("limit") => {
            let database = arguments.next().context("limit DATABASE")?;
            return limit::serve(&database).await;
        }
        Some("enumeration") => {
            let samples = arguments.next().map(|text| text.parse()).transpose()?;
            return enumeration::run(samples.unwrap_or(enumeration::SAMPLES)).await;
        }
        Some("hostile") => return hostile::run().await,
        _ => {}
    }
    let world = setup::world().await?;
    let rows = rows::measure(&world).await?;
    print(&rows)
}

fn print(rows: &[Row]) -> Result<()> {
    eprintln!(
        "{:<44} {:>12} {:>12} {:>7}  {:<28} {:<6} notes",
        "row", "Ward", "limit", "ratio", "goal", "holds"
    );
    for row in rows {
        let number =
            |value: f64| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") };
        eprintln!(
            "{:<44} {:>12} {:>12} {:>7}  {:<28} {:<6} {}",
            row.name,
            format!("{} {}", number(row.ward), row.unit),
            row.limit.map_or_else(|| "-".to_owned(), number),
            row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            row.goal_text(),
            if row.holds() { "yes" } else { "no" },
            row.notes
        );
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let json: Vec<_> = rows
        .iter()
        .map(|row| serde_json::json!({"row": row.name, "ward": row.ward, "limit": row.limit, "unit": row.unit, "ratio": row.ratio(), "goal": row.goal_text(), "holds": row.holds(), "notes": row.notes}))
        .collect();
    println!(
        "{}",
        serde_json::to_string_pretty(
            &serde_json::json!({"load_average": load.trim(), "rows": json})
        )?
    );
    Ok(())
}
