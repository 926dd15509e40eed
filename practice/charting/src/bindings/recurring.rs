//! Fields of what is asked again and again, and of the groups that are asked.

use std::collections::{HashMap, HashSet};

use ward_clients::tables::{USER_GROUPS, user_groups};
use ward_engine::{
    Answer, Args, Bindings, Link, Listing, OrderOption, Out, Request, Returns, RowView, op,
};
use ward_identity::tables::{USERS, users};
use ward_store::{Cond, Join, Level, Query, Select, Table, Value, Watch};

use crate::filled::listing as filled;
use crate::request::input::{Named, connected};
use crate::request::tables::{RECURRING_FORMS, recurring_forms as at};
use crate::request::{ITEM_TYPE, listing, recurring};
use crate::tables::CUSTOM_MODULE_FORMS;

const OF: &str = "RecurringForm";
const TABLE: &str = "recurring_form_recipients";
/// From a recurring form to the clients of whom it is asked.
const CLIENTS: Join = Join { table: TABLE, to: "user_id", from: "recurring_form_id" };
/// From a recurring form to the groups.
const GROUPS: Join = Join { table: TABLE, to: "user_group_id", from: "recurring_form_id" };
/// From a group to what its clients are asked.
const OF_GROUP: Join = Join { table: TABLE, to: "recurring_form_id", from: "user_group_id" };
const BY_NAME: &[OrderOption] = &[OrderOption { name: "NAME", expression: "{t}.name_fold" }];

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_list("recurringForms", &RECURRING_FORMS, listing::recurring)
        .args(listing::CONNECTED_ARGS)
        .orders(listing::MADE, "CREATED_AT_DESC");
    const RECURRING: &[(&str, Returns)] = &[("recurringForm", Returns::One(&RECURRING_FORMS))];
    b.mutation("updateRecurringForm", RECURRING, op!(recurring::update));
    b.mutation("deleteRecurringForm", RECURRING, op!(recurring::destroy));
    b.object(OF, &RECURRING_FORMS);
    b.column(OF, "form_id", at::custom_module_form_id);
    b.column(OF, "interval", at::interval_text);
    b.column(OF, "interval_type", at::frequency);
    b.computed(OF, "form_type", &[], |_, _, _| ITEM_TYPE.into());
    let form = Link::Key(at::custom_module_form_id);
    b.one(OF, "custom_module_form", &CUSTOM_MODULE_FORMS, form).listing(filled::template);
    b.many(OF, "users", &USERS, Link::Join { parent: at::id, join: CLIENTS }).listing(in_full);
    b.many(OF, "userGroups", &USER_GROUPS, Link::Join { parent: at::id, join: GROUPS })
        .orders(BY_NAME, "NAME_ASC");
    b.batch(OF, "users_and_groups", &[at::id], |request, q, rows, _| {
        Box::pin(recipients(request, q, rows))
    });
    b.batch(OF, "has_connected_recipient", &[at::id], |request, q, rows, args| {
        Box::pin(connects(request, q, rows, args))
    })
    .args(listing::CONNECTED_ARGS);
    let asked = Link::Join { parent: user_groups::id, join: OF_GROUP };
    b.many("UserGroup", "recurring_forms", &RECURRING_FORMS, asked)
        .orders(listing::MADE, "CREATED_AT_DESC");
    b.count("UserGroup", "recurring_forms_count", &RECURRING_FORMS, asked);
}

/// Clients whom the caller sees in full.
fn in_full(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { least: Level::Full, ..Listing::all() })
}

fn numbers(rows: &[RowView<'_>]) -> Vec<i64> {
    let mut ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The recipients of each that the caller sees: the recurring form, then the recipient, in order.
async fn seen(
    request: &Request,
    q: &mut dyn Query,
    (table, id, join): (&'static Table, usize, Join),
    forms: &[i64],
) -> Answer<Vec<(i64, i64)>> {
    let mut select = Select::new(table, &request.actor);
    select.columns = vec![id];
    select.least = Level::Full;
    select.join = Some(join);
    select.with_subject = true;
    let text = format!("j.{} IN_LIST(?)", join.from);
    select.filter = Cond::sql(text, [Value::Ints(forms.into())]);
    let found = q.rows(&select.ordered(Vec::new()).sql()).await?;
    let (mut pairs, mut read) = (Vec::new(), Vec::new());
    for row in found.iter() {
        let [Value::Int(id), Value::Int(form), rest @ ..] = row else { continue };
        pairs.push((*form, *id));
        // Of users whose data it is stands behind it (SEC-19).
        if let ([subject, watch, ..], Some(_)) = (rest, table.subject)
            && let Some(client) = subject.int()
        {
            read.push((client, watch.int().map_or(Watch::BrokenGlass, Watch::from_number)));
        }
    }
    request.reads.note("RecurringForm.users_and_groups", read);
    Ok(pairs)
}

/// `users_and_groups`: as `recipient_ids` names them.
async fn recipients(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let forms = numbers(&rows);
    let mut named: HashMap<i64, Vec<Out>> = HashMap::new();
    for (form, id) in seen(request, q, (&USERS, users::id, CLIENTS), &forms).await? {
        named.entry(form).or_default().push(id.to_string().into());
    }
    for (form, id) in seen(request, q, (&USER_GROUPS, user_groups::id, GROUPS), &forms).await? {
        named.entry(form).or_default().push(format!("group-{id}").into());
    }
    let of = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| named.get(&id)).cloned();
    Ok(rows.iter().map(|row| Out::List(of(row).unwrap_or_default())).collect())
}

/// `has_connected_recipient`: whether a client or group whom the caller sees is asked.
async fn connects(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    const AT: &str = "connectable_id";
    let (id, of_type) = (args.text(AT), args.text("connectable_type"));
    let Some(named) = connected(id, of_type, AT, request.instance.ids())? else {
        return Ok(vec![Out::Bool(false); rows.len()]);
    };
    let forms = numbers(&rows);
    let (of, wanted) = match named {
        Named::Client(id) => ((&USERS, users::id, CLIENTS), id.0),
        Named::Group(id) => ((&USER_GROUPS, user_groups::id, GROUPS), id.0),
    };
    let asked = seen(request, q, of, &forms).await?;
    let asked: HashSet<i64> =
        asked.into_iter().filter(|(_, id)| *id == wanted).map(|(form, _)| form).collect();
    let is_asked = |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| asked.contains(&id));
    Ok(rows.iter().map(|row| is_asked(row).into()).collect())
}
