//! The text of a message: a safe subset of HTML (behaviour 32). Pure.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use ward_engine::Refused;

use crate::tags;

/// The longest message, in characters.
pub const CONTENT_CHARS_MAX: usize = 50_000;
/// The longest text that is read at all, in characters: what an editor sends
/// says four times over how it looks.
pub const SENT_CHARS_MAX: usize = 4 * CONTENT_CHARS_MAX;
/// So many tags that are kept: a page of a thousand paragraphs.
pub const TAGS_MAX: usize = 2_000;

/// Why a text is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Over [`CONTENT_CHARS_MAX`] or [`SENT_CHARS_MAX`].
    TooLong,
    /// Over [`TAGS_MAX`].
    TooManyTags,
}

impl Unfit {
    /// What is wrong, after the field's name.
    pub fn sentence(self) -> String {
        match self {
            Unfit::TooLong => format!("is too long (maximum is {CONTENT_CHARS_MAX} characters)"),
            Unfit::TooManyTags => format!("has too many tags (maximum is {TAGS_MAX})"),
        }
    }

    /// As the problem of an input's content.
    pub fn on(self, at: &str) -> Refused {
        Refused::on(at, format!("Content {}", self.sentence()))
    }
}

/// Where videos may be embedded from.
const VIDEO_HOSTS: [&str; 4] = [
    "https://www.youtube.com/embed/",
    "https://www.youtube-nocookie.com/embed/",
    "https://player.vimeo.com/video/",
    "https://fast.wistia.net/embed/iframe/",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes: HashMap<&str, HashSet<&str>> =
        tags::KEPT.iter().map(|(tag, takes)| (*tag, takes.iter().copied().collect())).collect();
    let mut builder = Builder::empty();
    builder
        .tags(tags::KEPT.iter().map(|(tag, _)| *tag).collect())
        .clean_content_tags(HashSet::from(tags::DROPPED))
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
/// the line. Its work is bounded by the bounds of what was sent, whatever that is.
pub fn cleaned(text: &str) -> Result<String, Unfit> {
    if text.chars().count() > SENT_CHARS_MAX {
        return Err(Unfit::TooLong);
    }
    // A parser drops these two, so what comes after them would be its start.
    let text: String = text.chars().filter(|c| !matches!(c, '\0' | '\u{feff}')).collect();
    let text = tags::only_kept(&text, TAGS_MAX).ok_or(Unfit::TooManyTags)?;
    let text = broken(CLEANER.clean(&text).to_string().trim());
    match text.chars().count() > CONTENT_CHARS_MAX {
        true => Err(Unfit::TooLong),
        false => Ok(text),
    }
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
