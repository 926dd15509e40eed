//! The state of intake of 50 clients of a group, of whom each has three forms to fill in: the
//! next step of each in a list of clients, and for each by itself whether there is one.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};

use super::SIZE;
use super::chart::Form;
use crate::load::{self, Make, Until};
use crate::process::Server;
use crate::scheduling::practice::{changed, id};
use crate::sizes::{CONNECTIONS, ROUNDS, RUN};
use crate::table::median;
use crate::{Check, Chosen, Row, setup};

/// Clients of one request.
const CLIENTS: usize = 50;
/// Steps of the flow.
const STEPS: usize = 3;

const GROUP: &str = "mutation($input: createGroupInput) { createGroup(input: $input) \
    { user_group { id } messages { field message } } }";
const JOIN: &str = "mutation($input: updateClientInput) { updateClient(input: $input) \
    { user { id } messages { field message } } }";
const FLOW: &str = "mutation($input: createOnboardingFlowInput) { createOnboardingFlow(input: $input) \
    { onboardingFlow { id } messages { field message } } }";
const STEP: &str = "mutation($input: createOnboardingItemInput) { createOnboardingItem(input: $input) \
    { onboardingItem { id } messages { field message } } }";
const NEXT: &str = "query($group: String) { users(group_id: $group, page_size: 50) \
    { id any_incomplete_onboarding_steps next_onboarding_step { id display_name } } }";

/// `intake-next` and `intake-asked`.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    let asked: Vec<&str> =
        ["intake-next", "intake-asked"].into_iter().filter(|name| chosen.has(name)).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let world = setup::world_of(SIZE.clients).await?;
    let ward = world.serve()?;
    let (group, clients) = prepare(ward.port, &world.key).await?;
    let mut rows = Vec::new();
    for name in asked {
        let (query, variables, expected) = match name {
            "intake-next" => {
                let step = "\"next_onboarding_step\":{";
                (NEXT.to_owned(), json!({"group": group.to_string()}), step)
            }
            _ => (each(&clients), Json::Null, "\"c49\":true"),
        };
        let request = load::graphql(ward.port, &world.key, &query, &variables);
        rows.push(of(name, &ward, Arc::new(move |_| request.clone()), expected).await?);
    }
    Ok(rows)
}

async fn of(name: &str, ward: &Server, make: Make, expected: &'static str) -> Result<Row> {
    let (mut cpu, mut p50, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = ward.cpu_micros()?;
        let run = load::run(ward.port, CONNECTIONS, Until::Time(RUN), make.clone(), expected);
        let outcome = run.await?;
        cpu.push((ward.cpu_micros()? - before) / outcome.requests as f64);
        p50.push(outcome.p50);
        p99.push(outcome.p99);
    }
    let (p50, p99) = (median(p50), median(p99));
    Ok(Row {
        name: name.to_owned(),
        ward: median(cpu),
        limit: None,
        unit: "us CPU",
        checks: vec![Check::at_most("p99/p50", p99 / p50, 3.0)],
        notes: format!(
            "{CLIENTS} clients with {STEPS} steps in one request, p50 {p50:.2} ms, p99 {p99:.2} ms"
        ),
    })
}

/// Whether each has forms to complete, asked by 50 names.
fn each(clients: &[i64]) -> String {
    let one = |(n, id): (usize, &i64)| format!("c{n}: hasFormsToComplete(user_id: \"{id}\")");
    let fields: Vec<String> = clients.iter().enumerate().map(one).collect();
    format!("{{ {} }}", fields.join(" "))
}

/// Makes a group of clients whom three forms are asked of.
async fn prepare(port: u16, key: &str) -> Result<(i64, Vec<i64>)> {
    let input = json!({"input": {"name": "Bench intake"}});
    let group = changed(port, key, GROUP, "createGroup", input).await?;
    let group = id(&group["user_group"])?;
    let flow = json!({"input": {"name": "Bench intake",
        "groups_to_use_onboarding_flow": group.to_string()}});
    let flow = changed(port, key, FLOW, "createOnboardingFlow", flow).await?;
    let flow = id(&flow["onboardingFlow"])?;
    for n in 0..STEPS {
        let form = Form::make(port, key, (format!("Intake {n}").as_str(), false), 1).await?;
        let input = json!({"input": {"onboarding_flow_id": flow.to_string(),
            "item_type": "custom_module_form", "item_id": form.id().to_string()}});
        changed(port, key, STEP, "createOnboardingItem", input).await?;
    }
    let query = "{ currentUser { organization { id } } users(page_size: 100, active_status: \"Active\") \
        { id organization { id } } }";
    let found = load::ask(port, key, query, &Json::Null).await?;
    let own = &found["data"]["currentUser"]["organization"];
    let users = found["data"]["users"].as_array().context("no clients")?;
    let theirs = users.iter().filter(|it| it["organization"] == *own).take(CLIENTS);
    let clients: Vec<i64> = theirs.map(id).collect::<Result<_>>()?;
    ensure!(clients.len() == CLIENTS, "only {} clients", clients.len());
    for client in &clients {
        let input = json!({"input": {"id": client.to_string(),
            "user_group_id": group.to_string()}});
        changed(port, key, JOIN, "updateClient", input).await?;
    }
    Ok((group, clients))
}
