//! The program as it is called; what it finds of instances is tried in `tests/prober`.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

fn probe(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ward-probe")).args(arguments).output().unwrap()
}

#[test]
fn wrong_use_is_status_2() {
    for arguments in [
        &[][..],
        &["run"],
        &["run", "--sandbox-url", "http://127.0.0.1:1"],
        &["isolation"],
        &["verify"],
        &["verify", "nowhere.json"],
    ] {
        let output = probe(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{output:?}");
    }
}

#[test]
fn what_is_no_report_cannot_be_relied_on() {
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("report");
    for text in ["", "{", "<html></html>", "{}", "{\"report\": {}, \"signature\": {}}"] {
        std::fs::write(&file, text).unwrap();
        let output = probe(&["verify", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{text}: {output:?}");
    }
}

#[test]
fn a_program_that_is_not_there_is_status_69() {
    let output = probe(&["isolation", "--ward", "/nowhere/ward"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("/nowhere/ward cannot be started"), "{said}");
}
