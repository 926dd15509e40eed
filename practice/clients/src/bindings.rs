//! What answers each contract field of the domain, one line a field.

use std::collections::{BTreeMap, HashMap};

use ward_engine::{Answer, Bindings, Kind, Link, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, organization_infos, organizations, users};
use ward_store::{Cond, Join, Level, Query, Select, Table, Value, Watch, read_selected};

use crate::listing::{self, GROUP_ORDERS, LOCATION_ORDERS, TAG_ORDERS, USER_ORDERS};
use crate::tables::{LOCATIONS, TAGS, USER_GROUPS, locations, tags, user_groups};
use crate::{
    access_log, applied_tag, break_glass, bulk, contact, create_client, feature_toggle, group,
    location, merge, place_of_service, referral, restriction, tag, update_client, update_user,
};

/// Tags on users, without those that were taken off.
const APPLIED: &str =
    "(SELECT a.org_id, a.tag_id, a.user_id FROM applied_tags a WHERE a.deleted_at IS NULL)";

/// From a tag to those who have it.
const TAGGED: Link =
    Link::Join { parent: tags::id, join: Join { table: APPLIED, to: "user_id", from: "tag_id" } };

/// From a user to the tags they have.
const TAGS_OF: Link =
    Link::Join { parent: users::id, join: Join { table: APPLIED, to: "tag_id", from: "user_id" } };

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    group_fields(b);
    tag_fields(b);
    location_fields(b);
    user_fields(b);
    organization_fields(b);
    restriction::bind(b);
    break_glass::bind(b);
    access_log::bind(b);
    feature_toggle::bind(b);
    applied_tag::bind(b);
    place_of_service::bind(b);
    referral::bindings::bind(b);
    contact::bind(b);
    bulk::bind(b);
    merge::bind(b);
}

fn queries(b: &mut Bindings) {
    b.query_list("users", &USERS, listing::users)
        .args(listing::USERS_ARGS)
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.query_count("usersCount", &USERS, listing::users).args(listing::USERS_ARGS);
    b.query_one("userGroup", &USER_GROUPS, listing::user_group)
        .args(&[("id", Kind::Id("UserGroup"))]);
    b.query_list("userGroups", &USER_GROUPS, listing::user_groups)
        .args(GROUP_ARGS)
        .orders(GROUP_ORDERS, "NAME_ASC");
    b.query_count("userGroupsCount", &USER_GROUPS, listing::user_groups).args(GROUP_ARGS);
    b.query_list("tags", &TAGS, listing::tags).args(TAG_ARGS).orders(TAG_ORDERS, "NAME_ASC");
    b.query_list("tagsPaginated", &TAGS, listing::tags)
        .args(TAG_ARGS)
        .orders(TAG_ORDERS, "NAME_ASC");
    b.query_count("tagsCount", &TAGS, listing::tags).args(TAG_ARGS);
    b.query_one("location", &LOCATIONS, listing::location).args(&[("id", Kind::Id("Location"))]);
    b.query_list("locations", &LOCATIONS, listing::locations)
        .args(LOCATION_ARGS)
        .orders(LOCATION_ORDERS, "CREATED_AT_DESC");
    b.query_count("locationsCount", &LOCATIONS, listing::locations).args(LOCATION_ARGS);
}

const GROUP_ARGS: &[(&str, Kind)] =
    &[("keywords", Kind::Plain), ("check_group_level_actions", Kind::Plain)];
const TAG_ARGS: &[(&str, Kind)] = &[
    ("applied_to_providers", Kind::Plain),
    ("ids", Kind::Ids("Tag")),
    ("user_id", Kind::Id("User")),
];
const LOCATION_ARGS: &[(&str, Kind)] =
    &[("has_name", Kind::Plain), ("keywords", Kind::Plain), ("user_id", Kind::Id("User"))];

fn mutations(b: &mut Bindings) {
    const USER: &[(&str, Returns)] = &[("user", Returns::One(&USERS))];
    const GROUP: &[(&str, Returns)] = &[("user_group", Returns::One(&USER_GROUPS))];
    const TAG: &[(&str, Returns)] = &[("tag", Returns::One(&TAGS))];
    const TAG_GONE: &[(&str, Returns)] =
        &[("tag", Returns::One(&TAGS)), ("removing_async", Returns::Leaf)];
    const TAGS_GIVEN: &[(&str, Returns)] = &[("tags", Returns::Many(&TAGS))];
    const LOCATION: &[(&str, Returns)] = &[("location", Returns::One(&LOCATIONS))];

    b.mutation("createClient", USER, op!(create_client::create));
    b.mutation_prepared(
        "updateClient",
        USER,
        |request, input| Box::pin(update_client::prepare(request, input)),
        op!(update_client::update),
    );
    b.mutation_prepared(
        "updateUser",
        USER,
        |request, input| Box::pin(update_user::prepare(request, input)),
        op!(update_user::update),
    );
    b.mutation("createGroup", GROUP, op!(group::create));
    b.mutation("updateUserGroup", GROUP, op!(group::update));
    b.mutation("deleteUserGroup", GROUP, op!(group::delete));
    b.mutation("createTag", TAG, op!(tag::create));
    b.mutation("updateTag", TAG, op!(tag::update));
    b.mutation("deleteTag", TAG_GONE, op!(tag::delete));
    b.mutation("bulkApply", TAGS_GIVEN, op!(tag::bulk_apply));
    b.mutation("removeAppliedTag", TAG, op!(tag::remove_applied));
    b.mutation("createLocation", LOCATION, op!(location::create));
    b.mutation("updateLocation", LOCATION, op!(location::update));
    b.mutation("deleteLocation", LOCATION, op!(location::delete));
}

