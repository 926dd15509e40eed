//! `sandbox-guard`: what a mutation costs more in a Sandbox, which looks for real people's data in
//! it and takes a record of it, than in a Production of the same program, which does neither (X6).

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::load::{self, Until};
use crate::process::Server;
use crate::table::median;
use crate::world::{self, Program};
use crate::{Check, Chosen, Row};

/// Rounds, of which each asks both.
const ROUNDS: usize = 15;
/// Mutations of a round.
const EACH: u64 = 400;
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
    Ok(vec![Row {
        name: "sandbox-guard".to_owned(),
        ward: median(guarded),
        limit: Some(median(plain)),
        unit: "us of CPU",
        checks: vec![Check::at_most("percent more", more, 5.0)],
        notes: format!(
            "a Sandbox and a Production, in turns: {ROUNDS} rounds of {EACH} notes of {LENGTH} characters"
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

/// What somebody writes of a visit: words, times, doses and numbers that are nobody's.
fn note(n: u64) -> String {
    let line = format!(
        "Seen on 2026-03-{:02} at 10:30, visit {n}. Slept 6.5 hours, 3 of 7 nights. Takes 20 mg at 8 and 50 mg at 22. ",
        1 + n % 28
    );
    line.chars().cycle().take(LENGTH).collect()
}
