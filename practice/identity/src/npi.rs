//! National Provider Identifiers (CMS NPI standard, 69 FR 3434; DOM-19).

use ward_engine::{Given, Problems};

/// What the prefix 80840, the number of a United States health card, adds to
/// the sum of the check digit.
const PREFIX_SUM: u32 = 24;

/// Whether the text is an NPI: ten digits, the first 1 (a person) or 2 (an
/// organization); the last is the Luhn
/// check digit of `80840` and the nine before it.
pub fn is_valid(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    match digits.as_deref() {
        Some(digits @ [1 | 2, ..]) if digits.len() == 10 => {
            luhn_sum(digits).wrapping_add(PREFIX_SUM).is_multiple_of(10)
        }
        _ => false,
    }
}

/// Every second digit from the right doubled, and the digits of it all added.
fn luhn_sum(digits: &[u32]) -> u32 {
    let weighed = digits.iter().rev().enumerate().map(|(place, digit)| match place % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    });
    weighed.sum()
}

/// An NPI, when one is given.
pub fn check(field: &str, value: &Given<String>, problems: &mut Problems) {
    if value.trimmed().is_some_and(|text| !is_valid(text)) {
        problems
            .add(field, "NPI is invalid: it has ten digits, the last of which checks the others");
    }
}
