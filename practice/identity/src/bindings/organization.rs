//! `Organization`: a practice and the people in it (behaviour 15). Strangers
//! read name and contact.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Bindings, Kind, Link, Listing, Out, Request, RowView};
use ward_store::{Actor, Cond, Entity, Id, Join, Query, Role, Sql, Value};

use crate::bindings::profile::licensed_in;
use crate::bindings::user::{USER_ORDERS, active_providers, members_of_keywords};
use crate::bindings::{membership, template};
use crate::states;
use crate::tables::{
    ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, OrgRole, Organization, PERMISSION_TEMPLATES, USERS,
    User, organizations as at,
};

/// A tag, whose table belongs to the clients domain.
struct Tag;

impl Entity for Tag {
    const NAME: &'static str = "Tag";
}

const ORGANIZATION: Kind = Kind::Id(Organization::NAME);
const ORGANIZATION_LIST: Kind = Kind::Ids(Organization::NAME);
const USER: Kind = Kind::Id(User::NAME);
const USER_LIST: Kind = Kind::Ids(User::NAME);

/// Staff of an organization, and of its sub-organizations under its own id.
const STAFF: &str = "(SELECT s.org_id, s.id AS user_id, s.unit_id AS organization_id FROM users s \
     WHERE s.is_patient = FALSE \
     UNION ALL SELECT s.org_id, s.id, o.parent_organization_id FROM users s \
     JOIN organizations o ON o.org_id = s.org_id AND o.id = s.unit_id \
     WHERE s.is_patient = FALSE AND o.parent_organization_id IS NOT NULL)";
const STAFF_LINK: Link = Link::Join {
    parent: at::id,
    join: Join { table: STAFF, to: "user_id", from: "organization_id" },
};
/// Templates of an organization, and those of its root (behaviour 15).
const TEMPLATES: &str = "(SELECT pt.org_id, pt.id AS template_id, pt.unit_id AS organization_id \
     FROM permission_templates pt \
     UNION ALL SELECT pt.org_id, pt.id, o.id FROM permission_templates pt \
     JOIN organizations o ON o.org_id = pt.org_id AND o.parent_organization_id = pt.unit_id)";
const TEMPLATES_LINK: Link = Link::Join {
    parent: at::id,
    join: Join { table: TEMPLATES, to: "template_id", from: "organization_id" },
};
const MEMBERS_LINK: Link = Link::Column { parent: at::id, child: "unit_id" };

/// Registers the type and its query.
pub fn bind(b: &mut Bindings) {
    b.object("Organization", &ORGANIZATIONS);
    b.column("Organization", "owner_id", at::owner_id);
    b.computed("Organization", "org_roles", &[], |_, _, _| Out::from(OrgRole::TEXTS.to_vec()))
        .public();
    bind_family(b);
    bind_staff(b);
    b.query_one("organization", &ORGANIZATIONS, one)
        .args(&[
            ("id", ORGANIZATION),
            ("provider_id", USER),
            ("provider_ids", USER_LIST),
            ("email", Kind::Plain),
            ("for_client", Kind::Plain),
            ("state_licenses", Kind::Plain),
        ])
        .public();
}

fn bind_family(b: &mut Bindings) {
    b.one(
        "Organization",
        "parent_organization",
        &ORGANIZATIONS,
        Link::Key(at::parent_organization_id),
    )
    .public();
    b.many(
        "Organization",
        "suborganizations",
        &ORGANIZATIONS,
        Link::Column { parent: at::id, child: "parent_organization_id" },
    )
    .listing(|_, _| Ok(Listing::all()));
    b.one("Organization", "owner", &USERS, Link::Key(at::owner_id));
    b.many("Organization", "permission_templates", &PERMISSION_TEMPLATES, TEMPLATES_LINK)
        .listing(|_, _| Ok(Listing::all()))
        .orders(template::ORDERS, "NAME_ASC");
    b.many(
        "Organization",
        "only_active_organization_memberships",
        &ORGANIZATION_MEMBERSHIPS,
        MEMBERS_LINK,
    )
    .listing(|_, _| Ok(Listing::of(Cond::is_true("active"))))
    .orders(membership::ORDERS, "POSITION_ASC");
    b.many("Organization", "organization_memberships", &ORGANIZATION_MEMBERSHIPS, MEMBERS_LINK)
        .args(&[
            ("keywords", Kind::Plain),
            ("active", Kind::Plain),
            ("exclude_org_ids", ORGANIZATION_LIST),
        ])
        .listing(memberships)
        .orders(membership::ORDERS, "POSITION_ASC");
    b.count(
        "Organization",
        "organization_memberships_count",
        &ORGANIZATION_MEMBERSHIPS,
        MEMBERS_LINK,
    )
    .args(&[("keywords", Kind::Plain)])
    .listing(memberships);
}

