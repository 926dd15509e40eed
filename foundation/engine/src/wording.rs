//! Validation messages in the words of the reference server (behaviour 4.1).
//!
//! The compiler's diagnostics carry their names only inside the sentence, in
//! back quotes; the sentences are pinned with the compiler's version and a
//! snapshot test.

/// The reference wording of a compiler diagnostic; the compiler's own words
/// for what clients can't depend on.
pub fn reworded(text: &str) -> String {
    let names: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let name = |n: usize| names.get(n).copied().unwrap_or_default();
    let is = |start: &str, part: &str| text.starts_with(start) && text.contains(part);
    if is("type `", "does not have a field `") {
        return format!("Field '{}' doesn't exist on type '{}'", name(1), name(0));
    }
    if is("the required argument `", "is not provided") {
        let (field, argument) = coordinate(name(0));
        if let Some(directive) = field.strip_prefix('@') {
            return format!("Directive '{directive}' is missing required arguments: {argument}");
        }
        return format!("Field '{field}' is missing required arguments: {argument}");
    }
    if is("the argument `", "is not supported by `") {
        let field = name(1).rsplit('.').next().unwrap_or_default();
        return format!("Field '{field}' doesn't accept argument '{}'", name(0));
    }
    if is("field `", "does not exist on") || is("field `", "is not defined") {
        return format!("InputObject '{}' doesn't accept argument '{}'", name(1), name(0));
    }
    if is("the required field `", "is not provided") {
        let (object, field) = name(0).split_once('.').unwrap_or((name(0), ""));
        return format!("Argument '{field}' on InputObject '{object}' is required");
    }
    if is("variable `", "cannot be used for") {
        return format!(
            "Type mismatch on variable {} and argument {} ({} / {})",
            name(0),
            name(2),
            name(1),
            name(3)
        );
    }
    if text.starts_with("unused variable: ") {
        return format!("Variable {} is declared but not used", name(0));
    }
    if is("variable `", "is not defined") {
        return format!("Variable {} is used but not declared", name(0));
    }
    if text.starts_with("cannot find fragment `") {
        return format!("Fragment {} was used, but not defined", name(0));
    }
    if is("fragment `", "must be used in an operation") {
        return format!("Fragment {} was defined, but not used", name(0));
    }
    if is("`", "fragment cannot reference itself") {
        return format!("Fragment {} contains an infinite loop", name(0));
    }
    if text.starts_with("field selection of scalar type `") {
        return format!("Selections can't be made on scalars (type {})", name(0));
    }
    text.to_owned()
}

/// A message that repeats what was sent, cut where that is long.
pub fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 400;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `Query.one(id:)` as (`one`, `id`).
fn coordinate(text: &str) -> (&str, &str) {
    let (field, argument) = text.split_once('(').unwrap_or((text, ""));
    (field.rsplit('.').next().unwrap_or(field), argument.trim_end_matches([':', ')']))
}
