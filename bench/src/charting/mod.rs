//! Charting: what a client's chart, a saved form, the state of intake and the export of a
//! client cost. On SQLite only; the rules are the same on PostgreSQL, where
//! `practice/charting` tries them.
//!
//! `chart-list@1000` and `@1000000` list 50 notes with their answers of a client with 1,000
//! notes, in practices with so many notes of all clients (C1). `chart-save@…` saves a finished
//! form of 120 questions (C2). Both are compared with the limit program of [`limit`], which
//! opens no sealed answer and seals none. `intake-next@…` and `intake-asked@…` tell the state of
//! the intake of 50 clients in one request, in the same practices (C3), `chart-export` exports the
//! client (C5).

mod chart;
mod copies;
mod export;
mod intake;
pub mod limit;
mod rows;

use anyhow::Result;

use crate::{Chosen, Row};
use chart::Charts;

/// How much there is: a debug build shows only that it runs.
struct Size {
    clients: usize,
    /// Notes of the practice. The first are the client's whose chart is listed.
    notes: [usize; 2],
    /// Saved forms of one run.
    saves: u64,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => Size { clients: 100, notes: [60, 600], saves: 16 },
    false => Size { clients: 1_000, notes: [1_000, 1_000_000], saves: 320 },
};

/// The rows.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut charts = Charts::default();
    let mut rows = rows::measure(chosen, &mut charts).await?;
    rows.extend(export::measure(chosen, &mut charts).await?);
    rows.extend(intake::measure(chosen, &mut charts).await?);
    Ok(rows)
}
