//! Introspection: open to everybody (behaviour 2), answered by the compiler,
//! bounded.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};

use crate::outcome::RequestError;

/// Fields of `__schema` and below whose answers are lists, fragments expanded:
/// each may hold a large part of the schema. The usual query has about ten.
const MAX_LISTS: usize = 40;
const LISTS: [&str; 10] = [
    "types",
    "directives",
    "fields",
    "args",
    "inputFields",
    "interfaces",
    "enumValues",
    "possibleTypes",
    "locations",
    "__schema",
];

/// Fields under `__schema` and `__type`, fragments expanded.
const MAX_FIELDS: usize = 600;

/// The answers of a document's introspection fields, by response key.
pub fn answer(
    schema: &Valid<Schema>,
    document: &ExecutableDocument,
    operation: Option<&str>,
    variables: &serde_json::Map<String, serde_json::Value>,
) -> Result<serde_json::Map<String, serde_json::Value>, RequestError> {
    let refuse = || {
        RequestError::new(
            "Too much introspection in one request. Ask for less of the schema at once.",
        )
    };
    let operation = document.operations.get(operation).map_err(|_| refuse())?;
    let mut lists = 0;
    if count(&operation.selection_set, document, &mut 5_000, &mut lists, false) > MAX_FIELDS
        || lists > MAX_LISTS
    {
        return Err(refuse());
    }
    // The document was validated against the view's twin; introspection
    // fields do not differ between the two.
    let document = Valid::assume_valid_ref(document);
    apollo_compiler::introspection::check_max_depth(document, operation).map_err(|_| refuse())?;
    let sent: JsonMap = serde_json::from_value(serde_json::Value::Object(variables.clone()))
        .map_err(|_| refuse())?;
    let coerced = coerce_variable_values(schema, operation, &sent)
        .unwrap_or_else(|_| Valid::assume_valid(JsonMap::new()));
    let response = apollo_compiler::introspection::partial_execute(
        schema,
        &schema.implementers_map(),
        document,
        operation,
        &coerced,
    )
    .map_err(|_| refuse())?;
    let data = response.data.map(|data| serde_json::to_value(data).unwrap_or_default());
    match data {
        Some(serde_json::Value::Object(answers)) => Ok(answers),
        _ => Ok(serde_json::Map::new()),
    }
}

fn count(
    set: &SelectionSet,
    document: &ExecutableDocument,
    budget: &mut usize,
    lists: &mut usize,
    inside: bool,
) -> usize {
    let mut total = 0;
    for selection in &set.selections {
        *budget = budget.saturating_sub(1);
        if *budget == 0 {
            return MAX_FIELDS + 1;
        }
        total += match selection {
            Selection::Field(field) => {
                let inside = inside || field.name.starts_with("__");
                *lists += usize::from(inside && LISTS.contains(&field.name.as_str()));
                usize::from(inside) + count(&field.selection_set, document, budget, lists, inside)
            }
            Selection::InlineFragment(fragment) => {
                count(&fragment.selection_set, document, budget, lists, inside)
            }
            Selection::FragmentSpread(spread) => {
                document.fragments.get(&spread.fragment_name).map_or(0, |fragment| {
                    count(&fragment.selection_set, document, budget, lists, inside)
                })
            }
        };
    }
    total
}
