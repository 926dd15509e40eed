//! The state of intake of 50 clients of a group, of whom each has three forms to fill in: the
//! next step of each in a list of clients, and for each by itself whether there is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};

use super::chart::{Chart, Charts, Form};
use super::rows::{GROWTH, sizes};
use crate::load::{self, Make, Until};
use crate::scheduling::practice::{changed, id};
use crate::sizes::{CONNECTIONS, Figures, Goal, ROUNDS, RUN, grow, row};
use crate::{Chosen, Row};

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

/// What is asked.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Next,
    Asked,
}

/// A group of clients in a practice.
struct Group {
    id: i64,
    clients: Vec<i64>,
}

/// `intake-next@…` and `intake-asked@…`.
pub async fn measure(chosen: &Chosen, charts: &mut Charts) -> Result<Vec<Row>> {
    let mut groups = BTreeMap::new();
    let mut rows = Vec::new();
    for (what, word) in [(What::Next, "intake-next"), (What::Asked, "intake-asked")] {
        let sizes = sizes(chosen, word);
        for notes in &sizes {
            let chart = charts.get(*notes).await?;
            if !groups.contains_key(notes) {
                groups.insert(*notes, prepare(chart.ward.port, &chart.key).await?);
            }
        }
        let mut runs: Vec<Vec<Figures>> = sizes.iter().map(|_| Vec::new()).collect();
        for _ in 0..ROUNDS {
            for (notes, figures) in sizes.iter().zip(&mut runs) {
                figures.push(of_ward(charts.get(*notes).await?, what, &groups[notes]).await?);
            }
        }
        let first = rows.len();
        for (notes, figures) in sizes.iter().zip(&runs) {
            let mut row = row(format!("{word}@{notes}"), Goal::None, &[], figures);
            row.limit = None;
            row.notes = format!(
                "{CLIENTS} clients with {STEPS} steps in one request; {}",
                row.notes.replace(" (limit NaN)", "")
            );
            rows.push(row);
        }
        grow(&mut rows[first..], GROWTH);
    }
    Ok(rows)
}

async fn of_ward(chart: &Chart, what: What, group: &Group) -> Result<Figures> {
    let (query, variables, expected) = match what {
        What::Next => {
            let step = "\"next_onboarding_step\":{";
            (NEXT.to_owned(), json!({"group": group.id.to_string()}), step)
        }
        What::Asked => (each(&group.clients), Json::Null, "\"c49\":true"),
    };
    let request = load::graphql(chart.ward.port, &chart.key, &query, &variables);
    let make: Make = Arc::new(move |_| request.clone());
    let before = chart.ward.cpu_micros()?;
    let until = Until::Time(RUN);
    let outcome = load::run(chart.ward.port, CONNECTIONS, until, make, expected).await?;
    Ok(Figures::of(&outcome, chart.ward.cpu_micros()? - before))
}

/// Whether each has forms to complete, asked by 50 names.
fn each(clients: &[i64]) -> String {
    let one = |(n, id): (usize, &i64)| format!("c{n}: hasFormsToComplete(user_id: \"{id}\")");
    let fields: Vec<String> = clients.iter().enumerate().map(one).collect();
    format!("{{ {} }}", fields.join(" "))
}

/// Makes a group of clients whom three forms are asked of.
async fn prepare(port: u16, key: &str) -> Result<Group> {
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
    Ok(Group { id: group, clients })
}