fn group_fields(b: &mut Bindings) {
    const MEMBERS: Link = Link::Column { parent: user_groups::id, child: "user_group_id" };
    b.object("UserGroup", &USER_GROUPS);
    b.cursor("UserGroup");
    b.computed("UserGroup", "doc_share_id", &[user_groups::id], |_, row, _| {
        row.get(user_groups::id).int().map(|id| format!("group-{id}")).into()
    });
    b.one("UserGroup", "user", &USERS, Link::Key(user_groups::user_id));
    b.many("UserGroup", "users", &USERS, MEMBERS)
        .listing(listing::group_users)
        .args(&[("active_status", Kind::Plain), ("should_sort", Kind::Plain)])
        .orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("UserGroup", "users_count", &USERS, MEMBERS).listing(listing::clients_only);
    b.batch("UserGroup", "user_ids", &[user_groups::id], |request, q, rows, _| {
        Box::pin(user_ids(request, q, rows))
    });
}

fn tag_fields(b: &mut Bindings) {
    b.object("Tag", &TAGS);
    b.one("Tag", "user", &USERS, Link::Key(tags::user_id));
    b.batch("Tag", "added_by", &[tags::user_id], |request, q, rows, _| {
        Box::pin(added_by(request, q, rows))
    });
    b.many("Tag", "tagged_users", &USERS, TAGGED).orders(USER_ORDERS, "LAST_NAME_ASC");
    b.count("Tag", "active_users_count", &USERS, TAGGED).listing(listing::active_clients);
    b.count("Tag", "archived_users_count", &USERS, TAGGED).listing(listing::archived_clients);
    b.count("Tag", "patients_tagged_count", &USERS, TAGGED).listing(listing::clients_only);
    b.count("Tag", "org_members_count", &USERS, TAGGED).listing(listing::members);
    b.count("Tag", "providers_tagged_count", &USERS, TAGGED).listing(listing::members);
}

fn location_fields(b: &mut Bindings) {
    const LINES: &[usize] =
        &[locations::line1, locations::line2, locations::city, locations::state, locations::zip];
    b.object("Location", &LOCATIONS);
    b.cursor("Location");
    b.one("Location", "user", &USERS, Link::Key(locations::user_id)).limited();
    b.computed("Location", "to_oneline", LINES, |_, row, _| {
        let text = |at: usize| row.text(at).unwrap_or_default();
        let [line1, line2, city, state, zip] = [
            text(locations::line1),
            text(locations::line2),
            text(locations::city),
            text(locations::state),
            text(locations::zip),
        ];
        location::oneline(line1, line2, city, state, zip).into()
    })
    .public();
}

fn user_fields(b: &mut Bindings) {
    const UNIT: Link = Link::Column { parent: users::unit_id, child: "unit_id" };
    const ADDRESSES: Link = Link::Column { parent: users::id, child: "user_id" };
    const UNIT_GROUP_ARGS: &[(&str, Kind)] = &[("check_group_level_actions", Kind::Plain)];
    b.one("User", "user_group", &USER_GROUPS, Link::Key(users::user_group_id));
    b.batch("User", "group_name", &[users::user_group_id], |request, q, rows, _| {
        Box::pin(group_names(request, q, rows))
    });
    b.batch("User", "has_user_groups", &[users::unit_id], |request, q, rows, _| {
        Box::pin(have_groups(request, q, rows))
    });
    b.many("User", "user_groups", &USER_GROUPS, UNIT)
        .listing(listing::user_groups)
        .args(GROUP_ARGS)
        .orders(GROUP_ORDERS, "NAME_ASC");
    b.count("User", "user_groups_count", &USER_GROUPS, UNIT)
        .listing(listing::user_groups)
        .args(UNIT_GROUP_ARGS);
    b.many("User", "active_tags", &TAGS, TAGS_OF).orders(TAG_ORDERS, "NAME_ASC");
    b.one("User", "location", &LOCATIONS, ADDRESSES).listing(listing::addresses).limited();
    b.many("User", "locations", &LOCATIONS, ADDRESSES).listing(listing::addresses).limited();
}

