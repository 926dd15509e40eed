//! Numbers that could be somebody's. Pure.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use ward_clients::ssn::{Ssn, may_be_real_ssn};

use super::known::{CARDS, MBIS, ROUTINGS, SSNS};
use super::shape::{self, Shape};
use super::{Sign, alone};

/// The most digits of a card.
const CARD_DIGITS: usize = 19;

/// A pattern of this file, which compiles: each is tried by a test.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// What people put between groups of digits: also what a word processor makes of a blank or hyphen.
macro_rules! between {
    () => {
        r"[ .\-\x{a0}\x{2010}\x{2011}\x{2013}]"
    };
}

// Borders of ASCII words: those of Unicode would make the search slow on other texts.

/// Three, two and four digits, as social security numbers are written.
static SSN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r"(?-u:\b)([0-9]{3})(",
        between!(),
        ")([0-9]{2})(",
        between!(),
        r")([0-9]{4})(?-u:\b)"
    ))
});
/// 13 digits and more, perhaps in groups: a card's number may stand among others.
static DIGITS: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(concat!(r"(?-u:\b)[0-9](?:", between!(), r"?[0-9]){12,60}(?-u:\b)")));
/// The form of an MBI (CMS): no letters that look like digits.
static MBI: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?-u:\b)[1-9][AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y][0-9AC-HJKMNP-RT-Y][0-9]-?[AC-HJKMNP-RT-Y]{2}[0-9]{2}(?-u:\b)",
    )
});
/// A number behind words that name a record's.
static CONTEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?-u:\b)(?:mrn|dob|date of birth|policy (?:no|number)|member id|medical record)(?-u:\b)[^0-9]{0,20}[0-9]{2}[0-9/.-]{2,}",
    )
});

/// A text with the digits, blanks and hyphens of ASCII in the place of the full-width ones of East Asia.
fn narrow(text: &str) -> Cow<'_, str> {
    let is_wide = |c: char| matches!(c, '\u{ff10}'..='\u{ff19}');
    if text.is_ascii() || !text.chars().any(is_wide) {
        return Cow::Borrowed(text);
    }
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff0d}' => '-',
        _ if is_wide(c) => char::from_u32(u32::from(c) - 0xff10 + u32::from('0')).unwrap_or(c),
        _ => c,
    };
    Cow::Owned(text.chars().map(narrow).collect())
}

/// Digits of a text.
fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The surest sign in a text.
pub fn sign_in(text: &str) -> Option<Sign> {
    let text = narrow(text);
    sign_of(&text, shape::of(&text), false)
}

/// The surest sign in what a file says, where numbers must stand by themselves.
pub fn sign_in_file(text: &str) -> Option<Sign> {
    let text = narrow(text);
    sign_of(&text, shape::of(&text), true)
}

/// The surest sign among those that a text could hold.
fn sign_of(text: &str, could: Shape, in_file: bool) -> Option<Sign> {
    if could.ssn && has_ssn(text, in_file) {
        return Some(Sign::Ssn);
    }
    let has_card = if in_file { alone::has_card } else { has_card };
    if could.card && has_card(text) {
        return Some(Sign::Card);
    }
    if could.mbi && has_mbi(text) {
        return Some(Sign::Mbi);
    }
    let context = CONTEXT.as_ref().filter(|it| could.context && it.is_match(text));
    context.map(|_| Sign::Context)
}

fn has_ssn(text: &str, in_file: bool) -> bool {
    let Some(ssn) = SSN.as_ref() else { return false };
    ssn.captures_iter(text).any(|found| {
        let is_one = |whole: regex::Match<'_>| {
            !in_file || alone::is_ssn(&text[..whole.start()], &found[2], &text[whole.end()..])
        };
        found[2] == found[4]
            && is_somebodys_ssn(&digits(&found[0]))
            && found.get(0).is_some_and(is_one)
    })
}

/// Whether nine digits could be somebody's number.
pub fn is_somebodys_ssn(text: &str) -> bool {
    let Some(ssn) = Ssn::parse(narrow(text).trim()) else { return false };
    let digits = ssn.digits();
    let is_one_digit = digits.bytes().all(|byte| Some(byte) == digits.bytes().next());
    may_be_real_ssn(&ssn) && !is_one_digit && !SSNS.contains(&digits)
}

/// Whether whole groups of a run of digits are a card's number: an expiry, a code or a date may
/// stand beside it.
fn has_card(text: &str) -> bool {
    let Some(runs) = DIGITS.as_ref() else { return false };
    let mut groups = Vec::new();
    runs.find_iter(text).any(|run| {
        groups.clear();
        groups.extend(groups_of(run.as_str()));
        (0..groups.len()).any(|from| begins_card(&groups, from))
    })
}

