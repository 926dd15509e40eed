//! Names of files as strangers' machines give them: pure rules. No name is ever a
//! path here; the rules are for those who will save the file under it.

/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 255;

/// Names that Windows takes for a device, whatever follows their first dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// What is wrong with the name of a file, in one sentence; none when it is fine.
pub fn wrong_file_name(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("The name of the file can't be blank".to_owned());
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Some(format!(
            "The name of the file is too long (maximum is {NAME_CHARS_MAX} characters)"
        ));
    }
    if name.contains(['/', '\\']) || name.trim().trim_matches('.').is_empty() {
        return Some(
            "The name of the file must be a name, not a path: send it without slashes".to_owned(),
        );
    }
    if name.chars().any(is_hidden) {
        return Some(
            "The name of the file holds control or direction characters: send it without them"
                .to_owned(),
        );
    }
    if name.contains([':', '*', '?', '"', '<', '>', '|']) || name.ends_with(['.', ' ']) {
        return Some(
            "The name of the file can't be saved everywhere: send it without : * ? \" < > | and without a dot or space at its end".to_owned(),
        );
    }
    if is_device(name) {
        return Some(
            "The name of the file is that of a device on Windows: give it another one".to_owned(),
        );
    }
    None
}

/// What is wrong with a title, which is shown and never a file's name.
pub fn wrong_title(label: &str, title: &str) -> Option<String> {
    if title.chars().count() > NAME_CHARS_MAX {
        return Some(format!("{label} is too long (maximum is {NAME_CHARS_MAX} characters)"));
    }
    match title.chars().any(is_hidden) {
        true => Some(format!("{label} can't hold control or direction characters")),
        false => None,
    }
}

/// Not to be seen, or turning what follows around.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim().to_lowercase();
    let (word, number) = stem.split_at(stem.char_indices().nth(3).map_or(stem.len(), |(at, _)| at));
    match word {
        "com" | "lpt" => {
            matches!(number.chars().collect::<Vec<_>>()[..], ['1'..='9' | '¹' | '²' | '³'])
        }
        word => number.is_empty() && DEVICES.contains(&word),
    }
}

/// The extension, in lower case: `scan.PDF` has `pdf`.
pub fn extension(name: &str) -> Option<String> {
    let (stem, end) = name.rsplit_once('.')?;
    let is_one = !stem.is_empty() && (1..=10).contains(&end.len());
    (is_one && end.chars().all(|c| c.is_ascii_alphanumeric())).then(|| end.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        for fine in [
            "scan.pdf",
            "Blood work 3.4.pdf",
            "résumé.docx",
            "日本.png",
            "communion.txt",
            ".profile",
            "com10.txt",
            "nullable.csv",
        ] {
            assert_eq!(wrong_file_name(fine), None, "{fine}");
        }
        for wrong in [
            "",
            " ",
            ".",
            "..",
            "../etc/passwd",
            "a/b.pdf",
            "a\\b.pdf",
            "a\0.pdf",
            "exe\u{202e}fdp.pdf",
            "CON",
            "nul.txt",
            "Com1.pdf",
            "LPT9",
            "a:b.pdf",
            "scan.pdf.",
            "scan.pdf ",
        ] {
            assert!(wrong_file_name(wrong).is_some(), "{wrong:?}");
        }
        assert_eq!(wrong_file_name(&"é".repeat(255)), None);
        assert!(wrong_file_name(&"é".repeat(256)).is_some());
    }

    #[test]
    fn titles_are_lines() {
        assert_eq!(wrong_title("Display name", "Lab results 3/4"), None);
        assert!(wrong_title("Display name", "a\u{202e}b").is_some());
        assert!(wrong_title("Display name", "a\nb").is_some());
    }

    #[test]
    fn extensions_are_plain() {
        assert_eq!(extension("scan.PDF").as_deref(), Some("pdf"));
        for none in ["scan", ".profile", "scan.", "scan.p df", "scan.muchtoolongforone"] {
            assert_eq!(extension(none), None, "{none}");
        }
    }
}
