//! The catalogue (behaviour 14): each event of a domain that is built is fired by its real
//! operation and received. `docs/webhook-events.md` is written from what this finds.

use std::collections::BTreeSet;
use std::path::Path;

use ward_tests::{BASELINE, Engine, json, tell, until};

use crate::fired::{Done, ROWS};
use crate::practice::Practice;

/// The page, written anew by `WARD_UPDATE=1`.
const PAGE: &str = "../docs/webhook-events.md";

#[test]
fn every_event_of_a_built_domain_is_fired_by_its_operation() {
    let practice = Practice::open(Engine::Sqlite);
    let reply = practice.api().gql(BASELINE, "{ webhookEventTypes }", json!({}));
    let catalogue: Vec<String> = serde_names(&reply.data()["webhookEventTypes"]);
    let names: Vec<&str> = catalogue.iter().map(String::as_str).collect();
    practice.webhook("/hook", &names);
    let mut done = Done::default();
    for row in ROWS {
        let seen: BTreeSet<String> = ids(&practice);
        let input = (row.input)(&practice, &done);
        let payload = practice.run(row.operation, row.shown, &input);
        assert!(payload["messages"].is_null(), "{}: {payload}", row.operation);
        if ["scheduled_message.sent", "sent_notification_record.created"].contains(&row.event) {
            practice
                .api()
                .post("/sandbox/v1/clock/advance", &json!({"by": "PT24H", "settle": true}));
        }
        let received = until(row.event, || {
            let new = |it: &crate::receiver::Received| !seen.contains(it.header("webhook-id"));
            let all = practice.receiver.at("/hook");
            all.into_iter().find(|it| new(it) && it.event() == row.event)
        });
        done.keep(row.event, received.resource());
    }
    let page = page(&catalogue);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os("WARD_UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == page,
        "docs/webhook-events.md is not what fires; run this with WARD_UPDATE=1"
    );
    // Nothing fires that the page does not name.
    let fired: BTreeSet<String> =
        practice.receiver.at("/hook").iter().map(|it| it.event()).collect();
    let known: BTreeSet<String> = ROWS.iter().map(|row| row.event.to_owned()).collect();
    assert_eq!(fired, known);
    tell("webhooks", format_args!("{} of {} events fire", known.len(), catalogue.len()));
}

fn serde_names(list: &ward_tests::Json) -> Vec<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn ids(practice: &Practice) -> BTreeSet<String> {
    let all = practice.receiver.at("/hook");
    all.iter().map(|it| it.header("webhook-id").to_owned()).collect()
}

fn page(catalogue: &[String]) -> String {
    let mut page = String::from(
        "# Webhook events\n\nWritten by the test that fires each of them (`cargo nextest run -p ward-tests -E \
         'binary(webhooks)'`).\n\n| event | fired, among others, by |\n|---|---|\n",
    );
    let (fired, waiting): (Vec<_>, Vec<_>) =
        catalogue.iter().partition(|name| ROWS.iter().any(|row| row.event == *name));
    for name in &fired {
        let operations: BTreeSet<&str> =
            ROWS.iter().filter(|row| row.event == *name).map(|row| row.operation).collect();
        let operations: Vec<String> = operations.iter().map(|it| format!("`{it}`")).collect();
        page.push_str(&format!("| `{name}` | {} |\n", operations.join(", ")));
    }
    page.push_str(&format!(
        "\n{} of {} events fire. A webhook can subscribe to the rest, which come with their domains:\n\n",
        fired.len(),
        catalogue.len()
    ));
    for name in waiting {
        page.push_str(&format!("- `{name}`\n"));
    }
    page
}
