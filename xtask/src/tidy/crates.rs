//! Which crate of the workspace may know which: the architecture's arrows, and who may call out.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// The domains in their order: each may know those before it.
const DOMAINS: [&str; 11] = [
    "identity",
    "clients",
    "scheduling",
    "charting",
    "documents",
    "clinical",
    "messaging",
    "billing",
    "insurance",
    "automation",
    "export",
];

/// Libraries that open connections to the outside, and the folders that may name them.
const OUTBOUND: [(&str, &[&str]); 11] = [
    ("reqwest", &["world/connectors", "world/webhooks"]),
    ("lettre", &["world/connectors", "world/webhooks"]),
    ("object_store", &["world/connectors"]),
    ("ureq", &["ward", "tests", "bench", "prober"]),
    ("isahc", &[]),
    ("curl", &[]),
    ("awc", &[]),
    ("surf", &[]),
    ("attohttpc", &[]),
    ("minreq", &[]),
    ("hyper-rustls", &["world/connectors", "world/webhooks"]),
];

/// Libraries with a client behind a feature, and the folders that may switch it on.
const OUTBOUND_FEATURES: [(&str, &str); 2] = [("hyper", "client"), ("hyper-util", "client")];

/// Checks the workspace crates of `cargo metadata`.
pub fn check(metadata: &Value, repository: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    for package in packages.iter().filter(|package| package["source"].is_null()) {
        let folder = folder(&package["manifest_path"], repository)?;
        if rank(&folder).is_none() {
            found.push(format!("{folder} is a crate that the architecture does not name."));
            continue;
        }
        for dependency in package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default()
        {
            let name = dependency["name"].as_str().unwrap_or_default();
            if let Some(path) = dependency["path"].as_str() {
                let target = relative(Path::new(path), repository)?;
                let only_tests = dependency["kind"] == "dev";
                if !may_know(&folder, &target, only_tests) {
                    found.push(format!("{folder} depends on {target}, which it may not know."));
                }
                continue;
            }
            if let Some(sentence) = outbound(&folder, name, &dependency["features"]) {
                found.push(sentence);
            }
        }
    }
    Ok(found)
}

fn outbound(folder: &str, name: &str, features: &Value) -> Option<String> {
    let library = OUTBOUND.iter().find(|(library, _)| *library == name);
    if library.is_some_and(|(_, folders)| !folders.contains(&folder)) {
        return Some(format!("{folder} depends on {name}: only the door to the world calls out."));
    }
    let (_, prefix) = OUTBOUND_FEATURES.iter().find(|(library, _)| *library == name)?;
    let door = ["world/connectors", "world/webhooks", "tests", "bench", "prober"].contains(&folder);
    let client = features
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .find(|feature| feature.starts_with(prefix))?;
    (!door).then(|| {
        format!("{folder} depends on {name} with `{client}`: only the door to the world calls out.")
    })
}

/// Where a crate stands, lowest first; none: the architecture has no such room.
fn rank(folder: &str) -> Option<usize> {
    let domain = |name: &str| DOMAINS.iter().position(|domain| *domain == name);
    match folder {
        "foundation/instance" | "foundation/paper" => Some(0),
        "foundation/store" => Some(1),
        "foundation/engine" => Some(2),
        "world/effects" => Some(30),
        "world/connectors" | "world/webhooks" => Some(31),
        "golive" => Some(40),
        "server" => Some(50),
        "ward" => Some(60),
        "prober" | "bench" | "tests" | "tests/practice" | "xtask" => Some(70),
        _ => folder.strip_prefix("practice/").and_then(domain).map(|index| 10 + index),
    }
}

