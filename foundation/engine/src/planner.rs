//! From a validated document to a plan.

use std::collections::HashMap;

use apollo_compiler::ast::{OperationType, Value as Ast};
use apollo_compiler::executable::{self, Operation};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{ExecutableDocument, Name, Node, Schema};
use ward_store::Table;

use crate::bindings::Bindings;
use crate::bound::{Resolve, Returns};
use crate::measure::{deepest, values_in};
use crate::outcome::RequestError;
use crate::plan::{
    Action, Argument, Condition, Field, Flag, MAX_DEPTH, Operation as Kind, OutType, Part, Plan,
    Selection, Variable,
};
use crate::scalar::Leaf;
use crate::view::is_paging_type;

mod one_of;

/// Fields that planning visits before it gives up.
const MAX_VISITS: usize = 50_000;

/// Plans one operation of a document.
pub fn plan(
    document: &ExecutableDocument,
    name: Option<&str>,
    schema: &Schema,
    bindings: &Bindings,
) -> Result<Plan, RequestError> {
    let operation = document.operations.get(name).map_err(|_| match name {
        Some(name) => {
            RequestError::new(crate::wording::shortened(&format!("No operation named \"{name}\"")))
        }
        None => RequestError::new(
            "An operation name is required: the request holds several operations, or none.",
        ),
    })?;
    let mut planner =
        Planner { document, schema, bindings, visits: 0, weight: 0, path: Vec::new() };
    let root = planner.root(operation)?;
    let is_introspection =
        root.fields.iter().any(|field| matches!(field.action, Action::Introspection));
    Ok(Plan {
        operation: match operation.operation_type {
            OperationType::Query => Kind::Query,
            OperationType::Mutation => Kind::Mutation,
            OperationType::Subscription => Kind::Subscription,
        },
        root,
        variables: operation
            .variables
            .iter()
            .map(|variable| Variable {
                name: variable.name.clone(),
                ty: variable.ty.as_ref().clone(),
                default: variable.default_value.clone(),
            })
            .collect(),
        introspection: is_introspection.then(|| (document.clone(), operation.name.clone())),
        weight: 2_000 + planner.weight * 400,
    })
}

struct Planner<'a> {
    document: &'a ExecutableDocument,
    schema: &'a Schema,
    bindings: &'a Bindings,
    visits: usize,
    weight: usize,
    /// Names of the row fields that lead to where planning is.
    path: Vec<&'a str>,
}

/// One response key's occurrences, merged.
struct Gathered<'a> {
    key: &'a Name,
    occurrences: Vec<(&'a Node<executable::Field>, Vec<Condition>)>,
}

/// A table's selection, or one of the engine's own object types.
enum Parent {
    Root,
    Table,
    Payload(&'static [(&'static str, Returns)]),
    Paging,
    Value,
}

impl<'a> Planner<'a> {
    fn root(&mut self, operation: &'a Operation) -> Result<Selection, RequestError> {
        let type_name = operation.selection_set.ty.clone();
        self.selection(
            &type_name,
            &[(&operation.selection_set, Vec::new())],
            &Parent::Root,
            None,
            1,
        )
    }

