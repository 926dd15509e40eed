//! From text to a validated document, with a bound on everything (behaviour
//! 11; SEC-28): tokens, nesting, fragments, variables, operations, expansion.

use std::collections::HashMap;

use apollo_compiler::ast::{self, Definition};
use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::DiagnosticList;
use apollo_compiler::{ExecutableDocument, Name};

use crate::outcome::RequestError;
use crate::view::{View, widened};

/// Tokens of a document, white space and commas included.
const MAX_TOKENS: usize = 15_000;
/// Nesting that the parser follows.
const MAX_RECURSION: usize = 100;
/// Fragments, and variables, of a document.
const MAX_DEFINITIONS: usize = 200;
/// Operations of a document.
const MAX_OPERATIONS: usize = 20;
/// Fields after fragments are expanded.
pub const MAX_EXPANDED: u64 = 10_000;
/// Errors that are told.
pub const MAX_ERRORS: usize = 20;
/// Characters of one response key: each is repeated for every row of a list.
const MAX_KEY: usize = 200;

/// Parses and validates a document for a view.
pub fn validated(text: &str, view: &View) -> Result<ExecutableDocument, Vec<RequestError>> {
    let mut parser = Parser::new().token_limit(MAX_TOKENS).recursion_limit(MAX_RECURSION);
    let document = parser.parse_ast(text, "query").map_err(|errors| told(&errors.errors))?;
    bounded(&document)?;
    let mut wide = document.clone();
    widen_variables(&mut wide);
    if let Err(errors) = wide.to_executable_validate(&view.twin)
        && !(introspects(text) && document.to_executable_validate(&view.schema).is_ok())
    {
        return Err(told(&errors.errors));
    }
    keys_bounded(&document)?;
    let document = document.to_executable(&view.schema).map_err(|errors| told(&errors.errors))?;
    for operation in document.operations.iter() {
        let mut counted = HashMap::new();
        let fields = expanded(&operation.selection_set, &document, &mut counted);
        if fields > MAX_EXPANDED {
            let message = format!(
                "The operation expands to more than {MAX_EXPANDED} fields through its fragments. Ask for fewer fields at once."
            );
            return Err(vec![RequestError::new(message)]);
        }
    }
    Ok(document)
}

/// Whether the text may hold `__type(name:)`, whose argument is the language's
/// own `String!` in the twin too, so that only a strict document fits it.
fn introspects(text: &str) -> bool {
    text.split("__type").skip(1).any(|rest| !rest.starts_with("name"))
}

fn bounded(document: &ast::Document) -> Result<(), Vec<RequestError>> {
    let (mut fragments, mut operations) = (0, 0);
    for definition in &document.definitions {
        match definition {
            Definition::FragmentDefinition(_) => fragments += 1,
            Definition::OperationDefinition(operation) => {
                operations += 1;
                if operation.variables.len() > MAX_DEFINITIONS {
                    return refuse(format!(
                        "An operation may declare at most {MAX_DEFINITIONS} variables."
                    ));
                }
            }
            _ => return refuse("A request holds operations and fragments only.".to_owned()),
        }
    }
    if fragments > MAX_DEFINITIONS {
        return refuse(format!("A request may define at most {MAX_DEFINITIONS} fragments."));
    }
    if operations > MAX_OPERATIONS {
        return refuse(format!("A request may hold at most {MAX_OPERATIONS} operations."));
    }
    Ok(())
}

fn keys_bounded(document: &ast::Document) -> Result<(), Vec<RequestError>> {
    let mut sets: Vec<&[ast::Selection]> = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => sets.push(&operation.selection_set),
            Definition::FragmentDefinition(fragment) => sets.push(&fragment.selection_set),
            _ => {}
        }
    }
    while let Some(set) = sets.pop() {
        for selection in set {
            match selection {
                ast::Selection::Field(field) => {
                    if field.alias.as_ref().is_some_and(|alias| alias.len() > MAX_KEY) {
                        return refuse(format!("An alias may have at most {MAX_KEY} characters."));
                    }
                    sets.push(&field.selection_set);
                }
                ast::Selection::InlineFragment(fragment) => sets.push(&fragment.selection_set),
                ast::Selection::FragmentSpread(_) => {}
            }
        }
    }
    Ok(())
}

fn refuse(message: String) -> Result<(), Vec<RequestError>> {
    Err(vec![RequestError::new(message)])
}

fn widen_variables(document: &mut ast::Document) {
    for definition in &mut document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            for variable in &mut operation.make_mut().variables {
                let ty = widened(&variable.ty);
                *variable.make_mut().ty.make_mut() = ty;
            }
        }
    }
}

/// An upper bound of the fields after expansion; each fragment is counted once.
fn expanded<'a>(
    set: &'a SelectionSet,
    document: &'a ExecutableDocument,
    counted: &mut HashMap<&'a Name, u64>,
) -> u64 {
    set.selections.iter().fold(0, |sum: u64, selection| {
        sum.saturating_add(match selection {
            Selection::Field(field) => {
                expanded(&field.selection_set, document, counted).saturating_add(1)
            }
            Selection::InlineFragment(fragment) => {
                expanded(&fragment.selection_set, document, counted)
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.fragment_name;
                if let Some(known) = counted.get(name) {
                    return sum.saturating_add(*known);
                }
                let count = document
                    .fragments
                    .get(name)
                    .map_or(0, |fragment| expanded(&fragment.selection_set, document, counted));
                counted.insert(name, count);
                count
            }
        })
    })
}

/// The first errors of a list, in the reference wording. A list is never
/// printed as a whole: on one long line that takes seconds and hundreds of MB.
fn told(errors: &DiagnosticList) -> Vec<RequestError> {
    let mut told = Vec::new();
    for diagnostic in errors.iter().take(MAX_ERRORS) {
        let message = crate::wording::reworded(&diagnostic.error.to_string());
        let mut error = RequestError::new(crate::wording::shortened(&message));
        error.location =
            diagnostic.line_column_range().map(|range| (range.start.line, range.start.column));
        told.push(error);
    }
    // When every sub-field is unknown the compiler first claims that there is
    // no selection at all.
    if told.len() > 1 && told[0].message.contains("must have a subselection set") {
        told.remove(0);
    }
    if told.is_empty() {
        told.push(RequestError::new("The document is not valid GraphQL."));
    }
    told
}
