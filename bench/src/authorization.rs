//! What authorization costs: the same request of the owner, who sees all, and
//! of a provider, whose every row passes the rule of care and sub-organization.

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};

use crate::load::{self, Make, Until};
use crate::sizes::{CONNECTIONS, GET, LIST};
use crate::table::median;
use crate::world::{Engine, World, Worlds};
use crate::{Check, Chosen, Row};

const SIZE: usize = 10_000;
const ROUNDS: usize = 3;
const RUN: std::time::Duration = std::time::Duration::from_millis(1_500);

/// `authorization-list` and `authorization-get`.
pub async fn measure(chosen: &Chosen, worlds: &mut Worlds) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, query) in [("authorization-list", LIST), ("authorization-get", GET)] {
        if !chosen.has(name) {
            continue;
        }
        if worlds.get(Engine::Lite, SIZE).await?.is_none() {
            continue;
        }
        let provider = {
            let Some(world) = worlds.get(Engine::Lite, SIZE).await? else { continue };
            provider_of(world).await?
        };
        let key = worlds.key(Engine::Lite, SIZE, &provider.email)?;
        let Some(world) = worlds.get(Engine::Lite, SIZE).await? else { continue };
        let variables = json!({"id": provider.client});
        let (mut theirs, mut owners) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            owners.push(cpu(world, &world.key, query, &variables).await?);
            theirs.push(cpu(world, &key, query, &variables).await?);
        }
        let (ward, limit) = (median(theirs), median(owners));
        rows.push(Row {
            name: name.to_owned(),
            ward,
            limit: Some(limit),
            unit: "us CPU",
            checks: vec![Check::at_most("ratio", ward / limit, 1.5)],
            notes: "a provider against the owner, 10,000 clients".to_owned(),
        });
    }
    Ok(rows)
}

struct Provider {
    email: String,
    client: String,
}

/// A provider with a client of theirs.
async fn provider_of(world: &World) -> Result<Provider> {
    let query = "{ users(page_size: 50) { id dietitian { email } } }";
    let answer = load::ask(world.ward()?.port, &world.key, query, &json!(null)).await?;
    let clients = answer["data"]["users"].as_array().cloned().unwrap_or_default();
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let found = clients.iter().find_map(|client| {
        Some(Provider { email: text(&client["dietitian"]["email"])?, client: text(&client["id"])? })
    });
    found.context("no client has a provider with an address")
}

async fn cpu(world: &World, key: &str, query: &str, variables: &Json) -> Result<f64> {
    let port = world.ward()?.port;
    let request = load::graphql(port, key, query, variables);
    let make: Make = std::sync::Arc::new(move |_| request.clone());
    let before = world.ward_cpu().await?;
    let outcome = load::run(port, CONNECTIONS, Until::Time(RUN), make, "\"first_name\"").await?;
    Ok((world.ward_cpu().await? - before) / outcome.requests as f64)
}