    fn selection(
        &mut self,
        type_name: &Name,
        sets: &[(&'a executable::SelectionSet, Vec<Condition>)],
        parent: &Parent,
        table: Option<&'static Table>,
        depth: usize,
    ) -> Result<Selection, RequestError> {
        let mut gathered: Vec<Gathered<'a>> = Vec::new();
        let mut index = HashMap::new();
        for (set, conditions) in sets {
            self.gather(type_name, set, conditions, &mut gathered, &mut index)?;
        }
        let mut selection = Selection::default();
        for entry in &gathered {
            let field = self.field(type_name, entry, parent, table, depth)?;
            needs(&field, &mut selection.columns);
            selection.fields.push(field);
        }
        if let (Parent::Table, Some(id)) = (parent, table.and_then(|table| table.column("id"))) {
            selection.columns.push(id);
        }
        selection.columns.sort_unstable();
        selection.columns.dedup();
        Ok(selection)
    }

    fn gather(
        &mut self,
        type_name: &Name,
        set: &'a executable::SelectionSet,
        conditions: &[Condition],
        gathered: &mut Vec<Gathered<'a>>,
        index: &mut HashMap<&'a Name, usize>,
    ) -> Result<(), RequestError> {
        for selection in &set.selections {
            self.visits += 1;
            if self.visits > MAX_VISITS {
                return Err(RequestError::new(
                    "The operation is too large once its fragments are expanded. Ask for fewer fields at once.",
                ));
            }
            let with = |directives: &executable::DirectiveList| {
                let mut all = conditions.to_vec();
                all.extend(directives.iter().flat_map(condition));
                all
            };
            match selection {
                executable::Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let slot = *index.entry(key).or_insert_with(|| {
                        gathered.push(Gathered { key, occurrences: Vec::new() });
                        gathered.len() - 1
                    });
                    gathered[slot].occurrences.push((field, with(&field.directives)));
                }
                executable::Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(|on| self.applies(on, type_name))
                    {
                        self.gather(
                            type_name,
                            &fragment.selection_set,
                            &with(&fragment.directives),
                            gathered,
                            index,
                        )?;
                    }
                }
                executable::Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        && self.applies(&fragment.selection_set.ty, type_name)
                    {
                        self.gather(
                            type_name,
                            &fragment.selection_set,
                            &with(&spread.directives),
                            gathered,
                            index,
                        )?;
                    }
                }
            }
        }
        Ok(())
    }

    fn applies(&self, condition: &Name, type_name: &Name) -> bool {
        condition == type_name || self.schema.is_subtype(condition, type_name)
    }

    fn field(
        &mut self,
        type_name: &Name,
        entry: &Gathered<'a>,
        parent: &Parent,
        table: Option<&'static Table>,
        depth: usize,
    ) -> Result<Field, RequestError> {
        let (first, _) = &entry.occurrences[0];
        let conditions: usize =
            entry.occurrences.iter().map(|(_, conditions)| conditions.len()).sum();
        let literals: usize =
            first.arguments.iter().map(|argument| values_in(&argument.value)).sum();
        self.weight += 1 + (conditions + literals) / 4;
        let action = self.action(type_name, &first.name, parent)?;
        if depth > MAX_DEPTH && !matches!(action, Action::Introspection) {
            let deepest = depth + deepest(&first.selection_set, self.document);
            return Err(RequestError::new(format!(
                "Query has depth of {deepest}, which exceeds max depth of {MAX_DEPTH}"
            )));
        }
        let inner = first.definition.ty.inner_named_type();
        let ty = self.schema.types.get(inner);
        let is_connection = ty.is_some_and(is_paging_type) && matches!(action, Action::Bound(_));
        let steps = is_step(&action);
        if steps {
            self.path.push(first.name.as_str());
            self.weight += self.path.len() / 16;
        }
        let args = arguments(first);
        let mut children = match ty {
            _ if matches!(action, Action::Introspection | Action::Typename(_)) => None,
            Some(ExtendedType::Object(_)) => {
                let (kind, child_table) = self.child_kind(inner, &action, parent, table);
                Some(self.selection(inner, &one_of::sets(entry), &kind, child_table, depth + 1)?)
            }
            Some(ExtendedType::Union(_)) => Some(self.types(entry, &action, depth)?),
            _ => None,
        };
        if let Some(children) = &mut children {
            children.inherit(&args);
        }
        let path = if steps { self.path.join(".").into() } else { Box::default() };
        if steps {
            self.path.pop();
        }
        Ok(Field {
            path,
            key: entry.key.as_str().into(),
            json_key: format!("\"{}\":", entry.key).into_bytes().into(),
            name: first.name.as_str().into(),
            ty: OutType::of(&first.definition.ty),
            leaf: Leaf::of(inner, ty.is_some_and(ExtendedType::is_enum)),
            action,
            args,
            conditions: if entry.occurrences.iter().any(|(_, conditions)| conditions.is_empty()) {
                Vec::new()
            } else {
                entry.occurrences.iter().map(|(_, conditions)| conditions.clone()).collect()
            },
            children,
            is_union: ty.is_some_and(ExtendedType::is_union),
            is_connection,
            location: first
                .location()
                .and_then(|at| at.line_column_range(&self.document.sources))
                .map(|range| (range.start.line, range.start.column)),
        })
    }

    fn action(
        &self,
        type_name: &Name,
        field: &Name,
        parent: &Parent,
    ) -> Result<Action, RequestError> {
        match field.as_str() {
            "__typename" => return Ok(Action::Typename(type_name.as_str().into())),
            "__schema" | "__type" => return Ok(Action::Introspection),
            _ => {}
        }
        match parent {
            Parent::Payload(returns) => {
                let found = returns.iter().find(|(name, _)| *name == field.as_str());
                Ok(Action::Payload(found.map(|(_, returns)| *returns)))
            }
            Parent::Paging => Ok(Action::Connection(part(field))),
            _ => match self.bindings.get(type_name, field) {
                Some(bound) => Ok(Action::Bound(bound.clone())),
                None => Err(RequestError::new(format!(
                    "Field '{field}' doesn't exist on type '{type_name}'"
                ))),
            },
        }
    }

    fn child_kind(
        &self,
        inner: &Name,
        action: &Action,
        parent: &Parent,
        table: Option<&'static Table>,
    ) -> (Parent, Option<&'static Table>) {
        match action {
            Action::Bound(bound) => match &bound.resolve {
                Resolve::Mutation(binding) => (Parent::Payload(binding.returns), None),
                Resolve::Rows(rows) if self.schema.types.get(inner).is_some_and(is_paging_type) => {
                    (Parent::Paging, Some(rows.table))
                }
                Resolve::Rows(rows) => (Parent::Table, Some(rows.table)),
                Resolve::Subscription(binding) => (Parent::Table, Some(binding.table)),
                _ => (Parent::Value, None),
            },
            Action::Payload(Some(Returns::One(table) | Returns::Many(table))) => {
                (Parent::Table, Some(table))
            }
            Action::Payload(_) => (Parent::Value, None),
            Action::Connection(Part::Nodes | Part::Node) => (Parent::Table, table),
            Action::Connection(_) => (Parent::Paging, table),
            _ => match parent {
                Parent::Value => (Parent::Value, None),
                _ => (Parent::Table, table),
            },
        }
    }
}

