//! Scheduling in a practice of 10,000 clients: what a provider's list, one
//! appointment, a durable booking and the times that can be had cost, and how many
//! who want one hour are answered. On SQLite only; the rules of booking are the same
//! on PostgreSQL, where `practice/scheduling` tries them.
//!
//! A list and one appointment are compared with the limit program of
//! [`limit`], a booking with the commits of [`crate::group_commit`], times with the
//! pure rule that finds them, on the same calendar and in this process.

mod bookings;
pub mod copies;
pub mod limit;
pub mod practice;
mod reads;
mod slots;

use anyhow::Result;

use crate::{Chosen, Row};
use practice::Practices;

/// How much there is, and how much is asked: a debug build shows only that it runs.
struct Size {
    clients: usize,
    /// Appointments of the practice, and of one that has been for long.
    appointments: [usize; 2],
    /// Bookings of one run against raw commits.
    creates: u64,
    /// Hours that are fought for in one run.
    hours: u64,
    /// Questions about all providers.
    org_questions: u64,
}

const SIZE: Size = match cfg!(debug_assertions) {
    true => Size {
        clients: 100,
        appointments: [2_000, 6_000],
        creates: 64,
        hours: 32,
        org_questions: 3,
    },
    false => Size {
        clients: 10_000,
        appointments: [50_000, 1_000_000],
        creates: 1_600,
        hours: 1_600,
        org_questions: 40,
    },
};

/// `schedule-list@50000`, `schedule-get@50000` and `schedule-slots@50000`, each also
/// `@1000000`; `schedule-create`, `schedule-org`, `schedule-book-one` and
/// `schedule-book-fifty`.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let mut practices = Practices::default();
    let mut rows = reads::measure(chosen, &mut practices).await?;
    rows.extend(slots::measure(chosen, &mut practices).await?);
    rows.extend(bookings::measure(chosen, &mut practices).await?);
    Ok(rows)
}

/// The sizes of which a row was asked for. The larger is compared with the smaller,
/// so that is measured with it.
fn sizes(chosen: &Chosen, word: &str) -> Vec<usize> {
    let [few, many] = SIZE.appointments;
    match chosen.has(&name(word, many)) {
        true => vec![few, many],
        false => Some(few).filter(|few| chosen.has(&name(word, *few))).into_iter().collect(),
    }
}

fn name(word: &str, size: usize) -> String {
    format!("{word}@{size}")
}
