//! Arguments: the root field's, input objects spelt out field by field, and those of nested fields.

use apollo_compiler::ast::{FieldDefinition, Type};

use super::selection::Node;
use super::{Builder, NOT_IN_THIS_VIEW};
use crate::schema;
use crate::usage::Operation;

/// Argument paths as a tree; a bare node is one variable even if parts of it are known too.
#[derive(Default)]
struct Tree {
    bare: bool,
    children: Vec<(String, Tree)>,
}

impl Tree {
    fn add(&mut self, path: &str) {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let index =
            self.children.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                self.children.push((name.to_owned(), Tree::default()));
                self.children.len() - 1
            });
        let child = &mut self.children[index].1;
        if rest.is_empty() {
            child.bare = true;
        } else {
            child.add(rest);
        }
    }
}

impl Builder<'_> {
    /// The parenthesised arguments of the root field, or nothing.
    pub(super) fn root_arguments(
        &mut self,
        field: &FieldDefinition,
        root: &str,
        is_mutation: bool,
        op: &Operation,
    ) -> String {
        let mut tree = Tree::default();
        let known = |path: &str| {
            let name = path.split('.').next().unwrap_or(path);
            field.argument_by_name(name).is_some()
        };
        for path in op.args.iter().filter(|path| !path.starts_with('@')) {
            tree.add(path);
        }
        op.legacy("arg").filter(|path| known(path)).for_each(|path| tree.add(path));
        if is_mutation && tree.children.is_empty() {
            field.arguments.iter().filter(|it| it.is_required()).for_each(|it| tree.add(&it.name));
        }
        let mut written = Vec::new();
        for (name, child) in &tree.children {
            let Some(argument) = field.argument_by_name(name) else {
                self.leave_out(name, NOT_IN_THIS_VIEW);
                continue;
            };
            if !self.served_argument(field, root, name) {
                let owner = match self.domains.types.get(argument.ty.inner_named_type().as_str()) {
                    Some(domain) if domain != crate::contract_files::SHARED => domain.clone(),
                    _ => self.domains.of_root(root).to_owned(),
                };
                self.leave_out(name, &owner);
                continue;
            }
            let inferred = if name == "input" { &op.input_fields_inferred[..] } else { &[] };
            if let Some(value) = self.value(name, &argument.ty, child, inferred) {
                written.push(format!("{name}: {value}"));
            }
        }
        parenthesised(&written)
    }

    fn served_argument(&self, field: &FieldDefinition, root: &str, argument: &str) -> bool {
        let on = schema::ROOT_KINDS.iter().find_map(|kind| {
            let contract = schema::root_type(self.contract, kind)?;
            let here = schema::field(self.contract, contract, root)?;
            std::ptr::eq(here, field).then(|| schema::root_type(self.served, kind)).flatten()
        });
        on.and_then(|ty| schema::field(self.served, ty, root))
            .is_some_and(|field| field.argument_by_name(argument).is_some())
    }

    /// A variable, or an input object with a variable a field. None: nothing of it is served.
    fn value(&mut self, path: &str, ty: &Type, tree: &Tree, inferred: &[String]) -> Option<String> {
        let type_name = ty.inner_named_type().to_string();
        let contract = self.contract;
        let input = contract.get_input_object(&type_name);
        let Some(input) = input.filter(|_| !tree.bare) else {
            for field in inferred {
                self.inferred(&type_name, field);
            }
            let name = self.variable(path, ty.to_string());
            return Some(format!("${name}"));
        };
        let mut written = Vec::new();
        for (name, child) in &tree.children {
            let path = format!("{path}.{name}");
            let Some(field) = input.fields.get(name.as_str()) else {
                self.leave_out(&path, NOT_IN_THIS_VIEW);
                continue;
            };
            if !self.serves_input_field(&type_name, name) {
                let owner = self.owner(&type_name, field.ty.inner_named_type());
                self.leave_out(&path, &owner);
                continue;
            }
            if let Some(value) = self.value(&path, &field.ty, child, &[]) {
                written.push(format!("{name}: {value}"));
            }
        }
        if written.is_empty() && !ty.is_non_null() {
            return None;
        }
        let object = format!("{{ {} }}", written.join(", "));
        Some(if ty.is_list() { format!("[{object}]") } else { object })
    }

    /// One field that clients put into a bare `input` variable.
    fn inferred(&mut self, input_type: &str, path: &str) {
        let field = path.strip_prefix("input.").unwrap_or(path);
        let name = field.split('.').next().unwrap_or(field);
        let contract = self.contract;
        match contract.get_input_object(input_type).and_then(|ty| ty.fields.get(name)) {
            None => self.leave_out(path, NOT_IN_THIS_VIEW),
            Some(_) if self.serves_input_field(input_type, name) => {
                self.input_fields.push(field.to_owned());
            }
            Some(definition) => {
                let owner = self.owner(input_type, definition.ty.inner_named_type());
                self.leave_out(path, &owner);
            }
        }
    }

    fn serves_input_field(&self, ty: &str, field: &str) -> bool {
        self.served.get_input_object(ty).is_some_and(|ty| ty.fields.contains_key(field))
    }

    /// Arguments recorded as `@path.of.field(argument)`, put on the nodes of the selection.
    pub(super) fn nested_arguments(&mut self, answer: &str, tree: &mut Node, op: &Operation) {
        for recorded in &op.args {
            let Some(nested) = recorded.strip_prefix('@') else {
                continue;
            };
            let Some((fields, argument)) = nested.split_once('(') else {
                continue;
            };
            let argument = argument.trim_end_matches(')');
            let Ok(steps) = self.steps(answer, fields) else {
                self.leave_out(recorded, NOT_IN_THIS_VIEW);
                continue;
            };
            let Some(last) = steps.last() else {
                continue;
            };
            let (parent, field_name) = (last.parent.clone(), last.field.clone());
            let contract = self.contract;
            let definition = schema::field(contract, &parent, &field_name)
                .and_then(|field| field.argument_by_name(argument));
            let Some(definition) = definition else {
                self.leave_out(recorded, NOT_IN_THIS_VIEW);
                continue;
            };
            let served = schema::field(self.served, &parent, &field_name)
                .is_some_and(|field| field.argument_by_name(argument).is_some());
            match tree.find(&steps).filter(|_| served) {
                Some(node) => {
                    let name = self.variable(recorded, definition.ty.to_string());
                    node.arguments.push(format!("{argument}: ${name}"));
                }
                None => {
                    let owner = self.owner(&parent, definition.ty.inner_named_type());
                    self.leave_out(recorded, &owner);
                }
            }
        }
    }
}

/// `(a: $a, b: $b)`, or nothing when there are none.
pub(super) fn parenthesised(arguments: &[String]) -> String {
    if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) }
}
