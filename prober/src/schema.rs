//! The served schema, as introspection tells it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value as Json;

/// A type reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ref {
    /// A named type.
    Named(String),
    /// A list.
    List(Box<Ref>),
    /// Something that is never null.
    NonNull(Box<Ref>),
}

impl Ref {
    fn from_json(json: &Json) -> Ref {
        let inner = || Box::new(Ref::from_json(&json["ofType"]));
        match json["kind"].as_str().unwrap_or_default() {
            "NON_NULL" => Ref::NonNull(inner()),
            "LIST" => Ref::List(inner()),
            _ if is_name(&json["name"]) => Ref::Named(text(&json["name"])),
            // Of no type that is known.
            _ => Ref::Named("_".to_owned()),
        }
    }

    /// The type's name without lists and exclamation marks.
    pub fn name(&self) -> &str {
        match self {
            Ref::Named(name) => name,
            Ref::List(inner) | Ref::NonNull(inner) => inner.name(),
        }
    }

    /// Whether a value has to be sent.
    pub fn is_required(&self) -> bool {
        matches!(self, Ref::NonNull(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        match self {
            Ref::Named(_) => false,
            Ref::List(_) => true,
            Ref::NonNull(inner) => inner.is_list(),
        }
    }
}

impl std::fmt::Display for Ref {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ref::Named(name) => f.write_str(name),
            Ref::List(inner) => write!(f, "[{inner}]"),
            Ref::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// An argument or input field.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: Ref,
    /// Whether it may be left out although it is never null.
    pub has_default: bool,
}

/// A field of an object type.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Input>,
    /// Its type.
    pub of: Ref,
}

/// A type.
#[derive(Clone, Debug, Default)]
pub struct Type {
    /// `OBJECT`, `INTERFACE`, `UNION`, `INPUT_OBJECT`, `ENUM` or `SCALAR`.
    pub kind: String,
    /// Fields of an object or interface.
    pub fields: Vec<Field>,
    /// Fields of an input object.
    pub inputs: Vec<Input>,
    /// Names of an enum.
    pub values: Vec<String>,
}

/// What sort of operation a root field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// A read.
    Query,
    /// A write.
    Mutation,
}

impl Root {
    /// The keyword.
    pub const fn word(self) -> &'static str {
        match self {
            Root::Query => "query",
            Root::Mutation => "mutation",
        }
    }

    const fn type_name(self) -> &'static str {
        match self {
            Root::Query => "Query",
            Root::Mutation => "Mutation",
        }
    }
}

/// A served schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Its view.
    pub view: &'static str,
    /// Its types by name.
    pub types: BTreeMap<String, Type>,
}

pub(crate) const INTROSPECTION: &str = "query {
  __schema { types {
    kind name
    fields(includeDeprecated: true) { name args { ...input } type { ...ref } }
    inputFields { ...input }
    enumValues(includeDeprecated: true) { name }
  } }
}
fragment input on __InputValue { name defaultValue type { ...ref } }
fragment ref on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }
}";

/// Whoever can ask an instance something.
pub trait Asks {
    /// The `data` that a view's query is answered with; null when there is none.
    fn data(&self, view: &str, query: &str) -> Json;
}

/// Stands for a type that a schema names and does not describe.
static UNKNOWN: LazyLock<Type> = LazyLock::new(Type::default);

impl Schema {
    /// Asks for it; empty where nothing is served.
    pub fn of(api: &impl Asks, view: &'static str) -> Schema {
        Schema::in_data(view, &api.data(view, INTROSPECTION))
    }

    /// What introspection was answered with.
    pub(crate) fn in_data(view: &'static str, data: &Json) -> Schema {
        let listed = list(&data["__schema"]["types"]).iter().filter(|json| is_name(&json["name"]));
        let types = listed.map(|json| (text(&json["name"]), type_of(json)));
        Schema { view, types: types.collect() }
    }

    /// All root fields of queries and mutations.
    pub fn roots(&self) -> Vec<(Root, &Field)> {
        let of = |root: Root| {
            let fields = self.types.get(root.type_name()).map(|found| &found.fields);
            fields.into_iter().flatten().map(move |field| (root, field))
        };
        of(Root::Query).chain(of(Root::Mutation)).collect()
    }

    /// A type.
    pub fn named(&self, of: &Ref) -> &Type {
        self.types.get(of.name()).unwrap_or(&UNKNOWN)
    }
}

fn type_of(json: &Json) -> Type {
    let field = |json: &Json| Field {
        name: text(&json["name"]),
        arguments: named(&json["args"]).map(input).collect(),
        of: Ref::from_json(&json["type"]),
    };
    Type {
        kind: text(&json["kind"]),
        fields: named(&json["fields"]).map(field).collect(),
        inputs: named(&json["inputFields"]).map(input).collect(),
        values: named(&json["enumValues"]).map(|value| text(&value["name"])).collect(),
    }
}

fn input(json: &Json) -> Input {
    Input {
        name: text(&json["name"]),
        of: Ref::from_json(&json["type"]),
        has_default: !json["defaultValue"].is_null(),
    }
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Those with a name: it is written into documents, which another server must not be able to
/// write parts of.
fn named(json: &Json) -> impl Iterator<Item = &Json> {
    list(json).iter().filter(|json| is_name(&json["name"]))
}

/// A name of GraphQL, and nothing else.
fn is_name(json: &Json) -> bool {
    let bytes = json.as_str().unwrap_or_default().as_bytes();
    let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    bytes.first().is_some_and(is_letter)
        && bytes.iter().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_names_of_graphql_are_taken() {
        let scalar = |name: &str| json!({"kind": "SCALAR", "name": name});
        let field = |name: &str, of: &str| {
            json!({"name": name, "type": scalar(of), "args": [
            {"name": "id", "type": scalar("ID")}, {"name": "x: 1) { id } a(b", "type": scalar("ID")}]})
        };
        let data = json!({"__schema": {"types": [
            {"kind": "OBJECT", "name": "Query", "fields": [field("user", "User"), field("_a1", "x }"),
                field("user } mutation { x", "User"), field("1a", "User"), field("", "User"),
                field("é", "User")]},
            {"kind": "OBJECT", "name": "Bad Name", "fields": []}]}});
        let schema = Schema::in_data("v", &data);
        let names: Vec<&str> = schema.roots().iter().map(|it| it.1.name.as_str()).collect();
        assert_eq!(names, ["user", "_a1"]);
        assert_eq!(schema.types.len(), 1);
        let (_, field) = schema.roots()[1];
        assert_eq!((field.of.name(), field.arguments.len()), ("_", 1));
    }
}