fn bind_staff(b: &mut Bindings) {
    const PROVIDER_ARGS: &[(&str, Kind)] =
        &[("provider_ids", USER_LIST), ("include_suborg_providers", Kind::Plain)];
    b.many("Organization", "only_active_providers", &USERS, STAFF_LINK)
        .args(PROVIDER_ARGS)
        .listing(providers_only)
        .orders(USER_ORDERS, "LAST_NAME_ASC")
        .public();
    b.count("Organization", "only_active_providers_count", &USERS, STAFF_LINK)
        .args(&[("provider_ids", USER_LIST)])
        .listing(providers_only)
        .public();
    b.many("Organization", "active_care_team_members", &USERS, STAFF_LINK)
        .args(&[
            ("provider_ids", USER_LIST),
            ("tag_ids", Kind::Ids("Tag")),
            ("record_identifiers", Kind::Plain),
            ("state_licenses", Kind::Plain),
        ])
        .listing(care_team)
        .orders(USER_ORDERS, "LAST_NAME_ASC")
        .public();
    b.many("Organization", "providers", &USERS, STAFF_LINK)
        .args(&[
            ("keywords", Kind::Plain),
            ("active_status", Kind::Plain),
            ("provider_ids", USER_LIST),
            ("exclude_ids", USER_LIST),
            ("include_suborg_providers", Kind::Plain),
            ("licensed_in_state", Kind::Plain),
            ("with_tag_ids", Kind::Ids("Tag")),
        ])
        .listing(all_providers)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("Organization", "users", &USERS, MEMBERS_LINK)
        .args(&[
            ("active_status", Kind::Plain),
            ("keywords", Kind::Plain),
            ("show_all_by_default", Kind::Plain),
        ])
        .listing(clients)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("Organization", "providers_count", &USERS, STAFF_LINK).listing(all_providers);
    b.count("Organization", "num_users", &USERS, STAFF_LINK)
        .listing(|_, _| Ok(Listing::of(own_unit().and(Cond::is_true("active")))));
    b.many("Organization", "paginated_users", &USERS, STAFF_LINK)
        .args(&[
            ("active_status", Kind::Plain),
            ("email", Kind::Plain),
            ("include_suborgs", Kind::Plain),
            ("keywords", Kind::Plain),
        ])
        .listing(paginated_people)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.many("Organization", "only_active_standard", &USERS, STAFF_LINK)
        .listing(|_, _| Ok(Listing::of(of_role(OrgRole::Standard))))
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("Organization", "only_active_standard_count", &USERS, STAFF_LINK)
        .listing(|_, _| Ok(Listing::of(of_role(OrgRole::Standard))));
    b.many("Organization", "only_active_support", &USERS, STAFF_LINK)
        .listing(|_, _| Ok(Listing::of(of_role(OrgRole::Support))))
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("Organization", "only_active_support_count", &USERS, STAFF_LINK)
        .listing(|_, _| Ok(Listing::of(of_role(OrgRole::Support))));
}

/// Members of the organization itself, not of its sub-organizations.
fn own_unit() -> Cond {
    Cond::sql("{t}.unit_id = j.organization_id", [])
}

fn of_role(role: OrgRole) -> Cond {
    own_unit().and(Cond::sql(
        "{t}.active = TRUE AND EXISTS (SELECT 1 FROM organization_memberships r \
         WHERE r.org_id = {t}.org_id AND r.user_id = {t}.id AND r.active = TRUE AND r.org_role = ?)",
        [role.as_str().into()],
    ))
}

/// The units and people that the arguments narrow a list of staff to.
fn narrowed(request: &Request, args: &Args) -> Answer<Cond> {
    let mut cond = match args.flag("include_suborg_providers") {
        true => Cond::Always,
        false => own_unit(),
    };
    if let Some(ids) = ids(request, args, "provider_ids")?.filter(|ids| !ids.is_empty()) {
        cond = cond.and(Cond::is_in("id", &ids));
    }
    if let Some(ids) = ids(request, args, "exclude_ids")? {
        cond = cond.and(Cond::is_in("id", &ids).negated());
    }
    Ok(cond)
}

