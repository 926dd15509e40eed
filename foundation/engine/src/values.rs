//! Coercion of variables and arguments (specification section 6.1.2 and
//! 6.4.1, with the leniency that real clients need; behaviour 9).

use std::collections::{BTreeMap, HashMap};

use apollo_compiler::ast::{Type, Value as Ast};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use serde_json::Value as Json;

use crate::bound::Args;
use crate::input::In;
use crate::outcome::RequestError;
use crate::plan::{Argument, Condition, Field, Flag, Plan};

/// Coerced variables; a variable without value and default is absent.
pub type Variables = HashMap<Name, In>;

/// Coerces the request's variables by the operation's declarations. What is
/// sent but not declared is ignored (behaviour 2).
pub fn variables(
    plan: &Plan,
    sent: &serde_json::Map<String, Json>,
    schema: &Schema,
) -> Result<Variables, Vec<RequestError>> {
    let mut variables = Variables::new();
    let mut errors = Vec::new();
    for declared in &plan.variables {
        match sent.get(declared.name.as_str()) {
            Some(value) => match coerce(value, &declared.ty, schema, &mut Vec::new()) {
                Ok(value) => drop(variables.insert(declared.name.clone(), value)),
                Err(problem) => errors.push(invalid(&declared.name, &declared.ty, value, &problem)),
            },
            None => match &declared.default {
                Some(default) => match literal(default, &declared.ty, schema, &Variables::new()) {
                    Ok(Some(value)) => drop(variables.insert(declared.name.clone(), value)),
                    Ok(None) => {}
                    Err(explanation) => errors.push(RequestError::new(format!(
                        "Variable ${} has an invalid default: {explanation}",
                        declared.name
                    ))),
                },
                None if declared.ty.is_non_null() => {
                    let problem = Problem {
                        path: Vec::new(),
                        explanation: "Expected value to not be null".to_owned(),
                    };
                    errors.push(invalid(&declared.name, &declared.ty, &Json::Null, &problem));
                }
                None => {}
            },
        }
    }
    errors.truncate(crate::document::MAX_ERRORS);
    if errors.is_empty() { Ok(variables) } else { Err(errors) }
}

struct Problem {
    path: Vec<Json>,
    explanation: String,
}

fn invalid(name: &Name, ty: &Type, value: &Json, problem: &Problem) -> RequestError {
    // The value itself stays out of the answer: it may be a client's data and
    // answers are logged by those who receive them.
    let _ = value;
    let at = problem
        .path
        .iter()
        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join(".");
    let place = if at.is_empty() { String::new() } else { format!(" for {at}") };
    let message = format!(
        "Variable ${name} of type {ty} was provided invalid value{place} ({})",
        problem.explanation
    );
    let shortened = crate::wording::shortened;
    let path: Vec<Json> = problem
        .path
        .iter()
        .map(|step| step.as_str().map_or_else(|| step.clone(), |text| shortened(text).into()))
        .collect();
    let problems =
        serde_json::json!([{"path": path, "explanation": shortened(&problem.explanation)}]);
    RequestError::new(shortened(&message)).with("problems", problems)
}

