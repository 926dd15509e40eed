//! Reading SDL, and the few questions that all checks ask of it.

use anyhow::{Result, anyhow};
use apollo_compiler::Schema;
use apollo_compiler::ast::OperationType;
use apollo_compiler::schema::ExtendedType;

/// Parses one SDL text. Root fields may stand in `extend type Query` without a definition.
pub fn parse(sdl: &str, name: &str) -> Result<Schema> {
    parse_all([(name, sdl)])
}

/// Parses several SDL texts (name, text) as one schema: the slices of the domains, for example.
pub fn parse_all<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Schema> {
    let mut builder = Schema::builder().adopt_orphan_extensions().ignore_builtin_redefinitions();
    for (name, sdl) in parts {
        builder = builder.parse(sdl, name);
    }
    builder.build().map_err(|error| anyhow!("{}", error.errors))
}

/// The kind word of a type, as SDL writes it.
pub fn kind(ty: &ExtendedType) -> &'static str {
    match ty {
        ExtendedType::Scalar(_) => "scalar",
        ExtendedType::Object(_) => "type",
        ExtendedType::Interface(_) => "interface",
        ExtendedType::Union(_) => "union",
        ExtendedType::Enum(_) => "enum",
        ExtendedType::InputObject(_) => "input",
    }
}

/// The root type's name for `query`, `mutation` or `subscription`, if the schema has it.
pub fn root_type<'a>(schema: &'a Schema, kind: &str) -> Option<&'a str> {
    let operation = match kind {
        "query" => OperationType::Query,
        "mutation" => OperationType::Mutation,
        "subscription" => OperationType::Subscription,
        _ => return None,
    };
    let explicit = schema.root_operation(operation).map(|name| name.as_str());
    explicit.or_else(|| {
        let usual = operation.default_type_name();
        schema.types.get_key_value(&usual).map(|(name, _)| name.as_str())
    })
}

/// The kinds of operation, in the order in which reports list them.
pub const ROOT_KINDS: [&str; 3] = ["query", "mutation", "subscription"];

/// A field's definition on an object or interface type; meta fields are not fields here.
pub fn field<'a>(
    schema: &'a Schema,
    type_name: &str,
    field_name: &str,
) -> Option<&'a apollo_compiler::ast::FieldDefinition> {
    if field_name.starts_with("__") {
        return None;
    }
    let found = schema.type_field(type_name, field_name).ok()?;
    Some(found)
}

/// The names of a type's fields (object or interface), in order.
pub fn field_names(schema: &Schema, type_name: &str) -> Vec<String> {
    match schema.types.get(type_name) {
        Some(ExtendedType::Object(ty)) => ty.fields.keys().map(ToString::to_string).collect(),
        Some(ExtendedType::Interface(ty)) => ty.fields.keys().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// Whether the named type has fields or members, so that a selection must follow it.
pub fn is_composite(schema: &Schema, type_name: &str) -> bool {
    matches!(
        schema.types.get(type_name),
        Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
    )
}

/// What a schema adds to the types of another: root fields by their name, fields and input fields
/// as `Type.field`. Whole new types are not listed; something listed leads to them.
pub fn members_beyond(all: &Schema, base: &Schema) -> Vec<String> {
    let mut beyond = Vec::new();
    for (name, ty) in &base.types {
        let known = member_names(ty);
        let roots = ["Query", "Mutation", "Subscription"].contains(&name.as_str());
        let members = all.types.get(name).map(member_names).unwrap_or_default();
        for member in members.into_iter().filter(|member| !known.contains(member)) {
            beyond.push(if roots { member } else { format!("{name}.{member}") });
        }
    }
    beyond
}

/// Fields, input fields or enum values of a type.
fn member_names(ty: &ExtendedType) -> Vec<String> {
    match ty {
        ExtendedType::Object(ty) => ty.fields.keys().map(ToString::to_string).collect(),
        ExtendedType::Interface(ty) => ty.fields.keys().map(ToString::to_string).collect(),
        ExtendedType::InputObject(ty) => ty.fields.keys().map(ToString::to_string).collect(),
        ExtendedType::Enum(ty) => ty.values.keys().map(ToString::to_string).collect(),
        ExtendedType::Scalar(_) | ExtendedType::Union(_) => Vec::new(),
    }
}
