//! Documents made from the schema: every root field can be called, and every input reached.

use serde_json::{Map, Value as Json, json};

use crate::schema::{Field, Input, Ref, Root, Schema};

/// Input objects within input objects, at most.
const DEPTH_MAX: usize = 6;

/// Inputs of a whole schema that are looked at, at most: what a server describes must not be more
/// than can be tried.
const INPUTS_MAX: usize = 100_000;

/// A place that a value can be sent to: an argument, or a field within one.
#[derive(Clone, Debug)]
pub struct Place {
    /// The argument, then the fields down to the value.
    pub path: Vec<Input>,
}

impl Place {
    /// The dotted path, `input.user_id`.
    pub fn dotted(&self) -> String {
        let names: Vec<&str> = self.path.iter().map(|step| step.name.as_str()).collect();
        names.join(".")
    }

    /// The input at its end.
    pub fn last(&self) -> &Input {
        &self.path[self.path.len() - 1]
    }
}

/// Every scalar or enum input of a root field, however deep.
pub fn places(schema: &Schema, field: &Field) -> Vec<Place> {
    let mut left = INPUTS_MAX;
    places_within(schema, field, &mut left)
}

/// Whether all inputs of a schema's root fields can be tried.
pub fn is_bounded(schema: &Schema) -> bool {
    let mut left = INPUTS_MAX;
    for (_, field) in schema.roots() {
        places_within(schema, field, &mut left);
    }
    left > 0
}

fn places_within(schema: &Schema, field: &Field, left: &mut usize) -> Vec<Place> {
    let mut found = Vec::new();
    for argument in &field.arguments {
        descend(schema, vec![argument.clone()], &mut found, left);
    }
    found
}

fn descend(schema: &Schema, path: Vec<Input>, found: &mut Vec<Place>, left: &mut usize) {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return;
    }
    let of = path[path.len() - 1].of.clone();
    let inputs = &schema.named(&of).inputs;
    if inputs.is_empty() {
        found.push(Place { path });
        return;
    }
    if path.len() > DEPTH_MAX {
        return;
    }
    for input in inputs {
        let mut deeper = path.clone();
        deeper.push(input.clone());
        descend(schema, deeper, found, left);
    }
}

/// A document with its variables.
#[derive(Clone, Debug)]
pub struct Document {
    /// The text.
    pub query: String,
    /// The variables.
    pub variables: Json,
}

