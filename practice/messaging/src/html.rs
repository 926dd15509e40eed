//! The text of a message: a safe subset of HTML (behaviour 32). Pure.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

/// The longest message, in characters.
pub const CONTENT_CHARS_MAX: usize = 50_000;

/// Where videos may be embedded from.
const VIDEO_HOSTS: [&str; 4] = [
    "https://www.youtube.com/embed/",
    "https://www.youtube-nocookie.com/embed/",
    "https://player.vimeo.com/video/",
    "https://fast.wistia.net/embed/iframe/",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let tags = ["a", "b", "br", "em", "i", "iframe", "img", "li", "ol", "p", "strong", "u", "ul"];
    let attributes: HashMap<&str, HashSet<&str>> = HashMap::from([
        ("a", HashSet::from(["href"])),
        ("img", HashSet::from(["alt", "height", "src", "width"])),
        ("iframe", HashSet::from(["allowfullscreen", "height", "src", "width"])),
    ]);
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(tags))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(attributes)
        .url_schemes(HashSet::from(["https", "http", "mailto", "tel"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("iframe", "src") if !VIDEO_HOSTS.iter().any(|host| value.starts_with(host)) => None,
            ("img", "src") if !value.starts_with("https://") => None,
            _ => Some(value.into()),
        });
    builder
});

/// The message as it is kept: only bold, italics, underline, paragraphs, lists,
/// links, images and video embeds are left, and a line break in the text breaks
/// the line.
pub fn cleaned(text: &str) -> String {
    // A parser drops these two, so what comes after them would be its start.
    let text: String = text.chars().filter(|c| !matches!(c, '\0' | '\u{feff}')).collect();
    broken(CLEANER.clean(&text).to_string().trim())
}

/// Whether nothing would be seen of a cleaned message.
pub fn is_blank(cleaned: &str) -> bool {
    let shows = cleaned.contains("<img") || cleaned.contains("<iframe");
    !shows && plain(cleaned).trim().is_empty()
}

/// What a cleaned message says, without tags: for previews.
pub fn plain(cleaned: &str) -> String {
    let mut text = String::with_capacity(cleaned.len());
    let mut in_tag = false;
    for part in cleaned.chars() {
        match part {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            other if !in_tag => text.push(other),
            _ => {}
        }
    }
    // The cleaner writes these five; `&` last, so that nothing is read twice.
    [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        .into_iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

/// Line breaks within the text as `<br>`; those that only lay out tags, or stand
/// in one, stay.
fn broken(html: &str) -> String {
    let html = html.replace("\r\n", "\n");
    let bytes = html.as_bytes();
    let mut out = String::with_capacity(html.len());
    let (mut in_tag, mut in_quotes) = (false, false);
    for (at, part) in html.char_indices() {
        match part {
            '<' => in_tag = true,
            '"' if in_tag => in_quotes = !in_quotes,
            '>' if !in_quotes => in_tag = false,
            _ => {}
        }
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let lays_out = before == Some(&b'>') || bytes.get(at + 1) == Some(&b'<');
        match part {
            '\n' if !in_tag && !lays_out => out.push_str("<br>"),
            other => out.push(other),
        }
    }
    out
}
