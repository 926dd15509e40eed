//! Tables of referring providers and referrals.

use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Id, Json, Key, Level, Reference, Rule, index, record};

use crate::tables::{Location, of_user};

record! {
    /// Somebody outside who refers clients: a person, a practice or both.
    pub struct ReferringPhysician in REFERRING_PHYSICIANS, referring_physicians {
        id: Id<ReferringPhysician>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member who added them.
        provider_id: Id<User>,
        first_name: Option<String> [folded searched],
        last_name: Option<String> [folded searched],
        business_name: Option<String> [folded searched],
        speciality: Option<String> [folded searched],
        npi: Option<String> [searched],
        other_id: Option<String>,
        other_id_qualifier: Option<String>,
        email: Option<String>,
        phone_number: Option<String>,
        fax_number: Option<String>,
        website: Option<String>,
        accepts_insurance: Option<bool>,
        notes: Option<String> [sealed],
        metadata: Option<Json> [sealed],
        /// Names the provider in turn, so no foreign key.
        location_id: Option<Id<Location>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "last_name_fold", "first_name_fold", "id"]),
        index(&["org_id", "npi"]).only("npi IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "provider_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("REFERRING_PHYSICIAN"),
    visible: physician_visibility,
}

record! {
    /// That a referring provider sent a client here.
    pub struct Referral in REFERRALS, referrals {
        id: Id<Referral>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        referring_physician_id: Id<ReferringPhysician>,
        /// The client.
        user_id: Id<User>,
        referral_reason: Option<String> [sealed],
        metadata: Option<Json> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]),
        index(&["org_id", "referring_physician_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "referring_physician_id"], table: "referring_physicians", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("REFERRAL"),
    subject: ward_identity::restricted::by_user_id,
    visible: referral_visibility,
}

/// Referring providers are the organization's own list; clients never see it.
fn physician_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(actor.units("unit_id")) } else { Rule::none() }
}

/// A referral is part of the client's chart: for members who see all of it.
fn referral_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(of_user(actor, Level::Full)) } else { Rule::none() }
}
