//! What bounds a key besides its user: an end, and the addresses that it may be
//! used from.

use jiff::tz::TimeZone;
use ward_engine::{Given, Problems, moment};
use ward_instance::Timestamp;
use ward_store::Json;

use crate::network::Networks;

/// The bounds of a key; without, it lives until it is revoked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// When it ends by itself, in wall time.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used, as a row keeps it.
    pub allowed_addresses: Option<Json>,
}

impl Limits {
    /// Reads what was asked for. A time without offset is read in `zone`.
    pub fn read(
        expires_at: Option<&str>,
        addresses: &[String],
        zone: &TimeZone,
        wall: Timestamp,
    ) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let mut limits = Limits::default();
        if let Some(text) = expires_at {
            match moment::instant(text, zone) {
                Some(at) if at > wall => limits.expires_at = Some(at),
                Some(_) => problems.add("expires_at", "Expires at must be in the future"),
                None => problems
                    .add("expires_at", "Expires at must be a time such as 2027-01-31T09:00:00Z"),
            }
        }
        match Networks::parse(addresses) {
            Ok(networks) => limits.allowed_addresses = networks.to_json(),
            Err(sentence) => problems.add("allowed_addresses", sentence),
        }
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }

    /// The same from an operation's input.
    pub fn given(
        expires_at: &Given<String>,
        addresses: &Given<Vec<String>>,
        zone: &TimeZone,
        wall: Timestamp,
    ) -> Result<Self, ward_engine::Refused> {
        let addresses = addresses.value().map(Vec::as_slice).unwrap_or_default();
        match Self::read(expires_at.trimmed(), addresses, zone, wall) {
            Ok(limits) => Ok(limits),
            Err(problems) => problems.check().map(|()| Limits::default()),
        }
    }
}
