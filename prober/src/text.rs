//! Small readings of texts.

/// Whether a text is an instance's tag: five characters of Crockford's base32.
pub fn is_tag(text: &str) -> bool {
    let is_digit = |byte: u8| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte);
    text.len() == 5 && text.bytes().all(is_digit)
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

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hexadecimal.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let pairs = bytes.chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

/// A text inside HTML.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