fn coerce(value: &Json, ty: &Type, schema: &Schema, path: &mut Vec<Json>) -> Result<In, Problem> {
    let problem = |path: &[Json], explanation: String| Problem { path: path.to_vec(), explanation };
    match (value, ty) {
        (Json::Null, ty) if ty.is_non_null() => {
            Err(problem(path, "Expected value to not be null".into()))
        }
        (Json::Null, _) => Ok(In::Null),
        (Json::Array(items), Type::List(inner) | Type::NonNullList(inner)) => {
            let mut list = Vec::with_capacity(items.len());
            for (n, item) in items.iter().enumerate() {
                path.push(n.into());
                list.push(coerce(item, inner, schema, path)?);
                path.pop();
            }
            Ok(In::List(list))
        }
        (single, Type::List(inner) | Type::NonNullList(inner)) => {
            Ok(In::List(vec![coerce(single, inner, schema, path)?]))
        }
        (value, Type::Named(name) | Type::NonNullNamed(name)) => match schema.types.get(name) {
            Some(ExtendedType::InputObject(input)) => {
                let Json::Object(object) = value else {
                    return Err(problem(path, format!("Could not coerce value to {name}")));
                };
                if let Some(unknown) =
                    object.keys().find(|key| !input.fields.contains_key(key.as_str()))
                {
                    path.push(unknown.as_str().into());
                    return Err(problem(path, format!("Field is not defined on {name}")));
                }
                let mut fields = BTreeMap::new();
                for (field, definition) in &input.fields {
                    path.push(field.as_str().into());
                    match object.get(field.as_str()) {
                        Some(value) => drop(fields.insert(
                            field.to_string(),
                            coerce(value, &definition.ty, schema, path)?,
                        )),
                        None => match &definition.default_value {
                            Some(default) => {
                                let default =
                                    literal(default, &definition.ty, schema, &Variables::new())
                                        .map_err(|text| problem(path, text))?;
                                fields.extend(default.map(|value| (field.to_string(), value)));
                            }
                            None if definition.ty.is_non_null() => {
                                return Err(problem(path, "Expected value to not be null".into()));
                            }
                            None => {}
                        },
                    }
                    path.pop();
                }
                Ok(In::Object(fields))
            }
            Some(ExtendedType::Enum(members)) => match value.as_str() {
                Some(text) if members.values.contains_key(text) => Ok(In::Text(text.into())),
                _ => {
                    let known: Vec<&str> = members.values.keys().map(Name::as_str).collect();
                    Err(problem(path, format!("Expected one of: {}", known.join(", "))))
                }
            },
            _ => scalar(value, name).map_err(|text| problem(path, text)),
        },
    }
}

/// A JSON value as a scalar: ID takes texts and whole numbers; Int takes
/// numbers with an integral value, never text; String takes only text.
fn scalar(value: &Json, name: &str) -> Result<In, String> {
    let could_not = || format!("Could not coerce value to {name}");
    let text = |text: &str| {
        if text.contains('\0') { Err(NUL.to_owned()) } else { Ok(In::Text(text.into())) }
    };
    match (name, value) {
        ("ID", Json::Number(n)) if n.is_i64() || n.is_u64() => Ok(In::Text(n.to_string().into())),
        ("Int", Json::Number(n)) => int(n.as_f64().unwrap_or(f64::NAN)).ok_or_else(could_not),
        ("Float", Json::Number(n)) => n.as_f64().map(In::Float).ok_or_else(could_not),
        ("Boolean", Json::Bool(value)) => Ok(In::Bool(*value)),
        ("JSON", value) if has_nul(value) => Err(NUL.to_owned()),
        ("JSON", value) => Ok(In::Json(value.clone())),
        ("Upload", Json::Object(object)) => object
            .get(UPLOAD)
            .and_then(Json::as_u64)
            .map(|n| In::Upload(n as usize))
            .ok_or_else(|| "A file is sent as a multipart request".to_owned()),
        ("Upload", _) => Err("A file is sent as a multipart request".to_owned()),
        ("Int" | "Float" | "Boolean", _) => Err(could_not()),
        (_, Json::String(value)) => text(value),
        _ => Err(could_not()),
    }
}

const NUL: &str = "A text may not contain the NUL character";

/// Whether a text or key anywhere in the value holds the NUL character, which
/// PostgreSQL does not store.
fn has_nul(value: &Json) -> bool {
    match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(items) => items.iter().any(has_nul),
        Json::Object(fields) => {
            fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value))
        }
        _ => false,
    }
}

/// The member by which the multipart reader marks a file in the variables; a
/// client that writes it by hand names a file that is not there.
pub const UPLOAD: &str = "\u{1}ward.upload";

