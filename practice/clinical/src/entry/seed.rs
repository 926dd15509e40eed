//! What the first clients of a seeded practice, and those who look after them, have noted: made
//! by the system, without events. Plainly synthetic, and of no person.

use ward_identity::tables::User;
use ward_store::{Id, Scope, StoreError};

use super::table::{Entry, Kind};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What was noted: whose place, the metric, its numbers from the oldest on, days between them.
const METRICS: &[(usize, &str, &[&str], i64)] = &[
    (0, "Weight", &["92.4", "91.8", "91.1", "90.2", "89.6", "88.9"], 14),
    (0, "Blood Sugar", &["142", "131", "126"], 7),
    (1, "Weight", &["64.0", "64.3", "63.8"], 30),
    (2, "Systolic Blood Pressure", &["148", "141", "136", "133"], 10),
    (4, "Body Temperature", &["37.1"], 3),
];

/// What the clients wrote: whose place, of what type, the words, days ago.
const WRITTEN: &[(usize, Kind, &str, i64)] = &[
    (0, Kind::Food, "Oatmeal with an apple and cinnamon", 1),
    (0, Kind::Workout, "Walked around the lake for forty minutes", 2),
    (1, Kind::Sleep, "Woke twice, seven hours in all", 1),
    (4, Kind::Note, "A calm week, the evenings are easier", 4),
    (7, Kind::Symptom, "Itchy eyes after mowing the lawn", 5),
];

/// Notes something of these clients, the first of the practice.
pub async fn entries(scope: &mut Scope<'_>, clients: &[User]) -> Result<(), StoreError> {
    let whose = |place: usize| clients.get(place).filter(|client| client.active);
    let now = scope.now();
    let numbers: usize = METRICS.iter().map(|(_, _, stats, _)| stats.len()).sum();
    let many = (numbers + WRITTEN.len()) as i64;
    let start = scope.tx.reserve_ids("Entry", many, ALIGN).await?;
    let measured = METRICS.iter().flat_map(|(place, name, stats, between)| {
        let oldest = stats.len() as i64 - 1;
        (0..).zip(*stats).map(move |(at, stat)| (*place, *name, *stat, (oldest - at) * between))
    });
    let mut rows: Vec<Entry> = Vec::new();
    for (id, (place, name, stat, days)) in (start..).zip(measured) {
        let Some(client) = whose(place) else { continue };
        let author = client.dietitian_id.unwrap_or(client.id);
        let row = dated(Entry::new(Id::new(id), client, (author, Kind::Metric), now), days);
        let (category, metric_stat) = (Some(name.to_owned()), Some(stat.to_owned()));
        rows.push(Entry { category, metric_stat, viewed: true, ..row });
    }
    for (id, (place, kind, words, days)) in (start + numbers as i64..).zip(WRITTEN) {
        let Some(client) = whose(*place) else { continue };
        let row = dated(Entry::new(Id::new(id), client, (client.id, *kind), now), *days);
        rows.push(Entry { description: Some((*words).to_owned()), ..row });
    }
    scope.create_all_about(&rows, |row: &Entry| Some(row.user_id.0)).await
}

fn dated(row: Entry, days: i64) -> Entry {
    Entry { noted_at: row.noted_at.minus_micros(days * DAY), ..row }
}
