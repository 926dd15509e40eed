//! Tables of the domain: groups of clients, tags, and addresses.
//!
//! Clients themselves are users and stand with the identity domain.

use ward_identity::tables::{Organization, USERS, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Key, Level, Reference, Rule, Table, index, record, unique};

use crate::contact::VISITORS;
use crate::referral::{REFERRALS, REFERRING_PHYSICIANS, ReferringPhysician};

record! {
    /// A group of clients; a client is in at most one (behaviour 19).
    pub struct UserGroup in USER_GROUPS, user_groups {
        id: Id<UserGroup> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        name: String [public folded searched],
        /// Six hexadecimal characters; joins the group at sign-up.
        invite_code: String,
        /// The member who made it.
        user_id: Option<Id<User>> [limited],
        version: i64,
        created_at: Timestamp [limited],
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["invite_code"]),
        index(&["org_id", "name_fold", "id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("USER_GROUP"),
    visible: group_visibility,
}

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
    visible: applied_tag_visibility,
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
        referring_physician_id: Option<Id<ReferringPhysician>>,
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
        Reference { columns: &["org_id", "referring_physician_id"], table: "referring_physicians", target: &["org_id", "id"] },
    ],
    audit: Some("LOCATION"),
    visible: location_visibility,
}

/// Members see the groups of their organization; a client the name of the own.
fn group_visibility(actor: &Actor) -> Rule {
    if actor.is_member() {
        return Rule::full(actor.units("unit_id"));
    }
    if !actor.is_client() {
        return Rule::none();
    }
    let own = "{t}.id IN (SELECT self.user_group_id FROM users self \
               WHERE self.org_id = {t}.org_id AND self.id = ?)";
    Rule::none().public(Cond::sql(own, [actor.user_id.into()]))
}

/// Tags are the organization's own words; clients never see them.
fn tag_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(actor.units("unit_id")) } else { Rule::none() }
}

/// An applied tag is seen by who sees the user.
fn applied_tag_visibility(actor: &Actor) -> Rule {
    if actor.is_member() { Rule::full(of_user(actor, Level::Limited)) } else { Rule::none() }
}

/// Whoever sees the user sees the user's addresses, as much of them; the
/// organization's own are everybody's to know.
fn location_visibility(actor: &Actor) -> Rule {
    let of_organization = Cond::not_null("organization_id");
    let own = match actor.is_member() {
        true => of_organization
            .clone()
            .or(Cond::not_null("referring_physician_id"))
            .and(actor.units("unit_id")),
        false => Cond::Never,
    };
    Rule::full(of_user(actor, Level::Full).or(own))
        .limited(of_user(actor, Level::Limited))
        .public(of_organization)
}

/// Rows whose `user_id` is a user whom the actor sees at `least` so much.
pub(crate) fn of_user(actor: &Actor, least: Level) -> Cond {
    let start = "{t}.user_id IN (SELECT seen.id FROM users seen WHERE seen.org_id = {t}.org_id";
    match (USERS.visible)(actor).at_least(least) {
        Cond::Never => Cond::Never,
        Cond::Always => Cond::sql(format!("{start})"), []),
        Cond::Sql(text, params) => {
            let text = text.replace("{t}", "seen");
            Cond::Sql(format!("{start} AND ({text}))"), params)
        }
    }
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &USER_GROUPS,
        &TAGS,
        &APPLIED_TAGS,
        &REFERRING_PHYSICIANS,
        &REFERRALS,
        &LOCATIONS,
        &VISITORS,
    ]
}
