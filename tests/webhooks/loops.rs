//! ISO-41: an integration that writes because of what it is told, which is told to it again.

use ward_tests::{Api, Engine, Reply, json, people, tell, until};

use crate::practice::Practice;

/// Events of one chain (docs/webhooks.md).
const CHAIN: usize = 16;

/// What the integration does because of an event.
fn write_back(api: Api, event: &str, client: &str, number: usize) -> Reply {
    let query = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
    let input = json!({"input": {"id": client, "legal_name": format!("Round {number}")}});
    api.header("x-causation-id", event).ask(query, input)
}

#[test]
fn iso_41_a_loop_ends_after_sixteen_events() {
    for engine in Engine::available("ISO-41") {
        let practice = Practice::open(engine);
        practice.webhook("/hook", &["patient.updated"]);
        practice.webhook("/witness", &["patient.updated"]);
        let client = practice.client("ada");
        write_back(practice.api(), "", &client, 0).data();
        let mut rounds = 1;
        let refused = loop {
            let told = || practice.receiver.at("/hook").into_iter().nth(rounds - 1);
            let told = until("the change is told", told);
            let reply = write_back(practice.api(), told.header("webhook-id"), &client, rounds);
            if !reply.code().is_empty() || rounds > 2 * CHAIN {
                break reply;
            }
            rounds += 1;
        };
        assert_eq!((refused.code(), rounds), ("CAUSATION_LOOP", CHAIN), "{}", refused.text);
        let message = refused.json["errors"][0]["message"].as_str().unwrap();
        let first = practice.receiver.at("/hook")[0].header("webhook-id").to_owned();
        assert!(message.contains(&first) && message.contains("Nothing was written"), "{message}");
        let query = "query($id: ID) { user(id: $id) { legal_name } }";
        let reply = practice.api().ask(query, json!({"id": client}));
        assert_eq!(reply.data()["user"]["legal_name"], format!("Round {}", CHAIN - 1));
        practice.instance.await_refusal("CAUSATION_LOOP");
        // Nobody else is concerned: the practice writes on, and everybody is told.
        write_back(practice.api(), "", &client, 99).data();
        let count = || (practice.receiver.at("/witness").len() == CHAIN + 1).then_some(());
        until("others hear of all of it", count);
        tell("ISO-41", format_args!("a loop ended after {rounds} events, nobody else was stopped"));
    }
}

/// Nonsense, and events of another organization, are no causes and no errors.
#[test]
fn iso_41_what_is_no_event_of_the_organization_is_no_cause() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/hook", &["patient.updated"]);
    let client = practice.client("ada");
    let long = "a".repeat(4_000);
    for (number, cause) in ["", "no event", "'; --", &long].into_iter().enumerate() {
        let reply = write_back(practice.api(), cause, &client, number);
        assert_eq!(reply.data()["updateClient"]["user"]["id"], client.as_str(), "{cause}");
    }
    let told = |number: usize| {
        let told = || practice.receiver.at("/hook").into_iter().nth(number);
        until("the change is told", told).header("webhook-id").to_owned()
    };
    // The last that may be caused: of another organization it is the cause of nothing.
    let mut event = told(3);
    for number in 4..3 + CHAIN {
        write_back(practice.api(), &event, &client, number).data();
        event = told(number);
    }
    let other = practice.server.with(&stranger(&practice.server.api()));
    let theirs = people::client(&other, "bo");
    let reply = write_back(other, &event, &theirs, 1);
    assert_eq!(reply.data()["updateClient"]["user"]["id"], theirs.as_str());
    assert_eq!(write_back(practice.api(), &event, &client, 1).code(), "CAUSATION_LOOP");
}

/// The session of the owner of another organization of the instance.
pub fn stranger(api: &Api) -> String {
    let query =
        "mutation($input: signUpInput) { signUp(input: $input) { token messages { message } } }";
    let input = json!({
        "first_name": "Ola", "last_name": "Other", "email": "ola@other.example",
        "password": "correct horse battery 9", "role": "dietitian", "legal_name": "Other Practice",
    });
    let reply = api.ask(query, json!({"input": input}));
    reply.data()["signUp"]["token"].as_str().unwrap().to_owned()
}
