//! A receiver that fails for three days, in seconds: the Sandbox's clock walks from one attempt
//! to the next (behaviour 13.4).

use ward_tests::{Engine, Json, json, people, until};

use crate::practice::Practice;

#[test]
fn iso_44_a_dead_receiver_is_warned_of_and_disabled() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/status/500", &["patient.created"]);
    practice.client("ada");
    until("the first attempt", || practice.sent().pop());
    let api = practice.api();
    let advance = |by: &str| {
        let moved = api.post("/sandbox/v1/clock/advance", &json!({"by": by, "settle": true}));
        assert_eq!(moved.status, 200, "{}", moved.text);
        moved.json["ran"]["deliveries"].as_u64().unwrap()
    };
    let database = practice.instance.database();
    let mails = |kind: &str| {
        database.number(&format!("SELECT COUNT(*) FROM effect_intents WHERE kind = '{kind}'"))
    };
    assert!(advance("PT20H") >= 9);
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (0, 0));
    advance("PT20H");
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (1, 0));
    advance("PT40H");
    assert_eq!((mails("webhook_failing"), mails("webhook_disabled")), (1, 1));
    let query = "{ webhooks { nodes { is_enabled warned_at } } }";
    let reply = api.ask(query, json!({}));
    let webhook = &reply.data()["webhooks"]["nodes"][0];
    assert!(webhook["is_enabled"] == false && webhook["warned_at"].is_string(), "{webhook}");
    let attempts = practice.sent();
    assert!((18..=23).contains(&attempts.len()), "{}", attempts.len());
    // The same event, under the same id, with the same bytes each time.
    let received = practice.receiver.at("/status/500");
    assert!(received.iter().all(|it| it.body == received[0].body));
    assert!(received.iter().all(|it| it.header("webhook-id") == received[0].header("webhook-id")));
    let numbers: Vec<&str> = received.iter().map(|it| it.header("ward-attempt")).collect();
    let wanted: Vec<String> = (1..=received.len()).map(|number| number.to_string()).collect();
    assert_eq!(numbers, wanted);
    assert_eq!(advance("PT100H"), 0);
}

/// A Monday. The clocks of no zone of these clients change between the visit and its reminder.
const START: &str = "2031-03-03T12:00:00Z";
const REMINDED: &str = "2031-03-12T14:00:00Z";
const VISIT: &str = "2031-03-13T14:00:00Z";
const HOUR: i64 = 3_600_000_000;

impl Practice {
    /// Moves the clock; the answer.
    fn clock(&self, act: &str, body: &Json) -> Json {
        let moved = self.api().post(&format!("/sandbox/v1/clock/{act}"), body);
        assert_eq!(moved.status, 200, "{}", moved.text);
        moved.json
    }

    /// A webhook whose receiver does not take what it is told, and a visit in ten days, on a clock
    /// that stands.
    fn fails_at(engine: Engine, path: &str) -> Practice {
        let practice = Practice::open(engine);
        practice.clock("freeze", &json!({}));
        practice.clock("set", &json!({"to": START}));
        practice.webhook(path, &["patient.created"]);
        let api = practice.api();
        let input = json!({"name": "Follow-up", "length": 25});
        let of = practice.run("createAppointmentType", "appointmentType { id }", &input);
        let mut input = people::new_client("ada");
        input["client"]["timezone"] = "Etc/UTC".into();
        let made = api.ask(people::CREATE_CLIENT, input);
        let client = &made.data()["createClient"]["user"]["id"];
        let query = "mutation($input: createAppointmentInput!) { createAppointment(input: $input) { \
            appointment { id } messages { field message } } }";
        let input = json!({"input": {"user_id": client, "contact_type": "Phone Call",
            "appointment_type_id": of["appointmentType"]["id"], "datetime": VISIT}});
        let booked = api.ask(query, input);
        let id = &booked.data()["createAppointment"]["appointment"]["id"];
        assert!(id.is_string(), "{}", booked.text);
        practice
    }

    fn count(&self, of: &str) -> i64 {
        self.instance.database().number(&format!("SELECT COUNT(*) FROM {of}"))
    }

    /// When visits were reminded of.
    fn reminders(&self) -> Vec<Json> {
        let reply = self.api().get("/sandbox/v1/inbox?class=email&limit=200");
        let items = reply.json["items"].as_array().unwrap();
        let reminders = items.iter().filter(|item| item["kind"] == "appointment_reminder");
        reminders.map(|item| item["created_at"].clone()).collect()
    }
}

/// A fortnight in one move: all attempts at their times and in their order, the end of the webhook
/// when the real schedule has it, and what else is due on time.
#[test]
fn a_fortnight_with_a_receiver_that_fails_is_one_move() {
    for engine in Engine::available("webhooks") {
        let practice = Practice::fails_at(engine, "/status/500");
        let answer = practice.clock("advance", &json!({"by": "P14D"}));
        assert_eq!(answer["stragglers"], json!([]), "{answer}");
        assert_eq!(answer["now"], "2031-03-17T12:00:00Z", "{answer}");
        assert_eq!(practice.reminders(), [REMINDED]);
        let attempts = practice.count("webhook_attempts");
        assert!((18..=23).contains(&attempts), "{attempts}");
        let late = "webhook_attempts a JOIN webhook_attempts b ON a.delivery_id = b.delivery_id \
            AND a.attempt_number < b.attempt_number AND a.created_at >= b.created_at";
        assert_eq!(practice.count(late), 0, "attempts are out of order");
        let database = practice.instance.database();
        let first = database.number("SELECT MIN(created_at) FROM webhook_attempts");
        let after =
            |at: &str| database.number(&format!("SELECT MAX(created_at) FROM {at}")) - first;
        assert_eq!(after("webhook_attempts"), 72 * HOUR);
        assert_eq!(after("effect_intents WHERE kind = 'webhook_disabled'"), 72 * HOUR);
        let warned = after("effect_intents WHERE kind = 'webhook_failing'");
        assert!((24 * HOUR..=33 * HOUR).contains(&warned), "{warned}");
        assert_eq!(practice.count("webhooks WHERE is_enabled = TRUE"), 0);
        practice.server.stop();
    }
}

/// One that lets every request run into its end does not keep a visit's reminder from its time.
#[test]
fn a_receiver_that_hangs_holds_up_nothing_else() {
    let practice = Practice::fails_at(Engine::Sqlite, "/hang");
    let answer = practice.clock("advance", &json!({"by": "P14D"}));
    assert_eq!(answer["now"], "2031-03-17T12:00:00Z", "{answer}");
    assert_eq!(practice.reminders(), [REMINDED], "{answer}");
    assert_eq!(answer["stragglers"], json!([]), "{answer}");
    assert_eq!(practice.count("webhooks WHERE is_enabled = TRUE"), 0);
}
