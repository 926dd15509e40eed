//! Addresses of people and organizations (behaviour 18.2).

use ward_instance::Timestamp;
use ward_store::{Entity, Id, Key, Reference, index, record};

use crate::tables::{Organization, User};
use crate::{restricted, visibility};

/// A referring provider, whose table belongs to the clients domain.
#[derive(Clone, Copy, Debug)]
pub struct ReferringPhysicianRef;

impl Entity for ReferringPhysicianRef {
    const NAME: &'static str = "ReferringPhysician";
}

record! {
    /// An address of a user or of an organization.
    pub struct Location in LOCATIONS, locations {
        id: Id<Location> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Whose address it is; none for the organization's own.
        user_id: Option<Id<User>> [public],
        /// The organization or sub-organization whose own address it is.
        organization_id: Option<Id<Organization>> [public],
        /// The referring provider whose address it is.
        referring_physician_id: Option<Id<ReferringPhysicianRef>>,
        name: Option<String> [public searched],
        line1: Option<String> [public sealed],
        line2: Option<String> [public sealed],
        city: Option<String> [public sealed],
        state: Option<String> [public sealed],
        zip: Option<String> [public sealed],
        country: Option<String> [public sealed],
        npi: Option<String> [limited],
        other_id: Option<String> [limited],
        other_id_qual: Option<String> [limited],
        /// A code of the place-of-service set.
        place_of_service_id: Option<i64> [limited],
        version: i64,
        created_at: Timestamp [limited],
        updated_at: Timestamp [limited],
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id"]).only("user_id IS NOT NULL"),
        index(&["org_id", "organization_id"]).only("organization_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("LOCATION"),
    subject: restricted::by_user_id,
    visible: visibility::locations,
}

impl Location {
    /// An address in a unit that says nothing yet, nobody's and not the unit's
    /// own.
    pub fn blank(
        id: Id<Location>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        now: Timestamp,
    ) -> Self {
        Location {
            id,
            org_id,
            unit_id,
            user_id: None,
            organization_id: None,
            referring_physician_id: None,
            name: None,
            line1: None,
            line2: None,
            city: None,
            state: None,
            zip: None,
            country: None,
            npi: None,
            other_id: None,
            other_id_qual: None,
            place_of_service_id: None,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}
