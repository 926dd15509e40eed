//! `ward conformance isolation`, as customers and auditors run it: all rows on a pair that it makes
//! itself, and on a pair of theirs.

use std::collections::BTreeSet;

use ward_probe::isolation::UNREACHED;
use ward_tests::program::{self, Output};
use ward_tests::{Json, Kind, json, tell};

use crate::pair::{Side, pair};

fn report(output: &Output) -> Json {
    let document: Json = serde_json::from_str(&output.stdout).unwrap_or(Json::Null);
    assert!(document["report"].is_object(), "no report, but {output:?}");
    document["report"].clone()
}

fn cases(report: &Json, id: &str) -> u64 {
    let rows = report["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("no row {id}"));
    assert_eq!(row["verdict"], "held", "{row:#}");
    row["cases"].as_u64().unwrap()
}

#[test]
fn conformance_of_a_pair_of_its_own() {
    let files = tempfile::tempdir().unwrap();
    let page = files.path().join("isolation.html");
    let mut command = program::command();
    command.args(["conformance", "isolation", "--json", "--save"]).arg(&page);
    command.env("PATH", program::path_with_probe());
    command.env("TMPDIR", files.path());
    let output = program::finish_within(command, program::LONG);
    let report = report(&output);
    let rows = report["rows"].as_array().unwrap();
    let faults: Vec<&Json> = rows.iter().filter(|row| row["verdict"] == "fault").collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!((&report["suite"], &report["counts"]["failed"]), (&"isolation".into(), &0.into()));
    // The generated cases cover what there is.
    let generated = ["copied-rows", "every-operation", "every-id"].map(|id| cases(&report, id));
    assert!(generated.into_iter().all(|cases| cases > 100), "{generated:?}");
    // Nothing else is untried than what is said to be, and the keys of certificates that there are
    // none of; and nothing is left behind.
    let untried = rows.iter().filter(|row| row["verdict"] == "not applicable");
    let untried: BTreeSet<&str> = untried.map(|row| row["title"].as_str().unwrap()).collect();
    let mut told: BTreeSet<&str> = UNREACHED.iter().map(|(_, title, _)| *title).collect();
    told.insert("Their certificates have different keys");
    assert_eq!(untried, told);
    for row in rows {
        assert_eq!(row["untried"], json!([]), "{row:#}");
    }
    assert!(std::fs::read_to_string(&page).unwrap().contains("every-id"));
    let left: Vec<_> =
        std::fs::read_dir(files.path()).unwrap().flatten().map(|it| it.path()).collect();
    assert_eq!(left, [page], "left behind");
    tell(
        "conformance",
        format_args!("{}; tables, operations, ids: {generated:?}", report["counts"]),
    );
}

#[test]
fn conformance_of_a_pair_that_runs() {
    let pair = pair();
    let files = tempfile::tempdir().unwrap();
    let given = |side: &Side| {
        let file = files.path().join(side.instance.kind.word());
        std::fs::write(&file, &side.owner).unwrap();
        let session = file.with_extension("session");
        std::fs::write(&session, side.session()).unwrap();
        let url = format!("http://127.0.0.1:{}", side.server.port);
        (url, file.display().to_string(), session.display().to_string())
    };
    let ((s_url, s_key, s_session), (p_url, p_key, p_session)) = (given(&pair.s), given(&pair.p));
    let authority = files.path().join("authority.pem");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&authority, made.cert.pem()).unwrap();
    let before =
        [Kind::Sandbox, Kind::Production].map(|kind| pair.sides(kind).0.instance.settled_dump());
    let path = program::path_with_probe();
    let mut command = program::command();
    command.args(["conformance", "isolation", "--json", "--sandbox-url", &s_url]);
    command.args(["--production-url", &p_url, "--sandbox-key-file", &s_key]);
    command.args(["--production-key-file", &p_key, "--sandbox-session-file", &s_session]);
    command.args(["--production-session-file", &p_session, "--minutes", "25"]);
    command.arg("--ca-file").arg(&authority).env("PATH", path);
    let output = program::finish_within(command, program::LONG);
    let report = report(&output);
    assert_eq!(cases(&report, "sessions"), 4);
    assert_eq!((output.code, &report["verdict"]), (Some(0), &"held".into()), "{report:#}");
    for (kind, before) in Kind::BOTH.into_iter().zip(&before) {
        let now = pair.sides(kind).0.instance.settled_dump();
        now.assert_unchanged_since(before, "a look from outside");
    }
    tell("conformance", format_args!("a furnished pair from outside: {}", report["counts"]));
}
