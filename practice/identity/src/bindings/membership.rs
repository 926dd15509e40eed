//! `OrganizationMembership`: a member's place and flags (behaviour 16).

use std::collections::HashSet;

use ward_engine::{
    Answer, Args, Bindings, Kind, Link, Listing, OrderOption, Out, Request, Returns, RowView, op,
};
use ward_store::{Cond, Entity, Id, Query, Role, Sql, Value};

use crate::membership as operations;
use crate::tables::{
    ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, Organization, OrganizationMembership,
    PERMISSION_TEMPLATES, USERS, User, organization_memberships as at,
};

static CREATED: &[(&str, Returns)] = &[
    ("organizationMembership", Returns::One(&ORGANIZATION_MEMBERSHIPS)),
    ("currentUser", Returns::One(&USERS)),
];
static UPDATED: &[(&str, Returns)] =
    &[("organizationMembership", Returns::One(&ORGANIZATION_MEMBERSHIPS))];
static MEMBER: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];

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
    b.one(
        "OrganizationMembership",
        "permission_template",
        &PERMISSION_TEMPLATES,
        Link::Key(at::permission_template_id),
    );
    b.batch(
        "OrganizationMembership",
        "is_in_other_orgs",
        &[at::org_id, at::user_id],
        |request, conn, rows, args| Box::pin(are_in_other_orgs(request, conn, rows, args)),
    )
    .args(&[("suborg_ids", Kind::Ids(Organization::NAME))]);
    bind_operations(b);
}

fn bind_operations(b: &mut Bindings) {
    b.mutation_prepared(
        "createOrganizationMembership",
        CREATED,
        |request, input: operations::CreateMembership| {
            Box::pin(operations::prepare_create(request, input))
        },
        op!(operations::create),
    );
    b.mutation("updateOrganizationMembership", UPDATED, op!(operations::update));
    b.mutation("deleteOrganizationMembership", UPDATED, op!(operations::delete));
    b.mutation_prepared(
        "updateOrganizationMember",
        MEMBER,
        |request, input| Box::pin(operations::prepare_member(request, input)),
        op!(operations::update_member),
    );
}

/// Whether the same person is a member of one of the named units, as far as the
/// actor sees those.
async fn are_in_other_orgs(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let ids = args.get::<Vec<Id<Organization>>>("suborg_ids", request)?.unwrap_or_default();
    let actor = &request.actor;
    let units = ids.iter().map(|id| id.0);
    let units: Vec<i64> = units.filter(|id| actor.is_at_root() || *id == actor.unit_id).collect();
    let all: HashSet<i64> = rows.iter().filter_map(|row| row.get(at::user_id).int()).collect();
    let users: Vec<i64> = all.into_iter().collect();
    let sql = Sql::fixed(
        "SELECT u.id, o.unit_id FROM users u \
         JOIN users o ON o.org_id = u.org_id AND o.human_id = u.human_id \
         WHERE u.org_id = $1 AND u.id IN_LIST($2) AND o.unit_id IN_LIST($3) \
         AND o.id <> u.id AND o.is_patient = FALSE",
        [actor.org_id.into(), Value::Ints(users.into()), Value::Ints(units.into())],
    );
    let found = conn.rows(&sql).await?;
    let found: HashSet<i64> = found.iter().filter_map(|row| row.first()?.int()).collect();
    let is_in =
        |row: &RowView<'_>| row.get(at::user_id).int().is_some_and(|id| found.contains(&id)).into();
    Ok(rows.iter().map(is_in).collect())
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
