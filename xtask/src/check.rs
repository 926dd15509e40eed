//! Whether what is served is compatible with the contract, one sentence a violation.
//!
//! A client written for the contract must work: everything served is the contract's, outputs are
//! equal or stricter, inputs equal or looser, and nothing that a client may send is missing except
//! what a domain's `unserved.txt` names.

use std::collections::BTreeSet;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::ExtendedType;

use crate::schema::{kind, parse};
use crate::unserved::Unserved;

/// Compares the served SDL of one view with the contract of that view.
///
/// The sentences come in the order of the served SDL; none at all means compatible.
pub fn contract_check(contract_sdl: &str, served_sdl: &str, unserved: &[Unserved]) -> Vec<String> {
    let contract = match parse(contract_sdl, "contract.graphql") {
        Ok(schema) => schema,
        Err(error) => return vec![format!("The contract cannot be read: {error}")],
    };
    let served = match parse(served_sdl, "served.graphql") {
        Ok(schema) => schema,
        Err(error) => return vec![format!("The served schema cannot be read: {error}")],
    };
    let check = Check {
        inputs: input_position_types(&served),
        contract: &contract,
        served: &served,
        unserved: unserved.iter().map(|entry| entry.path.as_str()).collect(),
        found: Vec::new(),
    };
    check.run()
}

struct Check<'a> {
    contract: &'a Schema,
    served: &'a Schema,
    unserved: BTreeSet<&'a str>,
    /// Types of the served schema that clients send.
    inputs: BTreeSet<String>,
    found: Vec<String>,
}

