//! `ward events`, `ward webhooks verify` and `ward listen`, as a developer calls them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use ward_tests::program::{self, ward_with};
use ward_tests::{Engine, Instance, Json, Kind, Output, json, until};

use crate::practice::{Practice, WEBHOOK};
use crate::receiver::Received;
use crate::verify;

fn ward(practice: &Practice, words: &[&str]) -> Output {
    let url = format!("http://127.0.0.1:{}", practice.server.port);
    let mut arguments = words.to_vec();
    arguments.push("--json");
    ward_with(arguments, &[("WARD_URL", &url), ("WARD_API_KEY", &practice.key)])
}

#[test]
fn each_event_is_fired_by_what_causes_it() {
    let practice = Practice::open(Engine::Sqlite);
    let listed = ward(&practice, &["events", "fire"]).json();
    let names: Vec<&str> =
        listed["events"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(names.len() >= 25, "{names:?}");
    let hook = practice.webhook("/hook", &names);
    let hook = hook["id"].as_str().unwrap();
    for name in names.iter().copied() {
        let seen = practice.receiver.at("/hook").len();
        let info = "SELECT MAX(id) FROM organization_infos";
        let id = match name {
            "test.created" => Some(hook.to_owned()),
            "organization_info.deleted" => Some(practice.instance.database().one(info)),
            _ => None,
        };
        let mut words = vec!["events", "fire", name];
        words.extend(id.iter().flat_map(|id| ["--id", id.as_str()]));
        let fired = ward(&practice, &words).json();
        assert_eq!(fired["event"], name);
        until(name, || {
            practice.receiver.at("/hook").into_iter().skip(seen).find(|it| it.event() == name)
        });
    }
    // With a record that is there.
    let client = practice.client("ada");
    let fired = ward(&practice, &["events", "fire", "PATIENT_UPDATED", "--id", &client]).json();
    assert_eq!((&fired["id"], &fired["steps"]), (&json!(client), &json!(["updateClient"])));
    practice.receiver.wait("/hook", "her update", |it| {
        it.event() == "patient.updated" && it.resource() == client
    });
    let before = practice.instance.settled_dump();
    for (words, code) in [
        (vec!["events", "fire", "patient.dreamt"], 2),
        (vec!["events", "fire", "prescription.updated"], 1),
        (vec!["events", "fire", "test.created"], 2),
        (vec!["events", "fire", "patient.updated", "--id", "1"], 1),
        (vec!["events", "fire", "patient.updated", "--id", "\""], 2),
    ] {
        let refused = ward(&practice, &words);
        assert_eq!(refused.code, Some(code), "{words:?}: {refused:?}");
        assert!(refused.stderr.trim().lines().count() == 1, "{refused:?}");
    }
    practice.instance.settled_dump().assert_unchanged_since(&before, "what can't be fired");
    practice.server.stop();
}

#[test]
fn production_is_never_fired_at() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = p.owner_key();
    let server = p.serve();
    let url = format!("http://127.0.0.1:{}", server.port);
    let before = p.settled_dump();
    for words in [
        vec!["events", "fire", "patient.created"],
        vec!["listen", "--forward", "http://127.0.0.1:9/hook"],
    ] {
        let refused = ward_with(&words, &[("WARD_URL", &url), ("WARD_API_KEY", &key)]);
        refused.refused("ISO-11");
    }
    p.settled_dump().assert_unchanged_since(&before, "a refused command");
    server.stop();
}

