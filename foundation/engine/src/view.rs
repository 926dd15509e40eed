//! A view of the contract: loading it, and pruning the contract to what is
//! bound, so that what is not built can't be served.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use apollo_compiler::ast::{FieldDefinition, InputValueDefinition, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use crate::bindings::Bindings;
use crate::bound::Resolve;
use crate::input::Kind;
use crate::version::ViewId;

/// Scalars whose variables clients declare by either name: a variable of one
/// is accepted where another stands, because clients write their documents
/// against either view.
const INTERCHANGEABLE: [&str; 4] = ["String", "ID", "ISO8601Date", "ISO8601DateTime"];

/// Arguments that the engine answers for every list.
pub const PAGING: [&str; 9] = [
    "first",
    "after",
    "last",
    "before",
    "offset",
    "page_size",
    "should_paginate",
    "order_by",
    "sort_by",
];

/// A view ready to serve.
pub struct View {
    /// The served schema.
    pub schema: Valid<Schema>,
    /// The same with every interchangeable input position typed `ID`; requests
    /// are validated against it after their variables were retyped likewise.
    pub twin: Valid<Schema>,
}

impl View {
    /// From served SDL. The text is ours; a failure is a defect.
    pub fn load(sdl: &str) -> Result<Self, String> {
        let schema = parse(sdl)?;
        let mut twin = schema.clone().into_inner();
        widen(&mut twin);
        let twin = twin.validate().map_err(|errors| first(errors.errors))?;
        Ok(View { schema, twin })
    }
}

/// The views, each loaded when somebody asks in it: one takes some MiB, and most clients ask in one.
pub(crate) struct Views([(Box<str>, Loaded); 2]);

type Loaded = OnceLock<Result<View, String>>;

impl Views {
    pub(crate) fn of(baseline: &str, v2026: &str) -> Self {
        Views([baseline, v2026].map(|sdl| (sdl.into(), OnceLock::new())))
    }

    pub(crate) fn get(&self, id: ViewId) -> Result<&View, String> {
        let [baseline, v2026] = &self.0;
        let (sdl, loaded) = match id {
            ViewId::Baseline => baseline,
            ViewId::V2026 => v2026,
        };
        loaded.get_or_init(|| View::load(sdl)).as_ref().map_err(String::clone)
    }
}

/// Retypes one input position; the list and non-null wrappers stay.
pub fn widened(ty: &Type) -> Type {
    let id = |name: &Name| {
        if INTERCHANGEABLE.contains(&name.as_str()) {
            Name::new_unchecked("ID")
        } else {
            name.clone()
        }
    };
    match ty {
        Type::Named(name) => Type::Named(id(name)),
        Type::NonNullNamed(name) => Type::NonNullNamed(id(name)),
        Type::List(inner) => Type::List(Box::new(widened(inner))),
        Type::NonNullList(inner) => Type::NonNullList(Box::new(widened(inner))),
    }
}

/// Retypes what is to be retyped, and shares everything else with the schema that this is a copy of.
fn widen(schema: &mut Schema) {
    for ty in schema.types.values_mut().filter(|ty| !ty.is_built_in()) {
        match ty {
            ExtendedType::Object(object) => {
                let of_field =
                    |field: &FieldDefinition| field.arguments.iter().any(|it| is_narrow(it));
                for name in named(&object.fields, |field| of_field(field)) {
                    if let Some(field) = object.make_mut().fields.get_mut(&name) {
                        field.make_mut().arguments.iter_mut().for_each(widen_position);
                    }
                }
            }
            ExtendedType::InputObject(input) => {
                for name in named(&input.fields, is_narrow) {
                    if let Some(field) = input.make_mut().fields.get_mut(&name) {
                        widen_position(field);
                    }
                }
            }
            _ => {}
        }
    }
    for directive in schema.directive_definitions.values_mut() {
        if directive.arguments.iter().any(|it| is_narrow(it)) {
            directive.make_mut().arguments.iter_mut().for_each(widen_position);
        }
    }
}

/// The names of the fields that are to be retyped.
fn named<T>(fields: &IndexMap<Name, Component<T>>, is_meant: impl Fn(&T) -> bool) -> Vec<Name> {
    fields.iter().filter(|(_, field)| is_meant(field)).map(|(name, _)| name.clone()).collect()
}

