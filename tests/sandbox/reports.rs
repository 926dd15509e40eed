//! What a run tells: words on standard error, JSON and JUnit's XML in files.

use std::collections::BTreeMap;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::Event;
use ward_tests::{Json, json};

use crate::running::{Running, run};

/// The cases of a JUnit file by class and name: what they saw, and why they failed.
fn cases(file: &Path) -> BTreeMap<String, (String, Option<String>)> {
    let mut reader = Reader::from_file(file).unwrap();
    reader.config_mut().check_end_names = true;
    let mut cases = BTreeMap::new();
    let (mut depth, mut name, mut seen) = (0, String::new(), String::new());
    let (mut failed, mut buffer, mut suites) = (None, Vec::new(), 0);
    loop {
        let event = reader.read_event_into(&mut buffer).unwrap();
        let attribute = |start: &quick_xml::events::BytesStart<'_>, name: &str| {
            let found = start.try_get_attribute(name).unwrap();
            found.map(|it| {
                it.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned()
            })
        };
        match event {
            Event::Eof => break,
            Event::Start(start) | Event::Empty(start) if start.name().as_ref() == b"failure" => {
                failed = attribute(&start, "message");
                depth += 0;
            }
            Event::Start(start) => {
                depth += 1;
                suites += i32::from(start.name().as_ref() == b"testsuite");
                if start.name().as_ref() == b"testcase" {
                    let [class, case] =
                        ["classname", "name"].map(|it| attribute(&start, it).unwrap());
                    name = format!("{class} {case}");
                    (seen, failed) = (String::new(), None);
                }
            }
            Event::Empty(start) if start.name().as_ref() == b"testcase" => {
                let [class, case] = ["classname", "name"].map(|it| attribute(&start, it).unwrap());
                cases.insert(format!("{class} {case}"), (String::new(), None));
            }
            Event::Text(text) => seen.push_str(&text.decode().unwrap()),
            Event::End(end) => {
                if end.name().as_ref() == b"testcase" {
                    cases.insert(name.clone(), (seen.trim().to_owned(), failed.take()));
                }
                depth -= i32::from(end.name().as_ref() != b"failure");
            }
            _ => {}
        }
        buffer.clear();
    }
    assert_eq!((depth, suites), (0, 1), "the elements are closed");
    cases
}

#[test]
fn what_happened_is_told_three_times() {
    let folder = tempfile::tempdir().unwrap();
    let [json_file, xml] = ["report.json", "report.xml"].map(|name| folder.path().join(name));
    let (json_name, xml_name) = (json_file.to_str().unwrap(), xml.to_str().unwrap());
    let running = Running::start(&["--seed", "3", "--json", json_name, "--junit", xml_name], ":");
    let owner = running.owner();
    owner.ask("{ currentUser { id } }", json!({}));
    owner.ask("{ me: currentUser { id } organization { id } }", json!({}));
    owner.ask("{ nonsense }", json!({}));
    running.integration().ask("{ webhooks { nodes { id } } }", json!({}));
    let text = json!({"class": "sms", "to": "555-0100", "text": "See you"});
    assert_eq!(owner.post("/sandbox/v1/effects", &text).status, 200);
    ward_tests::until("the text is sent", || {
        let inbox = owner.get("/sandbox/v1/inbox?to=555-0100").json;
        inbox["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
    });
    let ended = running.go_on("exit 5");
    assert_eq!(ended.code, Some(5), "{ended:?}");

    let told: Json = serde_json::from_slice(&std::fs::read(&json_file).unwrap()).unwrap();
    assert_eq!((&told["status"], &told["seed"]), (&json!(5), &json!(3)), "{told}");
    assert_eq!(told["command"][0], "sh");
    let of = |name: &str| {
        let all = told["operations"].as_array().unwrap();
        all.iter().find(|it| it["operation"] == name).unwrap_or(&Json::Null).clone()
    };
    assert_eq!(of("query currentUser")["requests"], 2, "{told}");
    assert_eq!(of("query organization")["requests"], 1);
    assert_eq!(of("query webhooks")["refused"], json!({"PERMISSION_DENIED": 1}));
    assert_eq!(of("refused document")["requests"], 1);
    // Nothing of what made the Sandbox.
    assert_eq!(of("mutation createWebhook"), Json::Null);
    assert_eq!(told["effects"], json!([{"class": "sms", "states": {"done": 1}}]), "{told}");
    assert_eq!((&told["webhooks"], &told["unexpected_errors"]), (&json!([]), &json!([])));

    let cases = cases(&xml);
    let (_, failed) = &cases.iter().find(|(name, _)| name.starts_with("ward.command ")).unwrap().1;
    assert_eq!(failed.as_deref(), Some("status 5"));
    assert_eq!(cases["ward.operations query currentUser"], ("2 requests".to_owned(), None));
    assert_eq!(cases["ward.effects sms"], ("1 done".to_owned(), None));

    for words in [
        "status 5",
        "seed 3",
        "query currentUser",
        "(1 PERMISSION_DENIED)",
        "sms: 1 done",
        "unexpected errors  none",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn any_command_can_be_told_of_in_xml() {
    let folder = tempfile::tempdir().unwrap();
    let xml = folder.path().join("report.xml");
    let script = "exit 0 # <&>\"' \u{1} \u{1b}[31m ]]> \u{fffe} é";
    let ended = run(&["--pack", "empty", "--junit", xml.to_str().unwrap()], &["sh", "-c", script]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let cases = cases(&xml);
    let name = cases.keys().next().unwrap();
    assert!(name.contains("<&>\"'") && name.contains('é'), "{name:?}");
}

#[test]
fn json_of_a_run_does_not_mix_with_the_commands_output() {
    let ended = {
        let mut process = ward_tests::program::command();
        process.args(["--json", "sandbox", "run", "--pack", "empty", "--", "echo", "mine"]);
        ward_tests::program::finish(process)
    };
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "mine\n"), "{ended:?}");
    let told: Json = serde_json::from_str(ended.stderr.trim()).unwrap();
    assert_eq!(told["status"], 0, "{told}");
}

#[test]
fn a_report_that_can_not_be_written_is_told() {
    let ended = run(&["--pack", "empty", "--json", "/no/such/folder/report.json"], &["true"]);
    assert_eq!(ended.code, Some(69), "{ended:?}");
    assert!(ended.stderr.contains("cannot write the report"), "{ended:?}");
}