/// Whether this group begins a card's number, with or without those behind it.
fn begins_card(groups: &[Group<'_>], from: usize) -> bool {
    let mut number = Number::default();
    for (at, group) in groups.iter().enumerate().skip(from) {
        let is_decimal = is_behind_point(groups, at);
        if (at > from && is_decimal) || !number.push(group.digits) {
            return false;
        }
        if !is_decimal && is_somebodys_card(number.text()) {
            return true;
        }
    }
    false
}

/// The digits of one number, group by group.
#[derive(Default)]
pub struct Number {
    digits: [u8; CARD_DIGITS],
    length: usize,
}

impl Number {
    /// Adds a group, unless it is too many digits for a card.
    pub fn push(&mut self, group: &str) -> bool {
        let end = self.length + group.len();
        let Some(free) = self.digits.get_mut(self.length..end) else { return false };
        free.copy_from_slice(group.as_bytes());
        self.length = end;
        true
    }

    /// The digits so far.
    pub fn text(&self) -> &str {
        let digits = self.digits.get(..self.length).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }
}

/// Digits that stand together.
struct Group<'a> {
    digits: &'a str,
    /// Whether a point parts it from the group before.
    has_point: bool,
}

fn groups_of(run: &str) -> impl Iterator<Item = Group<'_>> {
    let mut has_point = false;
    run.split_inclusive(|c: char| !c.is_ascii_digit()).map(move |part| {
        let digits = part.trim_end_matches(|c: char| !c.is_ascii_digit());
        let has_point = std::mem::replace(&mut has_point, part.ends_with('.'));
        Group { digits, has_point }
    })
}

