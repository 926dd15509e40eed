//! The texts of SMS and notifications to apps: the practice's own words, after its name.
//!
//! Whoever intends one puts no client's data into the words: what is sent in the clear to a phone
//! is read by whoever holds it (DOM-33).

use serde::Deserialize;
use ward_instance::{Instance, Kind};

use crate::about::{About, Written};
use crate::mail::links;
use crate::mail::render_error::RenderError;
use crate::message::Content;

/// The longest text, in characters: ten parts of an SMS.
const CHARS_MAX: usize = 1_530;

#[derive(Deserialize)]
struct Payload {
    /// The words.
    text: String,
    practice_name: Option<String>,
    /// The address or path that it leads to.
    link: Option<String>,
    about: Option<Written>,
}

/// The text out of an intent's payload (JSON), and the record that it is about.
pub(crate) fn rendered(
    instance: &Instance,
    payload: &str,
) -> Result<(Content, Option<About>), RenderError> {
    let payload: Payload = serde_json::from_str(payload).map_err(|_| RenderError::Payload)?;
    let words = plain(&payload.text);
    if words.is_empty() {
        return Err(RenderError::Missing("text"));
    }
    let mark = match instance.kind() {
        Kind::Sandbox => "[Sandbox]".to_owned(),
        Kind::Production => String::new(),
    };
    let name = payload.practice_name.as_deref().map(plain).filter(|name| !name.is_empty());
    let base = instance.base_url().to_string();
    let link = payload.link.as_deref().map(|link| links::resolved(&base, link)).transpose()?;
    let parts = [mark, name.map(|name| format!("{name}:")).unwrap_or_default(), words];
    let parts = parts.into_iter().chain(link).filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join(" ");
    if text.chars().count() > CHARS_MAX {
        return Err(RenderError::TooLong);
    }
    let content = Content { text, ..Content::default() };
    Ok((content, payload.about.and_then(Written::read)))
}

/// In one line, without what could turn the text around.
fn plain(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let kept = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !turns(c));
    kept.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A telephone number: 7 to 15 digits, and what people write between them.
pub(crate) fn check_number(number: &str) -> Result<(), RenderError> {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let is_usual = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.');
    match (7..=15).contains(&digits) && number.chars().all(is_usual) {
        true => Ok(()),
        false => Err(RenderError::Number),
    }
}

/// One address and no more: a line break or a comma would make a second one.
pub(crate) fn check_address(address: &str) -> Result<(), RenderError> {
    let strange =
        |c: char| c.is_control() || c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>');
    match address.split_once('@') {
        Some((local, domain))
            if !local.is_empty() && !domain.is_empty() && !address.contains(strange) =>
        {
            Ok(())
        }
        _ => Err(RenderError::Address),
    }
}

/// The name of a device at its push service.
pub(crate) fn check_device(device: &str) -> Result<(), RenderError> {
    let is_plain = |c: char| c.is_ascii_graphic();
    match !device.is_empty() && device.len() <= 4_096 && device.chars().all(is_plain) {
        true => Ok(()),
        false => Err(RenderError::Device),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_devices() {
        for good in ["555-0100", "+1 (212) 555-0100", "212.555.0100"] {
            assert_eq!(check_number(good), Ok(()), "{good}");
        }
        for bad in ["", "555", "555-0100 ext", "12345678901234567", "555-0100\n1", "5550100;"] {
            assert_eq!(check_number(bad), Err(RenderError::Number), "{bad}");
        }
        assert_eq!(check_device("fcm:abc_DEF-1"), Ok(()));
        for bad in ["", "a b", "a\nb", "é"] {
            assert_eq!(check_device(bad), Err(RenderError::Device), "{bad}");
        }
    }

    #[test]
    fn words_are_one_line() {
        assert_eq!(plain(" See\r\nyou\t\u{202e}soon "), "See you soon");
    }
}
