//! Social security numbers: their form, and whether one may be somebody's.
//!
//! Where a real number may not be stored is the instance's to say; nothing here
//! knows of environments.

/// A social security number, nine digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Ssn(String);

impl Ssn {
    /// Nine digits, with or without hyphens and spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let is_whole = digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then_some(Ssn(digits))
    }

    /// The nine digits.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Ssn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ssn(***)")
    }
}

/// Whether the number could have been issued: not of area 000, 666 or 900 and
/// above, group 00 or serial 0000, none of which is ever given out.
pub fn may_be_real_ssn(ssn: &Ssn) -> bool {
    let part = |range: std::ops::Range<usize>| ssn.0.get(range).unwrap_or_default();
    let area = part(0..3);
    area != "000"
        && area != "666"
        && !area.starts_with('9')
        && part(3..5) != "00"
        && part(5..9) != "0000"
}
