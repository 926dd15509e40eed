//! A client's notes with their answers, and a durable save of a long form: against the limit, and
//! how they grow.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use serde_json::json;

use super::SIZE;
use super::chart::{Chart, Charts, SAVE};
use crate::load::{self, Make, Until};
use crate::sizes::{CONNECTIONS, Figures, Goal, ROUNDS, RUN, grow, row};
use crate::{Chosen, Row};

/// 50 notes of a client with their answers.
const LIST: &str = "query($client: String) { formAnswerGroups(user_id: $client, should_paginate: true, page_size: 50) \
    { id name created_at filler { id full_name } form_answers { id custom_module_id label answer } } }";
/// What a list may cost more in a practice of a thousand times as many notes.
pub const GROWTH: f64 = 1.3;

/// What is done.
#[derive(Clone, Copy, PartialEq)]
enum What {
    List,
    Save,
}

/// `chart-list@…` and `chart-save@…`.
pub async fn measure(chosen: &Chosen, charts: &mut Charts) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    for (what, name) in [(What::List, "chart-list"), (What::Save, "chart-save")] {
        let (mut rows, sizes) = (Vec::new(), sizes(chosen, name));
        for (notes, figures) in sizes.iter().zip(runs(charts, what, &sizes).await?) {
            rows.push(row(format!("{name}@{notes}"), Goal::None, &figures.0, &figures.1));
        }
        grow(&mut rows, GROWTH);
        all.append(&mut rows);
    }
    Ok(all)
}

/// In how large practices a row is measured. The name of the smaller begins that of the larger: named
/// in full, only the smaller is meant. The larger is compared with the smaller, so that is measured
/// with it.
pub fn sizes(chosen: &Chosen, row: &str) -> Vec<usize> {
    let [few, many] = SIZE.notes;
    let name = |notes: usize| format!("{row}@{notes}");
    let is_smaller = chosen.names(&name(few)) && !chosen.names(&name(many));
    match chosen.has(&name(many)) && !is_smaller {
        true => vec![few, many],
        false => Some(few).filter(|few| chosen.has(&name(*few))).into_iter().collect(),
    }
}

/// Figures of the limit and of Ward, for each size.
async fn runs(
    charts: &mut Charts,
    what: What,
    sizes: &[usize],
) -> Result<Vec<(Vec<Figures>, Vec<Figures>)>> {
    let mut runs: Vec<(Vec<Figures>, Vec<Figures>)> =
        sizes.iter().map(|_| (Vec::new(), Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (size, (limits, wards)) in sizes.iter().zip(&mut runs) {
            let chart = charts.get(*size).await?;
            limits.push(of_limit(chart, what).await?);
            wards.push(of_ward(chart, what).await?);
        }
    }
    Ok(runs)
}

async fn of_ward(chart: &Chart, what: What) -> Result<Figures> {
    let before = chart.ward.cpu_micros()?;
    let port = chart.ward.port;
    let make = ward_requests(chart, what);
    let outcome = load::run(port, CONNECTIONS, until(what), make, expected(what)).await?;
    Ok(Figures::of(&outcome, chart.ward.cpu_micros()? - before))
}

async fn of_limit(chart: &Chart, what: What) -> Result<Figures> {
    let before = chart.limit.cpu_micros()?;
    let (port, client) = (chart.limit.port, chart.client);
    let make: Make = Arc::new(move |_| match what {
        What::List => load::post(port, &format!("/list?client={client}"), None, ""),
        What::Save => load::post(port, "/create", None, ""),
    });
    let outcome = load::run(port, CONNECTIONS, until(what), make, expected(what)).await?;
    Ok(Figures::of(&outcome, chart.limit.cpu_micros()? - before))
}

fn until(what: What) -> Until {
    if what == What::Save { Until::Requests(SIZE.saves) } else { Until::Time(RUN) }
}

fn expected(what: What) -> &'static str {
    if what == What::Save { "\"messages\":null" } else { "\"label\"" }
}

fn ward_requests(chart: &Chart, what: What) -> Make {
    let (port, key) = (chart.ward.port, chart.key.clone());
    match what {
        What::List => {
            let variables = json!({"client": chart.client.to_string()});
            let request = load::graphql(port, &key, LIST, &variables);
            Arc::new(move |_| request.clone())
        }
        What::Save => saves(port, key, chart),
    }
}

/// The form of one client after another.
fn saves(port: u16, key: String, chart: &Chart) -> Make {
    static SAVED: AtomicU64 = AtomicU64::new(0);
    let (form, others) = (chart.form.clone(), chart.others.clone());
    Arc::new(move |_| {
        let n = SAVED.fetch_add(1, Ordering::Relaxed);
        let client = others[n as usize % others.len()];
        load::graphql(port, &key, SAVE, &form.filled(client, n))
    })
}
