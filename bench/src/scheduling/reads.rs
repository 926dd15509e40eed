//! A provider's latest appointments, one appointment, and a durable booking: against
//! the limit, and how the first two grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};

use super::practice::{BOOK, BUSY, Desk, Practice, Practices};
use super::{SIZE, name, sizes};
use crate::load::{self, Make, Until};
use crate::sizes::{CONNECTIONS, Figures, Goal, ROUNDS, RUN, grow, row};
use crate::{Chosen, Row};

/// The 50 latest of a provider's.
const LIST: &str = "query($provider: ID) { appointments(provider_id: $provider, filter: \"all\", \
    should_paginate: true, page_size: 50) { id date length pm_status user { id full_name } provider { id full_name } appointment_type { id name } } }";
/// One appointment.
const GET: &str = "query($id: ID) { appointment(id: $id) \
    { id date length pm_status user { id full_name } provider { id full_name } appointment_type { id name } } }";
/// Days ahead from which on bookings are compared with raw commits: nothing else is there.
const FIRST_DAY: i64 = 1_000;

/// What is done.
#[derive(Clone, Copy, PartialEq)]
enum What {
    List,
    Get,
    Create,
}

/// `schedule-list@…`, `schedule-get@…` and `schedule-create`.
pub async fn measure(chosen: &Chosen, practices: &mut Practices) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, word, goal) in [
        (What::List, "schedule-list", Goal::Cpu(2.5)),
        (What::Get, "schedule-get", Goal::Cpu(3.5)),
        (What::Create, "schedule-create", Goal::Rate(0.4)),
    ] {
        let sizes = match what {
            What::List | What::Get => sizes(chosen, word),
            What::Create if chosen.has(word) => vec![SIZE.appointments[0]],
            What::Create => Vec::new(),
        };
        let mut runs: Vec<(Vec<Figures>, Vec<Figures>)> =
            sizes.iter().map(|_| (Vec::new(), Vec::new())).collect();
        for _ in 0..ROUNDS {
            for (size, (limits, wards)) in sizes.iter().zip(&mut runs) {
                let practice = practices.get(*size).await?;
                limits.push(of_limit(practice, what).await?);
                wards.push(of_ward(practice, what).await?);
            }
        }
        let first = rows.len();
        for (size, (limits, wards)) in sizes.into_iter().zip(runs) {
            let name = if what == What::Create { word.to_owned() } else { name(word, size) };
            rows.push(row(name, goal, &limits, &wards));
        }
        grow(&mut rows[first..], 1.2);
    }
    Ok(rows)
}

/// Whether Ward and the limit answer the same to the same questions.
pub async fn agree(practice: &Practice) -> Result<()> {
    for what in [What::List, What::Get] {
        let ask = |port, make: Make| async move { load::send(port, &make(1)).await };
        let ward = ask(practice.ward.port, ward_requests(practice, what)).await?;
        let limit = ask(practice.limit.port, limit_requests(practice, what)).await?;
        let some = |it: &Json| it["data"].to_string().chars().take(400).collect::<String>();
        let answers = || format!("Ward: {}\nthe limit: {}", some(&ward), some(&limit));
        ensure!(ward["data"] == limit["data"], "two answers to one question\n{}", answers());
    }
    Ok(())
}

async fn of_ward(practice: &Practice, what: What) -> Result<Figures> {
    let before = practice.ward.cpu_micros()?;
    let make = ward_requests(practice, what);
    let outcome =
        load::run(practice.ward.port, CONNECTIONS, until(what), make, expected(what)).await?;
    Ok(Figures::of(&outcome, practice.ward.cpu_micros()? - before))
}

async fn of_limit(practice: &Practice, what: What) -> Result<Figures> {
    let before = practice.limit.cpu_micros()?;
    let make = limit_requests(practice, what);
    let outcome =
        load::run(practice.limit.port, CONNECTIONS, until(what), make, expected(what)).await?;
    Ok(Figures::of(&outcome, practice.limit.cpu_micros()? - before))
}

fn until(what: What) -> Until {
    if what == What::Create { Until::Requests(SIZE.creates) } else { Until::Time(RUN) }
}

fn expected(what: What) -> &'static str {
    if what == What::Create { "\"messages\":null" } else { "\"full_name\"" }
}

fn ward_requests(practice: &Practice, what: What) -> Make {
    let (port, key) = (practice.ward.port, practice.key.clone());
    let (desk, samples) = (practice.desk.clone(), practice.samples.clone());
    match what {
        What::List => Arc::new(move |n| {
            let variables = json!({"provider": provider(&desk, n).to_string()});
            load::graphql(port, &key, LIST, &variables)
        }),
        What::Get => Arc::new(move |n| {
            let variables = json!({"id": samples[n as usize % samples.len()].to_string()});
            load::graphql(port, &key, GET, &variables)
        }),
        What::Create => bookings(port, key, desk),
    }
}

fn limit_requests(practice: &Practice, what: What) -> Make {
    let port = practice.limit.port;
    let (desk, samples) = (practice.desk.clone(), practice.samples.clone());
    Arc::new(move |n| {
        let path = match what {
            What::List => format!("/list?provider={}", provider(&desk, n)),
            What::Get => format!("/get?id={}", samples[n as usize % samples.len()]),
            What::Create => "/create".to_owned(),
        };
        load::post(port, &path, None, "")
    })
}

fn provider(desk: &Desk, n: u64) -> i64 {
    desk.pairs[n as usize % BUSY].provider
}

/// Hours that nobody has, of one provider after another.
fn bookings(port: u16, key: String, desk: Desk) -> Make {
    static BOOKED: AtomicU64 = AtomicU64::new(0);
    Arc::new(move |_| {
        let n = BOOKED.fetch_add(1, Ordering::Relaxed);
        let pairs = desk.pairs.len();
        let hours = FIRST_DAY * 24 + (n / pairs as u64) as i64;
        let input = desk.booking(n as usize % pairs, hours, false).unwrap_or_default();
        load::graphql(port, &key, BOOK, &input)
    })
}
