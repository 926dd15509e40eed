//! Recorded client operations as GraphQL documents that a served schema can answer.
//!
//! The recording keeps only paths (`contract/usage.json`); this builds the documents again, as a
//! client of the contract would write them. It knows no engine: values for the variables, running
//! and judging are the replay test's business. What is not served yet is left out and counted with
//! the domain that owns it, so that the gap is a number.

mod arguments;
mod selection;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use apollo_compiler::Schema;

use crate::contract_files::Domains;
use crate::schema;
use crate::usage::{Operation, Usage};

/// The owner given to a part that this view of the contract does not have.
pub const NOT_IN_THIS_VIEW: &str = "not in this view";

/// One view: its date, the contract's SDL and the served SDL. The baseline comes first.
#[derive(Debug, Clone, Copy)]
pub struct ReplayView<'a> {
    /// Date of the view, the value of the version header.
    pub date: &'a str,
    /// The contract's SDL.
    pub contract: &'a str,
    /// The served SDL.
    pub served: &'a str,
}

/// A variable of a replay document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Name without the dollar sign.
    pub name: String,
    /// GraphQL type as the contract states it.
    pub graphql_type: String,
    /// The argument path that it fills: `id`, `input.email`, `@nodes.tags(limit)`.
    pub arg_path: String,
}

/// One recorded operation as a document for one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Identifier of the recording.
    pub op: String,
    /// The root field.
    pub root_field: String,
    /// `query`, `mutation` or `subscription`.
    pub kind: String,
    /// Date of the view.
    pub view: String,
    /// The document.
    pub document: String,
    /// Its variables, in the order of declaration.
    pub variables: Vec<Variable>,
    /// For a bare `input` variable: the input fields that clients put into it, as far as served.
    pub input_fields: Vec<String>,
    /// Recorded parts that are not in the document: path, owning domain or [`NOT_IN_THIS_VIEW`].
    pub left_out: Vec<(String, String)>,
    /// Selected leaf paths, as they stand in the document.
    pub selected: Vec<String>,
    /// No version of the contract accepts the operation as recorded: a failure needs a reason.
    pub needs_reason: bool,
}

/// All documents that can be built for root fields served in a view.
///
/// An operation written for the older shape is built for the baseline when that serves its root
/// field; any other is built for each view that does.
pub fn replay_documents(
    usage: &Usage,
    views: &[ReplayView<'_>],
    domains: &Domains,
) -> Result<Vec<Replay>> {
    let mut parsed = Vec::new();
    for view in views {
        let contract = schema::parse(view.contract, view.date).context("contract")?;
        let served = schema::parse(view.served, view.date).context("served")?;
        parsed.push((view.date, contract, served));
    }
    let mut replays = Vec::new();
    for (root, usage) in &usage.root_fields {
        for op in &usage.operations {
            let serving = parsed.iter().filter(|(_, contract, served)| {
                [contract, served].iter().all(|schema| {
                    schema::root_type(schema, &usage.kind)
                        .is_some_and(|ty| schema::field(schema, ty, root).is_some())
                })
            });
            let most = if op.older() { 1 } else { parsed.len() };
            for (date, contract, served) in serving.take(most) {
                let builder = Builder::new(contract, served, domains);
                replays.extend(builder.build(root, &usage.kind, op, date));
            }
        }
    }
    Ok(replays)
}

struct Builder<'a> {
    contract: &'a Schema,
    served: &'a Schema,
    domains: &'a Domains,
    variables: Vec<Variable>,
    input_fields: Vec<String>,
    left_out: Vec<(String, String)>,
    selected: Vec<String>,
}

impl<'a> Builder<'a> {
    fn new(contract: &'a Schema, served: &'a Schema, domains: &'a Domains) -> Self {
        Self {
            contract,
            served,
            domains,
            variables: Vec::new(),
            input_fields: Vec::new(),
            left_out: Vec::new(),
            selected: Vec::new(),
        }
    }

    /// The document, or none when nothing of the recording remains.
    fn build(mut self, root: &str, kind: &str, op: &Operation, date: &str) -> Option<Replay> {
        let root_type = schema::root_type(self.contract, kind)?.to_owned();
        let field = schema::field(self.contract, &root_type, root)?;
        let answer = field.ty.inner_named_type().to_string();
        let composite = schema::is_composite(self.contract, &answer);
        if op.no_known_version() && op.selects.is_empty() && composite {
            return None;
        }
        let arguments = self.root_arguments(field, root, kind == "mutation", op);
        let mut tree = self.selection(&answer, op);
        self.nested_arguments(&answer, &mut tree, op);
        if kind == "mutation" {
            self.messages(&answer, &mut tree);
        }
        let mut text = format!("{kind} {}", op.id.replace('-', "_"));
        if !self.variables.is_empty() {
            let declared: Vec<String> = self
                .variables
                .iter()
                .map(|variable| format!("${}: {}", variable.name, variable.graphql_type))
                .collect();
            let _ = write!(text, "({})", declared.join(", "));
        }
        let _ = write!(text, " {{\n  {root}{arguments}");
        if composite {
            tree.write_selection(&mut text, 1);
        }
        text.push_str("\n}\n");
        Some(Replay {
            op: op.id.clone(),
            root_field: root.to_owned(),
            kind: kind.to_owned(),
            view: date.to_owned(),
            document: text,
            variables: self.variables,
            input_fields: self.input_fields,
            left_out: self.left_out,
            selected: self.selected,
            needs_reason: op.no_known_version(),
        })
    }

    /// Declares a variable named after the last part of the path, or the whole path on a clash.
    fn variable(&mut self, path: &str, graphql_type: String) -> String {
        let taken: BTreeSet<&str> =
            self.variables.iter().map(|variable| variable.name.as_str()).collect();
        let words: Vec<&str> = path
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|w| !w.is_empty())
            .collect();
        let last = words.last().copied().unwrap_or("value");
        let mut name = if taken.contains(last) { words.join("_") } else { last.to_owned() };
        while taken.contains(name.as_str()) {
            name.push('_');
        }
        self.variables.push(Variable {
            name: name.clone(),
            graphql_type,
            arg_path: path.to_owned(),
        });
        name
    }

    fn leave_out(&mut self, path: &str, owner: &str) {
        let entry = (path.to_owned(), owner.to_owned());
        if !self.left_out.contains(&entry) {
            self.left_out.push(entry);
        }
    }

    /// The domain that owns a value of this type standing on that parent: the type's own, unless
    /// it is shared or built in, then the parent's.
    fn owner(&self, parent: &str, value_type: &str) -> String {
        match self.domains.types.get(value_type) {
            Some(domain) if domain != crate::contract_files::SHARED => domain.clone(),
            _ => self.domains.of_type(parent).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