impl Document {
    /// Lays further members under what an input object sends already.
    pub fn complete(&mut self, argument: &str, more: &Json) {
        let Some(Json::Object(sent)) = self.variables.get_mut(argument) else { return };
        for (name, value) in more.as_object().into_iter().flatten() {
            if !sent.contains_key(name) {
                sent.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Calls a root field with what it requires and, if given, a value at a place. Required ids get
/// `own_id`, a number of the instance that is asked.
pub fn document(
    schema: &Schema,
    root: Root,
    field: &Field,
    own_id: &str,
    at: Option<(&Place, Json)>,
) -> Document {
    let mut variables = Map::new();
    let (mut declared, mut sent) = (Vec::new(), Vec::new());
    for argument in &field.arguments {
        let meant = at.as_ref().filter(|(place, _)| place.path[0].name == argument.name);
        let value = match meant {
            Some((place, value)) => nested(schema, &place.path, own_id, value, 0),
            None if is_needed(argument) => plain(schema, &argument.of, own_id, 0),
            None => continue,
        };
        let name = &argument.name;
        declared.push(format!("${name}: {}", argument.of));
        sent.push(format!("{name}: ${name}"));
        variables.insert(name.clone(), value);
    }
    let bracketed = |words: Vec<String>| match words.is_empty() {
        true => String::new(),
        false => format!("({})", words.join(", ")),
    };
    let query = format!(
        "{} {} {{ {}{}{} }}",
        root.word(),
        bracketed(declared),
        field.name,
        bracketed(sent),
        selection(schema, &field.of)
    );
    Document { query, variables: variables.into() }
}

/// The value of the path's first step, with `value` at the end.
fn nested(schema: &Schema, path: &[Input], own_id: &str, value: &Json, depth: usize) -> Json {
    let (first, rest) = (&path[0], &path[1..]);
    let inner = match rest.first() {
        None => value.clone(),
        Some(next) => {
            let mut object = Map::new();
            for input in &schema.named(&first.of).inputs {
                if input.name == next.name {
                    object
                        .insert(input.name.clone(), nested(schema, rest, own_id, value, depth + 1));
                } else if is_needed(input) {
                    object.insert(input.name.clone(), plain(schema, &input.of, own_id, depth + 1));
                }
            }
            object.into()
        }
    };
    if first.of.is_list() { json!([inner]) } else { inner }
}

/// Some value of a type, the smallest that is valid.
fn plain(schema: &Schema, of: &Ref, own_id: &str, depth: usize) -> Json {
    if of.is_list() {
        return json!([]);
    }
    let found = schema.named(of);
    match found.kind.as_str() {
        "ENUM" => found.values.first().cloned().into(),
        "INPUT_OBJECT" if depth < DEPTH_MAX => {
            let needed = found.inputs.iter().filter(|input| is_needed(input));
            let pair =
                |input: &Input| (input.name.clone(), plain(schema, &input.of, own_id, depth + 1));
            Json::Object(needed.map(pair).collect())
        }
        "INPUT_OBJECT" => json!({}),
        _ => match of.name() {
            "ID" => own_id.into(),
            "Int" => 1.into(),
            "Float" => 1.5.into(),
            "Boolean" => false.into(),
            "ISO8601Date" => "2026-03-04".into(),
            "ISO8601DateTime" => "2026-03-04T09:30:00Z".into(),
            "JSON" => json!({}),
            _ => "x".into(),
        },
    }
}

fn is_needed(input: &Input) -> bool {
    input.of.is_required() && !input.has_default
}

/// A small selection: the type's name; of a payload also its messages and objects, of a page its
/// nodes.
fn selection(schema: &Schema, of: &Ref) -> String {
    let found = schema.named(of);
    if !["OBJECT", "INTERFACE", "UNION"].contains(&found.kind.as_str()) {
        return String::new();
    }
    let mut words = vec!["__typename".to_owned()];
    if found.fields.iter().any(|field| field.name == "nodes") {
        words.push("nodes { __typename }".to_owned());
    }
    if found.fields.iter().any(|field| field.name == "messages") {
        words.push("messages { field message }".to_owned());
        let objects = found.fields.iter().filter(|field| {
            let kind = schema.named(&field.of).kind.as_str();
            field.name != "messages"
                && ["OBJECT", "INTERFACE", "UNION"].contains(&kind)
                && !field.arguments.iter().any(is_needed)
        });
        words.extend(objects.map(|field| format!("{} {{ __typename }}", field.name)));
    }
    format!(" {{ {} }}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema whose one query takes an input object with `width` inputs of its own type.
    fn recursive(width: usize) -> Schema {
        let named = |kind: &str, name: &str| json!({"kind": kind, "name": name});
        let inputs: Vec<Json> = (0..width)
            .map(|at| json!({"name": format!("i{at}"), "type": named("INPUT_OBJECT", "In")}))
            .chain([json!({"name": "id", "type": named("SCALAR", "ID")})])
            .collect();
        let field = json!({"name": "q", "type": named("SCALAR", "Int"),
            "args": [{"name": "input", "type": named("INPUT_OBJECT", "In")}]});
        let types = json!([{"kind": "OBJECT", "name": "Query", "fields": [field]},
            {"kind": "INPUT_OBJECT", "name": "In", "inputFields": inputs}]);
        Schema::in_data("v", &json!({"__schema": {"types": types}}))
    }

    #[test]
    fn a_schema_without_end_is_not_followed() {
        let small = recursive(1);
        assert!(is_bounded(&small));
        let places = places(&small, small.roots()[0].1);
        assert_eq!(places.len(), DEPTH_MAX);
        assert_eq!(places.first().unwrap().dotted(), "input.i0.i0.i0.i0.i0.id");
        assert!(!is_bounded(&recursive(50)));
    }
}
