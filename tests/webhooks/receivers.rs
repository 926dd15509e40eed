//! Receivers as others write them, in `tests/clients/receivers`: one with the published
//! `standardwebhooks` library, one as the public API's guide tells. They need Node.js and `npm ci`
//! there; without, this says NOT RUN, and fails if `WARD_REQUIRE_ALL=1`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use ward_tests::{Engine, Json, json, tell};

use crate::practice::{Practice, WEBHOOK, member};
use crate::verify;

const PATHS: [&str; 2] = ["/standard", "/contract?src=ehr"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/receivers")
}

fn missing() -> Option<&'static str> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Some("there is no node");
    }
    (!folder().join("node_modules/standardwebhooks").is_dir()).then_some("npm ci was not run")
}

/// The running receivers.
struct Receivers {
    child: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Receivers {
    fn start() -> Receivers {
        let mut command = Command::new("node");
        command.current_dir(folder()).arg("receivers.mjs");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        Receivers { child, lines, port: port.trim().parse().unwrap() }
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// What both found of the next event, whichever is first.
    fn both(&mut self) -> [Json; 2] {
        let mut found = [self.line(), self.line()];
        found.sort_by_key(|it| it["path"] == "/contract");
        assert_eq!(
            (&found[0]["path"], &found[1]["path"]),
            (&json!("/standard"), &json!("/contract"))
        );
        found
    }

    fn trust(&mut self, webhooks: &[Json; 2]) {
        let [standard, contract] = webhooks;
        let secrets = json!({"standard": standard["standard_signature_secret"],
            "contract": contract["signature_secret"]});
        writeln!(self.child.stdin.as_mut().unwrap(), "{secrets}").unwrap();
        assert_eq!(self.line(), json!({"secrets": true}));
    }

    /// Posts something that the instance has not sent; whether it was taken.
    fn takes(&mut self, target: &str, headers: &[(&str, String)], body: &str) -> bool {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!(
            "POST {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let valid = self.line()["valid"].as_bool().unwrap();
        assert!(
            answer.starts_with(if valid { "HTTP/1.1 204" } else { "HTTP/1.1 401" }),
            "{answer}"
        );
        valid
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn receivers_of_others_take_what_is_sent() {
    if let Some(missing) = missing() {
        let required = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "tests/clients/receivers: {missing}, and WARD_REQUIRE_ALL=1");
        println!("NOT RUN: receivers of others: {missing}");
        return;
    }
    for engine in Engine::available("receivers of others") {
        let practice = Practice::open(engine);
        let mut receivers = Receivers::start();
        let events: Vec<Json> = ["patient.created", "patient.updated"]
            .map(|event| json!({"event_type": member(event)}))
            .into();
        let webhooks = PATHS.map(|path| {
            let url = format!("http://127.0.0.1:{}{path}", receivers.port);
            let input = json!({"url": url, "webhook_events": events, "should_retry": false});
            practice.run("createWebhook", WEBHOOK, &input)["webhook"].clone()
        });
        receivers.trust(&webhooks);
        let client = practice.client("ada");
        for found in receivers.both() {
            assert_eq!(found["valid"], true, "{found}");
            assert_eq!(
                (&found["event"], found["record"].to_string()),
                (&"patient.created".into(), client.clone())
            );
        }
        practice.run(
            "updateClient",
            "user { id }",
            &json!({"id": client, "legal_name": "Äda Lövelace"}),
        );
        assert!(receivers.both().iter().all(|it| it["valid"] == true));
        for webhook in &webhooks {
            let again = json!({"id": webhook["id"], "occurred_after": "2020-01-01T00:00:00Z",
                "event_types": ["patient.created"]});
            practice.run("replayWebhookEvents", "event_count", &again);
        }
        for found in receivers.both() {
            assert_eq!(
                (&found["valid"], &found["cause"]),
                (&true.into(), &"replay".into()),
                "{found}"
            );
        }
        forged(&mut receivers, &webhooks);
        rotated(&practice, &mut receivers, webhooks);
        tell("receivers of others", format_args!("{engine:?}: all is taken, nothing forged is"));
        practice.server.stop();
    }
}

/// What was not sent so is refused: the receivers do look.
fn forged(receivers: &mut Receivers, webhooks: &[Json; 2]) {
    let text = |webhook: &Json, name: &str| webhook[name].as_str().unwrap().to_owned();
    let contract = text(&webhooks[1], "signature_secret");
    let standard = text(&webhooks[0], "standard_signature_secret");
    let other = text(&webhooks[1], "standard_signature_secret");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let body = r#"{"resource_id":1,"event_type":"patient.created"}"#;
    for (index, target) in PATHS.into_iter().enumerate() {
        let right = verify::signed(target, [&contract, &standard], now, body);
        assert!(receivers.takes(target, &right, body));
        assert!(!receivers.takes(target, &right, &body.replace('1', "2")));
        let foreign = verify::signed(target, ["whsec_sbx_AAAAA_no", &other], now, body);
        assert!(!receivers.takes(target, &foreign, body));
        // With the contract's headers alone.
        assert_eq!(receivers.takes(target, &right[..4], body), index == 1);
        // The contract's signature has no time.
        let old = verify::signed(target, [&contract, &standard], now - 3_600, body);
        assert_eq!(receivers.takes(target, &old, body), index == 1);
    }
}

/// While both secrets sign, a library takes either; the contract's header has the new one's.
fn rotated(practice: &Practice, receivers: &mut Receivers, webhooks: [Json; 2]) {
    let new = webhooks.map(|webhook| {
        let input = json!({"id": webhook["id"], "overlap_hours": 1});
        practice.run("expireWebhookSignature", WEBHOOK, &input)["webhook"].clone()
    });
    practice.client("bea");
    let [standard, contract] = receivers.both();
    assert_eq!((&standard["valid"], &contract["valid"]), (&true.into(), &false.into()));
    receivers.trust(&new);
    practice.client("cleo");
    assert!(receivers.both().iter().all(|it| it["valid"] == true));
}
