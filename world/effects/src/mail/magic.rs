//! Addresses that a simulator treats as their name says, whatever their domain.

use crate::mail::tables::MessageState;

/// How long mail to `slow30@` is on its way, in seconds of the instance's clock.
pub const SLOW_SECONDS: i64 = 30;

/// What becomes of a message to this address.
pub(crate) fn state_of(address: &str) -> MessageState {
    let local = address.trim().split('@').next().unwrap_or_default();
    match local.to_ascii_lowercase().as_str() {
        "bounce+hard" => MessageState::Bounced,
        "bounce+soft" => MessageState::SoftBounced,
        "complaint" => MessageState::Complained,
        "slow30" => MessageState::Delayed,
        _ => MessageState::Delivered,
    }
}
