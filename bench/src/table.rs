//! What was measured, as a table and as JSON.

use anyhow::Result;

/// One measured row.
pub struct Row {
    /// What was done.
    pub name: String,
    /// Ward's figure.
    pub ward: f64,
    /// The limit's figure, where there is one.
    pub limit: Option<f64>,
    /// The unit of both.
    pub unit: &'static str,
    /// What is compared with a goal.
    pub checks: Vec<Check>,
    /// Further figures of the same run.
    pub notes: String,
}

/// A figure and its goal.
pub struct Check {
    what: &'static str,
    value: f64,
    goal: f64,
    is_least: bool,
}

impl Check {
    /// At most so much.
    pub fn at_most(what: &'static str, value: f64, goal: f64) -> Self {
        Check { what, value, goal, is_least: false }
    }

    /// At least so much.
    pub fn at_least(what: &'static str, value: f64, goal: f64) -> Self {
        Check { what, value, goal, is_least: true }
    }

    fn holds(&self) -> bool {
        if self.is_least { self.value >= self.goal } else { self.value <= self.goal }
    }

    fn text(&self) -> String {
        let sign = if self.is_least { '≥' } else { '≤' };
        let word = if self.holds() { "" } else { " MISSED" };
        format!("{} {} ({sign} {}{word})", self.what, number(self.value), self.goal)
    }
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// Prints the rows: a table on standard error, JSON on standard output.
pub fn print(rows: &[Row]) -> Result<()> {
    eprintln!("{:<26} {:>12} {:>10}  checks; notes", "row", "Ward", "limit");
    for row in rows {
        let checks: Vec<String> = row.checks.iter().map(Check::text).collect();
        eprintln!(
            "{:<26} {:>12} {:>10}  {}; {}",
            row.name,
            format!("{} {}", number(row.ward), row.unit),
            row.limit.map_or_else(|| "-".to_owned(), number),
            checks.join(", "),
            row.notes
        );
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let json: Vec<_> = rows
        .iter()
        .map(|row| {
            let checks: Vec<_> = row
                .checks
                .iter()
                .map(|it| serde_json::json!({"what": it.what, "value": it.value, "goal": it.goal, "holds": it.holds()}))
                .collect();
            serde_json::json!({"row": row.name, "ward": row.ward, "limit": row.limit, "unit": row.unit, "checks": checks, "notes": row.notes})
        })
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "{}",
        serde_json::to_string_pretty(
            &serde_json::json!({"load_average": load.trim(), "cores": cores, "rows": json})
        )?
    );
    Ok(())
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
