//! GL-15: a quarter of a practice of forty clients in one move of the clock, against what a
//! calendar says.

use std::collections::BTreeMap;

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const CLIENTS: usize = 40;
/// Each is seen so often, every four weeks.
const VISITS: i64 = 3;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// 2031-03-03T12:00:00Z, a Monday; the clocks of no zone of these clients change in what follows.
const START: i64 = 1_930_305_600;

const TYPE: &str = "mutation { createAppointmentType(input: {name: \"Follow-up\", length: 25}) { appointmentType { id } messages { message } } }";
const BOOK: &str = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { appointment { id } messages { field message } } }";

fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap().to_string()
}

/// Simulated reminders, in the order in which they came: when, to whom.
fn reminders(api: &Api) -> Vec<(String, String)> {
    let reply = api.get("/sandbox/v1/inbox?class=email&limit=200");
    let items = reply.json["items"].as_array().unwrap().iter().rev();
    let text = |item: &Json, name: &str| item[name].as_str().unwrap().to_owned();
    items
        .filter(|item| item["kind"] == "appointment_reminder")
        .map(|item| (text(item, "created_at"), text(item, "to")))
        .collect()
}

#[test]
fn gl_15_a_quarter_happens_as_a_calendar_says() {
    for engine in Engine::available("GL-15") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let clock = |act: &str, body: Json| {
            let reply = api.post(&format!("/sandbox/v1/clock/{act}"), &body);
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.json
        };
        clock("freeze", json!({}));
        clock("set", json!({"to": moment(START)}));
        let made = api.ask(TYPE, json!({}));
        let of = &made.data()["createAppointmentType"]["appointmentType"]["id"];
        // What a calendar says: a day before each visit, to whom.
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for n in 0..CLIENTS {
            let name = format!("client-{n}");
            let mut input = people::new_client(&name);
            input["client"]["timezone"] = "Etc/UTC".into();
            let made = api.ask(people::CREATE_CLIENT, input);
            let client = &made.data()["createClient"]["user"]["id"];
            let n = i64::try_from(n).unwrap();
            for visit in 0..VISITS {
                // Five weekdays, eight half hours of each from two o'clock on.
                let day = 7 + visit * 28 + n % 5;
                let at = START + day * DAY + 2 * HOUR + (n / 5) * HOUR / 2;
                let input = json!({"input": {"user_id": client, "appointment_type_id": of,
                    "contact_type": "Phone Call", "datetime": moment(at)}});
                let booked = api.ask(BOOK, input);
                let booked = &booked.data()["createAppointment"];
                assert!(booked["appointment"]["id"].is_string(), "{booked}");
                expected
                    .entry(moment(at - DAY))
                    .or_default()
                    .push(format!("{name}@client.example"));
            }
        }
        assert_eq!(reminders(&api), []);
        let answer = clock("advance", json!({"by": "P91D"}));
        assert_eq!(answer["now"], moment(START + 91 * DAY), "{answer}");
        assert_eq!(answer["stragglers"], json!([]), "{answer}");
        let told = reminders(&api);
        assert!(told.is_sorted_by_key(|(when, _)| when), "out of order: {told:?}");
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (when, whom) in &told {
            found.entry(when.clone()).or_default().push(whom.clone());
        }
        for whom in expected.values_mut().chain(found.values_mut()) {
            whom.sort();
        }
        assert_eq!(found, expected);
        let ran = answer["ran"]["effects"].as_u64().unwrap();
        assert!(ran >= told.len() as u64, "{answer}");
        server.stop();
        tell(
            "GL-15",
            format_args!(
                "{engine:?}: 91 days, {} reminders as expected; ran {}",
                told.len(),
                answer["ran"]
            ),
        );
    }
}
