//! Which of the two, and what the text of a key says of it.

use crate::text::is_tag;

/// Sandbox or Production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Synthetic data.
    Sandbox,
    /// Live patients.
    Production,
}

impl Kind {
    /// Both.
    pub const BOTH: [Kind; 2] = [Kind::Sandbox, Kind::Production];

    /// In headers and on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Sandbox => "sandbox",
            Kind::Production => "production",
        }
    }

    /// In sentences.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Sandbox => "Sandbox",
            Kind::Production => "Production",
        }
    }

    /// In webhook secrets.
    pub const fn short(self) -> &'static str {
        match self {
            Kind::Sandbox => "sbx",
            Kind::Production => "live",
        }
    }

    /// The other one.
    pub const fn other(self) -> Kind {
        match self {
            Kind::Sandbox => Kind::Production,
            Kind::Production => Kind::Sandbox,
        }
    }
}

/// What the text of an API key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyText {
    /// The environment.
    pub kind: Kind,
    /// The instance's five characters.
    pub tag: String,
}

impl KeyText {
    /// Reads `ward_<environment>_<tag>_<46 characters>` whose last six are its checksum.
    pub fn of(key: &str) -> Option<KeyText> {
        let mut words = key.strip_prefix("ward_")?.split('_');
        let kind = match words.next()? {
            "sbx" | "sbxagt" | "sbxeph" => Kind::Sandbox,
            "live" | "liveagt" => Kind::Production,
            _ => return None,
        };
        let (tag, body) = (words.next()?, words.next()?);
        let is_whole = words.next().is_none()
            && is_tag(tag)
            && body.len() == 46
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let (text, sum) = key.split_at_checked(key.len().checked_sub(6)?)?;
        (is_whole && sum == checksum(text)).then(|| KeyText { kind, tag: tag.to_owned() })
    }
}

/// CRC-32 as six base62 digits.
fn checksum(text: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS.get(rest % 62).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(front: &str) -> String {
        let text = format!("{front}{}", "a".repeat(40));
        format!("{text}{}", checksum(&text))
    }

    #[test]
    fn a_key_names_environment_and_instance() {
        let read = KeyText::of(&key("ward_live_K7QF2_"));
        assert_eq!(read, Some(KeyText { kind: Kind::Production, tag: "K7QF2".to_owned() }));
        assert_eq!(KeyText::of(&key("ward_sbx_K7QF2_")).map(|it| it.kind), Some(Kind::Sandbox));
    }

    #[test]
    fn what_was_edited_is_no_key() {
        let good = key("ward_live_K7QF2_");
        assert_eq!(KeyText::of(&good.replace("live", "sbx")), None);
        assert_eq!(KeyText::of(&good.replace("K7QF2", "K7QF3")), None);
        for bad in ["", "ward_", "ward_live_K7QF2_", "ward_live_K7QF2_é", &good[1..]] {
            assert_eq!(KeyText::of(bad), None, "{bad}");
        }
        assert_eq!(KeyText::of(&key("ward_test_K7QF2_")), None);
        assert_eq!(KeyText::of(&key("ward_live_K7QFI_")), None);
    }
}
