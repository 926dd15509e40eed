//! Links lead to this instance and nowhere else (ISO-24).

use crate::mail::render_error::RenderError;

/// The whole link for an address or path of a payload. A path gets the instance's own address in
/// front, as it is at this moment; a whole address must already begin with it.
pub(crate) fn resolved(base: &str, link: &str) -> Result<String, RenderError> {
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`');
    let rest = link.strip_prefix(base).unwrap_or(link);
    let own = begins_as_path(rest) && !rest.starts_with("//");
    if own && !rest.contains("://") && link.chars().all(is_plain) {
        Ok(format!("{base}{rest}"))
    } else {
        Err(RenderError::ForeignLink)
    }
}

/// Whether no address in a finished text begins otherwise than with the instance's own.
pub(crate) fn leads_home(base: &str, text: &str) -> bool {
    text.match_indices("://").all(|(at, _)| {
        let (before, _) = text.split_at(at);
        let scheme = before
            .bytes()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(byte))
            .count();
        let link = text.get(at - scheme..).unwrap_or_default();
        match link.strip_prefix(base) {
            Some("") => true,
            Some(rest) => begins_as_path(rest) || rest.starts_with([' ', '\n', '"', '<']),
            None => false,
        }
    })
}

fn begins_as_path(rest: &str) -> bool {
    rest.starts_with(['/', '?', '#'])
}
