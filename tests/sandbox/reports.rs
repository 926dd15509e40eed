//! What a run tells: words on standard error, JSON and JUnit's XML in files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::events::Event;
use tempfile::TempDir;
use ward_tests::{Json, json};

use crate::running::{Running, keepers, run};

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
    owner
        .ask("{ me: currentUser { id } again: currentUser { id } organization { id } }", json!({}));
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
    assert_eq!(told["command"], "sh");
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
    assert_eq!(cases["ward.command sh"].1.as_deref(), Some("status 5"));
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
fn what_faults_have_hit_is_no_unexpected_error() {
    let files = Files::stale();
    let running = Running::start(&files.options(), ":");
    let owner = running.owner();
    for kind in ["internal_error", "bad_gateway", "timeout_after_commit", "truncated_json"] {
        let added = owner.post("/sandbox/v1/faults", &json!({"kind": kind, "times": 1}));
        assert_eq!(added.status, 200, "{}", added.text);
        owner.ask("{ currentUser { id } }", json!({}));
    }
    let ended = running.go_on("exit 0");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for words in ["by faults          4: 1 bad_gateway, 1 internal_error, ", "errors  none"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let told: Json = serde_json::from_slice(&std::fs::read(&files.json).unwrap()).unwrap();
    assert_eq!(told["unexpected_errors"], json!([]), "{told}");
    let kinds = ["bad_gateway", "internal_error", "timeout_after_commit", "truncated_json"];
    assert_eq!(told["faults"], json!(kinds.map(|kind| json!({"kind": kind, "answers": 1}))));
    let cases = cases(&files.xml);
    assert!(cases.values().all(|(_, failed)| failed.is_none()), "{cases:?}");
    for kind in kinds {
        assert_eq!(cases[&format!("ward.faults {kind}")].0, "1 answers");
    }
}

#[test]
fn any_command_can_be_told_of_in_xml() {
    let folder = tempfile::tempdir().unwrap();
    let xml = folder.path().join("report.xml");
    let command = folder.path().join("a <&>\"' \u{1} \u{1b}[31m ]]> \u{fffe} é");
    std::fs::write(&command, "#!/bin/sh\nexit 0\n").unwrap();
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let options = ["--pack", "empty", "--junit", xml.to_str().unwrap()];
    let ended = run(&options, &[command.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let cases = cases(&xml);
    let name = cases.keys().next().unwrap();
    assert!(name.contains("<&>\"'") && name.contains('é'), "{name:?}");
}

/// A run's two files.
struct Files {
    json: PathBuf,
    xml: PathBuf,
    _folder: TempDir,
}

impl Files {
    /// With what an earlier run has left in them.
    fn stale() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let [json, xml] = ["report.json", "report.xml"].map(|name| folder.path().join(name));
        for file in [&json, &xml] {
            std::fs::write(file, "of an earlier run").unwrap();
        }
        Files { json, xml, _folder: folder }
    }

    fn options(&self) -> [&str; 6] {
        let [json, xml] = [&self.json, &self.xml].map(|it| it.to_str().unwrap());
        ["--pack", "empty", "--json", json, "--junit", xml]
    }

    /// Asserts that both tell this status of this command.
    fn tell(&self, command: &str, status: i32) {
        let told: Json = serde_json::from_slice(&std::fs::read(&self.json).unwrap()).unwrap();
        assert_eq!((&told["command"], &told["status"]), (&json!(command), &json!(status)));
        let (_, failed) = &cases(&self.xml)[&format!("ward.command {command}")];
        assert_eq!(failed.as_ref(), Some(&format!("status {status}")));
    }
}

#[test]
fn files_tell_of_a_command_that_could_not_be_started() {
    let files = Files::stale();
    assert_eq!(run(&files.options(), &["no-such-command", "--key"]).code, Some(127));
    files.tell("no-such-command", 127);
    let notes = files.json.with_file_name("notes.txt");
    std::fs::write(&notes, "nothing to execute").unwrap();
    let notes = notes.to_str().unwrap();
    assert_eq!(run(&files.options(), &[notes]).code, Some(126));
    files.tell(notes, 126);
}

#[test]
fn files_tell_of_a_keeper_that_was_killed() {
    let files = Files::stale();
    let mut running = Running::start(&files.options(), ":");
    for keeper in keepers(&running.dir) {
        rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
    }
    assert_eq!(running.ends().code, Some(70));
    files.tell("sh", 70);
}

#[test]
fn a_run_without_a_command_leaves_no_files_of_an_earlier_one() {
    let files = Files::stale();
    let options =
        [files.options().as_slice(), &["--webhook", "http://hooks.example.com/"]].concat();
    assert_eq!(run(&options, &["true"]).code, Some(2));
    assert!(!files.json.exists() && !files.xml.exists());
}

#[test]
fn files_hold_no_arguments() {
    let files = Files::stale();
    run(&files.options(), &["sh", "-c", "exit 3", "whsec_of_ours"]);
    files.tell("sh", 3);
    for file in [&files.json, &files.xml] {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("whsec_of_ours") && !text.contains("exit 3"), "{text}");
    }
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
fn files_that_can_not_be_written_are_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let [ran, file] = ["ran", "report"].map(|name| folder.path().join(name));
    let [ran_name, file] = [&ran, &file].map(|it| it.to_str().unwrap());
    for (options, said) in [
        (["--json", file, "--junit", file], "the same file"),
        (["--json", file, "--junit", "/no/such/folder/report.xml"], "there is no directory"),
        (["--json", "/no/such/folder/report.json", "--junit", file], "there is no directory"),
    ] {
        for words in [&["sandbox", "run"][..], &["sandbox", "pool", "2"]] {
            let mut process = ward_tests::program::command();
            process.args(words).args(options).args(["--", "touch", ran_name]);
            let ended = ward_tests::program::finish(process);
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert_eq!(ended.stderr.matches(said).count(), 1, "{ended:?}");
            assert!(!ran.exists(), "the command ran: {ended:?}");
        }
    }
}

#[test]
fn a_report_that_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let xml = folder.path().join("report.xml");
    let xml = xml.to_str().unwrap();
    let options = ["--pack", "empty", "--json", "/dev/full", "--junit", xml];
    // The command's status stands before it.
    for (script, status) in [("exit 0", 69), ("exit 5", 5), ("kill -TERM $$", 143)] {
        let ended = run(&options, &["sh", "-c", script]);
        assert_eq!(ended.code, Some(status), "{ended:?}");
        assert!(ended.stderr.contains("cannot write the report"), "{ended:?}");
        std::fs::remove_file(xml).expect("the other file is written");
    }
}