/// Whether a field is a step of the way to rows.
fn is_step(action: &Action) -> bool {
    match action {
        Action::Bound(bound) => matches!(
            bound.resolve,
            Resolve::Rows(_) | Resolve::OneOf(_) | Resolve::Mutation(_) | Resolve::Subscription(_)
        ),
        Action::Payload(returns) => {
            matches!(returns, Some(Returns::One(_) | Returns::Many(_)))
        }
        _ => false,
    }
}

fn part(field: &str) -> Part {
    match field {
        "nodes" => Part::Nodes,
        "edges" => Part::Edges,
        "page_info" => Part::PageInfo,
        "total_count" => Part::TotalCount,
        "node" => Part::Node,
        "cursor" => Part::EdgeCursor,
        "has_next_page" => Part::Page("has_next_page"),
        "has_previous_page" => Part::Page("has_previous_page"),
        "start_cursor" => Part::Page("start_cursor"),
        _ => Part::Page("end_cursor"),
    }
}

fn needs(field: &Field, columns: &mut Vec<usize>) {
    let Action::Bound(bound) = &field.action else { return };
    match &bound.resolve {
        Resolve::Column(column) => columns.push(*column),
        Resolve::Computed { needs, .. } | Resolve::Batch { needs, .. } => {
            columns.extend_from_slice(needs)
        }
        Resolve::Rows(rows) => columns.extend(rows.link.parent()),
        _ => {}
    }
}

fn arguments(field: &Node<executable::Field>) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for definition in &field.definition.arguments {
        let given = field.arguments.iter().find(|argument| argument.name == definition.name);
        let value = given
            .map(|argument| argument.value.clone())
            .or_else(|| definition.default_value.clone());
        if let Some(value) = value {
            arguments.push(Argument {
                name: definition.name.to_string(),
                ty: definition.ty.as_ref().clone(),
                value,
                default: definition.default_value.clone(),
                is_named: given.is_some(),
            });
        }
    }
    arguments
}

fn condition(directive: &Node<apollo_compiler::ast::Directive>) -> Option<Condition> {
    let argument = |name: &str| {
        directive
            .arguments
            .iter()
            .find(|argument| argument.name == name)
            .map(|argument| argument.value.as_ref())
    };
    match directive.name.as_str() {
        "include" | "skip" => {
            let wanted = directive.name == "include";
            match argument("if")? {
                Ast::Boolean(value) => Some(Condition::If(wanted, Flag::Literal(*value))),
                Ast::Variable(name) => Some(Condition::If(wanted, Flag::Variable(name.clone()))),
                _ => None,
            }
        }
        "feature" => {
            Some(Condition::Feature(argument("if").is_none_or(|value| matches!(value, Ast::Null))))
        }
        _ => None,
    }
}
