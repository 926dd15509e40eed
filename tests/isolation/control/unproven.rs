//! ISO-02: who proves nothing on `control.sock` hears nothing of a command, and holds none up.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use ward_tests::instance::OWNER;
use ward_tests::{Json, Kind, json, tell};

use super::{COMMANDS, Running, between, hello, id, met};

/// Whoever listens where the server did learns from a command that one comes, and not which.
#[test]
fn iso_02_a_server_that_proves_nothing_hears_no_command() {
    let p = Running::new(Kind::Production);
    let before = p.held();
    let real = p.instance.dir.join("real.sock");
    std::fs::rename(p.socket(), &real).unwrap();
    let zeros = "00".repeat(32);
    let said = [
        json!({"nonce": zeros}).to_string(),
        json!({"nonce": zeros, "macs": []}).to_string(),
        json!({"nonce": zeros, "macs": [[1, zeros]]}).to_string(),
        json!({"outcome": "done", "answer": {}}).to_string(),
        json!({"refused": "so it is"}).to_string(),
        "welcome".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ];
    let disable: (&[&str], &[&str]) = (&["user", "disable"], &["--user", OWNER]);
    for greeting in &said {
        let (output, received) = met(&p, disable, |mut client| {
            let mut received = client.hear();
            client.say(&format!("{greeting}\n"));
            // It may have gone without hearing all of it.
            let _ = client.read.read_to_string(&mut received);
            received
        });
        assert!(output.code.is_some_and(|code| code != 0), "{greeting}: {output:?}");
        assert_eq!(output.stdout, "", "{greeting}");
        let first: Json = received.lines().next().unwrap_or_default().parse().unwrap();
        assert_eq!(first["instance"], json!(id(&p.instance)), "{greeting}: {received}");
        assert_eq!(received.lines().count(), 1, "{greeting}: {received}");
        assert!(!received.contains("disable") && !received.contains(OWNER), "{received}");
    }
    std::fs::rename(&real, p.socket()).unwrap();
    p.assert_untouched(&before, "a command that nobody heard");
    p.assert_well();
    tell("ISO-02", format_args!("{} who can't prove to be the server heard nothing", said.len()));
}

/// More connections than the server keeps of those that prove nothing, and than it does commands.
const HELD_OPEN: usize = 300;

#[test]
fn iso_02_who_proves_nothing_keeps_no_command_waiting() {
    let p = Running::new(Kind::Production);
    let keys = || p.instance.database().number("SELECT COUNT(*) FROM api_keys");
    let own = keys();
    let hello = hello(&p.instance);
    let held = |number: usize| {
        let mut stream = UnixStream::connect(p.socket()).unwrap();
        // Some say nothing at all, some go half of the way.
        if number.is_multiple_of(2) {
            let _ = stream.write_all(hello.as_bytes());
        }
        stream
    };
    let streams: Vec<UnixStream> = (0..HELD_OPEN).map(held).collect();
    let (words, rest) = COMMANDS[0];
    drop(p.instance.ward(words, rest).ok());
    assert_eq!(keys(), own + 1, "the command beside them");
    p.assert_warned();
    drop(streams);
    p.assert_well();
    tell("ISO-02", format_args!("a command done beside {HELD_OPEN} callers who prove nothing"));
}

/// A command that tells how far it is, each line in its turn.
#[test]
fn iso_02_what_is_told_on_the_way_is_signed_too() {
    let s = Running::new(Kind::Sandbox);
    let real = s.instance.dir.join("real.sock");
    std::fs::rename(s.socket(), &real).unwrap();
    let seed: (&[&str], &[&str]) = (&["sandbox", "seed"], &["--seed", "7"]);
    let (output, heard) = met(&s, seed, |client| between(client, &real, str::to_owned));
    drop(output.ok());
    assert!(heard.answers.len() > 1, "nothing was told on the way");
    for answer in &heard.answers {
        let told: Json = answer.parse().unwrap();
        assert!(told["mac"].is_string(), "{answer}");
    }
    std::fs::rename(&real, s.socket()).unwrap();
    s.assert_well();
    let told = heard.answers.len() - 1;
    tell("ISO-02", format_args!("a command with {told} lines on its way done"));
}
