//! The secrets that requests are signed with (behaviour 13.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_instance::Instance;

use crate::signature::hmac;

/// Random characters of a secret: 190 bits.
const RANDOM_CHARACTERS: usize = 32;

/// A new secret: `whsec_<sbx|live>_<tag>_<random>`. The contract's receivers take the whole text
/// as the key, so it may say where it comes from.
pub fn new(instance: &Instance) -> String {
    let random = instance.random().base62(RANDOM_CHARACTERS);
    format!("whsec_{}_{}_{random}", instance.kind().short(), instance.tag())
}

/// What a secret becomes under the fault of a rotation that nobody tells the receiver of: always the
/// same, of the same form, and nothing that is ever used otherwise.
pub fn successor(secret: &str) -> String {
    let (head, random) = secret.rsplit_once('_').unwrap_or(("whsec", secret));
    let digest = STANDARD.encode(hmac(random.as_bytes(), b"rotated by a fault"));
    let random: String = digest.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{head}_{}", random.chars().take(RANDOM_CHARACTERS).collect::<String>())
}

/// The key that Standard Webhooks libraries need, made of the secret: 32 bytes, which its text
/// form holds in base64 behind `whsec_`. They would not take the secret itself, whose `_` is no
/// letter of base64.
pub fn standard_key(secret: &str) -> [u8; 32] {
    hmac(secret.as_bytes(), b"standard-webhooks-v1")
}

/// The text form that a developer gives to a Standard Webhooks library.
pub fn standard_text(secret: &str) -> String {
    format!("whsec_{}", STANDARD.encode(standard_key(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_secret_is_base64_of_32_bytes() {
        let text = standard_text("whsec_sbx_K7QF2_4f6d2a");
        let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
        assert_ne!(text, standard_text("whsec_sbx_K7QF2_4f6d2b"));
    }
}
