//! The certificate of an instance that was brought back.

use std::path::Path;

use ward_instance::envelope::Header;
use ward_instance::host::{self, Binding};
use ward_instance::{Certificate, Kind, RootRing, State, Timestamp};
use ward_store::backup::{self, Facts};
use ward_store::chain_heads::read_heads;
use ward_store::{Db, Place, StoreError};

/// The certificate of the database that is there, if it is this instance's and can be read. One of
/// another instance is an error; one that is damaged or was changed by hand is none.
pub async fn present(place: &Place, ring: &RootRing) -> Result<Option<Certificate>, StoreError> {
    if backup::is_gone(place, ring.kind()).await? {
        return Ok(None);
    }
    let certificate = match Db::read_certificate(place, ring.kind()).await {
        Ok(certificate) => certificate,
        Err(StoreError::Corrupt { .. }) => return Ok(None),
        // One that can't be read now may be whole.
        Err(error) => return Err(error),
    };
    match certificate.verify(ring) {
        Ok(_) => Ok(Some(certificate)),
        Err(error) if error.code == "ISO-06" => Ok(None),
        Err(error) => Err(StoreError::Foreign(error)),
    }
}

/// The number of this restore: above everything that the database, the backup and the chain heads
/// know of.
pub fn epoch(
    header: &Header,
    present: Option<&Certificate>,
    ring: &RootRing,
    heads_file: &Path,
) -> i64 {
    let known = read_heads(ring, heads_file).ok().flatten().map_or(0, |known| known.epoch);
    let present = present.map_or(0, |certificate| certificate.restore_epoch);
    header.restore_epoch.max(present).max(known).max(0).saturating_add(1)
}

/// The certificate, not bound to a place yet. It is quarantined until the state is
/// known.
pub fn certificate(
    ring: &RootRing,
    facts: &Facts,
    present: Option<&Certificate>,
    restore_epoch: i64,
) -> Certificate {
    let base_url = present.map_or(&facts.base_url, |certificate| &certificate.base_url);
    let mut certificate = Certificate::new(ring, Timestamp(facts.born_at), base_url, "");
    certificate.schema_epoch = facts.schema_epoch;
    certificate.id_epoch = facts.id_epoch.max(present.map_or(0, |now| now.id_epoch));
    certificate.restore_epoch = restore_epoch;
    certificate.state = State::Quarantined;
    certificate.sign(ring);
    certificate
}

/// Production is quarantined by every restore. A Sandbox stays what it is where it is; without its
/// database, it is where it was when the backup was made, or was moved.
pub fn state(kind: Kind, facts: &Facts, present: Option<&Certificate>, here: &str) -> State {
    if kind == Kind::Production {
        return State::Quarantined;
    }
    if let Some(present) = present {
        return match host::compare(present, here, false) {
            Binding::Same => present.state,
            Binding::Moved { .. } => State::Quarantined,
        };
    }
    match facts.host_binding == here {
        true => facts.state.parse().unwrap_or(State::Quarantined),
        false => State::Quarantined,
    }
}
