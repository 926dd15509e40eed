//! Events of referring providers and referrals (behaviour 14).

use ward_store::events::Event;

use crate::referral::{Referral, ReferringPhysician};

/// `referring_physician.created`, `.updated` or `.deleted`.
pub fn of_physician(
    kind: &'static str,
    physician: &ReferringPhysician,
    columns: &[&'static str],
) -> Event {
    Event::new(kind, "ReferringPhysician", physician.id.0)
        .changed(columns)
        .of_unit(physician.unit_id.0)
}

/// `referral.created`, `.updated` or `.deleted`.
pub fn of_referral(kind: &'static str, referral: &Referral, columns: &[&'static str]) -> Event {
    Event::new(kind, "Referral", referral.id.0)
        .changed(columns)
        .of_unit(referral.unit_id.0)
        .about(referral.user_id.0)
}