impl Check<'_> {
    fn run(mut self) -> Vec<String> {
        self.directives();
        for (name, served) in &self.served.types {
            if served.is_built_in() {
                continue;
            }
            let Some(contract) = self.contract.types.get(name) else {
                self.say(format!("Type {name} is served but is not in the contract."));
                continue;
            };
            self.one_type(name, contract, served);
        }
        self.found
    }

    fn say(&mut self, sentence: String) {
        self.found.push(sentence);
    }

    fn directives(&mut self) {
        for (name, directive) in &self.served.directive_definitions {
            if !directive.is_built_in() && !self.contract.directive_definitions.contains_key(name) {
                self.say(format!("Directive @{name} is served but is not in the contract."));
            }
        }
    }

    fn one_type(&mut self, name: &str, contract: &ExtendedType, served: &ExtendedType) {
        match (contract, served) {
            (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
            (ExtendedType::Object(contract), ExtendedType::Object(served)) => {
                for interface in &served.implements_interfaces {
                    if !contract.implements_interfaces.contains(interface) {
                        self.say(format!(
                            "Type {name} implements {}, which the contract's does not.",
                            interface.name
                        ));
                    }
                }
                for (field, definition) in &served.fields {
                    let known = contract.fields.get(field);
                    self.field(name, known.map(|found| &***found), definition);
                }
            }
            (ExtendedType::Interface(contract), ExtendedType::Interface(served)) => {
                for (field, definition) in &served.fields {
                    let known = contract.fields.get(field);
                    self.field(name, known.map(|found| &***found), definition);
                }
            }
            (ExtendedType::Union(contract), ExtendedType::Union(served)) => {
                for member in &served.members {
                    if !contract.members.contains(member) {
                        let member = &member.name;
                        self.say(format!(
                            "Union {name} has the member {member}, which the contract's has not."
                        ));
                    }
                }
            }
            (ExtendedType::Enum(_), ExtendedType::Enum(_)) => self.enumeration(name),
            (ExtendedType::InputObject(_), ExtendedType::InputObject(_)) => self.input(name),
            _ => {
                let (served, contract) = (kind(served), kind(contract));
                self.say(format!(
                    "{name} is served as {served}, but the contract has it as {contract}."
                ));
            }
        }
    }

    fn enumeration(&mut self, name: &str) {
        let (Some(contract), Some(served)) =
            (self.contract.get_enum(name), self.served.get_enum(name))
        else {
            return;
        };
        for (value, definition) in &served.values {
            match contract.values.get(value) {
                None => self.say(format!(
                    "Enum value {name}.{value} is served but is not in the contract."
                )),
                Some(known) => {
                    if known.directives.has("deprecated")
                        && !definition.directives.has("deprecated")
                    {
                        self.undeprecated(&format!("Enum value {name}.{value}"));
                    }
                }
            }
        }
        if self.inputs.contains(name) {
            for value in contract.values.keys() {
                let path = format!("{name}.{value}");
                if !served.values.contains_key(value) && !self.unserved.contains(path.as_str()) {
                    self.say(format!("Enum value {path} can be sent but is not served."));
                }
            }
        }
    }

    fn input(&mut self, name: &str) {
        let (Some(contract), Some(served)) =
            (self.contract.get_input_object(name), self.served.get_input_object(name))
        else {
            return;
        };
        for (field, definition) in &served.fields {
            let path = format!("{name}.{field}");
            match contract.fields.get(field) {
                None => {
                    self.say(format!("Input field {path} is served but is not in the contract."))
                }
                Some(known) => self.input_value("Input field", &path, known, definition),
            }
        }
        for (field, _) in &contract.fields {
            let path = format!("{name}.{field}");
            if !served.fields.contains_key(field) && !self.unserved.contains(path.as_str()) {
                self.say(format!("Input field {path} of the contract is not served."));
            }
        }
    }

    fn field(&mut self, ty: &str, contract: Option<&FieldDefinition>, served: &FieldDefinition) {
        let path = format!("{ty}.{}", served.name);
        let Some(contract) = contract else {
            return self.say(format!("Field {path} is served but is not in the contract."));
        };
        if !served.ty.is_assignable_to(&contract.ty) {
            self.say(format!(
                "Field {path} answers {}, but the contract promises {}.",
                served.ty, contract.ty
            ));
        }
        if contract.directives.has("deprecated") && !served.directives.has("deprecated") {
            self.undeprecated(&format!("Field {path}"));
        }
        for argument in &served.arguments {
            let path = format!("{path}({}:)", argument.name);
            match contract.argument_by_name(&argument.name) {
                None => self.say(format!("Argument {path} is served but is not in the contract.")),
                Some(known) => self.input_value("Argument", &path, known, argument),
            }
        }
        for argument in &contract.arguments {
            let path = format!("{path}({}:)", argument.name);
            if served.argument_by_name(&argument.name).is_none()
                && !self.unserved.contains(path.as_str())
            {
                self.say(format!("Argument {path} of the contract is not served."));
            }
        }
    }

    fn input_value(
        &mut self,
        what: &str,
        path: &str,
        contract: &InputValueDefinition,
        served: &InputValueDefinition,
    ) {
        if !contract.ty.is_assignable_to(&served.ty) {
            self.say(format!(
                "{what} {path} takes {}, but the contract lets clients send {}.",
                served.ty, contract.ty
            ));
        }
        let default = |value: &InputValueDefinition| {
            value.default_value.as_ref().map_or("none".to_owned(), |value| value.to_string())
        };
        let (ours, theirs) = (default(served), default(contract));
        if ours != theirs {
            self.say(format!(
                "{what} {path} has the default {ours}, but the contract has {theirs}."
            ));
        }
        if contract.directives.has("deprecated") && !served.directives.has("deprecated") {
            self.undeprecated(&format!("{what} {path}"));
        }
    }

    fn undeprecated(&mut self, what: &str) {
        self.say(format!("{what} is deprecated in the contract but not as served."));
    }
}

/// Names of all types that arguments and input fields mention.
fn input_position_types(schema: &Schema) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |value: &InputValueDefinition| {
        names.insert(value.ty.inner_named_type().to_string());
    };
    for ty in schema.types.values().filter(|ty| !ty.is_built_in()) {
        match ty {
            ExtendedType::Object(ty) => {
                ty.fields.values().flat_map(|field| &field.arguments).for_each(|value| add(value));
            }
            ExtendedType::Interface(ty) => {
                ty.fields.values().flat_map(|field| &field.arguments).for_each(|value| add(value));
            }
            ExtendedType::InputObject(ty) => ty.fields.values().for_each(|value| add(value)),
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests;
