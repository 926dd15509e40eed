//! Fields of intake flows, and of whom they concern: groups, members, clients.

use std::collections::{BTreeMap, HashMap};

use ward_clients::tables::{USER_GROUPS, user_groups};
use ward_engine::{Answer, Args, Bindings, Link, OrderOption, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, User, organizations, users};
use ward_store::{Cond, Id, Join, Level, OrderKey, Query, Role, Select, Sql, Value, Watch};

use super::numbers;
use crate::flow::tables::{
    COMPLETED_ONBOARDING_ITEMS, ItemType, ONBOARDING_FLOWS, ONBOARDING_ITEMS,
    onboarding_flows as at, onboarding_items as items,
};
use crate::flow::{assign, change, complete, due, item, listing, rules};
use crate::request::history;

const OF: &str = "OnboardingFlow";

/// From a group to the flow that it uses.
const FLOW_OF_GROUP: Join =
    Join { table: "onboarding_flow_groups", to: "onboarding_flow_id", from: "user_group_id" };
/// From a flow to the groups that use it.
const GROUPS_OF_FLOW: Join =
    Join { table: "onboarding_flow_groups", to: "user_group_id", from: "onboarding_flow_id" };
/// From a member to the flow of their clients.
const FLOW_OF_MEMBER: Join =
    Join { table: "onboarding_defaults", to: "onboarding_flow_id", from: "user_id" };
/// From an organization to its flow, which is its owner's.
const FLOW_OF_PLACE: Join = Join {
    table: "(SELECT place.org_id, place.id AS place_id, d.onboarding_flow_id \
         FROM organizations place JOIN onboarding_defaults d ON d.org_id = place.org_id \
         AND d.user_id = place.owner_id)",
    to: "onboarding_flow_id",
    from: "place_id",
};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    queries(b);
    mutations(b);
    fields(b);
    of_others(b);
}

fn queries(b: &mut Bindings) {
    let (flows, steps) = (&ONBOARDING_FLOWS, &ONBOARDING_ITEMS);
    // A root field has no parent's column; what it hangs on is the same for every row.
    let root = Link::Join { parent: 0, join: due::FLOWS_OF_ROOT };
    b.one("Query", "onboardingFlow", flows, root).args(listing::FLOW_ARGS).listing(listing::flow);
    b.query_list("onboardingFlows", flows, listing::flows)
        .args(listing::FLOWS_ARGS)
        .orders(listing::FLOW_ORDERS, "NAME_ASC");
    b.query_count("onboardingFlowsCount", flows, listing::flows).args(listing::FLOWS_ARGS);
    let root = Link::Join { parent: 0, join: due::ITEMS_OF_ROOT };
    b.one("Query", "onboardingItem", steps, root)
        .args(listing::ITEM_ARGS)
        .listing(listing::item)
        .orders(listing::BY_LENS, "LENS_DESC")
        .after(history::step_opened)
        .public();
    let done = &COMPLETED_ONBOARDING_ITEMS;
    b.query_one("completedOnboardingItem", done, listing::completed).args(listing::COMPLETED_ARGS);
    b.query_list("unassociatedCompletedOnboardingItems", done, listing::unassociated)
        .args(listing::OF_CLIENT_ARGS)
        .orders(listing::DONE, "CREATED_AT_DESC");
    b.batch("Query", "hasFormsToComplete", &[], |request, q, rows, args| {
        Box::pin(has_forms(request, q, rows, args))
    })
    .args(listing::OF_CLIENT_ARGS);
}

fn mutations(b: &mut Bindings) {
    const FLOW: &[(&str, Returns)] = &[("onboardingFlow", Returns::One(&ONBOARDING_FLOWS))];
    const ITEM: &[(&str, Returns)] = &[("onboardingItem", Returns::One(&ONBOARDING_ITEMS))];
    const DONE: &[(&str, Returns)] =
        &[("completed_onboarding_item", Returns::One(&COMPLETED_ONBOARDING_ITEMS))];
    b.mutation("createOnboardingFlow", FLOW, op!(change::create));
    b.mutation("updateOnboardingFlow", FLOW, op!(change::update));
    b.mutation("deleteOnboardingFlow", FLOW, op!(change::delete));
    b.mutation("createOnboardingItem", ITEM, op!(item::create));
    b.mutation("updateOnboardingItem", ITEM, op!(item::update));
    b.mutation("deleteOnboardingItem", ITEM, op!(item::delete));
    b.mutation("createCompletedOnboardingItem", DONE, op!(complete::create));
    b.share("updateUserGroup", |call, input, payload| {
        Box::pin(assign::of_group(call, input, payload))
    });
    b.share("updateUser", |call, input, payload| Box::pin(assign::of_member(call, input, payload)));
}

