//! E-mail addresses: what may be one, and when two are the same.

use email_address::{EmailAddress, Options};
use ward_store::search;

/// Longest address that mail accepts (RFC 5321, 4.5.3.1.3, less the brackets).
const CHARACTERS_MAX: usize = 254;

/// Whether mail could be delivered to such an address. Only ASCII: of two addresses
/// that differ in an accent, one would get what is meant for the other, as both have
/// one [`key`]; an international domain has its ASCII form, `xn--…` (RFC 5891).
pub fn is_valid(address: &str) -> bool {
    let options =
        Options::default().with_required_tld().without_display_text().without_domain_literal();
    address.is_ascii()
        && address.len() <= CHARACTERS_MAX
        && EmailAddress::parse_with_options(address, options).is_ok()
}

/// What two spellings of one address have in common.
pub fn key(address: &str) -> String {
    search::fold(address.trim())
}
