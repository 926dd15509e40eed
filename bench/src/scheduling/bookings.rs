//! Many who want the same hours, where only a free time will do: how many are answered,
//! and that nobody's time is given twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use anyhow::Result;

use super::SIZE;
use super::practice::{BOOK, HOUR_MICROS, Practice, Practices};
use crate::load::{self, Judge, Make, Until};
use crate::sizes::{CONNECTIONS, ROUNDS};
use crate::table::median;
use crate::{Check, Chosen, Row};

/// So many want each hour, one after another or at once.
const RIVALS: u64 = 4;
/// Days ahead of the first hours: behind all copies of a small practice.
const FIRST_DAY: i64 = 200;
const TAKEN: &[u8] = b"That time is not available.";

/// `schedule-book-one` and `schedule-book-fifty`.
pub async fn measure(chosen: &Chosen, practices: &mut Practices) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, is_spread) in [("schedule-book-one", false), ("schedule-book-fifty", true)] {
        if chosen.has(name) {
            let practice = practices.get(SIZE.appointments[0]).await?;
            rows.push(booked(name, practice, is_spread).await?);
        }
    }
    Ok(rows)
}

async fn booked(name: &str, practice: &Practice, is_spread: bool) -> Result<Row> {
    let (mut rates, mut answers, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    let (mut had, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let seen = Arc::new(Seen::default());
        let outcome = load::run_judged(
            practice.ward.port,
            CONNECTIONS,
            Until::Requests(SIZE.hours * RIVALS),
            requests(practice, is_spread),
            seen.clone().judge(),
        )
        .await?;
        let booked = seen.booked.load(Ordering::Relaxed);
        had += booked;
        refused += seen.refused.load(Ordering::Relaxed);
        rates.push(booked as f64 / outcome.seconds);
        answers.push(outcome.rate());
        tails.push(outcome.p99);
    }
    let overlaps = overlaps(practice)?;
    let wanted = SIZE.hours * ROUNDS as u64;
    Ok(Row {
        name: name.to_owned(),
        ward: median(rates),
        limit: None,
        unit: "/s",
        checks: vec![
            Check::at_most("overlaps", overlaps as f64, 0.0),
            Check::at_least("of the hours", had as f64 / wanted as f64, 1.0),
        ],
        notes: format!(
            "{had} booked, {refused} refused in {ROUNDS} runs; {RIVALS} want each hour over \
             {CONNECTIONS} connections; {:.0} answers a second, p99 {:.1} ms",
            median(answers),
            median(tails)
        ),
    })
}

/// What became of the requests.
#[derive(Default)]
struct Seen {
    booked: AtomicU64,
    refused: AtomicU64,
}

impl Seen {
    fn judge(self: Arc<Self>) -> Judge {
        Arc::new(move |answer| {
            let count = match load::contains(answer, b"\"messages\":null") {
                true => &self.booked,
                false if load::contains(answer, TAKEN) => &self.refused,
                false => return false,
            };
            count.fetch_add(1, Ordering::Relaxed);
            true
        })
    }
}

/// Requests for hours that nobody had before this run: all of the last provider's, or of
/// one provider after another.
fn requests(practice: &Practice, is_spread: bool) -> Make {
    static DAYS: AtomicI64 = AtomicI64::new(FIRST_DAY);
    let first = DAYS.fetch_add(SIZE.hours as i64 / 24 + 1, Ordering::Relaxed) * 24;
    let (port, key, desk) = (practice.ward.port, practice.key.clone(), practice.desk.clone());
    Arc::new(move |n| {
        let (wanted, pairs) = (n / RIVALS, desk.pairs.len() as u64);
        let (pair, hour) = match is_spread {
            true => (wanted % pairs, wanted / pairs),
            false => (pairs - 1, wanted),
        };
        let input = desk.booking(pair as usize, first + hour as i64, true).unwrap_or_default();
        load::graphql(port, &key, BOOK, &input)
    })
}

/// Pairs of appointments that take the same time of somebody's, behind the copies.
fn overlaps(practice: &Practice) -> Result<i64> {
    let since = practice.desk.epoch + FIRST_DAY * 24 * HOUR_MICROS;
    let found = practice.look()?.query_row(
        "SELECT COUNT(*) FROM calendar_entries a JOIN calendar_entries b ON b.org_id = a.org_id \
         AND b.user_id = a.user_id AND b.appointment_id > a.appointment_id AND b.start_at >= ?1 \
         AND b.start_at < a.end_at AND a.start_at < b.end_at WHERE a.start_at >= ?1",
        [since],
        |row| row.get(0),
    )?;
    Ok(found)
}