fn fields(b: &mut Bindings) {
    b.object(OF, &ONBOARDING_FLOWS);
    b.cursor(OF);
    b.one(OF, "user", &USERS, Link::Key(at::user_id)).listing(listing::public);
    let steps = Link::Join { parent: at::lens, join: due::ITEMS_OF_LENS };
    b.many(OF, "onboarding_items", &ONBOARDING_ITEMS, steps)
        .args(listing::ITEMS_ARGS)
        .listing(listing::items_in_light)
        .orders(listing::BY_PLACE, "PLACE_ASC")
        .public();
    let own = Link::Column { parent: at::id, child: "onboarding_flow_id" };
    b.count(OF, "onboarding_items_count", &ONBOARDING_ITEMS, own).listing(listing::public).public();
    b.batch(OF, "has_forms_after_welcome", &[at::id], |request, q, rows, _| {
        Box::pin(have_forms(request, q, rows))
    })
    .public();
    b.batch(OF, "is_multiple_providers", &[at::unit_id], |request, q, rows, _| {
        Box::pin(have_providers(request, q, rows))
    });
    let groups = Link::Join { parent: at::id, join: GROUPS_OF_FLOW };
    const BY_NAME: &[OrderOption] = &[OrderOption { name: "NAME", expression: "{t}.name_fold" }];
    b.many(OF, "user_groups", &USER_GROUPS, groups).orders(BY_NAME, "NAME_ASC");
    b.count(OF, "user_groups_count", &USER_GROUPS, groups);
    b.batch(OF, "user_groups_name_string", &[at::id], |request, q, rows, _| {
        Box::pin(group_names(request, q, rows))
    });
}

/// What is said of flows elsewhere.
fn of_others(b: &mut Bindings) {
    let group = Link::Join { parent: user_groups::id, join: FLOW_OF_GROUP };
    b.one("UserGroup", "onboarding_flow", &ONBOARDING_FLOWS, group).listing(listing::public);
    b.batch("UserGroup", "onboarding_flow_id", &[user_groups::id], |request, q, rows, _| {
        Box::pin(flow_ids(request, q, rows, (user_groups::id, FLOW_OF_GROUP)))
    });
    let member = Link::Join { parent: users::id, join: FLOW_OF_MEMBER };
    b.one("User", "default_onboarding_flow", &ONBOARDING_FLOWS, member).listing(listing::public);
    b.batch("User", "default_onboarding_flow_id", &[users::id], |request, q, rows, _| {
        Box::pin(flow_ids(request, q, rows, (users::id, FLOW_OF_MEMBER)))
    });
    b.batch("Organization", "onboarding_flow_id", &[organizations::id], |request, q, rows, _| {
        Box::pin(flow_ids(request, q, rows, (organizations::id, FLOW_OF_PLACE)))
    });
    let next = Link::Join { parent: users::id, join: due::NEXT_OF_CLIENT };
    b.one("User", "next_onboarding_step", &ONBOARDING_ITEMS, next).listing(listing::items_in_light);
    b.batch("User", "any_incomplete_onboarding_steps", &[users::id], |request, q, rows, _| {
        Box::pin(any_incomplete(request, q, rows))
    });
}

/// `User.any_incomplete_onboarding_steps`.
async fn any_incomplete(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let with = due::with_steps(request, q, &numbers(&rows, users::id)).await?;
    let has = |row: &RowView<'_>| row.get(users::id).int().is_some_and(|id| with.contains(&id));
    Ok(rows.iter().map(|row| has(row).into()).collect())
}

/// `hasFormsToComplete`: of one client, requests too, for who sees them in full. Whoever reads
/// it is in the access log (SEC-19).
async fn has_forms(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    const FIELD: &str = "hasFormsToComplete";
    let null = vec![Out::Null; rows.len()];
    let id: Option<Id<User>> = crate::filled::listing::id(args, "user_id", request)?;
    let Some(id) = id else { return Ok(null) };
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = Cond::eq("id", id.0).and(Cond::is_true("is_patient"));
    select.limit = Some(1);
    select.with_subject = true;
    let found = q.rows(&select.sql()).await?;
    let Some([_, subject, watch, ..]) = found.iter().next() else { return Ok(null) };
    let watch = watch.int().map_or(Watch::BrokenGlass, Watch::from_number);
    request.reads.note(FIELD, subject.int().map(|client| (client, watch)));
    let has = !due::with_forms(request, q, &[id.0]).await?.is_empty();
    Ok(vec![has.into(); rows.len()])
}