/// Whether a group stands behind a point that parts it from one group only, as in 42.36394779125143:
/// cards are parted by three points, if by any. No card's number has such a point in it.
fn is_behind_point(groups: &[Group<'_>], at: usize) -> bool {
    let has_point = |at: usize| groups.get(at).is_some_and(|group| group.has_point);
    let is_first = at.checked_sub(1).is_none_or(|before| !has_point(before));
    has_point(at) && is_first && !has_point(at + 1)
}

/// Whether digits are a card's of a network, with a right check digit (ISO/IEC 7812-1).
pub fn is_somebodys_card(digits: &str) -> bool {
    let first = |n: usize| digits.get(..n).and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    let is_of_network = match digits.len() {
        13 => first(1) == 4,
        14 => matches!(first(2), 36 | 38 | 39) || matches!(first(3), 300..=305),
        15 => matches!(first(2), 34 | 37),
        16 => {
            matches!(first(1), 4)
                || matches!(first(2), 51..=55 | 65)
                || matches!(first(4), 2221..=2720 | 3528..=3589 | 6011)
                || matches!(first(3), 644..=649)
        }
        19 => first(1) == 4 || first(4) == 6011 || first(2) == 65,
        _ => false,
    };
    is_of_network && is_luhn(digits) && !CARDS.iter().any(|known| digits.starts_with(known))
}

/// The check digit of ISO/IEC 7812-1.
pub fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, byte)| {
            let digit = u32::from(byte - b'0');
            match n % 2 {
                0 => digit,
                _ => digit * 2 / 10 + digit * 2 % 10,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn has_mbi(text: &str) -> bool {
    let Some(mbi) = MBI.as_ref() else { return false };
    let is_known =
        |found: &str| MBIS.contains(&found.replace('-', "").to_ascii_uppercase().as_str());
    mbi.find_iter(text).any(|found| !is_known(found.as_str()))
}

/// Whether a routing number is a bank's: nine digits with a right check digit (ABA).
pub fn is_routing(text: &str) -> bool {
    let text = text.trim();
    let is_nine = text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_nine || ROUTINGS.contains(&text) {
        return false;
    }
    let weights = [3, 7, 1].into_iter().cycle();
    let sum: u32 = text.bytes().zip(weights).map(|(byte, it)| u32::from(byte - b'0') * it).sum();
    let prefix: u32 = text.get(..2).and_then(|it| it.parse().ok()).unwrap_or(99);
    sum.is_multiple_of(10) && sum > 0 && matches!(prefix, 1..=12 | 21..=32 | 61..=72 | 80)
}

/// Whether a telephone number could ring somewhere: of North America, and not one of those kept for
/// fiction.
pub fn is_somebodys_phone(text: &str) -> bool {
    let digits = digits(&narrow(text));
    let digits = digits.strip_prefix('1').filter(|it| it.len() == 10).unwrap_or(&digits);
    if digits.len() != 10 {
        return false;
    }
    let (exchange, line) =
        (digits.get(3..6).unwrap_or_default(), digits.get(6..8).unwrap_or_default());
    let is_number =
        |at: usize| digits.as_bytes().get(at).is_some_and(|it| (b'2'..=b'9').contains(it));
    let is_one_digit = digits.bytes().all(|byte| Some(byte) == digits.bytes().next());
    is_number(0) && is_number(3) && !is_one_digit && !(exchange == "555" && line == "01")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn all_patterns_are_patterns() {
        assert!([&SSN, &DIGITS, &MBI, &CONTEXT].iter().all(|it| it.is_some()));
    }

    #[test]
    fn known_numbers_and_impossible_ones_pass() {
        for text in [
            "123-45-6789",
            "078-05-1120",
            "900-12-3456",
            "000-12-3456",
            "666-12-3456",
            "123-00-4567",
            "123-45-0000",
            "333-33-3333",
            "4242 4242 4242 4242",
            "4000-0025-0000-3155",
            "378282246310005",
            "4242424242424241",
            "1EG4-TE5-MK73",
            "1EG4TE5MK72",
            "2026-03-04T09:30:00Z",
            "+1 (212) 555-0142",
            "1764180000123456",
            "12-34-5678",
            "order 1234567890123",
            "550e8400-e29b-41d4-a716-446655440000",
            "192.168.100.200:8080",
            // Places and measurements.
            "42.539578763621486",
            "4.539578763621486",
            "0.4539578763621486",
            "{\"value\": 453957876362148.6}",
            "１２３-４５-６７８９",
            "４２４２ ４２４２ ４２４２ ４２４２",
        ] {
            assert_eq!(sign_in(text), None, "{text}");
        }
    }

    #[test]
    fn what_could_be_somebodys_is_found() {
        for (text, sign) in [
            ("SSN 536-90-4399 of hers", Sign::Ssn),
            ("536 90 4399", Sign::Ssn),
            ("card 4539 5787 6362 1486, thanks", Sign::Card),
            ("5425233430109903", Sign::Card),
            ("4539 5787 6362 1486 12/26", Sign::Card),
            ("4539 5787 6362 1486 123", Sign::Card),
            ("2026-03-04 4539 5787 6362 1486", Sign::Card),
            ("4539.5787.6362.1486", Sign::Card),
            ("3742.454554.00126", Sign::Card),
            ("paid 12.50 by 4539578763621486.", Sign::Card),
            ("4539 5787 6362 1486.50", Sign::Card),
            ("1.4539 5787 6362 1486", Sign::Card),
            ("５３６-９０-４３９９", Sign::Ssn),
            ("５３６\u{ff0d}９０\u{ff0d}４３９９", Sign::Ssn),
            ("番号４５３９\u{3000}５７８７\u{3000}６３６２\u{3000}１４８６", Sign::Card),
            ("536\u{2011}90\u{2011}4399", Sign::Ssn),
            ("на 536\u{a0}90\u{a0}4399 у неё", Sign::Ssn),
            ("2ac7-df4-gh81", Sign::Mbi),
            ("374245455400126", Sign::Card),
            ("Medicare 2AC7-DF4-GH81", Sign::Mbi),
            ("2AC7DF4GH81", Sign::Mbi),
            ("her MRN is 00482913", Sign::Context),
            ("DOB: 03/14/1961", Sign::Context),
        ] {
            assert_eq!(sign_in(text), Some(sign), "{text}");
        }
    }

    #[test]
    fn bank_and_telephone_numbers() {
        assert!(is_routing("122000661") && !is_routing("122000662") && !is_routing("110000000"));
        assert!(!is_routing("000000000") && !is_routing("12200066"));
        assert!(is_somebodys_phone("(415) 867-5309") && is_somebodys_phone("+1 212 736 5000"));
        assert!(!is_somebodys_phone("212-555-0123") && !is_somebodys_phone("555-0123"));
        assert!(
            is_somebodys_phone("４１５ ８６７ ５３０９") && is_somebodys_ssn("５３６９０４３９９")
        );
        assert!(!is_somebodys_phone("1234567890") && !is_somebodys_phone("5555555555"));
    }

    /// Pieces of which what is looked for is made, so that it comes up, whole and nearly.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[0-9]{1,5}",
            4 => "[ .\\-\u{a0}\u{2010}\u{2011}\u{2013}]{0,2}",
            1 => "[A-Za-z\u{212a}\u{17f}_]{1,3}",
            1 => "(?i)(mrn|dob|date of birth|policy no|policy number|member id|medical record)",
            1 => "[1-9][AC-HJKMNP-RT-Y]{1,2}[0-9][a-hj-n][0-9Ac][0-9]-?[A-Ha-h]{2}[0-9]{2}",
            1 => "53[1-9](-| )4[1-9](-| )43[0-9]{2}",
            1 => "4539([ \u{a0}-]?)5787([ \u{a0}-]?)6362[ -]?148[0-9]",
            1 => "[\u{ff10}-\u{ff19}]{1,4}",
            1 => "\\PC{0,3}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn the_look_misses_nothing(pieces in prop::collection::vec(piece(), 1..9)) {
            let text = pieces.concat();
            let all = Shape { ssn: true, card: true, mbi: true, context: true };
            prop_assert_eq!(sign_in(&text), sign_of(&narrow(&text), all, false), "{:?}", text);
            prop_assert_eq!(sign_in_file(&text), sign_of(&narrow(&text), all, true), "{:?}", text);
        }
    }
}
