//! `OrganizationMembership`: a member's place and flags (behaviour 16).

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Request};
use ward_store::{Cond, Entity, Id, Role};

use crate::tables::{
    ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, Organization, OrganizationMembership, USERS, User,
    organization_memberships as at,
};

/// What lists of memberships can be ordered by.
pub const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "POSITION", expression: "{t}.position" },
    OrderOption { name: "TYPE", expression: "{t}.org_role" },
    OrderOption { name: "STATUS", expression: "CASE WHEN {t}.active THEN 0 ELSE 1 END" },
    OrderOption {
        name: "LAST_NAME",
        expression: "(SELECT nu.last_name_fold FROM users nu \
             WHERE nu.org_id = {t}.org_id AND nu.id = {t}.user_id)",
    },
    OrderOption {
        name: "FIRST_NAME",
        expression: "(SELECT nu.first_name_fold FROM users nu \
             WHERE nu.org_id = {t}.org_id AND nu.id = {t}.user_id)",
    },
];

/// A saved filter: a list of texts, kept as JSON.
macro_rules! filters {
    ($b:ident: $( $field:ident ),*) => { $(
        $b.computed("OrganizationMembership", stringify!($field), &[at::$field], |_, row, _| {
            let texts = row.text(at::$field);
            texts.and_then(|text| serde_json::from_str::<Vec<String>>(text).ok()).into()
        });
    )* };
}

/// Registers the type and its queries.
pub fn bind(b: &mut Bindings) {
    b.object("OrganizationMembership", &ORGANIZATION_MEMBERSHIPS);
    b.cursor("OrganizationMembership");
    filters! { b:
        selected_licensed_in_filter,
        selected_locations_filter,
        selected_statuses_filter,
        selected_tags_filter
    }
    b.one("OrganizationMembership", "user", &USERS, Link::Key(at::user_id)).public();
    b.one("OrganizationMembership", "organization", &ORGANIZATIONS, Link::Key(at::unit_id))
        .public();
    b.query_one("organizationMembership", &ORGANIZATION_MEMBERSHIPS, one)
        .args(&[("id", Kind::Id(OrganizationMembership::NAME)), ("user_id", Kind::Id(User::NAME))])
        .public();
    b.query_list("organizationMemberships", &ORGANIZATION_MEMBERSHIPS, many)
        .args(&[("id", Kind::Id(Organization::NAME)), ("user_ids", Kind::Ids(User::NAME))])
        .orders(ORDERS, "CREATED_AT_DESC");
}

/// By id, else of a user, else the caller's.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let id = args.get::<Id<OrganizationMembership>>("id", request)?;
    let user_id = args.get::<Id<User>>("user_id", request)?;
    let cond = match (id, user_id) {
        (Some(id), _) => Cond::eq("id", id.0),
        (None, Some(user_id)) => Cond::eq("user_id", user_id.0),
        (None, None) if request.actor.role == Role::Member => {
            Cond::eq("user_id", request.actor.user_id)
        }
        (None, None) => Cond::Never,
    };
    Ok(Listing::of(cond).public())
}

/// Of an organization, or all that the actor may see; of these users.
fn many(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if let Some(id) = args.get::<Id<Organization>>("id", request)? {
        cond = cond.and(Cond::eq("unit_id", id.0));
    }
    if let Some(ids) = args.get::<Vec<Id<User>>>("user_ids", request)? {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        cond = cond.and(Cond::is_in("user_id", &ids));
    }
    Ok(Listing::of(cond))
}
