//! Words become lines of a width.

use std::collections::HashMap;

use crate::font::{Faces, LACKING};
use crate::page::HEIGHT;
use crate::{PAGES_MAX, Span};

/// A word is measured in pieces of so many characters.
const WORD_CHARS: usize = 120;
/// More lines are too many for any document, whatever their size.
const LINES_MAX: usize = (PAGES_MAX + 2) * HEIGHT as usize / 10;
/// So many words are known by their width.
const KNOWN_MAX: usize = 20_000;

/// Some words of a line in one hand.
pub struct Part {
    pub text: String,
    pub bold: bool,
}

/// A word, and whether there is a space before it.
struct Word {
    text: String,
    bold: bool,
    spaced: bool,
    /// Whether a line ends before it.
    fresh: bool,
    /// Whether it goes on with a word that is longer than a line.
    goes_on: bool,
}

/// Measures words.
pub struct Measure<'a> {
    faces: &'a Faces,
    known: HashMap<(String, bool), f32>,
    /// Whether the font lacked a character of what was measured.
    pub lacking: bool,
}

impl<'a> Measure<'a> {
    pub fn new(faces: &'a Faces) -> Self {
        Self { faces, known: HashMap::new(), lacking: false }
    }

    /// A text as it is written.
    pub fn clean(&mut self, text: &str) -> String {
        let clean = self.faces.clean(text);
        self.lacking |= clean.contains(LACKING);
        clean
    }

    /// How wide a clean text is, for a size of 1.
    pub fn width(&self, text: &str, bold: bool) -> f32 {
        self.faces.hand(bold).width(text)
    }

    /// The same of a word, which comes again and again.
    fn word(&mut self, text: &str, bold: bool) -> f32 {
        let key = (text.to_owned(), bold);
        if let Some(width) = self.known.get(&key) {
            return *width;
        }
        let width = self.width(text, bold);
        if self.known.len() < KNOWN_MAX {
            self.known.insert(key, width);
        }
        width
    }

    /// The lines of some words, at least one; no more than any document has.
    pub fn wrap(&mut self, spans: &[Span], size: f32, width: f32) -> Vec<Vec<Part>> {
        let width = width / size;
        let mut lines: Vec<Vec<Part>> = vec![Vec::new()];
        let mut used = 0.0;
        for word in self.words(spans) {
            let mut rest = word.text.as_str();
            let mut spaced = word.spaced;
            if word.fresh {
                lines.push(Vec::new());
                used = 0.0;
            }
            while !rest.is_empty() {
                let is_first = lines.last().is_none_or(Vec::is_empty);
                let gap = if spaced && !is_first { self.word(" ", word.bold) } else { 0.0 };
                let wide = self.word(rest, word.bold);
                if used + gap + wide <= width {
                    append(&mut lines, rest, word.bold, gap > 0.0);
                    used += gap + wide;
                    break;
                }
                if is_first || word.goes_on {
                    let hand = self.faces.hand(word.bold);
                    let at = hand.fitting(rest, width - used).clamp(1, rest.len());
                    let Some((head, tail)) = rest.split_at_checked(at) else { break };
                    if is_first || used + hand.width(head) <= width {
                        append(&mut lines, head, word.bold, false);
                        rest = tail;
                    }
                }
                if !rest.is_empty() {
                    lines.push(Vec::new());
                    used = 0.0;
                    spaced = false;
                }
            }
            if lines.len() > LINES_MAX {
                break;
            }
        }
        lines
    }

    fn words(&mut self, spans: &[Span]) -> Vec<Word> {
        let mut words = Vec::new();
        let (mut spaced, mut fresh) = (false, false);
        for span in spans {
            for (index, line) in span.text.split('\n').enumerate() {
                fresh |= index > 0;
                let line = self.clean(line);
                spaced |= line.starts_with(' ');
                for word in line.split(' ').filter(|it| !it.is_empty()) {
                    for (part, text) in parts(word).enumerate() {
                        let gap = std::mem::take(&mut spaced);
                        let is_fresh = std::mem::take(&mut fresh) && !words.is_empty();
                        let text = text.to_owned();
                        words.push(Word {
                            text,
                            bold: span.bold,
                            spaced: gap,
                            fresh: is_fresh,
                            goes_on: part > 0,
                        });
                    }
                    spaced = true;
                }
                spaced = line.ends_with(' ') || (spaced && line.is_empty());
            }
        }
        words
    }
}

/// Adds words to the last line.
fn append(lines: &mut [Vec<Part>], text: &str, bold: bool, spaced: bool) {
    let Some(line) = lines.last_mut() else { return };
    let text = if spaced { format!(" {text}") } else { text.to_owned() };
    match line.last_mut().filter(|it| it.bold == bold) {
        Some(part) => part.text.push_str(&text),
        None => line.push(Part { text, bold }),
    }
}

/// A word in pieces that are cheap to measure.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let at = rest.char_indices().nth(WORD_CHARS).map_or(rest.len(), |(at, _)| at);
        let (head, tail) = rest.split_at(at);
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
}
