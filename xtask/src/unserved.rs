//! `unserved.txt`: arguments, input fields and enum values of served things that are not served.
//!
//! One line each: `path | reason | domain-or-dash`, with `#` comments. A path is
//! `createClientInput.foo`, `Query.users(bar:)` or `UserOrderKeys.X`. The domain is the one whose
//! arrival ends the entry; a dash means that Ward does not intend to serve it.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;

use crate::schema;
use crate::usage::Usage;

/// One entry of an `unserved.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// The coordinate: `Type.field(argument:)`, `InputType.field` or `Enum.VALUE`.
    pub path: String,
    /// Why it is not served, for a reader of the coverage report.
    pub reason: String,
    /// The domain that will answer it; the entry goes when that domain lands.
    pub until: Option<String>,
}

/// Parses the text of one `unserved.txt`.
pub fn parse_unserved(text: &str) -> Result<Vec<Unserved>> {
    let mut entries: Vec<Unserved> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [path, reason, until] = parts.as_slice() else {
            bail!("line {number}: expected `path | reason | domain or -`, found {line:?}");
        };
        if path.is_empty() || reason.is_empty() || until.is_empty() {
            bail!("line {number}: path, reason and domain (or -) must all be there");
        }
        if entries.iter().any(|entry| entry.path == *path) {
            bail!("line {number}: {path} is listed twice");
        }
        entries.push(Unserved {
            path: (*path).to_owned(),
            reason: (*reason).to_owned(),
            until: (*until != "-").then(|| (*until).to_owned()),
        });
    }
    Ok(entries)
}

/// Whether the entries themselves may stand, one sentence a fault.
///
/// `views` are (contract SDL, served SDL) pairs, one a view; `unbuilt` names the domains that are
/// not built yet.
pub fn unserved_check(
    views: &[(&str, &str)],
    entries: &[Unserved],
    usage: &Usage,
    unbuilt: &[&str],
) -> Vec<String> {
    let mut contracts = Vec::new();
    let mut served = Vec::new();
    for (contract, ours) in views {
        match (schema::parse(contract, "contract"), schema::parse(ours, "served")) {
            (Ok(contract), Ok(ours)) => {
                contracts.push(contract);
                served.push(ours);
            }
            (Err(error), _) | (_, Err(error)) => {
                return vec![format!("A schema cannot be read: {error}")];
            }
        }
    }
    let sent: Vec<_> = contracts.iter().map(|contract| usage.sent_coordinates(contract)).collect();
    let mut found = Vec::new();
    for entry in entries {
        let path = &entry.path;
        let known = contracts.iter().filter(|schema| has(schema, path)).count();
        if known == 0 {
            found.push(format!("{path} is listed as unserved but names nothing in the contract."));
            continue;
        }
        if served.iter().filter(|schema| has(schema, path)).count() == known {
            found.push(format!("{path} is listed as unserved but is served: remove the entry."));
            continue;
        }
        let waits = entry.until.as_deref().filter(|domain| unbuilt.contains(domain));
        if waits.is_some() {
            continue;
        }
        if let Some(domain) = &entry.until {
            found.push(format!("{path} waits for {domain}, which is built: serve it."));
            continue;
        }
        let roots: BTreeSet<&str> = sent
            .iter()
            .filter_map(|sent| sent.get(path))
            .flat_map(|roots| roots.iter().map(String::as_str))
            .collect();
        if !roots.is_empty() {
            let roots = roots.into_iter().collect::<Vec<_>>().join(", ");
            found.push(format!("{path} is listed as unserved, but clients send it ({roots})."));
        }
    }
    found
}

/// Whether the schema has what the coordinate names.
fn has(schema: &Schema, path: &str) -> bool {
    let Some((ty, rest)) = path.split_once('.') else {
        return false;
    };
    if let Some((field, argument)) = rest.split_once('(') {
        let argument = argument.trim_end_matches(')').trim_end_matches(':');
        return schema::field(schema, ty, field)
            .is_some_and(|field| field.argument_by_name(argument).is_some());
    }
    match schema.types.get(ty) {
        Some(ExtendedType::InputObject(ty)) => ty.fields.contains_key(rest),
        Some(ExtendedType::Enum(ty)) => ty.values.contains_key(rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "type Query { users(tag: String, sort: Sort, in: In): [String] }
        enum Sort { A B } input In { x: Int y: Int }";
    const SERVED: &str =
        "type Query { users(sort: Sort, in: In): [String] } enum Sort { A } input In { x: Int }";
    const USAGE: &str = r#"{"users":{"kind":"query","arg_paths":["tag"],"operations":[]}}"#;

    fn check(entries: &str, unbuilt: &[&str]) -> Vec<String> {
        let entries = parse_unserved(entries).unwrap();
        let usage = Usage::parse(USAGE).unwrap();
        unserved_check(&[(CONTRACT, SERVED)], &entries, &usage, unbuilt)
    }

    #[test]
    fn reads_entries_and_comments() {
        let entries =
            parse_unserved("# why\n\nIn.y | no page | -\nSort.B | later | billing\n").unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].until, None);
        assert_eq!(entries[1].until.as_deref(), Some("billing"));
    }

    #[test]
    fn refuses_broken_lines() {
        for text in ["In.y", "In.y | | -", "In.y | r |", "In.y | r | -\nIn.y | r | -"] {
            assert!(parse_unserved(text).is_err(), "{text}");
        }
    }

    #[test]
    fn entries_that_may_stand() {
        assert_eq!(check("In.y | r | -\nSort.B | r | -", &[]), [] as [&str; 0]);
        assert_eq!(check("Query.users(tag:) | r | clients", &["clients"]), [] as [&str; 0]);
    }

    #[test]
    fn what_clients_send_needs_an_unbuilt_domain() {
        let sentence = "Query.users(tag:) is listed as unserved, but clients send it (users).";
        assert_eq!(check("Query.users(tag:) | r | -", &["clients"]), [sentence]);
        let sentence = "Query.users(tag:) waits for clients, which is built: serve it.";
        assert_eq!(check("Query.users(tag:) | r | clients", &["billing"]), [sentence]);
    }

    #[test]
    fn entries_without_an_object() {
        let sentence = "In.z is listed as unserved but names nothing in the contract.";
        assert_eq!(check("In.z | r | -", &[]), [sentence]);
        let sentence = "In.x is listed as unserved but is served: remove the entry.";
        assert_eq!(check("In.x | r | -", &[]), [sentence]);
    }
}
