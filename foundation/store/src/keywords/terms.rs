//! What a word of the keywords is looked for as, and by which pieces of it.

use std::collections::BTreeSet;

use crate::cond::Cond;
use crate::search::{DIGITS, GRAM_CHARS, SEARCH_TEXT, digits};

/// One term: any of its needles is enough.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Term(Vec<Needle>);

/// A text that a value contains.
#[derive(Clone, Debug, PartialEq)]
struct Needle {
    text: String,
    /// In the digits of a telephone number only.
    is_phone: bool,
}

/// Beginnings of grams, one of which each row with the needle has: the needle
/// from some character on, and from the next one on.
pub(super) type Window = [String; 2];

impl Term {
    /// A folded word. In one that is written of digits and what stands between
    /// the digits of telephone numbers, the digits count by themselves, with or
    /// without the country code 1.
    pub(super) fn new(word: &str, with_phones: bool) -> Self {
        let mut needles = vec![Needle { text: word.to_owned(), is_phone: false }];
        let digits = digits(word);
        let is_number = word
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '(' | ')' | '+' | '-' | '.' | '/'));
        if with_phones && is_number && !digits.is_empty() {
            let national = digits.strip_prefix('1').filter(|_| digits.len() == 11);
            let text = national.unwrap_or(&digits).to_owned();
            if text != word {
                needles.push(Needle { text, is_phone: true });
            }
        }
        Term(needles)
    }

    /// Whether it may be somebody's number.
    pub(super) fn is_number(&self) -> bool {
        self.0.iter().any(|needle| needle.text.chars().all(|c| c.is_ascii_digit()))
    }

    /// Characters of the shortest needle.
    pub(super) fn chars(&self) -> usize {
        self.0.iter().map(|needle| needle.text.chars().count()).min().unwrap_or(0)
    }

    /// Up to `most` choices of one window for each needle; none when a needle
    /// is too short for one.
    pub(super) fn windows(&self, most: usize) -> Vec<Vec<Window>> {
        let of_needles: Vec<Vec<Window>> =
            self.0.iter().map(|needle| needle.windows(most)).collect();
        let choices = of_needles.iter().map(Vec::len).max().unwrap_or(0);
        (0..choices)
            .filter_map(|n| {
                of_needles
                    .iter()
                    .map(|windows| windows.get(n).or(windows.last()).cloned())
                    .collect()
            })
            .collect()
    }

    pub(super) fn cond(&self) -> Cond {
        self.0.iter().fold(Cond::Never, |cond, needle| cond.or(needle.cond()))
    }
}

impl Needle {
    /// Windows at the beginning, the end and the middle, as far as they differ; of an
    /// e-mail address before the `@` instead of the middle. First comes where a text is most its
    /// own: there, of a number its end, of anything else its beginning.
    fn windows(&self, most: usize) -> Vec<Window> {
        let chars: Vec<char> = self.text.chars().collect();
        if chars.len() < 2 {
            return Vec::new();
        }
        let last = chars.len().saturating_sub(GRAM_CHARS + 1);
        let at = chars.iter().position(|c| *c == '@');
        let middle = last / 2;
        let mut starts = match at {
            Some(at) => vec![at.saturating_sub(GRAM_CHARS).min(last), 0, last],
            None if chars.iter().all(char::is_ascii_digit) => vec![last, middle, 0],
            None => vec![0, last, middle],
        };
        starts.truncate(most.max(1));
        let mut seen = BTreeSet::new();
        starts.retain(|start| seen.insert(*start));
        let piece = |from: usize| chars.iter().skip(from).take(GRAM_CHARS).collect::<String>();
        starts.into_iter().map(|start| [piece(start), piece(start + 1)]).collect()
    }

    fn cond(&self) -> Cond {
        let mut pattern = String::with_capacity(self.text.len() + 4);
        pattern.push('%');
        if self.is_phone {
            pattern.push(DIGITS);
            pattern.push('%');
        }
        for c in self.text.chars() {
            if matches!(c, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push('%');
        // SQLite plans a statement anew for each value of a bare pattern.
        let text = format!("{{t}}.{SEARCH_TEXT} LIKE CAST(? AS TEXT) ESCAPE '\\'");
        Cond::sql(text, [pattern.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(word: &str) -> Vec<String> {
        Term::new(word, true)
            .0
            .into_iter()
            .map(|needle| format!("{}{}", if needle.is_phone { "#" } else { "" }, needle.text))
            .collect()
    }

    #[test]
    fn a_number_is_its_digits_too() {
        assert_eq!(needles("(212)"), ["(212)", "#212"]);
        assert_eq!(needles("212-555-0142"), ["212-555-0142", "#2125550142"]);
        assert_eq!(needles("+1.212.555.0142"), ["+1.212.555.0142", "#2125550142"]);
        assert_eq!(needles("12125550142"), ["12125550142", "#2125550142"]);
        assert_eq!(needles("2125550142"), ["2125550142"]);
        assert_eq!(needles("a-1"), ["a-1"]);
        assert_eq!(needles("-"), ["-"]);
    }

    #[test]
    fn windows_hold_any_alignment() {
        let needle = |text: &str| Needle { text: text.to_owned(), is_phone: false };
        assert!(needle("a").windows(3).is_empty());
        assert_eq!(needle("ab").windows(3), [["ab", "b"]]);
        assert_eq!(needle("abcdefghi").windows(3), [["abcdefgh", "bcdefghi"]]);
        let long = needle("abcdefghijklm").windows(3);
        assert_eq!(long[0], ["abcdefgh", "bcdefghi"]);
        assert_eq!(long[1], ["efghijkl", "fghijklm"]);
        assert_eq!(long[2], ["cdefghij", "defghijk"]);
    }

    #[test]
    fn the_first_window_is_where_a_text_is_most_its_own() {
        let first = |text: &str| {
            let needle = Needle { text: text.to_owned(), is_phone: false };
            needle.windows(1).remove(0)
        };
        assert_eq!(first("client63051@example.com"), ["ent63051", "nt63051@"]);
        assert_eq!(first("ada@example.com"), ["ada@exam", "da@examp"]);
        assert_eq!(first("9815550110"), ["81555011", "15550110"]);
        assert_eq!(first("patternholm"), ["patternh", "atternho"]);
    }
}