#[test]
fn what_was_sent_is_listed_and_sent_again() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/hook", &["patient.created"]);
    let client = practice.client("ada");
    let received = practice.receiver.event("/hook", "patient.created");
    let id = received.header("webhook-id");
    until("it is logged", || practice.sent().pop());
    let listed = ward(&practice, &["events", "list"]).json();
    let entry = &listed["items"][0];
    assert_eq!((&entry["event"], &entry["event_id"]), (&"patient.created".into(), &id.into()));
    assert_eq!(entry["record"], format!("User {client}"));
    assert_eq!(ward(&practice, &["events", "list", "--failed"]).json()["items"], json!([]));
    let sent = ward(&practice, &["events", "resend", id]).json();
    assert_eq!(sent["event_count"], 1, "{sent}");
    practice.receiver.wait("/hook", "it comes again", |it| it.header("ward-cause") == "replay");
    let replay = ["events", "replay", "--after", "2020-01-01T00:00:00Z", "--dry-run"];
    let counted = ward(&practice, &replay).json();
    assert_eq!((&counted["event_count"], &counted["replay_id"]), (&1.into(), &Json::Null));
    let missed = ward(&practice, &["events", "replay", "--undelivered"]).json();
    assert_eq!(missed["event_count"], 0);
    assert_eq!(ward(&practice, &["events", "replay"]).code, Some(2));
    let unknown = ward(&practice, &["events", "resend", "nothing"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    practice.webhook("/other", &["patient.created"]);
    let which = ward(&practice, &["events", "resend", id]);
    assert!(which.code == Some(2) && which.stderr.contains("--webhook"), "{which:?}");
    practice.server.stop();
}

#[test]
fn a_request_that_arrived_is_checked() {
    let practice = Practice::open(Engine::Sqlite);
    let path = "/hooks?src=ehr";
    let made = practice.webhook(path, &["patient.created"]);
    practice.client("ada");
    let received = practice.receiver.event(path, "patient.created");
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lines: String =
        received.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let secret = file("secret", made["signature_secret"].as_str().unwrap().as_bytes());
    let standard = file("standard", made["standard_signature_secret"].as_str().unwrap().as_bytes());
    let other = file("other", b"whsec_sbx_AAAAA_nothing\n");
    let headers = file("headers", format!("POST {path} HTTP/1.1\r\n{lines}").as_bytes());
    let bare = file("bare", lines.as_bytes());
    let body = file("body", &received.body);
    let changed = file("changed", &[&received.body[..], b"\n"].concat());
    let check = |secret: &str, headers: &str, body: &str, more: &[&str]| {
        let mut words = vec!["webhooks", "verify", "--json", "--secret-file", secret];
        words.extend(["--headers", headers, "--body", body]);
        words.extend(more);
        // Without an instance: nothing is asked.
        let output = ward_with(&words, &[]);
        let json: Json = serde_json::from_str(&output.stdout).unwrap_or_default();
        (output.code, json)
    };
    let (code, right) = check(&secret, &headers, &body, &[]);
    assert_eq!((code, &right["valid"]), (Some(0), &true.into()), "{right}");
    let (code, right) = check(&secret, &bare, &body, &["--target", path]);
    assert_eq!(code, Some(0), "{right}");
    let (code, right) = check(&standard, &headers, &body, &[]);
    assert_eq!((code, &right["contract"]["valid"]), (Some(0), &Json::Null), "{right}");
    let says = |checked: &Json, scheme: &str, what: &str| {
        let problems = checked[scheme]["problems"].to_string();
        assert!(checked[scheme]["valid"] == false && problems.contains(what), "{checked}");
    };
    let (code, wrong) = check(&other, &headers, &body, &[]);
    assert_eq!(code, Some(1));
    says(&wrong, "contract", "not that of this secret");
    says(&wrong, "standard", "not that of this secret");
    let (code, wrong) = check(&secret, &headers, &changed, &[]);
    assert_eq!(code, Some(1));
    says(&wrong, "contract", "ends in white space");
    says(&wrong, "standard", "ends in white space");
    let (code, wrong) = check(&secret, &bare, &body, &[]);
    assert_eq!((code, &wrong["standard"]["valid"]), (Some(1), &true.into()));
    says(&wrong, "contract", "path");
    assert_eq!(check(&body, &headers, &body, &[]).0, Some(2));
    assert_eq!(check(&secret, "/nowhere", &body, &[]).0, Some(2));
    practice.server.stop();
}

/// A running `ward listen` and the lines that it writes.
struct Listening {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Listening {
    fn start(practice: &Practice, more: &[&str]) -> Listening {
        let mut command: Command = program::command();
        command.args(["listen", "--json", "--forward", &practice.receiver.url("/hook?a=1")]);
        command.args(more);
        command.env("WARD_URL", format!("http://127.0.0.1:{}", practice.server.port));
        command.env("WARD_API_KEY", &practice.key);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Listening { child, lines }
    }

    fn line(&mut self) -> Json {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn stop(mut self) -> Option<i32> {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        until("listening ends", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn webhooks(practice: &Practice) -> i64 {
    let reply = practice.api().ask("{ webhooks { total_count } }", json!({}));
    reply.data()["webhooks"]["total_count"].as_i64().unwrap()
}

#[test]
fn events_are_forwarded_as_they_came() {
    let practice = Practice::open(Engine::Sqlite);
    let mut listening = Listening::start(&practice, &["--events", "patient.created"]);
    let opened = listening.line();
    assert_eq!((&opened["events"], webhooks(&practice)), (&1.into(), 1), "{opened}");
    let client = practice.client("ada");
    let line = listening.line();
    assert_eq!((&line["event"], &line["status"]), (&"patient.created".into(), &200.into()));
    assert_eq!(line["payload"]["resource_id"].to_string(), client);
    let received: Received = practice.receiver.event("/hook?a=1", "patient.created");
    assert_eq!(line["event_id"], received.header("webhook-id"));
    assert!(verify::contract(&received, opened["signature_secret"].as_str().unwrap()));
    assert!(verify::standard(&received, opened["standard_signature_secret"].as_str().unwrap()));
    // What the receiver said is what the instance hears.
    let entry = until("it is logged", || practice.sent().pop());
    assert_eq!(
        (&entry["http_response_status"], &entry["response_body"]),
        (&"200".into(), &"thanks!".into())
    );
    // What the instance has not sent does not come through.
    let own = entry["url"].as_str().unwrap();
    let port: u16 = own.split([':', '/']).nth(4).unwrap().parse().unwrap();
    let forged = ward_tests::Api::at(port, None)
        .post("/hook?a=1", &json!({"event_type": "patient.created"}));
    assert_eq!(forged.status, 401);
    assert_eq!(practice.receiver.at("/hook?a=1").len(), 1);
    assert_eq!((listening.stop(), webhooks(&practice)), (Some(0), 0));
    practice.server.stop();
}

#[test]
fn iso_42_a_listener_takes_nothing_from_other_receivers() {
    let practice = Practice::open(Engine::Sqlite);
    practice.webhook("/other", &["patient.created"]);
    let mut listening = Listening::start(&practice, &["--events", "patient.created"]);
    listening.line();
    practice.client("ada");
    assert_eq!(listening.line()["status"], 200);
    practice.receiver.event("/other", "patient.created");
    assert_eq!((listening.stop(), webhooks(&practice)), (Some(0), 1));
    practice.client("ben");
    let both = || (practice.receiver.at("/other").len() == 2).then_some(());
    until("the other receiver has both", both);
    assert_eq!(practice.receiver.at("/hook?a=1").len(), 1);
    practice.server.stop();
}

#[test]
fn forwarding_with_the_secret_of_a_webhook() {
    let practice = Practice::open(Engine::Sqlite);
    let input = json!({"url": "https://hooks.example.com/", "is_enabled": false});
    let made = practice.run("createWebhook", WEBHOOK, &input)["webhook"].clone();
    let mut listening = Listening::start(&practice, &["--as", made["id"].as_str().unwrap()]);
    let opened = listening.line();
    practice.client("ada");
    assert_eq!(listening.line()["status"], 200);
    let received = practice.receiver.event("/hook?a=1", "patient.created");
    assert!(verify::contract(&received, made["signature_secret"].as_str().unwrap()));
    assert!(verify::standard(&received, made["standard_signature_secret"].as_str().unwrap()));
    assert!(!verify::contract(&received, opened["signature_secret"].as_str().unwrap()));
    assert_eq!((listening.stop(), webhooks(&practice)), (Some(0), 1));
    practice.server.stop();
}
