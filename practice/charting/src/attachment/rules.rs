//! What is told of a file before it is sent. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_engine::{Given, Problems};

/// The largest file.
pub const BYTES_MAX: i64 = 50 << 20;
/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 255;
/// The longest media type, in characters.
const TYPE_CHARS_MAX: usize = 127;

/// A file that somebody means to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its name; never a path.
    pub file_name: String,
    /// What it is said to be.
    pub content_type: String,
    /// How many bytes exactly.
    pub byte_size: i64,
    /// Base64 of their MD5.
    pub checksum: String,
}

/// The four fields of an input.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// `filename`.
    pub file_name: &'a Given<String>,
    /// `byte_size`.
    pub byte_size: &'a Given<i64>,
    /// `checksum`.
    pub checksum: &'a Given<String>,
    /// `content_type`.
    pub content_type: &'a Given<String>,
}

/// The 16 bytes of a checksum as they are told: base64 of an MD5, as stores of files take it.
pub fn digest_of(checksum: &str) -> Option<[u8; 16]> {
    STANDARD.decode(checksum.trim()).ok()?.try_into().ok()
}

fn wrong_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("Filename can't be blank".to_owned());
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Some(format!("Filename is too long (maximum is {NAME_CHARS_MAX} characters)"));
    }
    let is_path = name.contains(['/', '\\']) || name.trim_matches('.').is_empty();
    if is_path || name.chars().any(char::is_control) {
        return Some(
            "Filename must be a name, not a path: send it without slashes and control characters"
                .to_owned(),
        );
    }
    None
}

/// Two words with a slash between, as headers have them; what follows a semicolon is no matter.
fn is_media_type(text: &str) -> bool {
    let is_word = |word: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !word.is_empty() && word.chars().all(is_part)
    };
    let bare = text.split(';').next().unwrap_or_default().trim();
    let is_type = bare.split_once('/').is_some_and(|(of, sort)| is_word(of) && is_word(sort));
    // The whole of it becomes a header.
    let is_header = text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    is_type && is_header && text.len() <= TYPE_CHARS_MAX
}

impl Sent<'_> {
    /// The file, or what is wrong with what is told of it.
    pub fn read(&self) -> Result<Announced, Problems> {
        let mut problems = Problems::new();
        let file_name = self.file_name.trimmed().unwrap_or_default();
        if let Some(sentence) = wrong_name(file_name) {
            problems.add("filename", sentence);
        }
        let byte_size = self.byte_size.value().copied().unwrap_or_default();
        if !(1..=BYTES_MAX).contains(&byte_size) {
            let most = BYTES_MAX >> 20;
            problems
                .add("byte_size", format!("Byte size must be from 1 to {BYTES_MAX} ({most} MiB)"));
        }
        let checksum = self.checksum.trimmed().unwrap_or_default();
        if digest_of(checksum).is_none() {
            let sentence =
                "Checksum must be the MD5 of the file in base64, which has 24 characters";
            problems.add("checksum", sentence);
        }
        let content_type = self.content_type.trimmed().unwrap_or_default();
        if !is_media_type(content_type) {
            let sentence = "Content type must be a media type, such as application/pdf";
            problems.add("content_type", sentence);
        }
        match problems.is_empty() {
            true => Ok(Announced {
                file_name: file_name.to_owned(),
                content_type: content_type.to_owned(),
                byte_size,
                checksum: checksum.to_owned(),
            }),
            false => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(name: &str, size: i64, checksum: &str, content_type: &str) -> Vec<String> {
        let given = |text: &str| Given::Value(text.to_owned());
        let (file_name, checksum) = (given(name), given(checksum));
        let (byte_size, content_type) = (Given::Value(size), given(content_type));
        let sent = Sent {
            file_name: &file_name,
            byte_size: &byte_size,
            checksum: &checksum,
            content_type: &content_type,
        };
        let problems = sent.read().err();
        let fields = problems.iter().flat_map(|all| all.iter()).filter_map(|it| it.field.clone());
        fields.collect()
    }

    const MD5: &str = "1B2M2Y8AsgTpgAmY7PhCfg==";

    #[test]
    fn what_is_told_of_a_file_is_whole() {
        let none: Vec<String> = Vec::new();
        assert_eq!(wrong("scan.pdf", 1, MD5, "application/pdf"), none);
        assert_eq!(wrong("Café 1.txt", BYTES_MAX, MD5, "text/plain; charset=utf-8"), none);
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for name in ["", " ", "..", "a/b", "a\\b", "a\u{0}b", long.as_str()] {
            assert_eq!(wrong(name, 1, MD5, "image/png"), ["filename"], "{name:?}");
        }
        for size in [0, -1, BYTES_MAX + 1, i64::MAX, i64::MIN] {
            assert_eq!(wrong("a", size, MD5, "image/png"), ["byte_size"], "{size}");
        }
        for checksum in ["", "abc", "AAAA", "1B2M2Y8AsgTpgAmY7PhCfg", "é"] {
            assert_eq!(wrong("a", 1, checksum, "image/png"), ["checksum"], "{checksum:?}");
        }
        for content_type in ["", "pdf", "a/", "/b", "a/b\r\nX: y", "a b/c", "a/é"] {
            assert_eq!(wrong("a", 1, MD5, content_type), ["content_type"], "{content_type:?}");
        }
    }
}