fn ids(request: &Request, args: &Args, name: &str) -> Answer<Option<Vec<i64>>> {
    let ids = args.get::<Vec<Id<User>>>(name, request)?;
    Ok(ids.map(|ids| ids.iter().map(|id| id.0).collect()))
}

fn providers_only(request: &Request, args: &Args) -> Answer<Listing> {
    Ok(Listing::of(narrowed(request, args)?.and(active_providers())).public())
}

/// Active members that may be in a client's care team.
fn care_team(request: &Request, args: &Args) -> Answer<Listing> {
    let may = Cond::sql(
        "{t}.active = TRUE AND EXISTS (SELECT 1 FROM organization_memberships ct \
         WHERE ct.org_id = {t}.org_id AND ct.user_id = {t}.id AND ct.active = TRUE \
         AND ct.can_be_care_team_member = TRUE)",
        [],
    );
    let mut cond = narrowed(request, args)?.and(may).and(tagged(request, args, "tag_ids")?);
    if let Some(states) = texts(request, args, "state_licenses")? {
        cond = cond.and(licensed_in(states.iter().map(String::as_str)));
    }
    if let Some(known) = texts(request, args, "record_identifiers")? {
        let known: Vec<Box<str>> = known.into_iter().map(Into::into).collect();
        cond =
            cond.and(Cond::sql("{t}.record_identifier IN_LIST(?)", [Value::Texts(known.into())]));
    }
    Ok(Listing::of(cond).public())
}

/// An argument that is a list of texts; an empty one says nothing.
fn texts(request: &Request, args: &Args, name: &str) -> Answer<Option<Vec<String>>> {
    let texts = args.get::<Vec<String>>(name, request)?;
    Ok(texts.filter(|texts| !texts.is_empty()))
}

/// Staff with any of the tags that an argument names; of whichever organization, where nobody asks.
fn tagged(request: &Request, args: &Args, name: &str) -> Answer<Cond> {
    let ids = args.get::<Vec<Id<Tag>>>(name, request)?.unwrap_or_default();
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(match ids.is_empty() {
        true => Cond::Always,
        false => Cond::sql(
            "EXISTS (SELECT 1 FROM applied_tags a WHERE a.org_id = {t}.org_id \
             AND a.user_id = {t}.id AND a.tag_id IN_LIST(?) AND a.deleted_at IS NULL)",
            [Value::Ints(ids.into())],
        ),
    })
}

fn all_providers(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = narrowed(request, args)?.and(Cond::sql(
        "EXISTS (SELECT 1 FROM organization_memberships pm WHERE pm.org_id = {t}.org_id \
         AND pm.user_id = {t}.id AND pm.is_provider = TRUE)",
        [],
    ));
    cond = cond.and(of_status(args));
    if let Some(state) = args.text("licensed_in_state") {
        cond = cond.and(licensed_in([state]));
    }
    cond = cond.and(tagged(request, args, "with_tag_ids")?);
    Ok(Listing::of(cond).searching(&USERS, request, args.text("keywords")))
}

fn paginated_people(request: &Request, args: &Args) -> Answer<Listing> {
    let units = if args.flag("include_suborgs") { Cond::Always } else { own_unit() };
    let mut cond = units.and(of_status(args));
    if let Some(email) = args.text("email") {
        cond = cond.and(Cond::eq("email_fold", crate::email::key(email)));
    }
    Ok(Listing::of(cond).searching(&USERS, request, args.text("keywords")))
}

/// Active or archived people, as `active_status` says.
fn of_status(args: &Args) -> Cond {
    match args.text("active_status").map(str::to_ascii_lowercase).as_deref() {
        Some("active") => Cond::is_true("active"),
        Some("archived" | "inactive") => Cond::eq("active", false),
        _ => Cond::Always,
    }
}

