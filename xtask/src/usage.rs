//! What public clients send: `contract/usage.json`, and the schema coordinates that it touches.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use apollo_compiler::Schema;
use serde::Deserialize;

use crate::schema;

/// All recorded operations, by root field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Usage {
    /// Root field name to what clients do with it.
    pub root_fields: BTreeMap<String, RootUsage>,
}

/// What clients do with one root field.
#[derive(Debug, Clone, Deserialize)]
pub struct RootUsage {
    /// `query`, `mutation` or `subscription`.
    pub kind: String,
    /// Argument paths that operations write out.
    #[serde(default)]
    pub arg_paths: Vec<String>,
    /// Argument paths inferred from the variables' values.
    #[serde(default)]
    pub arg_paths_inferred: Vec<String>,
    /// The operations, each once.
    pub operations: Vec<Operation>,
}

/// One recorded operation.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation {
    /// Stable identifier of the recording.
    pub id: String,
    /// Argument paths: `id`, `input.email`, `input` (one variable), `@field(argument)` (nested).
    pub args: Vec<String>,
    /// Fields of a bare `input` variable, inferred from code.
    pub input_fields_inferred: Vec<String>,
    /// Selected leaf paths, in the connection shape (`nodes.id`).
    pub selects: Vec<String>,
    /// Whether it was written for plain lists, the shape of the baseline view.
    pub written_for_list_shape: bool,
    /// Which version of the contract accepts it, in words.
    pub accepted_by: String,
    /// Parts (`arg:…`, `sel:…`) that only the older shape has.
    #[serde(default)]
    pub legacy_only_parts: Vec<String>,
    /// Parts that no version has; they are not in `args` and `selects`.
    #[serde(default)]
    pub parts_unknown_to_contract: Vec<String>,
}

impl Operation {
    /// Whether only the older version of the contract accepts it.
    pub fn older(&self) -> bool {
        self.written_for_list_shape || self.accepted_by.starts_with("older")
    }

    /// Whether no version of the contract accepts it as recorded.
    pub fn no_known_version(&self) -> bool {
        self.accepted_by == "no known version"
    }

    /// The legacy parts with this prefix (`arg` or `sel`), without it.
    pub fn legacy(&self, prefix: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{prefix}:");
        self.legacy_only_parts.iter().filter_map(move |part| part.strip_prefix(prefix.as_str()))
    }
}

impl Usage {
    /// Reads the text of `usage.json`.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("usage.json has another shape than expected")
    }

    /// The coordinates that clients send (`Query.users(id:)`, `createClientInput.email`,
    /// `User.tags(limit:)`) as one view of the contract names them, each with its root fields.
    pub fn sent_coordinates(&self, contract: &Schema) -> BTreeMap<String, BTreeSet<String>> {
        let mut sent: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (root, usage) in &self.root_fields {
            let Some(root_type) = schema::root_type(contract, &usage.kind) else {
                continue;
            };
            let inferred = usage.operations.iter().flat_map(|op| &op.input_fields_inferred);
            let legacy = usage.operations.iter().flat_map(|op| op.legacy("arg"));
            let paths = usage.arg_paths.iter().chain(&usage.arg_paths_inferred).chain(inferred);
            for path in paths.map(String::as_str).chain(legacy) {
                for coordinate in coordinates(contract, root_type, root, path) {
                    sent.entry(coordinate).or_default().insert(root.clone());
                }
            }
        }
        sent
    }
}

/// The coordinates along one argument path, as far as the contract knows it.
fn coordinates(contract: &Schema, root_type: &str, root: &str, path: &str) -> Vec<String> {
    let Some((parent, field_name, arguments)) = locate(contract, root_type, root, path) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut segments = arguments.split('.');
    let Some(field) = schema::field(contract, &parent, &field_name) else {
        return found;
    };
    let Some(argument) = segments.next().and_then(|name| field.argument_by_name(name)) else {
        return found;
    };
    found.push(format!("{parent}.{field_name}({}:)", argument.name));
    let mut ty = argument.ty.inner_named_type().clone();
    for segment in segments {
        let Some(next) = contract.get_input_object(&ty).and_then(|ty| ty.fields.get(segment))
        else {
            return found;
        };
        found.push(format!("{ty}.{segment}"));
        ty = next.ty.inner_named_type().clone();
    }
    found
}

/// (type, field, argument path) of `a.b` on the root field, or of `@x.y(a)` below it.
fn locate(
    contract: &Schema,
    root_type: &str,
    root: &str,
    path: &str,
) -> Option<(String, String, String)> {
    let Some(nested) = path.strip_prefix('@') else {
        return Some((root_type.to_owned(), root.to_owned(), path.to_owned()));
    };
    let (fields, argument) = nested.split_once('(')?;
    let mut parent = root_type.to_owned();
    let mut name = root.to_owned();
    for segment in fields.split('.') {
        let ty = schema::field(contract, &parent, &name)?.ty.inner_named_type().to_string();
        if segment == "nodes" && schema::field(contract, &ty, "nodes").is_none() {
            continue;
        }
        parent = ty;
        name = segment.to_owned();
    }
    Some((parent, name, argument.trim_end_matches(')').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "
        type Query { users(offset: Int, filter: Filter): [User] }
        type User { id: ID tags(limit: Int): [String] }
        input Filter { name: String, inner: Inner } input Inner { x: Int }";

    #[test]
    fn coordinates_of_root_nested_and_input_paths() {
        let usage = Usage::parse(
            r#"{"users":{"kind":"query","arg_paths":["filter.inner.x","nothing","@nodes.tags(limit)"],
                "arg_paths_inferred":["filter.name"],"operations":[{"id":"op-1","args":[],
                "input_fields_inferred":[],"selects":[],"written_for_list_shape":true,
                "accepted_by":"older schema (January 2025) only","legacy_only_parts":["arg:offset"]}]}}"#,
        )
        .unwrap();
        let sent = usage.sent_coordinates(&schema::parse(CONTRACT, "c").unwrap());
        let names: Vec<&str> = sent.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "Filter.inner",
                "Filter.name",
                "Inner.x",
                "Query.users(filter:)",
                "Query.users(offset:)",
                "User.tags(limit:)"
            ]
        );
    }
}
