//! REL-18: the process ends at each step of a delivery. What was committed is delivered at least
//! once, under the same id, and the log names every request that may have arrived.

use std::collections::BTreeMap;

use ward_tests::{Engine, Instance, Kind, V2026, json, people, tell, until};

use crate::practice::{self, WEBHOOK, run};
use crate::receiver::Receiver;

/// The steps, in order.
const STEPS: [&str; 4] =
    ["webhook.handed_on", "webhook.claimed", "webhook.sent", "webhook.recorded"];

/// Rounds over all steps.
const ROUNDS: usize = 3;

/// Everything once more, while it is going on.
const REPLAY: &str = "mutation($input: replayWebhookEventsInput) {
    replayWebhookEvents(input: $input) { event_count messages { message } } }";

#[test]
fn rel_18_a_crash_at_any_step_loses_no_event() {
    for engine in Engine::available("REL-18") {
        crashes(engine);
    }
}

fn crashes(engine: Engine) {
    let mut instance = Instance::birth(Kind::Sandbox, engine);
    let key = instance.owner_key();
    let file = instance.dir.join("crash");
    instance.variables.push(("TESTED_CRASH".to_owned(), file.to_str().unwrap().to_owned()));
    let receiver = Receiver::start();
    let server = practice::serve(&instance);
    let input = json!({"url": receiver.url("/hook"), "event_type": "PATIENT_CREATED"});
    let made = run(&server.with(&key), "createWebhook", WEBHOOK, &input);
    let replay =
        json!({"input": {"id": made["webhook"]["id"], "occurred_after": "2020-01-01T00:00:00Z"}});
    server.stop();
    let mut crashes = 0;
    for round in 0..ROUNDS {
        for step in STEPS {
            let mut server = practice::serve(&instance);
            let api = server.with(&key);
            for name in ["before", "behind"] {
                people::client(&api, &format!("{name}{round}{}", step.replace(['.', '_'], "")));
            }
            let _ = api.try_gql(V2026, REPLAY, replay.clone());
            std::fs::write(&file, step).unwrap();
            // Until the process ends; what was not acknowledged may be committed as well.
            for number in 0.. {
                let name = format!("{}{round}n{number}", step.replace(['.', '_'], ""));
                if api.try_gql(V2026, people::CREATE_CLIENT, people::new_client(&name)).is_err() {
                    break;
                }
            }
            server.wait();
            std::fs::remove_file(&file).unwrap();
            crashes += 1;
        }
    }
    let server = practice::serve(&instance);
    let database = instance.database();
    let open = "SELECT (SELECT COUNT(*) FROM events WHERE relayed = FALSE) \
        + (SELECT COUNT(*) FROM webhook_replays WHERE ended_at IS NULL) \
        + (SELECT COUNT(*) FROM webhook_deliveries WHERE state <> 'delivered')";
    until("everything is delivered", || (database.number(open) == 0).then_some(()));
    let written = database.rows("SELECT id FROM events WHERE event_type = 'patient.created'");
    let written: Vec<String> =
        written.into_iter().filter_map(|row| row.into_iter().next()?).collect();
    let mut arrived: BTreeMap<String, usize> = BTreeMap::new();
    for received in receiver.at("/hook") {
        *arrived.entry(received.header("webhook-id").to_owned()).or_default() += 1;
    }
    let lost: Vec<&String> = written.iter().filter(|id| !arrived.contains_key(*id)).collect();
    assert!(
        lost.is_empty(),
        "{} events are committed and {} never arrived",
        written.len(),
        lost.len()
    );
    assert_eq!(arrived.len(), written.len(), "something arrived that nobody wrote");
    // Every request has its line: a finished one says how it ended, a cut one that it may have arrived.
    for (event, times) in &arrived {
        let lines = database
            .number(&format!("SELECT COUNT(*) FROM webhook_attempts WHERE event_id = '{event}'"));
        assert!(
            lines >= i64::try_from(*times).unwrap(),
            "{event}: {times} requests, {lines} lines"
        );
    }
    // What was asked for again came again: each event of each replay once, by the queue's account.
    let wanted = database.number("SELECT COALESCE(SUM(event_count), 0) FROM webhook_replays");
    let replayed =
        database.number("SELECT COUNT(*) FROM webhook_deliveries WHERE cause = 'replay'");
    assert!(wanted > 0, "no replay was committed");
    assert_eq!(replayed, wanted);
    let again =
        receiver.at("/hook").iter().filter(|it| it.header("ward-cause") == "replay").count();
    assert!(again >= usize::try_from(wanted).unwrap(), "{again} of {wanted} came again");
    let unknown =
        database.number("SELECT COUNT(*) FROM webhook_attempts WHERE outcome = 'UNKNOWN'");
    assert!(unknown > 0, "no request was cut off by {crashes} crashes");
    let requests: usize = arrived.values().sum();
    tell(
        "REL-18",
        format_args!(
            "{engine:?}: {crashes} crashes: {} events committed and delivered, 0 lost, {} delivered again of which {wanted} were asked for, {unknown} attempts of unknown outcome",
            written.len(),
            requests - written.len()
        ),
    );
    server.stop();
}
