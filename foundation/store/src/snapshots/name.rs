//! What a snapshot may be called: it is a file's name and a schema's.

use std::fmt;
use std::str::FromStr;

/// Characters at most.
const MOST: usize = 40;

/// The name of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| fits(byte) || byte == b'-' || byte == b'_';
        match text.as_bytes() {
            [first, rest @ ..]
                if fits(*first) && rest.iter().all(|it| inner(*it)) && text.len() <= MOST =>
            {
                Ok(Name(text.to_owned()))
            }
            _ => Err(
                "the name of a snapshot has 1 to 40 small letters, digits, - and _, and begins with a letter or digit",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_files_and_a_schemas() {
        for good in ["a", "0", "before-import_2", &"x".repeat(MOST)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "_a", "A", "a.b", "../a", "a b", "ä", "a\"", &"x".repeat(MOST + 1)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
