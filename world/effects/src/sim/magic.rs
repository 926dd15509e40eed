//! Addresses and numbers that a simulator treats as their name says, whatever their domain or area.

use ward_store::system::{EffectClass, EffectOutcome};

use EffectOutcome::{Bounced, Complained, Delivered, OptedOut, SoftBounced, Undeliverable};

/// How long mail to `slow30@` is on its way, in seconds of the instance's clock.
pub const SLOW_SECONDS: i64 = 30;

/// How long a carrier holds what goes to 555-0103, a number or the end of a device's name, in seconds of the instance's clock.
pub const CARRIER_SECONDS: i64 = 600;

/// How long a reader takes to report a mail as spam, in seconds of the instance's clock.
pub const COMPLAINT_SECONDS: i64 = 60;

/// What is told of a message, one after another: each so many seconds after the one before.
pub(crate) type Chain = &'static [(i64, EffectOutcome)];

/// What is told of an order that was taken, and of one that was not.
pub(crate) const TAKEN: Chain = &[(0, Delivered)];
pub(crate) const REFUSED: Chain = &[(0, Undeliverable)];

/// What becomes of a message to this address.
pub(crate) fn chain(class: EffectClass, to: &str) -> Chain {
    match class {
        EffectClass::AccountMail | EffectClass::Email => of_mail(to),
        EffectClass::Sms => of_number(to),
        EffectClass::Push => of_device(to),
        // By the length of the call: see the rooms. By what is in a file: see the scanner.
        EffectClass::Video | EffectClass::Scan => TAKEN,
    }
}

fn of_mail(address: &str) -> Chain {
    let local = address.trim().split('@').next().unwrap_or_default();
    match local.to_ascii_lowercase().as_str() {
        "bounce+hard" => &[(0, Bounced)],
        "bounce+soft" => &[(0, SoftBounced)],
        "complaint" => &[(0, Delivered), (COMPLAINT_SECONDS, Complained)],
        "slow30" => &[(SLOW_SECONDS, Delivered)],
        _ => &[(0, Delivered)],
    }
}

fn of_number(number: &str) -> Chain {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    match digits.get(digits.len().saturating_sub(7)..) {
        Some("5550101") => &[(0, Undeliverable)],
        Some("5550102") => &[(0, OptedOut)],
        Some("5550103") => &[(CARRIER_SECONDS, Delivered)],
        _ => &[(0, Delivered)],
    }
}

/// A device whose name ends like a telephone number is treated as that number is. Other names are
/// the push service's own, and long: the digits in them mean nothing.
fn of_device(device: &str) -> Chain {
    let is_number = |end: &&str| device.ends_with(*end);
    let end = ["555-0101", "555-0102", "555-0103"].into_iter().find(is_number);
    end.map_or(&[(0, Delivered)], of_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_however_they_are_written() {
        let sms = |to: &str| chain(EffectClass::Sms, to);
        for to in ["555-0101", "+1 (212) 555-0101", "12125550101"] {
            assert_eq!(sms(to), [(0, Undeliverable)], "{to}");
        }
        assert_eq!(sms("212-555-0102"), [(0, OptedOut)]);
        assert_eq!(sms("212-555-0103"), [(CARRIER_SECONDS, Delivered)]);
        for to in ["555-0100", "555-0199", "+44 20 7946 0101", ""] {
            assert_eq!(sms(to), [(0, Delivered)], "{to}");
        }
    }

    #[test]
    fn devices_by_the_end_of_their_name() {
        let push = |to: &str| chain(EffectClass::Push, to);
        assert_eq!(push("device-555-0101"), [(0, Undeliverable)]);
        assert_eq!(push("555-0102"), [(0, OptedOut)]);
        assert_eq!(push("app:555-0103"), [(CARRIER_SECONDS, Delivered)]);
        for to in ["device-1", "a5b5c50d101", "5550101", "555-0101-x"] {
            assert_eq!(push(to), [(0, Delivered)], "{to}");
        }
    }
}
