//! The tags of a message before a parser sees them. Pure, and one pass.
//!
//! An HTML parser repairs what it reads: bold type that nobody ends is begun
//! anew in every paragraph that follows, so that tags which differ by an
//! attribute make elements by the square of their number. What leaves here can
//! not do that: every `<` begins a tag that is kept, emphasis has no attributes,
//! so the parser keeps three of a kind at most, and there are only so many tags.

/// The tags that a message may have, with their attributes.
pub const KEPT: [(&str, &[&str]); 13] = [
    ("a", &["href"]),
    ("b", &[]),
    ("br", &[]),
    ("em", &[]),
    ("i", &[]),
    ("iframe", &["allowfullscreen", "height", "src", "width"]),
    ("img", &["alt", "height", "src", "width"]),
    ("li", &[]),
    ("ol", &[]),
    ("p", &[]),
    ("strong", &[]),
    ("u", &[]),
    ("ul", &[]),
];

/// Tags that go with all that is in them.
pub const DROPPED: [&str; 2] = ["script", "style"];

/// The text with only those tags that are kept; nothing when those are more than
/// `most`. It is not safe yet: what an attribute may say is the cleaner's.
pub fn only_kept(text: &str, most: usize) -> Option<String> {
    let (mut out, mut tags, mut rest) = (String::with_capacity(text.len()), 0, text);
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        rest = match Markup::of(after) {
            Markup::Text => {
                out.push_str("&lt;");
                after
            }
            // A parser would drop all that follows.
            Markup::Endless => {
                out.push_str("&lt;");
                out.push_str(&after.replace('<', "&lt;"));
                ""
            }
            Markup::Nothing(rest) => rest,
            Markup::Tag(tag, rest) => {
                tags += 1;
                tag.write(&mut out);
                rest
            }
        };
        if tags > most {
            return None;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// What a `<` begins, and what comes after it.
enum Markup<'a> {
    /// Nothing: it is a character.
    Text,
    /// A tag that nothing ends.
    Endless,
    /// What shows nothing: a comment, a tag that is not kept.
    Nothing(&'a str),
    /// A tag that is kept.
    Tag(Tag<'a>, &'a str),
}

struct Tag<'a> {
    name: &'static str,
    is_end: bool,
    attributes: Vec<(&'static str, &'a str)>,
}

impl<'a> Markup<'a> {
    fn of(after: &'a str) -> Self {
        if let Some(comment) = after.strip_prefix("!--") {
            return Markup::Nothing(after_comment(comment));
        }
        let (is_end, text) = match after.strip_prefix('/') {
            Some(text) => (true, text),
            None => (false, after),
        };
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let is_comment = is_end || after.starts_with(['!', '?']);
            return match after.split_once('>') {
                _ if !is_comment => Markup::Text,
                Some((_, rest)) => Markup::Nothing(rest),
                None => Markup::Endless,
            };
        }
        let end = text.find(|c| is_space(c) || matches!(c, '/' | '>'));
        let Some((name, rest)) = end.map(|end| text.split_at(end)) else { return Markup::Endless };
        let kept = KEPT.iter().find(|(kept, _)| kept.eq_ignore_ascii_case(name));
        let takes: &'static [&'static str] = kept.map_or(&[], |(_, takes)| takes);
        let Some((attributes, rest)) = attributes(rest, takes) else { return Markup::Endless };
        match kept {
            Some((name, _)) => Markup::Tag(Tag { name, is_end, attributes }, rest),
            None if !is_end && DROPPED.iter().any(|dropped| dropped.eq_ignore_ascii_case(name)) => {
                Markup::Nothing(after_element(name, rest))
            }
            None => Markup::Nothing(rest),
        }
    }
}

impl Tag<'_> {
    fn write(&self, out: &mut String) {
        out.push_str(if self.is_end { "</" } else { "<" });
        out.push_str(self.name);
        for (name, value) in self.attributes.iter().filter(|_| !self.is_end) {
            let value = value.replace('"', "&quot;").replace('<', "&lt;");
            out.push_str(&format!(" {name}=\"{value}\""));
        }
        out.push('>');
    }
}

/// White space between attributes.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

/// Those attributes of a tag that it takes, each once, and what comes after the
/// tag; nothing when it has no end.
fn attributes<'a>(
    text: &'a str,
    takes: &'static [&'static str],
) -> Option<(Vec<(&'static str, &'a str)>, &'a str)> {
    let mut found: Vec<(&'static str, &str)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some((found, after));
        }
        let mut characters = rest.char_indices().skip(1);
        let ends = |c: char| is_space(c) || matches!(c, '/' | '>' | '=');
        let (end, _) = characters.find(|(_, c)| ends(*c))?;
        let (name, after) = rest.split_at(end);
        let (value, after) = value(after.trim_start_matches(is_space))?;
        let taken = takes.iter().find(|taken| taken.eq_ignore_ascii_case(name));
        if let Some(name) = taken.filter(|name| !found.iter().any(|(have, _)| have == *name)) {
            found.push((name, value));
        }
        rest = after;
    }
}

/// The value of an attribute, if it has one, and what comes after it.
fn value(text: &str) -> Option<(&str, &str)> {
    let Some(text) = text.strip_prefix('=') else { return Some(("", text)) };
    let text = text.trim_start_matches(is_space);
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote);
        }
    }
    text.find(|c| is_space(c) || c == '>').map(|end| text.split_at(end))
}

fn after_comment(text: &str) -> &str {
    let empty = text.strip_prefix('>').or_else(|| text.strip_prefix("->"));
    empty.unwrap_or_else(|| text.split_once("-->").map_or("", |(_, rest)| rest))
}

/// What comes after the content of an element that is only text.
fn after_element<'a>(name: &str, text: &'a str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        rest = after;
        let end = after.get(..name.len()).filter(|end| end.eq_ignore_ascii_case(name));
        let after = end.and_then(|_| after.get(name.len()..));
        if let Some(after) = after.filter(|it| it.starts_with(|c| is_space(c) || "/>".contains(c)))
        {
            return after.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    ""
}
