//! How an answer is read by people (behaviour 25).

use jiff::civil::DateTime;

/// The words for an answer: what was written, but of names and consents. `agreed_at`
/// is when it was given, on the reader's wall.
pub fn displayed(mod_type: &str, answer: &str, agreed_at: DateTime) -> Option<String> {
    match mod_type {
        "label" | "read_only" | "hipaa" => None,
        "agree_to_above" => (answer.trim() == "true")
            .then(|| format!("Agreed To On {}", agreed_at.strftime("%b %-d, %Y %H:%M"))),
        "name" => name(answer),
        "referring_provider" => spaced(answer),
        _ => Some(answer.to_owned()),
    }
}

/// `First,Last` as `Last, First`.
fn name(answer: &str) -> Option<String> {
    let Some((first, last)) = answer.split_once(',') else { return Some(answer.to_owned()) };
    let parts = [last.trim(), first.trim()];
    Some(parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", "))
}

/// `Last,First` as `Last, First`.
fn spaced(answer: &str) -> Option<String> {
    let parts = answer.split(',').map(str::trim).filter(|it| !it.is_empty());
    Some(parts.collect::<Vec<_>>().join(", "))
}