fn int(n: f64) -> Option<In> {
    (n.fract() == 0.0 && n >= f64::from(i32::MIN) && n <= f64::from(i32::MAX))
        .then_some(In::Int(n as i64))
}

/// A literal of the document; `None` when it is a variable without value.
pub fn literal(
    value: &Ast,
    ty: &Type,
    schema: &Schema,
    variables: &Variables,
) -> Result<Option<In>, String> {
    if let Ast::Variable(name) = value {
        return match variables.get(name) {
            None if ty.is_non_null() => {
                Err(format!("Variable ${name} has no value, and {ty} may not be null"))
            }
            None => Ok(None),
            Some(value) => conform(value, ty).map(Some),
        };
    }
    let wrong = || format!("Expected type '{ty}'");
    match (value, ty) {
        (Ast::Null, ty) if ty.is_non_null() => Err(wrong()),
        (Ast::Null, _) => Ok(Some(In::Null)),
        (Ast::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                list.push(literal(item, inner, schema, variables)?.unwrap_or(In::Null));
            }
            Ok(Some(In::List(list)))
        }
        (single, Type::List(inner) | Type::NonNullList(inner)) => {
            Ok(literal(single, inner, schema, variables)?.map(|item| In::List(vec![item])))
        }
        (value, Type::Named(name) | Type::NonNullNamed(name)) => match schema.types.get(name) {
            Some(ExtendedType::InputObject(input)) => {
                let Ast::Object(members) = value else { return Err(wrong()) };
                let mut fields = BTreeMap::new();
                for (field, definition) in &input.fields {
                    let mut found = members.iter().filter(|(key, _)| key == field);
                    let value =
                        found.next().map(|(_, value)| value).or(definition.default_value.as_ref());
                    if found.next().is_some() {
                        return Err(format!("Field '{field}' is given twice"));
                    }
                    match value {
                        Some(value) => {
                            let value = literal(
                                given(value, definition.default_value.as_ref(), variables),
                                &definition.ty,
                                schema,
                                variables,
                            )?;
                            fields.extend(value.map(|value| (field.to_string(), value)));
                        }
                        None if definition.ty.is_non_null() => {
                            return Err(format!(
                                "Argument '{field}' on InputObject '{name}' is required. Expected type {}",
                                definition.ty
                            ));
                        }
                        None => {}
                    }
                }
                Ok(Some(In::Object(fields)))
            }
            Some(ExtendedType::Enum(_)) => match value {
                Ast::Enum(member) => Ok(Some(In::Text(member.as_str().into()))),
                _ => Err(wrong()),
            },
            _ => scalar_literal(value, name, variables).map(Some).ok_or_else(wrong),
        },
    }
}

fn scalar_literal(value: &Ast, name: &str, variables: &Variables) -> Option<In> {
    match (name, value) {
        ("JSON", value) => json(value, variables).filter(|json| !has_nul(json)).map(In::Json),
        ("Upload", _) => None,
        ("Int", Ast::Int(n)) => n.try_to_i32().ok().map(|n| In::Int(n.into())),
        ("Float", Ast::Int(n)) => n.try_to_f64().ok().map(In::Float),
        ("Float", Ast::Float(n)) => n.try_to_f64().ok().map(In::Float),
        ("Boolean", Ast::Boolean(value)) => Some(In::Bool(*value)),
        ("ID", Ast::Int(n)) => Some(In::Text(n.as_str().into())),
        ("Int" | "Float" | "Boolean", _) => None,
        (_, Ast::String(text)) if !text.contains('\0') => Some(In::Text(text.as_str().into())),
        _ => None,
    }
}

