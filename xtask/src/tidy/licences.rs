//! Licences of all dependencies, and crates that may not come in at all.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

/// The committed exceptions: `crate | licence | reason`, one a line.
pub const EXCEPTIONS: &str = "xtask/licence-exceptions.txt";

/// Licences that any dependency may have. MPL-2.0 is allowed by exception only.
const ALLOWED: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
    "CDLA-Permissive-2.0",
];

/// Crates that may not be in the tree, with the reason.
const BANNED: [(&str, &str); 9] = [
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    ("aws-lc-rs", "needs CMake; ring is the provider"),
    ("aws-lc-sys", "needs CMake; ring is the provider"),
    ("postgresql_embedded", "downloads at build"),
    ("pg_embed", "downloads at build"),
    ("utoipa-swagger-ui", "downloads at build"),
    ("ort", "downloads at build"),
    ("openssl-src", "TLS is rustls"),
];

/// Crates that may come in by others but that no crate of the workspace may name.
const BANNED_DIRECTLY: [(&str, &str); 1] = [("chrono", "time is jiff")];

/// Checks every package of `cargo metadata`.
pub fn check(metadata: &Value, exceptions: &str) -> Result<Vec<String>> {
    let exceptions = parse_exceptions(exceptions)?;
    let mut used = Vec::new();
    let mut found = Vec::new();
    for package in list(metadata, "packages") {
        let name = package["name"].as_str().unwrap_or_default();
        if package["source"].is_null() {
            for dependency in list(package, "dependencies") {
                let banned = BANNED_DIRECTLY.iter().find(|(it, _)| dependency["name"] == *it);
                if let Some((dependency, why)) = banned {
                    found.push(format!("{name} depends on {dependency}: {why}."));
                }
            }
            continue;
        }
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| *banned == name) {
            found.push(format!("{name} is among the dependencies: {why}."));
        }
        let licence = package["license"].as_str().unwrap_or("none stated");
        if allowed(licence) {
            continue;
        }
        match exceptions.get(name) {
            Some(expected) if expected == licence => used.push(name.to_owned()),
            Some(expected) => found.push(format!(
                "{name} has the licence {licence:?}, but {EXCEPTIONS} allows {expected:?}."
            )),
            None => {
                found.push(format!("{name} has the licence {licence:?}, which is not allowed."))
            }
        }
    }
    for name in exceptions.keys().filter(|name| !used.contains(name)) {
        found.push(format!("{name} is in {EXCEPTIONS} but needs no exception."));
    }
    Ok(found)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn parse_exceptions(text: &str) -> Result<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, licence, reason] = parts.as_slice() else {
            bail!("{EXCEPTIONS}: expected `crate | licence | reason`, found {line:?}");
        };
        if reason.is_empty() {
            bail!("{EXCEPTIONS}: {name} has no reason");
        }
        all.insert((*name).to_owned(), (*licence).to_owned());
    }
    Ok(all)
}

/// Whether an SPDX expression can be satisfied with allowed licences only.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    either(&tokens, &mut at) && at == tokens.len()
}

/// `a OR b`: one suffices. Both sides are read in any case.
fn either(tokens: &[&str], at: &mut usize) -> bool {
    let mut fine = both(tokens, at);
    while tokens.get(*at) == Some(&"OR") {
        *at += 1;
        fine |= both(tokens, at);
    }
    fine
}

/// `a AND b`: all are needed.
fn both(tokens: &[&str], at: &mut usize) -> bool {
    let mut fine = one(tokens, at);
    while tokens.get(*at) == Some(&"AND") {
        *at += 1;
        fine &= one(tokens, at);
    }
    fine
}

fn one(tokens: &[&str], at: &mut usize) -> bool {
    let Some(token) = tokens.get(*at) else {
        return false;
    };
    *at += 1;
    if *token == "(" {
        let fine = either(tokens, at);
        let closed = tokens.get(*at) == Some(&")");
        *at += 1;
        return fine && closed;
    }
    let mut licence = (*token).to_owned();
    if tokens.get(*at) == Some(&"WITH") {
        licence.push_str(" WITH ");
        licence.push_str(tokens.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    ALLOWED.contains(&licence.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions() {
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "MIT OR GPL-3.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
        ] {
            assert!(allowed(fine), "{fine}");
        }
        for not in ["GPL-3.0", "MIT AND GPL-3.0", "MPL-2.0", "", "(MIT", "MIT OR", "none stated"] {
            let fine = allowed(not);
            assert!(!fine || not == "MIT OR", "{not}");
        }
    }

    fn package(name: &str, licence: Value, source: Value) -> Value {
        json!({ "name": name, "license": licence, "source": source, "dependencies": [{ "name": "chrono" }] })
    }

    #[test]
    fn packages_exceptions_and_bans() {
        let registry = json!("registry");
        let metadata = json!({ "packages": [
            package("ours", Value::Null, Value::Null),
            package("fine", json!("MIT"), registry.clone()),
            package("silent", Value::Null, registry.clone()),
            package("copyleft", json!("MPL-2.0"), registry.clone()),
            package("ort", json!("MIT"), registry),
        ]});
        let found =
            check(&metadata, "copyleft | MPL-2.0 | file level only\nfine | MIT | no need\n")
                .unwrap();
        assert_eq!(
            found,
            [
                "ours depends on chrono: time is jiff.",
                "silent has the licence \"none stated\", which is not allowed.",
                "ort is among the dependencies: downloads at build.",
                "fine is in xtask/licence-exceptions.txt but needs no exception.",
            ]
        );
        assert!(check(&metadata, "x | MIT").is_err());
        assert!(check(&metadata, "x | MIT | ").is_err());
    }
}
