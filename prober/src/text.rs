//! Small readings of texts.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether a text is an instance's tag: five characters of Crockford's base32.
pub fn is_tag(text: &str) -> bool {
    let is_digit = |byte: u8| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte);
    text.len() == 5 && text.bytes().all(is_digit)
}

/// Characters of a finding, at most.
const FINDING_MAX: usize = 300;

/// Texts that stand in no finding: keys and sessions, however a server gives them back.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Rc<[String]>);

impl Secrets {
    /// These, and what they are in base64.
    pub fn of(texts: impl IntoIterator<Item = String>) -> Secrets {
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        let both = texts.flat_map(|text| [STANDARD.encode(format!("{text}:")), text]);
        Secrets(both.collect())
    }
}

/// A sentence as it is reported: no secret in it, no control character, not long.
pub fn finding(text: &str, secrets: &Secrets) -> String {
    let mut text = text.to_owned();
    for secret in secrets.0.iter() {
        text = text.replace(secret.as_str(), "[a credential]");
    }
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    clean(&one_line).chars().take(FINDING_MAX).collect()
}

/// The beginning of a text, for a finding.
pub fn shown(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(160).collect()
}

/// Without control characters: what another server wrote must not move a terminal's cursor.
pub fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() || is_bidi(it) { '\u{fffd}' } else { it }).collect()
}

/// Characters that turn the direction of what is read.
fn is_bidi(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a path that a server names leads where it seems to.
pub fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"%?#\\\"<>".contains(&byte);
    path.starts_with('/')
        && path.bytes().all(is_plain)
        && !path.split('/').any(|part| part == "." || part == "..")
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hexadecimal.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let pairs = bytes.chunks(2).map(|pair| {
        // A sign is taken for a number's, too.
        let is_whole = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        let pair = std::str::from_utf8(pair).ok().filter(|_| is_whole)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

/// A text inside HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_has_no_signs() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        for bad in ["0", "+f", "-1", "0g", "é"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
