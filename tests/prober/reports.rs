//! Reports: signed, saved, checked; and how wrong use ends.

use ward_tests::program::{self, Output};
use ward_tests::{Json, tell};

use crate::pair::Pair;

fn verify(file: &std::path::Path, more: &[&str]) -> Output {
    let mut command = program::probe();
    command.arg("verify").arg(file).args(more);
    program::finish(command)
}

#[test]
fn gl_06_a_report_is_signed_and_a_changed_one_is_refused() {
    let pair = Pair::new();
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let (s, p) = (at(pair.s.server.port), at(pair.p.server.port));
    let (json, page, key) = (pair.file("r.json"), pair.file("r.html"), pair.file("signing.pem"));
    let made = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    std::fs::write(&key, made.serialize_pem()).unwrap();
    let save = [json.to_str().unwrap(), page.to_str().unwrap(), key.to_str().unwrap()];
    let more = ["--save", save[0], "--save", save[1], "--signing-key", save[2]];
    let output = pair.probe_at(&s, &p, &more).ok();
    assert!(output.stdout.contains(" not applicable") && output.stdout.contains("0 failed"));
    for secret in [&pair.s.key, &pair.p.key, &pair.s.session, &pair.p.session] {
        for text in [&output.stdout, &output.stderr, &std::fs::read_to_string(&page).unwrap()] {
            assert!(!text.contains(secret.as_str()), "a credential is in the report");
        }
    }
    let saved: Json = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let public = saved["signature"]["public_key"].as_str().unwrap();
    for file in [&json, &page] {
        verify(file, &[]).ok();
        let expected = verify(file, &["--public-key", public]).ok();
        assert!(expected.stdout.contains("held"), "{}", expected.stdout);
        let other = verify(file, &["--public-key", &"0".repeat(64)]);
        assert_eq!(other.code, Some(1), "{other:?}");
        // One letter of what it says.
        let text = std::fs::read_to_string(file).unwrap();
        let changed = pair.file("changed");
        std::fs::write(&changed, text.replacen("held", "helt", 1)).unwrap();
        let refused = verify(&changed, &[]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("cannot be relied on"), "{}", refused.stderr);
    }
    tell(
        "GL-06",
        "a report as JSON and as a page: 4 signatures good, 2 of another key and 2 changed refused",
    );
}

#[test]
fn wrong_use_is_said_before_anything_is_sent() {
    let pair = Pair::new();
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let (s, p) = (at(pair.s.server.port), at(pair.p.server.port));
    let logs = || (pair.s.server.logs(), pair.p.server.logs());
    let before = logs();
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
    let cases: [(&str, &str, &[&str], i32); 5] = [
        (&s, "http://127.0.0.1:1", &[], 69),
        (&s, "ftp://127.0.0.1", &[], 2),
        (&s, &p, &["--save", "report.pdf"], 2),
        (&s, &p, &["--signing-key", "nowhere.pem"], 2),
        (&p, &s, &[], 2),
    ];
    assert_eq!(logs(), before, "something was sent");
    for (sandbox, production, more, code) in cases {
        let output = pair.probe_at(sandbox, production, more);
        assert_eq!(output.code, Some(code), "{sandbox} {production} {more:?}: {output:?}");
        assert_eq!(output.stderr.trim().lines().count(), 1, "{}", output.stderr);
    }
}
