//! Tables of the domain: tags.
//!
//! Clients themselves are users and stand with the identity domain, as do their
//! groups, and addresses, which organizations have too.

pub use ward_identity::tables::{
    LOCATIONS, Location, USER_GROUPS, UserGroup, locations, user_groups,
};
use ward_identity::tables::{Organization, User};
pub(crate) use ward_identity::visibility::of_user;
use ward_instance::Timestamp;
use ward_store::{Actor, Id, Key, Level, Reference, Rule, Table, index, record, unique};

use crate::contact::VISITORS;
use crate::referral::{REFERRALS, REFERRING_PHYSICIANS};

record! {
    /// A word that clients and members are marked with (behaviour 19).
    pub struct Tag in TAGS, tags {
        id: Id<Tag> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        name: String [public folded searched],
        /// The member who made it.
        user_id: Option<Id<User>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "name_fold"]).only("deleted_at IS NULL")],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("TAG"),
    visible: tag_visibility,
}

record! {
    /// A tag on a user; what was taken off stays as a deleted row.
    pub struct AppliedTag in APPLIED_TAGS, applied_tags {
        id: Id<AppliedTag>,
        org_id: Id<Organization>,
        tag_id: Id<Tag>,
        user_id: Id<User>,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "tag_id", "user_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id", "tag_id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "tag_id"], table: "tags", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("APPLIED_TAG"),
    subject: ward_identity::restricted::by_user_id,
    visible: applied_tag_visibility,
}

/// Tags are the organization's own words; clients never see them.
fn tag_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(actor.units("unit_id")) } else { Rule::none() }
}

/// An applied tag is seen by who sees the user.
fn applied_tag_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(of_user(actor, Level::Limited)) } else { Rule::none() }
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &TAGS,
        &APPLIED_TAGS,
        &REFERRING_PHYSICIANS,
        &REFERRALS,
        &VISITORS,
        &crate::feature_toggle_table::FEATURE_TOGGLES,
    ]
}