/// The states that the organizations' active providers are licensed in.
pub(crate) async fn licensed_states(
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let sql = Sql::fixed(
        "SELECT DISTINCT sl.unit_id, sl.state FROM state_licenses sl \
         JOIN organization_memberships m ON m.org_id = sl.org_id AND m.user_id = sl.user_id \
         WHERE sl.unit_id IN_LIST($1) AND m.active = TRUE AND m.is_provider = TRUE \
         ORDER BY sl.state",
        [Value::Ints(ids.into())],
    );
    let mut states: HashMap<i64, Vec<String>> = HashMap::new();
    for row in conn.rows(&sql).await?.iter() {
        if let [unit, state] = row
            && let (Some(unit), Some(state)) = (unit.int(), state.text())
        {
            states.entry(unit).or_default().push(state.to_owned());
        }
    }
    let of = |row: &RowView<'_>| {
        let id = row.get(at::id).int().unwrap_or_default();
        Out::from(states.get(&id).cloned().unwrap_or_default())
    };
    Ok(rows.iter().map(of).collect())
}

/// Clients of the organization itself; without keywords none, unless all are
/// asked for.
fn clients(request: &Request, args: &Args) -> Answer<Listing> {
    let keywords = args.text("keywords");
    if keywords.is_none() && !args.flag("show_all_by_default") {
        return Ok(Listing::none());
    }
    let cond = Cond::is_true("is_patient").and(of_status(args));
    Ok(Listing::of(cond).searching(&USERS, request, keywords))
}

fn memberships(request: &Request, args: &Args) -> Answer<Listing> {
    let mut cond = Cond::Always;
    if let Some(active) = args.bool("active") {
        cond = cond.and(Cond::eq("active", active));
    }
    if let Some(keywords) = args.text("keywords") {
        cond = cond.and(members_of_keywords(request, keywords));
    }
    if let Some(ids) = args.get::<Vec<Id<Organization>>>("exclude_org_ids", request)? {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        cond = cond.and(Cond::is_in("unit_id", &ids).negated());
    }
    Ok(Listing::of(cond))
}

/// `organization`: by its id, its providers or an address; else the caller's.
/// A stranger must name one, and finds it by its own public address only.
fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let mut listing = named(request, args)?;
    // With an active provider licensed in one of these states.
    if let Some(states) = texts(request, args, "state_licenses")? {
        listing.filter = listing.filter.and(with_license(&states));
    }
    Ok(listing)
}

fn with_license(states: &[String]) -> Cond {
    let codes: Vec<Box<str>> =
        states.iter().filter_map(|state| states::code(state)).map(Into::into).collect();
    Cond::sql(
        "EXISTS (SELECT 1 FROM state_licenses sl JOIN organization_memberships lm \
         ON lm.org_id = sl.org_id AND lm.user_id = sl.user_id WHERE sl.org_id = {t}.org_id \
         AND sl.unit_id = {t}.id AND lm.active = TRUE AND lm.is_provider = TRUE \
         AND sl.state IN_LIST(?))",
        [Value::Texts(codes.into())],
    )
}

fn named(request: &Request, args: &Args) -> Answer<Listing> {
    let actor = &request.actor;
    if let Some(id) = args.get::<Id<Organization>>("id", request)? {
        return Ok(Listing::of(Cond::eq("id", id.0)).public());
    }
    let mut providers = ids(request, args, "provider_ids")?.unwrap_or_default();
    providers.extend(args.get::<Id<User>>("provider_id", request)?.map(|id| id.0));
    if !providers.is_empty() {
        return Ok(Listing::of(of_providers(&providers)).public());
    }
    if let Some(address) = args.text("email") {
        return Ok(Listing::of(of_address(address, actor)).public());
    }
    // A client's organization is their own unit too, so `for_client` adds nothing.
    let own = match actor.role {
        Role::Client | Role::Member => Cond::eq("id", actor.unit_id),
        Role::Anonymous | Role::System => Cond::Never,
    };
    Ok(Listing::of(own).public())
}

/// Of whichever organization, where nobody asks.
fn of_providers(ids: &[i64]) -> Cond {
    Cond::sql(
        "EXISTS (SELECT 1 FROM users pu WHERE pu.org_id = {t}.org_id AND pu.id IN_LIST(?) \
         AND pu.is_patient = FALSE AND pu.unit_id = {t}.id)",
        [Value::Ints(ids.into())],
    )
}

fn of_address(address: &str, actor: &Actor) -> Cond {
    let public = Cond::eq("organization_email", address);
    match actor.role {
        Role::Anonymous => public,
        Role::Client | Role::Member | Role::System => public.or(Cond::sql(
            "{t}.id IN (SELECT eu.unit_id FROM users eu WHERE eu.org_id = ? \
             AND eu.is_patient = FALSE AND eu.email_fold = ?)",
            [actor.org_id.into(), crate::email::key(address).into()],
        )),
    }
}
