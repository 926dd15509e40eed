//! Commands on an instance that does not run.

use std::os::unix::fs::PermissionsExt;

use expect_test::expect_file;
use serde_json::json;
use tempfile::TempDir;

use crate::ward::{Instance, holds, ward, ward_with};

#[test]
fn the_help_reads_well() {
    expect_file!["help.txt"].assert_eq(&ward(&["--help"]).ends(0).stdout);
}

#[test]
fn every_command_has_help_and_a_version() {
    let commands = [
        "dev", "tour", "init", "serve", "status", "doctor", "key", "user", "audit", "attest",
        "migrate", "sandbox", "inbox", "scan",
    ];
    for command in commands {
        assert!(ward(&[command, "--help"]).ends(0).stdout.contains("Usage: ward"), "{command}");
        assert!(ward(&[command, "--version"]).ends(0).stdout.starts_with("ward"), "{command}");
    }
}

#[test]
fn wrong_use_is_status_2() {
    let empty = TempDir::new().unwrap();
    let dir = empty.path().to_str().unwrap();
    for args in [
        &["frobnicate"][..],
        &["status"],
        &["status", "--dir", dir],
        &["status", "--kind", "live", "--dir", dir],
        &["status", "--kind", "sandbox", "--dir", dir],
        &["doctor", "--kind", "sandbox", "--dir", dir],
        &["scan", "/nowhere/at/all"],
        &["inbox"],
        &["key", "delete", "ward_sbx_whatever", "--kind", "sandbox", "--dir", dir],
    ] {
        let ran = ward(args).ends(2);
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_password_in_an_argument_is_refused_and_not_repeated() {
    let place = TempDir::new().unwrap();
    let dir = place.path().join("i");
    let ran = ward(&[
        "init",
        "--kind",
        "sandbox",
        "--dir",
        dir.to_str().unwrap(),
        "--base-url",
        "http://127.0.0.1:4100",
        "--owner-email",
        "a@b.example",
        "--database",
        "postgres://ward:hunter2@db/sandbox",
    ])
    .ends(2);
    assert!(!ran.stderr.contains("hunter2") && ran.stderr.contains("--database-env"));
    assert!(!dir.exists());
}

#[test]
fn an_instance_is_born_and_looked_after() {
    let instance = Instance::new("sandbox");
    let link = instance.born["set_password_link"].as_str().unwrap();
    assert!(link.starts_with("http://127.0.0.1:4100/set-password"), "{link}");
    let status = instance.ward(&["status", "--json"]).ends(0).json();
    assert_eq!(
        [&status["environment"], &status["state"], &status["instance"], &status["clients"]],
        [&json!("sandbox"), &json!("stopped"), &instance.born["instance"], &json!(0)]
    );
    let made = instance
        .ward(&["key", "create", "--json", "--user", "owner@practice.example", "--name", "test"])
        .ends(0);
    let key = made.json().to_string();
    assert!(key.contains("ward_sbx_"), "{key}");
    let list = instance.ward(&["key", "list", "--json"]).ends(0);
    assert!(list.stdout.contains("test") && !list.stdout.contains(key.trim_matches('"')));
    let users = instance.ward(&["user", "list", "--json"]).ends(0);
    assert!(users.stdout.contains("owner@practice.example"), "{}", users.stdout);
    let verdict = instance.ward(&["audit", "verify", "--json"]).ends(0).json();
    assert_eq!(verdict["intact"], true);
    assert!(verdict["entries"].as_u64().unwrap() > 0 && holds(&instance.dir(), "chain.heads"));
    assert_eq!(
        instance.ward(&["migrate", "--check", "--json"]).ends(0).json()["pending"],
        json!([])
    );
}

#[test]
fn a_directory_is_born_once() {
    let instance = Instance::new("sandbox");
    let path = instance.path();
    let again = [
        "init",
        "--kind",
        "production",
        "--dir",
        &path,
        "--base-url",
        "http://127.0.0.1:4100",
        "--owner-email",
        "a@b.example",
    ];
    ward(&again).ends(2);
    instance.ward(&["status"]).ends(0);
}

#[test]
fn the_wrong_kind_is_status_78_and_names_all_opinions() {
    let instance = Instance::new("sandbox");
    for command in [&["status"][..], &["audit", "verify"], &["key", "list"], &["serve"]] {
        let ran = instance.ward_as("production", command).ends(78);
        assert!(ran.stderr.contains("E-ISO-01") && ran.stdout.is_empty(), "{}", ran.stderr);
    }
}

#[test]
fn variables_of_both_kinds_are_status_78() {
    let instance = Instance::new("sandbox");
    let path = instance.path();
    let ran = ward_with(
        &[("WARD_PRODUCTION_RATE_LIMIT", "5"), ("WARD_SANDBOX_RATE_LIMIT", "5")],
        &["status", "--kind", "sandbox", "--dir", &path],
    )
    .ends(78);
    assert!(ran.stderr.contains("E-ISO-04"), "{}", ran.stderr);
    let place = TempDir::new().unwrap();
    let dir = place.path().join("new");
    ward_with(
        &[("WARD_PRODUCTION_RATE_LIMIT", "5")],
        &[
            "init",
            "--kind",
            "sandbox",
            "--dir",
            dir.to_str().unwrap(),
            "--base-url",
            "http://127.0.0.1:1",
            "--owner-email",
            "a@b.example",
        ],
    )
    .ends(78);
    assert!(!dir.exists());
}

#[test]
fn sandbox_commands_do_not_exist_for_production() {
    let instance = Instance::new("production");
    let path = instance.path();
    for command in [&["sandbox", "seed", "--dir"][..], &["sandbox", "reset", "--dir"]] {
        let mut args = command.to_vec();
        args.push(&path);
        ward(&args).ends(78);
    }
    assert_eq!(instance.ward(&["status", "--json"]).ends(0).json()["clients"], 0);
    let live = [("WARD_API_KEY", "ward_live_anything"), ("WARD_URL", "http://127.0.0.1:9")];
    let ran = ward_with(&live, &["inbox"]).ends(78);
    assert!(ran.stderr.contains("nothing was sent"), "{}", ran.stderr);
}

#[test]
fn plain_http_and_tls_options_are_refused_with_the_fix() {
    let instance = Instance::new("production");
    let open = instance.ward(&["serve", "--listen", "0.0.0.0:0"]).ends(78);
    assert!(open.stderr.contains("--trusted-proxy"), "{}", open.stderr);
    let tls = instance.ward(&["serve", "--tls-cert", "a.pem", "--tls-key", "b.pem"]).ends(78);
    assert!(tls.stderr.contains("proxy"), "{}", tls.stderr);
    let hooks = ["serve", "--listen", "127.0.0.1:0", "--allow-loopback-webhooks"];
    assert!(instance.ward(&hooks).ends(78).stderr.contains("E-ISO-43"));
}

#[test]
fn the_doctor_finds_nothing_and_then_an_open_key_file() {
    let instance = Instance::new("sandbox");
    let well = instance.ward(&["doctor", "--json"]).ends(0).json();
    assert_eq!(well["well"], true, "{well:#}");
    let key = instance.dir().join("root.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let ill = instance.ward(&["doctor", "--json"]).ends(1).json();
    let failed = ill["checks"].as_array().unwrap().iter().find(|check| check["outcome"] == "fail");
    let failed = failed.unwrap();
    assert_eq!(failed["check"], "key file");
    assert!(failed["fix"].as_str().unwrap().starts_with("chmod 600"));
}

#[test]
fn a_copied_directory_is_quarantined_until_attested() {
    let instance = Instance::new("sandbox");
    let place = TempDir::new().unwrap();
    let copy = place.path().join("copy");
    let copied = std::process::Command::new("cp").arg("-a").args([&instance.dir(), &copy]).status();
    assert!(copied.unwrap().success());
    let at = copy.to_str().unwrap();
    let here = ["--kind", "sandbox", "--dir", at];
    let run = |args: &[&str]| ward(&[args, &here].concat());
    assert_eq!(run(&["status", "--json"]).ends(0).json()["state"], "quarantined");
    run(&["key", "create", "--user", "owner@practice.example"]).ends(78);
    run(&["doctor"]).ends(1);
    run(&["attest", "--reason", "a copy for a test"]).ends(0);
    assert_eq!(run(&["status", "--json"]).ends(0).json()["state"], "stopped");
}

#[test]
fn an_edited_audit_entry_is_named() {
    let instance = Instance::new("sandbox");
    let path = instance.dir().join("ward.db");
    let mut database = std::fs::read(&path).unwrap();
    // As a thief would who has the file and not the key; the same length, so SQLite finds nothing.
    let written = b"ORGANIZATION_MEMBERSHIP";
    let places: Vec<usize> = database
        .windows(written.len())
        .enumerate()
        .filter(|(_, window)| window == written)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        database[at] = b'o';
    }
    std::fs::write(&path, database).unwrap();
    let verdict = instance.ward(&["audit", "verify", "--json"]).ends(1).json();
    assert_eq!(
        [&verdict["intact"], &verdict["damage"], &verdict["seq"]],
        [&json!(false), &json!("was edited"), &json!(4)]
    );
}
