//! Nulls that climb to the nearest parent that may be null (specification
//! section 6.4.4), on an answer's JSON: written anew, for comparison.

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{Field, Selection, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use serde_json::Value as Json;

/// An answer after its nulls have climbed, and whether any had to.
pub struct Climbed {
    pub data: Json,
    pub any: bool,
}

/// A null where none may be.
struct Null;

pub fn climbed(data: &Json, query: &str, schema: &Valid<Schema>) -> Climbed {
    let document = ExecutableDocument::parse_and_validate(schema, query, "query").unwrap();
    let operation = document.operations.iter().next().unwrap();
    let mut any = false;
    let data = object(data, &[&operation.selection_set], &document, &mut any);
    Climbed { data: data.unwrap_or(Json::Null), any }
}

fn value(
    json: &Json,
    ty: &Type,
    below: &[&SelectionSet],
    document: &ExecutableDocument,
    any: &mut bool,
) -> Result<Json, Null> {
    let written = match json {
        Json::Null => Ok(Json::Null),
        Json::Array(items) => items
            .iter()
            .map(|item| value(item, ty.item_type(), below, document, any))
            .collect::<Result<_, _>>()
            .map(Json::Array),
        Json::Object(_) => object(json, below, document, any),
        leaf => Ok(leaf.clone()),
    };
    match written {
        Ok(Json::Null) if ty.is_non_null() => {
            *any = true;
            Err(Null)
        }
        Err(Null) if !ty.is_non_null() => Ok(Json::Null),
        other => other,
    }
}

fn object(
    json: &Json,
    sets: &[&SelectionSet],
    document: &ExecutableDocument,
    any: &mut bool,
) -> Result<Json, Null> {
    let mut whole = serde_json::Map::new();
    let mut climbs = false;
    for (key, member) in json.as_object().unwrap() {
        let mut found = Vec::new();
        sets.iter().for_each(|set| fields(set, key, document, &mut found));
        let below: Vec<&SelectionSet> = found.iter().map(|field| &field.selection_set).collect();
        match value(member, &found[0].definition.ty, &below, document, any) {
            Ok(member) => drop(whole.insert(key.clone(), member)),
            Err(Null) => climbs = true,
        }
    }
    if climbs { Err(Null) } else { Ok(Json::Object(whole)) }
}

/// Every selection of a key, through fragments.
fn fields<'a>(
    set: &'a SelectionSet,
    key: &str,
    document: &'a ExecutableDocument,
    found: &mut Vec<&'a Node<Field>>,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) if field.response_key() == key => found.push(field),
            Selection::Field(_) => {}
            Selection::InlineFragment(inner) => fields(&inner.selection_set, key, document, found),
            Selection::FragmentSpread(spread) => {
                let fragment = &document.fragments[&spread.fragment_name];
                fields(&fragment.selection_set, key, document, found);
            }
        }
    }
}
