//! GL-05: what is not there. No configuration key can hold the other instance's address or key, no
//! program that serves links code that knows both, and Production has no route of the control plane.

use std::collections::BTreeSet;
use std::path::Path;

use ward_tests::{Engine, Instance, Json, Kind, json, tell};

use crate::pair::pair;

/// Every key of `ward.toml`, and what it holds. A new one is looked at before it is added here:
/// none may name another instance, or hold a key of one.
const KEYS: [(&str, &str); 47] = [
    ("kind", "sandbox or production, which has to be the certificate's"),
    ("base_url", "the own address, which has to be the certificate's"),
    ("hosts", "further names of the own address"),
    ("listen", "an address of this machine"),
    ("private_listen", "an address of this machine"),
    ("tls_cert", "a file"),
    ("tls_key", "a file"),
    ("trusted_proxy", "a network that forwards to this instance"),
    (
        "database_env",
        "the name of a variable; the database has to have this instance's certificate",
    ),
    ("pooler", "transaction or nothing"),
    ("sign_up", "open or closed"),
    ("rate_limit", "a number"),
    ("sockets_of_person", "a number"),
    ("allow_loopback_webhooks", "a switch"),
    ("allow_private_webhooks", "a switch"),
    ("sunset", "a day"),
    ("log_level", "a word"),
    ("files", "where stored files are: a directory, or the bucket of the s3 keys"),
    ("tripwire_strict", "a switch"),
    ("clock_idle_hours", "a number"),
    ("smtp_host", "a mail server"),
    ("smtp_port", "a number"),
    ("smtp_tls", "a word"),
    ("smtp_user", "a name at the mail server"),
    ("smtp_password_file", "a file: the mail server's password"),
    ("smtp_from", "a sender"),
    ("smtp_ca", "a file: a certificate"),
    ("smtp_callback_token_file", "a file: what the provider shows when it calls"),
    ("sms_url", "an SMS provider, which is sent messages and nothing else"),
    ("sms_token_file", "a file: the provider's token"),
    ("sms_from", "a sender"),
    ("sms_ca", "a file: a certificate"),
    ("sms_callback_token_file", "a file: what the provider shows when it calls"),
    ("push_url", "a push provider, which is sent notifications and nothing else"),
    ("push_token_file", "a file: the provider's token"),
    ("push_ca", "a file: a certificate"),
    ("video_url", "a video provider, which is asked for rooms and nothing else"),
    ("video_token_file", "a file: the provider's token"),
    ("video_ca", "a file: a certificate"),
    ("scan_socket", "a socket of this machine: a malware scanner, which is sent bytes of files"),
    ("s3_endpoint", "a bucket's server; objects are sealed with this instance's key"),
    ("s3_bucket", "a bucket"),
    ("s3_region", "a word"),
    ("s3_prefix", "a beginning of names"),
    ("s3_access_key", "a name at the bucket's server"),
    ("s3_secret_key_file", "a file: the bucket's secret"),
    ("s3_ca", "a file: a certificate"),
];

/// What a bridge between the two would be called.
const BRIDGES: [&str; 10] = [
    "peer_url",
    "sandbox_url",
    "production_url",
    "sandbox_key",
    "production_key",
    "other_instance",
    "upstream",
    "replicate_from",
    "promote_to",
    "import_from",
];

fn source(path: &str) -> String {
    std::fs::read_to_string(xtask::repository().join(path)).unwrap()
}

#[test]
fn gl_05_no_configuration_key_can_hold_the_other_instance() {
    let text = source("foundation/instance/src/config/variables.rs");
    let known: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("(\"")?.split_once("\", Shape::"))
        .map(|(key, _)| key)
        .chain(["tripwire_strict", "clock_idle_hours"])
        .collect();
    let reviewed: BTreeSet<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    assert_eq!(known, reviewed, "say in KEYS what a new key holds");
    let mut refused = 0;
    for kind in Kind::BOTH {
        let instance = Instance::birth(kind, Engine::Sqlite);
        let file = instance.dir.join("ward.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        for bridge in BRIDGES {
            std::fs::write(&file, format!("{bridge} = \"http://127.0.0.1:1\"\n{text}")).unwrap();
            let output = instance.refused_start(&[]);
            assert!(output.code.is_some_and(|code| code != 0), "{bridge}: {output:?}");
            assert!(output.stderr.contains(bridge), "{bridge} is not named: {}", output.stderr);
            std::fs::write(&file, &text).unwrap();
            let name = format!("WARD_{}_{}", kind.word().to_uppercase(), bridge.to_uppercase());
            let output = instance.refused_start(&[(&name, "http://127.0.0.1:1")]);
            assert!(output.code.is_some_and(|code| code != 0), "{name}: {output:?}");
            refused += 2;
        }
    }
    tell("GL-05", format_args!("{} keys reviewed, {refused} bridges refused", known.len()));
}

