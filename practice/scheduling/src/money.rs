//! Prices as the contract writes them: dollars as a text, kept in cents.

/// Nothing costs more, in cents.
pub const CENTS_MAX: i64 = 100_000_000;

/// Cents of a text such as `120`, `120.5` or `$1,200.50`; nothing for what is no
/// amount, is negative, or is more than [`CENTS_MAX`].
pub fn cents(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('$').replace(',', "");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !is_digits(whole) || !is_digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let cents = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    (cents <= CENTS_MAX).then_some(cents)
}

/// Cents as the contract's text, `120.50`.
pub fn text(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// What a visit costs: the client's own price, else the provider's, else the
/// type's (behaviour 21, `AppointmentPricingMethod`).
pub fn price_of(client: Option<i64>, provider: Option<i64>, of_type: Option<i64>) -> Option<i64> {
    client.or(provider).or(of_type)
}
