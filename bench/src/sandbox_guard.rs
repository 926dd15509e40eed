//! `sandbox-guard`: what looking for real people's data adds to a mutation (X6): the look's own time
//! of the processor beside that of the same mutation in a Production, which does not look. The note
//! says what a Sandbox takes more in all, which takes a record of each request, too.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::json;
use ward_engine::In;
use ward_server::tripwire;

use crate::load::{self, Until};
use crate::process::{Server, cpu_micros};
use crate::table::median;
use crate::world::{self, Program};
use crate::{Check, Chosen, Row};

/// Rounds, of which each asks both.
const ROUNDS: usize = 15;
/// Mutations of a round.
const EACH: u64 = 400;
/// So long looks alone are measured.
const LOOKS: Duration = Duration::from_secs(1);
/// Characters of the note that is stored.
const LENGTH: usize = 2_000;

const CREATE: &str =
    "mutation ($input: createClientInput) { createClient(input: $input) { user { id } } }";
const UPDATE: &str = "mutation ($input: updateClientInput) { updateClient(input: $input) { user { id } messages { message } } }";

/// The row.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    if !chosen.has("sandbox-guard") {
        return Ok(Vec::new());
    }
    let ward = world::release()?;
    let folder = tempfile::tempdir()?;
    let sandbox = Asked::start("sandbox", &ward, folder.path()).await?;
    let production = Asked::start("production", &ward, folder.path()).await?;
    let (mut guarded, mut plain, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..ROUNDS {
        // Whoever is asked first finds the machine in another state.
        let (with, without) = if n % 2 == 0 {
            let with = sandbox.round().await?;
            (with, production.round().await?)
        } else {
            let without = production.round().await?;
            (sandbox.round().await?, without)
        };
        guarded.push(with);
        plain.push(without);
        ratios.push(with / without);
    }
    let more = (median(ratios) - 1.0) * 100.0;
    let (plain, look) = (median(plain), cpu_of_look()?);
    Ok(vec![Row {
        name: "sandbox-guard".to_owned(),
        ward: median(guarded),
        limit: Some(plain),
        unit: "us of CPU",
        checks: vec![Check::at_most("percent for the look", look / plain * 100.0, 5.0)],
        notes: format!(
            "the look alone {look:.1} us; a Sandbox with its record of requests {more:.1} % more than a \
             Production, in turns: {ROUNDS} rounds of {EACH} notes of {LENGTH} characters"
        ),
    }])
}

/// A running instance with a client.
struct Asked {
    server: Server,
    key: String,
    client: String,
}

impl Asked {
    async fn start(kind: &'static str, ward: &Path, folder: &Path) -> Result<Self> {
        let program = Program { kind, ward: ward.to_owned(), dir: folder.join(kind), url: None };
        let key = program.born()?;
        let server = program.serve()?;
        let input = json!({"first_name": "Measured", "last_name": "Client", "email": "measured@client.example", "dont_send_welcome": true});
        let made = load::ask(server.port, &key, CREATE, &json!({"input": input})).await?;
        let client = made["data"]["createClient"]["user"]["id"].as_str();
        let client = client.with_context(|| made.to_string())?.to_owned();
        Ok(Asked { server, key, client })
    }

    /// Microseconds of the processor that a mutation takes.
    async fn round(&self) -> Result<f64> {
        let (port, key, client) = (self.server.port, self.key.clone(), self.client.clone());
        let make = move |n: u64| {
            let input = json!({"id": client, "quick_notes": note(n)});
            load::graphql(port, &key, UPDATE, &json!({"input": input}))
        };
        let before = self.server.cpu_micros()?;
        let expected = "\"messages\":null";
        load::run(port, 1, Until::Requests(EACH), std::sync::Arc::new(make), expected).await?;
        Ok((self.server.cpu_micros()? - before) / EACH as f64)
    }
}

/// Microseconds of this process for one look at what the mutation is given; nothing else runs in it.
fn cpu_of_look() -> Result<f64> {
    let cpu = || cpu_micros(std::process::id()).context("no CPU time of this process");
    let inputs: Vec<In> = (0..EACH)
        .map(|n| {
            let text = |text: String| In::Text(text.into());
            In::Object(BTreeMap::from([
                ("id".to_owned(), text("2094000001".to_owned())),
                ("quick_notes".to_owned(), text(note(n))),
            ]))
        })
        .collect();
    let (began, before, mut looks) = (Instant::now(), cpu()?, 0);
    while began.elapsed() < LOOKS {
        for input in &inputs {
            let found =
                tripwire::arguments([("input", std::hint::black_box(input))].into_iter(), &[]);
            anyhow::ensure!(found.is_none(), "nobody's data is taken for somebody's");
            looks += 1;
        }
    }
    Ok((cpu()? - before) / f64::from(looks))
}

/// What somebody writes of a visit: words, times, doses and numbers that are nobody's.
fn note(n: u64) -> String {
    let line = format!(
        "Seen on 2026-03-{:02} at 10:30, visit {n}. Slept 6.5 hours, 3 of 7 nights. Takes 20 mg at 8 and 50 mg at 22. ",
        1 + n % 28
    );
    line.chars().cycle().take(LENGTH).collect()
}