fn is_narrow(position: &InputValueDefinition) -> bool {
    widened(&position.ty) != *position.ty
}

fn widen_position(position: &mut Node<InputValueDefinition>) {
    if is_narrow(position) {
        let ty = widened(&position.ty);
        *position.make_mut().ty.make_mut() = ty;
    }
}

fn parse(sdl: &str) -> Result<Valid<Schema>, String> {
    let mut schema = Schema::parse(sdl, "view.graphql").map_err(|errors| first(errors.errors))?;
    schema.sources = Default::default();
    schema.validate().map_err(|errors| first(errors.errors))
}

/// The first diagnostic only: printing a whole list can take minutes.
fn first(errors: apollo_compiler::validation::DiagnosticList) -> String {
    errors
        .iter()
        .next()
        .map_or_else(|| "unknown".to_owned(), |diagnostic| diagnostic.error.to_string())
}

/// Prunes contract SDL to what is bound and answers the served SDL.
pub fn prune(contract: &str, bindings: &Bindings) -> Result<String, String> {
    // The slices of the domains extend the root types, which none of them owns.
    let builder = Schema::builder().adopt_orphan_extensions().parse(contract, "contract.graphql");
    let mut schema = builder.build().map_err(|errors| first(errors.errors))?;
    let def = schema.schema_definition.make_mut();
    def.query = Some(Name::new_unchecked("Query").into());
    def.mutation = Some(Name::new_unchecked("Mutation").into());
    def.subscription = Some(Name::new_unchecked("Subscription").into());
    prune_fields(&mut schema, bindings);
    prune_inputs(&mut schema, bindings);
    // A type whose fields are all unbound is not served; these roots may be one.
    let is_empty = |schema: &Schema, root: &str| {
        let root = schema.types.get(root).and_then(|ty| ty.as_object());
        root.is_none_or(|root| root.fields.is_empty())
    };
    if is_empty(&schema, "Mutation") {
        schema.schema_definition.make_mut().mutation = None;
        schema.types.swap_remove("Mutation");
    }
    if is_empty(&schema, "Subscription") {
        schema.schema_definition.make_mut().subscription = None;
        schema.types.swap_remove("Subscription");
    }
    let reached = reach(&schema);
    schema.types.retain(|name, ty| ty.is_built_in() || reached.contains(name.as_str()));
    schema.sources = Default::default();
    let valid = schema.validate().map_err(|errors| first(errors.errors))?;
    Ok(valid.to_string())
}

/// A connection, its edge or the page info: the engine answers these itself.
pub fn is_paging_type(ty: &ExtendedType) -> bool {
    let has = |names: [&str; 2]| {
        ty.as_object()
            .is_some_and(|object| names.iter().all(|name| object.fields.contains_key(*name)))
    };
    ty.name() == "PageInfo"
        || has(["page_info", "nodes"])
        || has(["page_info", "edges"])
        || (ty.name().ends_with("Edge") && has(["node", "cursor"]))
}

fn prune_fields(schema: &mut Schema, bindings: &Bindings) {
    let payloads = payload_types(schema, bindings);
    let paging: BTreeSet<String> = schema
        .types
        .iter()
        .filter(|(_, ty)| is_paging_type(ty))
        .map(|(name, _)| name.to_string())
        .collect();
    for (type_name, ty) in &mut schema.types {
        if ty.is_built_in() || paging.contains(type_name.as_str()) {
            continue;
        }
        let ExtendedType::Object(object) = ty else { continue };
        let object = object.make_mut();
        if let Some(fields) = payloads.get(type_name.as_str()) {
            object.fields.retain(|field, _| fields.iter().any(|name| *name == field.as_str()));
            continue;
        }
        object.fields.retain(|field, _| bindings.get(type_name, field).is_some());
        for (field, definition) in &mut object.fields {
            let Some(bound) = bindings.get(type_name, field) else { continue };
            let is_rows = matches!(bound.resolve, Resolve::Rows(_));
            let keep = |argument: &str| {
                !bindings.unserved.contains(&format!("{type_name}.{field}({argument}:)"))
                    && (bound.args.iter().any(|(name, _)| *name == argument)
                        || (is_rows && PAGING.contains(&argument))
                        || (type_name == "Mutation" && argument == "input"))
            };
            definition.make_mut().arguments.retain(|argument| keep(&argument.name));
        }
    }
    for ty in schema.types.values_mut() {
        if let ExtendedType::Union(union) = ty {
            let is_built = |name: &str| bindings.objects.contains_key(name);
            union.make_mut().members.retain(|member| is_built(member.name.as_str()));
        }
        if let ExtendedType::Enum(members) = ty {
            let name = members.name.clone();
            members
                .make_mut()
                .values
                .retain(|value, _| !bindings.unserved.contains(&format!("{name}.{value}")));
        }
    }
}