fn json(value: &Ast, variables: &Variables) -> Option<Json> {
    Some(match value {
        Ast::Null => Json::Null,
        Ast::Boolean(value) => (*value).into(),
        Ast::String(text) => text.as_str().into(),
        Ast::Enum(name) => name.as_str().into(),
        Ast::Int(n) => n.as_str().parse::<serde_json::Number>().ok()?.into(),
        Ast::Float(n) => n.as_str().parse::<serde_json::Number>().ok()?.into(),
        Ast::List(items) => {
            Json::Array(items.iter().map(|item| json(item, variables)).collect::<Option<_>>()?)
        }
        Ast::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| Some((name.to_string(), json(value, variables)?)))
                .collect::<Option<_>>()?,
        ),
        Ast::Variable(name) => as_json(variables.get(name)?)?,
    })
}

fn as_json(value: &In) -> Option<Json> {
    Some(match value {
        In::Null => Json::Null,
        In::Bool(value) => (*value).into(),
        In::Int(n) => (*n).into(),
        In::Float(n) => (*n).into(),
        In::Text(text) => text.as_ref().into(),
        In::Json(json) => json.clone(),
        In::List(items) => Json::Array(items.iter().map(as_json).collect::<Option<_>>()?),
        In::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| Some((name.clone(), as_json(value)?)))
                .collect::<Option<_>>()?,
        ),
        In::Upload(_) => return None,
    })
}

/// A variable's value at the place where it is used: validation compares only
/// the innermost names inside objects and lists.
fn conform(value: &In, ty: &Type) -> Result<In, String> {
    match (value, ty) {
        (In::Null, ty) if ty.is_non_null() => Err(format!("{ty} may not be null")),
        (In::Null, _) => Ok(In::Null),
        (In::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
            items.iter().map(|item| conform(item, inner)).collect::<Result<_, _>>().map(In::List)
        }
        (single, Type::List(inner) | Type::NonNullList(inner)) => {
            conform(single, inner).map(|item| In::List(vec![item]))
        }
        (In::List(_), ty) => Err(format!("List dimension mismatch: {ty} is no list")),
        (value, _) => Ok(value.clone()),
    }
}

/// What counts: the default stands in for a variable without value.
fn given<'a>(value: &'a Ast, default: Option<&'a Node<Ast>>, variables: &Variables) -> &'a Ast {
    match (value, default) {
        (Ast::Variable(name), Some(default)) if !variables.contains_key(name) => default,
        _ => value,
    }
}

/// A field's arguments for this request.
pub fn arguments(
    field: &Field,
    schema: &Schema,
    variables: &Variables,
) -> Result<Args, RequestError> {
    let mut args = BTreeMap::new();
    let mut orders = false;
    for Argument { name, ty, value, default, is_named } in &field.args {
        let counts = given(value, default.as_ref(), variables);
        orders |= name == "order_by" && *is_named && std::ptr::eq(counts, value.as_ref());
        match literal(counts, ty, schema, variables) {
            Ok(Some(value)) => drop(args.insert(name.clone(), value)),
            Ok(None) => {}
            Err(explanation) => {
                let message = format!(
                    "Argument '{name}' on Field '{}' has an invalid value. {explanation}.",
                    field.name
                );
                let mut error = RequestError::new(crate::wording::shortened(&message));
                error.location = field.location;
                return Err(error);
            }
        }
    }
    // Who asks for an order in the old words does not ask for the default one (behaviour 7).
    let sorts = matches!(args.get("sort_by"), Some(In::Text(words)) if !words.trim().is_empty());
    if sorts && !orders {
        args.remove("order_by");
    }
    Ok(Args(args))
}

/// Whether a field is asked for in this request.
pub fn included(field: &Field, variables: &Variables) -> bool {
    let holds = |condition: &Condition| match condition {
        Condition::If(wanted, Flag::Literal(value)) => wanted == value,
        Condition::If(wanted, Flag::Variable(name)) => {
            variables.get(name) == Some(&In::Bool(*wanted))
        }
        Condition::Feature(included) => *included,
    };
    field.conditions.is_empty() || field.conditions.iter().any(|all| all.iter().all(holds))
}