/// Whether the crate may name the other in its manifest.
fn may_know(folder: &str, target: &str, only_tests: bool) -> bool {
    let (Some(from), Some(to)) = (rank(folder), rank(target)) else {
        return false;
    };
    let practice = |folder: &str| folder.starts_with("practice/");
    let foundation = |folder: &str| folder.starts_with("foundation/");
    if practice(folder) {
        let tests_tools = only_tests && ["tests", "tests/practice"].contains(&target);
        return to < from || tests_tools;
    }
    // Webhooks are served by the API: their permission and the people they write to are identity's.
    if folder == "world/webhooks" && target == "practice/identity" {
        return true;
    }
    if folder.starts_with("world/") {
        let tests_tools = only_tests && target == "tests";
        return tests_tools || foundation(target) || (target.starts_with("world/") && to < from);
    }
    if foundation(folder) {
        return foundation(target) && (to < from || (only_tests && to <= from));
    }
    // The served schema is checked against the contract where it is put together.
    let contract_check = only_tests && folder == "server" && target == "xtask";
    // A tool may use what another tool exports; nothing may use a program but tests and tools.
    to < from || (from == 70 && to == 70) || contract_check
}

fn folder(manifest: &Value, repository: &Path) -> Result<String> {
    let manifest = Path::new(manifest.as_str().context("manifest_path")?);
    relative(manifest.parent().unwrap_or(manifest), repository)
}

fn relative(path: &Path, repository: &Path) -> Result<String> {
    let inside = path.strip_prefix(repository).with_context(|| path.display().to_string())?;
    Ok(inside.to_string_lossy().replace('\\', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrows_point_down() {
        for (from, to) in [
            ("foundation/store", "foundation/instance"),
            ("foundation/engine", "foundation/store"),
            ("practice/charting", "foundation/paper"),
            ("practice/identity", "foundation/engine"),
            ("practice/billing", "practice/scheduling"),
            ("world/effects", "foundation/store"),
            ("world/webhooks", "world/effects"),
            ("world/webhooks", "practice/identity"),
            ("server", "practice/automation"),
            ("server", "world/connectors"),
            ("ward", "server"),
            ("tests", "xtask"),
            ("tests/practice", "practice/identity"),
        ] {
            assert!(may_know(from, to, false), "{from} -> {to}");
        }
        for (from, to) in [
            ("foundation/instance", "foundation/store"),
            ("foundation/paper", "foundation/instance"),
            ("foundation/engine", "practice/identity"),
            ("practice/scheduling", "practice/billing"),
            ("practice/identity", "world/effects"),
            ("practice/identity", "server"),
            ("world/effects", "practice/identity"),
            ("world/webhooks", "practice/clients"),
            ("world/effects", "server"),
            ("server", "ward"),
            ("server", "xtask"),
            ("server", "tests/practice"),
            ("practice/charting", "tests/practice"),
        ] {
            assert!(!may_know(from, to, false), "{from} -> {to}");
        }
        assert!(may_know("practice/charting", "tests/practice", true));
        assert!(!may_know("practice/identity", "server", true));
    }

    #[test]
    fn crates_and_libraries_of_a_workspace() {
        let package = |folder: &str, dependencies: Value| {
            json!({ "source": null, "dependencies": dependencies,
                    "manifest_path": format!("/x/{folder}/Cargo.toml") })
        };
        let metadata = json!({ "packages": [
            package("practice/identity", json!([{ "name": "w", "path": "/x/world/effects" }])),
            package("server", json!([
                { "name": "ureq", "features": [] },
                { "name": "hyper-util", "features": ["tokio", "client-legacy"] },
            ])),
            package("world/webhooks", json!([{ "name": "reqwest", "features": [] }])),
            package("helpers", json!([])),
        ]});
        assert_eq!(
            check(&metadata, Path::new("/x")).unwrap(),
            [
                "practice/identity depends on world/effects, which it may not know.",
                "server depends on ureq: only the door to the world calls out.",
                "server depends on hyper-util with `client-legacy`: only the door to the world calls out.",
                "helpers is a crate that the architecture does not name.",
            ]
        );
    }
}
