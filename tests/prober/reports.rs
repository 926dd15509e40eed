//! How wrong use ends, and a run that is cut off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ward_tests::json;
use ward_tests::middle::{self, Spoil};
use ward_tests::program;

use crate::pair::{Found, Pair};

#[test]
fn wrong_use_is_said_before_anything_is_sent() {
    let mut pair = Pair::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let counted = move |port: u16| {
        let count = Arc::clone(&count);
        let spoil = Spoil::request(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            None
        });
        format!("http://127.0.0.1:{}", middle::before(port, spoil))
    };
    let (s, p) = (counted(pair.s.server.port), counted(pair.p.server.port));
    // The keys stand in the wrong files.
    let mut command = program::probe();
    let [s_key, p_key] = [("a", &pair.s.key), ("b", &pair.p.key)].map(|(name, key)| {
        let file = pair.file(name);
        std::fs::write(&file, key).unwrap();
        file
    });
    command
        .arg("run")
        .arg("--sandbox-key-file")
        .arg(&p_key)
        .arg("--production-key-file")
        .arg(&s_key);
    command.args(["--sandbox-url", &s, "--production-url", &p]);
    let output = program::finish(command);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.stderr.contains("nothing was sent"), "{}", output.stderr);
    let ends = |pair: &Pair, sandbox: &str, production: &str, more: &[&str], code: i32| {
        let output = pair.probe_at(sandbox, production, more);
        assert_eq!(output.code, Some(code), "{sandbox} {production} {more:?}: {output:?}");
        assert_eq!(output.stderr.trim().lines().count(), 1, "{}", output.stderr);
        assert_eq!(output.stdout, "");
        output.stderr
    };
    let unwritable = pair.file("nowhere").join("report.json");
    for (production, more) in [
        ("ftp://127.0.0.1", &[][..]),
        // A key would go in clear.
        ("http://192.0.2.1", &[]),
        (&p, &["--save", "report.pdf"]),
        (&p, &["--save", unwritable.to_str().unwrap()]),
        (&p, &["--signing-key", "nowhere.pem"]),
    ] {
        ends(&pair, &s, production, more, 2);
    }
    let said = ends(&pair, &s, "http://somebody:hush@127.0.0.1", &[], 2);
    assert!(!said.contains("hush"), "{said}");
    assert_eq!(sent.load(Ordering::Relaxed), 0, "something was sent");
    ends(&pair, &s, "http://127.0.0.1:1", &[], 69);
    ends(&pair, &p, &s, &[], 2);
    assert!(sent.load(Ordering::Relaxed) > 0, "nothing is counted");
    // A session that opens nothing at home would open nothing elsewhere.
    pair.s.session = pair.s.session.replace("_sbx_", "_sbx_0");
    let said = ends(&pair, &s, &p, &[], 2);
    assert!(said.contains("--sandbox-session-file opens nothing at http://"), "{said}");
}

/// A list that can't be read ends the run: it does not count as one that holds nothing. What was
/// found before is reported all the same, and nothing that comes after holds.
#[test]
fn gl_06_a_run_that_is_cut_off_loses_no_fault_and_holds_nothing_unread() {
    let pair = Pair::new();
    let broken = |spoil: Spoil| {
        let spoil = spoil.and_answer(|request, answer| {
            if request.body.contains("{ apiKeys(") {
                let error = json!({"message": "No.", "extensions": {"code": "INTERNAL"}});
                answer.body = json!({"data": {"apiKeys": null}, "errors": [error]}).to_string();
            }
        });
        let port = middle::before(pair.p.server.port, spoil);
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        pair.probe_at(&at(pair.s.server.port), &at(port), &["--json"])
    };
    let unreported = broken(Spoil::default());
    assert_eq!((unreported.code, unreported.stdout.as_str()), (Some(69), ""), "{unreported:?}");
    assert!(unreported.stderr.contains("\"INTERNAL\" and not all data"), "{unreported:?}");
    let (own, key) = (pair.s.key.clone(), pair.p.key.clone());
    let output = broken(Spoil::request(move |request| {
        request.replace(&own, &key);
        None
    }));
    assert!(output.stderr.contains("\"INTERNAL\" and not all data"), "{output:?}");
    let found = Found::of(&output);
    found.assert_only(&[("sandbox-key-in-production", "sent as Basic, is accepted")]);
    let report = &found.document["report"];
    assert_eq!(report["ended"]["row"], "tokens", "{report:#}");
    assert_eq!(found.rows("held"), ["addresses", "production-key-in-sandbox", "sessions"]);
    let reason = found.row("tokens")["reason"].as_str().unwrap();
    assert!(reason.starts_with("the run ended here: "), "{reason}");
    let reason = found.row("rows")["reason"].as_str().unwrap();
    assert_eq!(reason, "not tried: the run had ended before");
}