/// The steps of flows that the caller sees, by flow, in order.
pub(super) async fn steps_of(
    request: &Request,
    q: &mut dyn Query,
    flows: &[i64],
) -> Answer<HashMap<i64, Vec<(i64, ItemType)>>> {
    let mut select = Select::new(&ONBOARDING_ITEMS, &request.actor);
    select.columns = vec![items::id, items::onboarding_flow_id, items::item_type];
    select.least = Level::Public;
    if request.actor.role == Role::Anonymous {
        select.org_id = None;
    }
    select.filter = Cond::is_in("onboarding_flow_id", flows);
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let keys = vec![OrderKey::column("place", false)];
    let found = q.rows(&select.ordered(keys).sql()).await?;
    let mut steps: HashMap<i64, Vec<(i64, ItemType)>> = HashMap::new();
    for row in found.iter() {
        let [Value::Int(id), Value::Int(flow), Value::Text(text), ..] = row else { continue };
        let Some(item_type) = ItemType::from_text(text) else { continue };
        steps.entry(*flow).or_default().push((*id, item_type));
    }
    Ok(steps)
}

async fn have_forms(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let steps = steps_of(request, q, &numbers(&rows, at::id)).await?;
    let has = |row: &RowView<'_>| {
        let own = row.get(at::id).int().and_then(|id| steps.get(&id)).map(Vec::as_slice);
        let types: Vec<ItemType> = own.unwrap_or_default().iter().map(|(_, it)| *it).collect();
        rules::has_forms_after_welcome(&types)
    };
    Ok(rows.iter().map(|row| has(row).into()).collect())
}

/// `is_multiple_providers`: whether the flow's organization has several providers.
async fn have_providers(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let units = numbers(&rows, at::unit_id);
    let mut sql = Sql::new();
    sql.push("SELECT m.unit_id, COUNT(*) FROM organization_memberships m WHERE m.org_id = ");
    sql.bind(request.actor.org_id).push(" AND m.active = TRUE AND m.is_provider = TRUE");
    sql.push(" AND m.unit_id").bind_in(units.as_slice()).push(" GROUP BY m.unit_id");
    let found = q.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let counts: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let several = |row: &RowView<'_>| {
        let count = row.get(at::unit_id).int().and_then(|unit| counts.get(&unit));
        Out::from(count.is_some_and(|count| *count > 1))
    };
    Ok(rows.iter().map(several).collect())
}

/// `user_groups_name_string`: the groups that the caller sees, by name.
async fn group_names(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let flows = numbers(&rows, at::id);
    let mut select = Select::new(&USER_GROUPS, &request.actor);
    select.columns = vec![user_groups::name];
    select.least = Level::Limited;
    select.join = Some(GROUPS_OF_FLOW);
    select.filter = Cond::sql("j.onboarding_flow_id IN_LIST(?)", [Value::Ints(flows.into())]);
    let keys = vec![OrderKey::column("name_fold", false)];
    let found = q.rows(&select.ordered(keys).sql()).await?;
    let mut names: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for row in found.iter() {
        if let [name, Value::Int(flow), ..] = row {
            names.entry(*flow).or_default().extend(name.text());
        }
    }
    let joined = |row: &RowView<'_>| {
        let own = row.get(at::id).int().and_then(|id| names.get(&id));
        Out::from(own.map(|names| names.join(", ")).unwrap_or_default())
    };
    Ok(rows.iter().map(joined).collect())
}

/// The number of the flow that a join leads to, of those that the caller sees.
async fn flow_ids(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    (parent, join): (usize, Join),
) -> Answer<Vec<Out>> {
    let parents = numbers(&rows, parent);
    let mut select = Select::new(&ONBOARDING_FLOWS, &request.actor);
    select.columns = vec![at::id];
    select.least = Level::Public;
    select.join = Some(join);
    let text = format!("j.{} IN_LIST(?)", join.from);
    select.filter = Cond::sql(text, [Value::Ints(parents.into())]);
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.get(1)?.int()?, row.first()?.int()?));
    let flows: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| row.get(parent).int().and_then(|id| flows.get(&id));
    Ok(rows.iter().map(|row| of(row).map(i64::to_string).into()).collect())
}