/// Payload type name to the fields it serves.
fn payload_types(schema: &Schema, bindings: &Bindings) -> HashMap<String, Vec<&'static str>> {
    let mut payloads = HashMap::new();
    let Some(mutation) = schema.types.get("Mutation").and_then(|ty| ty.as_object()) else {
        return payloads;
    };
    for (field, definition) in &mutation.fields {
        if let Some(Resolve::Mutation(binding)) =
            bindings.get("Mutation", field).map(|bound| &bound.resolve)
        {
            let mut names = vec!["messages", "clientMutationId"];
            names.extend(binding.returns.iter().map(|(name, _)| *name));
            payloads.insert(definition.ty.inner_named_type().to_string(), names);
        }
    }
    payloads
}

fn prune_inputs(schema: &mut Schema, bindings: &Bindings) {
    let mut served: HashMap<String, BTreeSet<String>> = HashMap::new();
    if let Some(mutation) = schema.types.get("Mutation").and_then(|ty| ty.as_object()) {
        for (field, definition) in &mutation.fields {
            let Some(Resolve::Mutation(binding)) =
                bindings.get("Mutation", field).map(|bound| &bound.resolve)
            else {
                continue;
            };
            if let Some(argument) = definition.arguments.first() {
                let input = argument.ty.inner_named_type();
                for fields in &binding.fields {
                    walk_input(schema, input, fields(), &mut served);
                }
                // The engine answers it itself, where the view has it.
                served.entry(input.to_string()).or_default().insert("clientMutationId".to_owned());
            }
        }
    }
    for (name, ty) in &mut schema.types {
        if let (ExtendedType::InputObject(input), Some(fields)) = (ty, served.get(name.as_str())) {
            let keep = |field: &str| {
                fields.contains(field) && !bindings.unserved.contains(&format!("{name}.{field}"))
            };
            input.make_mut().fields.retain(|field, _| keep(field));
        }
    }
}

fn walk_input(
    schema: &Schema,
    type_name: &str,
    fields: &[(&str, Kind)],
    served: &mut HashMap<String, BTreeSet<String>>,
) {
    let Some(input) = schema.types.get(type_name).and_then(|ty| ty.as_input_object()) else {
        return;
    };
    for (field, kind) in fields {
        served.entry(type_name.to_owned()).or_default().insert((*field).to_owned());
        if let (Kind::Object(inner) | Kind::Objects(inner), Some(definition)) =
            (kind, input.fields.get(*field))
        {
            walk_input(schema, definition.ty.inner_named_type(), inner(), served);
        }
    }
}

fn reach(schema: &Schema) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut queue: Vec<String> = vec!["Query".into(), "Mutation".into(), "Subscription".into()];
    for directive in schema.directive_definitions.values() {
        queue.extend(
            directive.arguments.iter().map(|argument| argument.ty.inner_named_type().to_string()),
        );
    }
    while let Some(name) = queue.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        match schema.types.get(name.as_str()) {
            Some(ExtendedType::Object(object)) => {
                for field in object.fields.values() {
                    queue.push(field.ty.inner_named_type().to_string());
                    queue.extend(
                        field
                            .arguments
                            .iter()
                            .map(|argument| argument.ty.inner_named_type().to_string()),
                    );
                }
            }
            Some(ExtendedType::Union(union)) => {
                queue.extend(union.members.iter().map(|member| member.name.to_string()));
            }
            Some(ExtendedType::InputObject(input)) => {
                queue.extend(
                    input.fields.values().map(|field| field.ty.inner_named_type().to_string()),
                );
            }
            _ => {}
        }
    }
    reached
}