fn organization_fields(b: &mut Bindings) {
    let place = Link::Key(organization_infos::location_id);
    b.one("OrganizationInfo", "location", &LOCATIONS, place).listing(listing::addresses);
    const OWN: Link = Link::Column { parent: organizations::id, child: "organization_id" };
    const UNIT: Link = Link::Column { parent: organizations::id, child: "unit_id" };
    b.one("Organization", "location", &LOCATIONS, OWN).listing(listing::addresses).public();
    b.many("Organization", "user_groups", &USER_GROUPS, UNIT).orders(GROUP_ORDERS, "NAME_ASC");
    b.many("Organization", "tags", &TAGS, UNIT).orders(TAG_ORDERS, "NAME_ASC");
}

/// Rows of a table that the actor sees at least in part, by these columns.
async fn seen(
    request: &Request,
    q: &mut dyn Query,
    table: &'static Table,
    columns: Vec<usize>,
    filter: Cond,
) -> Answer<Vec<Vec<Value>>> {
    if filter.is_never() {
        return Ok(Vec::new());
    }
    let mut select = Select::new(table, &request.actor);
    select.columns = columns;
    select.least = Level::Public;
    select.filter = filter;
    select.with_subject = true;
    let rows = read_selected(q, &request.db, &select.ordered(Vec::new())).await?;
    Ok(rows.iter().map(<[Value]>::to_vec).collect())
}

fn numbers(rows: &[RowView<'_>], column: usize) -> Vec<i64> {
    let mut numbers: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// `User.has_user_groups`: whether the organization has a group that the caller
/// sees.
async fn have_groups(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let units = numbers(&rows, users::unit_id);
    let columns = vec![user_groups::unit_id];
    let found = seen(request, q, &USER_GROUPS, columns, Cond::is_in("unit_id", &units)).await?;
    let with: Vec<i64> = found.iter().filter_map(|row| row.first()?.int()).collect();
    let has =
        |row: &RowView<'_>| row.get(users::unit_id).int().is_some_and(|unit| with.contains(&unit));
    Ok(rows.iter().map(|row| has(row).into()).collect())
}

/// `User.group_name`: the name of the client's group.
async fn group_names(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids = numbers(&rows, users::user_group_id);
    let columns = vec![user_groups::id, user_groups::name];
    let found = seen(request, q, &USER_GROUPS, columns, Cond::is_in("id", &ids)).await?;
    let names: HashMap<i64, &str> =
        found.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.text()?))).collect();
    let name = |row: &RowView<'_>| {
        row.get(users::user_group_id).int().and_then(|id| names.get(&id).copied())
    };
    Ok(rows.iter().map(|row| name(row).into()).collect())
}

/// `Tag.added_by`: the name of the member who made the tag.
async fn added_by(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids = numbers(&rows, tags::user_id);
    let columns = vec![users::id, users::first_name, users::last_name];
    let found = seen(request, q, &USERS, columns, Cond::is_in("id", &ids)).await?;
    let full_name = |row: &Vec<Value>| {
        let text = |at: usize| row.get(at).and_then(Value::text).unwrap_or_default();
        let name = format!("{} {}", text(1), text(2)).trim().to_owned();
        Some((row.first()?.int()?, name))
    };
    let names: HashMap<i64, String> = found.iter().filter_map(full_name).collect();
    let name =
        |row: &RowView<'_>| row.get(tags::user_id).int().and_then(|id| names.get(&id).cloned());
    Ok(rows.iter().map(|row| name(row).into()).collect())
}

/// `UserGroup.user_ids`: the clients of each group whom the actor sees.
async fn user_ids(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids = numbers(&rows, user_groups::id);
    let filter = Cond::is_true("is_patient").and(Cond::is_in("user_group_id", &ids));
    let columns = vec![users::id, users::user_group_id];
    let found = seen(request, q, &USERS, columns, filter).await?;
    let client = |row: &Vec<Value>| {
        let watch = row.get(3).and_then(Value::int).map_or(Watch::BrokenGlass, Watch::from_number);
        Some((row.get(2)?.int()?, watch))
    };
    request.reads.note("UserGroup.user_ids", found.iter().filter_map(client));
    let mut members: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for row in &found {
        if let (Some(Value::Int(user)), Some(Value::Int(group))) = (row.first(), row.get(1)) {
            members.entry(*group).or_default().push(*user);
        }
    }
    let list = |row: &RowView<'_>| {
        let group = row.get(user_groups::id).int().unwrap_or_default();
        members.get(&group).cloned().unwrap_or_default()
    };
    Ok(rows.iter().map(|row| list(row).into()).collect())
}
