//! How soon Ward answers after its start, and how little memory it needs.

use anyhow::Result;
use serde_json::json;

use crate::table::median;
use crate::world::{Engine, Worlds};
use crate::{Check, Chosen, Row, load};

/// `start` and `memory`.
pub async fn measure(chosen: &Chosen, worlds: &mut Worlds) -> Result<Vec<Row>> {
    if !chosen.has("start") && !chosen.has("memory") {
        return Ok(Vec::new());
    }
    let (engine, size) = (Engine::Lite, 10_000);
    let Some(world) = worlds.get(engine, size).await? else { return Ok(Vec::new()) };
    let key = world.key.clone();
    let (mut times, mut memory) = (Vec::new(), 0.0);
    for _ in 0..5 {
        let began = worlds.restart(engine, size)?;
        let Some(world) = worlds.get(engine, size).await? else { continue };
        load::ask(world.ward()?.port, &key, "{ currentUser { id } }", &json!(null)).await?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        memory = world.ward()?.memory_mib()?;
    }
    let millis = median(times);
    let row = |name: &str, ward, unit, goal| Row {
        name: name.to_owned(),
        ward,
        limit: None,
        unit,
        checks: vec![Check::at_most("itself", ward, goal)],
        notes: "median of 5, 10,000 clients".to_owned(),
    };
    Ok(vec![row("start", millis, "ms", 60.0), row("memory", memory, "MiB", 35.0)])
}
