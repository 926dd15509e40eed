//! Which addresses webhooks may go to (SEC-30, ISO-43): none that is not reached through the public
//! internet, in whatever spelling, unless the Sandbox's configuration opens it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{Ipv4Net, Ipv6Net};
use ward_instance::Instance;

/// Ways that the configuration opens; none in Production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Openings {
    /// This machine: 127.0.0.0/8 and ::1.
    pub loopback: bool,
    /// Networks of one's own.
    pub private: bool,
}

impl Openings {
    /// Of an instance.
    pub fn of(instance: &Instance) -> Self {
        let reach = instance.reach();
        Openings { loopback: reach.loopback_webhooks(), private: reach.private_webhooks() }
    }
}

/// Networks of one's own.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/// Everything else that is not the public internet (IANA's special-purpose registries): this
/// network, shared (CGNAT), link-local with the metadata services, protocol assignments,
/// documentation, relays of 6to4, benchmarks, multicast, reserved.
const NEVER_4: [&str; 13] = [
    "0.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// The public part of IPv6; what is outside of it is not.
const GLOBAL_6: &str = "2000::/3";

/// Within it, what is not: protocol assignments with Teredo, benchmarks and ORCHID,
/// documentation, 6to4 and the segment routing block.
const NEVER_6: [&str; 5] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"];

struct Lists {
    private_4: Vec<Ipv4Net>,
    private_6: Vec<Ipv6Net>,
    never_4: Vec<Ipv4Net>,
    global_6: Vec<Ipv6Net>,
    never_6: Vec<Ipv6Net>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists {
    private_4: PRIVATE.iter().filter_map(|text| text.parse().ok()).collect(),
    private_6: PRIVATE.iter().filter_map(|text| text.parse().ok()).collect(),
    never_4: NEVER_4.iter().filter_map(|text| text.parse().ok()).collect(),
    global_6: [GLOBAL_6].iter().filter_map(|text| text.parse().ok()).collect(),
    never_6: NEVER_6.iter().filter_map(|text| text.parse().ok()).collect(),
});

/// Whether a request may go to the address.
pub fn allows(address: IpAddr, openings: Openings) -> bool {
    match address {
        IpAddr::V4(address) => allows_4(address, openings),
        IpAddr::V6(address) => allows_6(address, openings),
    }
}

fn allows_4(address: Ipv4Addr, openings: Openings) -> bool {
    if address.is_loopback() {
        return openings.loopback;
    }
    if LISTS.private_4.iter().any(|net| net.contains(&address)) {
        return openings.private;
    }
    !LISTS.never_4.iter().any(|net| net.contains(&address))
}

fn allows_6(address: Ipv6Addr, openings: Openings) -> bool {
    if address.is_loopback() {
        return openings.loopback;
    }
    if LISTS.private_6.iter().any(|net| net.contains(&address)) {
        return openings.private;
    }
    // What carries an IPv4 address inside (mapped, NAT64) is outside of the public part.
    LISTS.global_6.iter().any(|net| net.contains(&address))
        && !LISTS.never_6.iter().any(|net| net.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: Openings = Openings { loopback: false, private: false };

    fn may(text: &str, openings: Openings) -> bool {
        allows(text.parse().unwrap(), openings)
    }

    #[test]
    fn the_lists_are_read_whole() {
        assert_eq!(LISTS.private_4.len() + LISTS.private_6.len(), PRIVATE.len());
        assert_eq!((LISTS.never_4.len(), LISTS.never_6.len()), (NEVER_4.len(), NEVER_6.len()));
        assert_eq!(LISTS.global_6.len(), 1);
    }

    #[test]
    fn public_addresses() {
        for text in ["1.1.1.1", "93.184.216.34", "172.32.0.1", "2606:2800:220:1::1", "2a00:1450::1"]
        {
            assert!(may(text, CLOSED), "{text}");
        }
    }

    #[test]
    fn everything_else_in_every_spelling() {
        let all = Openings { loopback: true, private: true };
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "192.0.2.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fe80::1",
            "ff02::1",
            "fec0::1",
            "5f00::1",
            "::1.2.3.4",
        ] {
            assert!(!may(text, all), "{text}");
        }
    }

    #[test]
    fn openings_open_what_they_name() {
        let loopback = Openings { loopback: true, private: false };
        let private = Openings { loopback: false, private: true };
        for text in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert_eq!(
                (may(text, CLOSED), may(text, loopback), may(text, private)),
                (false, true, false)
            );
        }
        for text in ["10.0.0.1", "172.31.255.1", "192.168.1.1", "fd00::1"] {
            assert_eq!(
                (may(text, CLOSED), may(text, loopback), may(text, private)),
                (false, false, true)
            );
        }
    }
}
