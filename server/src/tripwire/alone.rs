//! Numbers of files. A file may be full of them (waveforms, columns of measurements, logs), so a number
//! is a card's or a social security number there only if it is written as people write it, and no
//! other number adjoins it. Pure.

use super::numbers::{Number, is_somebodys_card};

/// What people put between groups of digits, as in the patterns of texts.
const BETWEEN: [char; 7] = [' ', '.', '-', '\u{a0}', '\u{2010}', '\u{2011}', '\u{2013}'];
/// How cards have their digits in groups.
const GROUPED: [&[usize]; 2] = [&[4, 4, 4, 4], &[4, 6, 5]];

/// Whether a file has a card's number: its digits in a row, or in a card's groups with one and the
/// same between them that parts them from no further digits.
pub fn has_card(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |at: usize| bytes[at].is_ascii_digit() && (at == 0 || !is_of_word(bytes[at - 1]));
    (0..bytes.len()).any(|at| begins(at) && is_card(text.split_at(at)))
}

/// Whether a card's number begins between what is before and behind.
fn is_card((before, behind): (&str, &str)) -> bool {
    let digits = leading_digits(behind);
    if is_somebodys_card(digits) {
        let is_decimal = before.strip_suffix('.').is_some_and(ends_in_digit);
        return !is_decimal && is_end(&behind[digits.len()..]);
    }
    GROUPED.iter().any(|sizes| {
        let mut number = Number::default();
        let Some((between, behind)) = grouped(behind, sizes, &mut number) else { return false };
        let rest = (before.trim_end_matches(between), behind.trim_start_matches(between));
        let is_parted = (rest.0.len() < before.len(), rest.1.len() < behind.len());
        let adjoins =
            (is_parted.0 && ends_in_digit(rest.0)) || (is_parted.1 && begins_in_digit(rest.1));
        !adjoins && is_end(behind) && is_somebodys_card(number.text())
    })
}

/// Reads groups of these sizes: what is between them all, and what is behind them.
fn grouped<'a>(text: &'a str, sizes: &[usize], number: &mut Number) -> Option<(char, &'a str)> {
    let (mut rest, mut between) = (text, None);
    for (n, size) in sizes.iter().enumerate() {
        if n > 0 {
            let next = rest.chars().next().filter(|c| BETWEEN.contains(c))?;
            if between.is_some_and(|it| it != next) {
                return None;
            }
            between = Some(next);
            rest = &rest[next.len_utf8()..];
        }
        let digits = leading_digits(rest);
        if digits.len() != *size || !number.push(digits) {
            return None;
        }
        rest = &rest[digits.len()..];
    }
    Some((between?, rest))
}

/// Whether nine digits, found in a file with this between their groups, are one number: with dashes,
/// or with blanks where no number stands before or behind them, on another line either.
pub fn is_ssn(before: &str, between: &str, behind: &str) -> bool {
    match between {
        "." => false,
        " " | "\u{a0}" => {
            !ends_in_digit(before.trim_end()) && !begins_in_digit(behind.trim_start())
        }
        _ => true,
    }
}

fn leading_digits(text: &str) -> &str {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end).0
}

fn ends_in_digit(text: &str) -> bool {
    text.bytes().next_back().is_some_and(|it| it.is_ascii_digit())
}

fn begins_in_digit(text: &str) -> bool {
    text.bytes().next().is_some_and(|it| it.is_ascii_digit())
}

/// Whether a word may end before this.
fn is_end(behind: &str) -> bool {
    !behind.bytes().next().is_some_and(is_of_word)
}

/// Words of ASCII, as in the patterns of texts.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use ward_instance::Random;

    use crate::tripwire::Sign;
    use crate::tripwire::numbers::{sign_in, sign_in_file};

    /// A number of so many digits, which does not begin with 0.
    fn number(random: &Random, digits: u32) -> u64 {
        let least = 10_u64.pow(digits - 1);
        least + random.below(9 * least)
    }

    #[test]
    fn waveforms_are_nobodys_cards() {
        let random = Random::seeded(7);
        let samples: Vec<String> = (0..5_000).map(|_| number(&random, 4).to_string()).collect();
        for between in [" ", ".", "-", "\u{a0}", "  ", "\n", "\t", ","] {
            assert_eq!(sign_in_file(&samples.join(between)), None, "{between:?}");
        }
        // In a field, where such are not sent, any four of them may be one.
        assert_eq!(sign_in(&samples.join(" ")), Some(Sign::Card));
    }

    #[test]
    fn tables_of_measurements_are_nobodys_numbers() {
        let random = Random::seeded(11);
        let row = |_| {
            let of = |digits: u32| number(&random, digits);
            format!(
                "{}\t{}\t{}\t{}\t{}.{}\t0.{}\n{} {} {} {}.{}\n{}.{}.{}\n{} {} {} {} {}\n",
                of(4),
                of(4),
                of(4),
                of(4),
                of(4),
                of(4),
                of(16),
                of(3),
                of(2),
                of(4),
                of(2),
                of(1),
                of(3),
                of(2),
                of(4),
                of(4),
                of(4),
                of(4),
                of(4),
                of(3),
            )
        };
        let table: String = (0..3_000).map(row).collect();
        assert_eq!(sign_in_file(&table), None);
    }

    #[test]
    fn what_is_somebodys_is_found_in_files() {
        for (text, sign) in [
            ("1,Ada,4539 5787 6362 1486,62701\r\n2,Bo,,\r\n", Sign::Card),
            ("1,2,4539-5787-6362-1486,3", Sign::Card),
            ("1\t4539578763621486\t12\n", Sign::Card),
            ("17 4539578763621486 12/26", Sign::Card),
            ("card 4539.5787.6362.1486.", Sign::Card),
            ("3742 454554 00126", Sign::Card),
            ("374245455400126", Sign::Card),
            ("1234-4539 5787 6362 1486", Sign::Card),
            ("番号４５３９\u{3000}５７８７\u{3000}６３６２\u{3000}１４８６", Sign::Card),
            ("1,Ada,536-90-4399,62701", Sign::Ssn),
            ("1,Ada,536 90 4399,62701", Sign::Ssn),
            ("536\u{2011}90\u{2011}4399", Sign::Ssn),
            ("SSN: 536\u{a0}90\u{a0}4399 of hers", Sign::Ssn),
            ("17 2AC7-DF4-GH81 18", Sign::Mbi),
        ] {
            assert_eq!(sign_in_file(text), Some(sign), "{text}");
        }
    }

    #[test]
    fn what_stands_among_numbers_is_none_in_files() {
        for text in [
            "1234 4539 5787 6362 1486",
            "4539 5787 6362 1486 1234",
            "4539 5787 6362 1486  1234",
            "4539-5787 6362 1486",
            "453957876362 1486",
            "x4539578763621486",
            "4539578763621486_a",
            "0.4539578763621486",
            "1.2.840.4539578763621486",
            "4539  5787  6362  1486",
            "120 536 90 4399",
            "536 90 4399 120",
            "536 90 4399\n537 91 4400\n",
            "536.90.4399",
        ] {
            assert_eq!(sign_in_file(text), None, "{text}");
        }
    }
}
