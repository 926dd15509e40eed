//! The export of a client with 1,000 notes: from the request until its file is here. Where the
//! served schema has no export, the row says so.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value as Json, json};

use super::SIZE;
use super::chart::{Chart, Charts};
use crate::table::median;
use crate::{Chosen, Row, files, load};

const NAME: &str = "chart-export";
/// Exports, one after another.
const RUNS: usize = 5;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(120);

const SERVED: &str = "{ __type(name: \"Mutation\") { fields { name } } }";
const EXPORT: &str = "mutation($client: ID!) { exportClientEhi(input: {client_id: $client, \
    should_run_in_job: false}) { messages { field message } } }";
const FILES: &str = "query($client: String) { documents(private_user_id: $client, \
    should_paginate: true, page_size: 100) { id file_content_type expiring_url } }";

/// The row.
pub async fn measure(chosen: &Chosen, charts: &mut Charts) -> Result<Vec<Row>> {
    if !chosen.has(NAME) {
        return Ok(Vec::new());
    }
    let chart = charts.get(SIZE.notes[0]).await?;
    let row = |ward: f64, notes: String| Row {
        name: NAME.to_owned(),
        ward,
        limit: None,
        unit: "ms",
        checks: Vec::new(),
        notes,
    };
    if !is_served(chart).await? {
        return Ok(vec![row(f64::NAN, "not served yet".to_owned())]);
    }
    let (mut times, mut bytes) = (Vec::new(), 0);
    let mut seen = archives(chart).await?.len();
    for _ in 0..RUNS {
        let began = Instant::now();
        bytes = export(chart, seen).await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        seen = archives(chart).await?.len();
    }
    let notes = format!(
        "median of {RUNS}, from the request until the file is read: {} notes, {bytes} bytes",
        SIZE.notes[0]
    );
    Ok(vec![row(median(times), notes)])
}

async fn is_served(chart: &Chart) -> Result<bool> {
    let answer = load::ask(chart.ward.port, &chart.key, SERVED, &Json::Null).await?;
    let fields = answer["data"]["__type"]["fields"].as_array().context("no mutations")?;
    Ok(fields.iter().any(|it| it["name"] == "exportClientEhi"))
}

/// Exports the client; how large the file is.
async fn export(chart: &Chart, seen: usize) -> Result<usize> {
    let began = Instant::now();
    let asked = json!({"client": chart.client.to_string()});
    let made = load::ask(chart.ward.port, &chart.key, EXPORT, &asked).await?;
    ensure!(made["data"]["exportClientEhi"]["messages"].is_null(), "{made}");
    loop {
        let archives = archives(chart).await?;
        if archives.len() > seen {
            // Which of them is new does not matter: all are exports of the same chart.
            let link = archives.last().context("no file")?;
            return files::fetch(chart.ward.port, link).await;
        }
        if began.elapsed() > PATIENCE {
            bail!("no document of the export came");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Links of the zip files about the client.
async fn archives(chart: &Chart) -> Result<Vec<String>> {
    let asked = json!({"client": chart.client.to_string()});
    let answer = load::ask(chart.ward.port, &chart.key, FILES, &asked).await?;
    let documents = answer["data"]["documents"].as_array().context("no documents")?;
    let is_zip = |it: &&Json| it["file_content_type"].as_str().is_some_and(|it| it.contains("zip"));
    let links = documents.iter().filter(is_zip).filter_map(|it| it["expiring_url"].as_str());
    Ok(links.map(str::to_owned).collect())
}
