//! From which network addresses a key may be used: single addresses and
//! networks in CIDR form.

use std::net::IpAddr;

use ipnet::IpNet;
use ward_store::Json;

/// Networks of one key, at most.
pub const NETWORKS_MAX: usize = 50;

/// The networks that a key may be used from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads addresses (`203.0.113.7`) and networks (`203.0.113.0/24`,
    /// `2001:db8::/32`); one sentence when one of them is neither.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, String> {
        if texts.len() > NETWORKS_MAX {
            return Err(format!("Allowed addresses are too many (maximum is {NETWORKS_MAX})"));
        }
        let mut networks = Vec::with_capacity(texts.len());
        for text in texts {
            let network = network(text.as_ref().trim()).ok_or(
                "Allowed addresses must be addresses or networks such as 203.0.113.7 or 203.0.113.0/24",
            )?;
            if network.prefix_len() == 0 {
                return Err(
                    "Allowed addresses can't be everybody: leave them out instead".to_owned()
                );
            }
            networks.push(network);
        }
        networks.sort_unstable();
        networks.dedup();
        Ok(Networks(networks))
    }

    /// Whether nothing was named: then every address may.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is in one of them. A text that is no address is not.
    pub fn admit(&self, address: &str) -> bool {
        let Ok(address) = address.parse::<IpAddr>() else { return false };
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// As a key's row keeps them; nothing for none.
    pub fn to_json(&self) -> Option<Json> {
        let texts: Vec<String> = self.0.iter().map(IpNet::to_string).collect();
        (!texts.is_empty()).then(|| Json(serde_json::json!(texts).to_string()))
    }

    /// As a row kept them. What can't be read admits nobody.
    pub fn admits_kept(kept: Option<&str>, address: &str) -> bool {
        let Some(kept) = kept else { return true };
        let texts: Vec<String> = serde_json::from_str(kept).unwrap_or_default();
        Self::parse(&texts).is_ok_and(|networks| networks.admit(address))
    }
}

/// A network without its host bits; an IPv4 address in an IPv6 coat is IPv4.
fn network(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    text.parse::<IpNet>().ok().map(|network| network.trunc())
}