#[test]
fn gl_05_nothing_that_serves_links_what_knows_both() {
    let metadata = xtask::tidy::metadata(&xtask::repository()).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let id = |name: &str| {
        let packages = metadata["packages"].as_array().unwrap();
        let found = packages.iter().find(|it| it["name"] == name && it["source"].is_null());
        found.unwrap_or_else(|| panic!("no crate {name}"))["id"].clone()
    };
    let probe = id("ward-probe");
    for root in ["ward", "ward-server", "ward-webhooks", "ward-connectors"] {
        let (mut open, mut all) = (vec![id(root)], Vec::<Json>::new());
        while let Some(next) = open.pop() {
            let node = nodes.iter().find(|node| node["id"] == next).unwrap();
            for dependency in node["deps"].as_array().unwrap() {
                let kinds = dependency["dep_kinds"].as_array().unwrap();
                let is_linked = kinds.iter().any(|kind| kind["kind"].is_null());
                if is_linked && !all.contains(&dependency["pkg"]) {
                    open.push(dependency["pkg"].clone());
                }
            }
            all.push(next);
        }
        assert!(!all.contains(&probe), "{root} links ward-probe");
        assert!(all.len() > 20, "hardly anything is linked by {root}: {}", all.len());
    }
    // And as the program is: of its own crates there are symbols, of the prober's none.
    let program = ward_tests::program::command();
    let has = |word: &str| {
        let mut grep = std::process::Command::new("grep");
        grep.args(["-qaF", word]).arg(program.get_program());
        grep.status().unwrap().code() == Some(0)
    };
    assert!(has("ward_server"), "no symbols to look at");
    assert!(!has("ward_probe"), "the program holds code of ward-probe");
    tell("GL-05", "4 crates and the program hold no prober");
}

/// The literals of routes in a source.
fn routes(text: &str) -> impl Iterator<Item = &str> {
    let starts = text.match_indices(".route(").map(|(at, mark)| &text[at + mark.len()..]);
    starts.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => rust_files(&path, found),
            path if path.extension().is_some_and(|it| it == "rs") => found.push(path),
            _ => {}
        }
    }
}

#[test]
fn gl_05_production_has_no_route_of_the_control_plane() {
    let server = xtask::repository().join("server/src");
    let mut files = Vec::new();
    rust_files(&server, &mut files);
    let mut control = BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let inside = file.strip_prefix(&server).unwrap().to_string_lossy().into_owned();
        let own = inside == "sandbox.rs" || inside.starts_with("sandbox/");
        for route in routes(&text).filter(|route| route.starts_with("/sandbox")) {
            let refuses = inside == "serve.rs"
                && text.contains(&format!("\"{route}\", axum::routing::any(sandbox::only_there)"));
            assert!(own || refuses, "{inside} has the route {route}");
            if own {
                control.insert(route.to_owned());
            }
        }
        // Mounted in one place, in the arm that has the Sandbox's witness.
        let mounted = text.matches("sandbox::routes(").count();
        assert_eq!(mounted, usize::from(inside == "serve.rs"), "{inside}");
    }
    let serve = source("server/src/serve.rs");
    let arm = "match app.instance.witness().sandbox() {\n        Some(witness) => routes.merge(sandbox::routes(&witness)),";
    assert!(serve.contains(arm), "the control plane is not mounted by the witness alone");
    assert!(control.len() > 8, "hardly any route was found: {control:?}");
    // And as it runs.
    let pair = pair();
    let p = &pair.p;
    let before = p.instance.settled_dump();
    let mut tried = 0;
    for route in &control {
        let parts = route.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        for api in [p.server.api(), p.as_owner()] {
            for reply in [api.get(&path), api.post(&path, &json!({})), api.delete(&path)] {
                let told = (reply.status, reply.code());
                assert_eq!(told, (404, "SANDBOX_ONLY"), "{path}: {}", reply.text);
                tried += 1;
            }
        }
    }
    p.instance.settled_dump().assert_unchanged_since(&before, "the control plane");
    tell("GL-05", format_args!("{} routes, {tried} calls answered SANDBOX_ONLY", control.len()));
}
