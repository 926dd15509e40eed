//! What answers each contract field of the domain, one line a field.

mod answer;
mod attachment;
mod available;
mod flow;
mod flow_item;
mod form;
mod group;
mod group_note;
mod intake;
mod live;
mod question;
mod recurring;
mod request;
mod signing;
mod to_request;

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Kind, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, users};
use ward_scheduling::appointment::table::APPOINTMENTS;
use ward_store::{Cond, Query, Table, Value};

use crate::filled::tables::FORM_ANSWER_GROUPS;
use crate::filled::{change as filled, listing as filled_in, session};
use crate::form::{change as forms, copy, share};
use crate::listing;
use crate::question::change as questions;
use crate::request::history;
use crate::tables::{CUSTOM_MODULE_FORMS, CUSTOM_MODULES};

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    form::bind(b);
    question::bind(b);
    to_request::bind(b);
    group::bind(b);
    group_note::bind(b);
    answer::bind(b);
    attachment::bind(b);
    signing::bind(b);
    flow::bind(b);
    flow_item::bind(b);
    intake::bind(b);
    live::bind(b);
    available::bind(b);
    request::bind(b);
    recurring::bind(b);
}

fn queries(b: &mut Bindings) {
    b.query_one("customModuleForm", &CUSTOM_MODULE_FORMS, listing::form)
        .args(listing::FORM_ARGS)
        .orders(listing::FORM_ORDERS, "UPDATED_AT_DESC")
        .public();
    b.query_list("customModuleForms", &CUSTOM_MODULE_FORMS, listing::forms)
        .args(listing::FORMS_ARGS)
        .orders(listing::FORM_ORDERS, "UPDATED_AT_DESC")
        .public();
    b.query_count("customModuleFormsCount", &CUSTOM_MODULE_FORMS, listing::forms)
        .args(listing::FORMS_ARGS);
    b.query_list("customModules", &CUSTOM_MODULES, listing::questions)
        .args(&[("keywords", Kind::Plain)])
        .orders(listing::MADE, "CREATED_AT_DESC");
    let groups = &FORM_ANSWER_GROUPS;
    b.query_one("formAnswerGroup", groups, filled_in::one)
        .args(filled_in::ONE_ARGS)
        .after(history::group_opened);
    b.query_list("formAnswerGroups", groups, filled_in::groups)
        .args(filled_in::GROUPS_ARGS)
        .orders(filled_in::ORDERS, "CREATED_AT_DESC");
    b.query_count("formAnswerGroupsCount", groups, filled_in::groups).args(filled_in::COUNT_ARGS);
    b.query_list("chartNotes", groups, filled_in::notes)
        .args(filled_in::NOTES_ARGS)
        .orders(filled_in::ORDERS, "CREATED_AT_DESC");
    b.query_list("chartingItems", groups, filled_in::items)
        .args(filled_in::ITEMS_ARGS)
        .orders(filled_in::ORDERS, "CREATED_AT_DESC");
    b.query_count("chartingItemsCount", groups, filled_in::items).args(filled_in::ITEMS_ARGS);
}

fn mutations(b: &mut Bindings) {
    const FORM: &[(&str, Returns)] = &[("customModuleForm", Returns::One(&CUSTOM_MODULE_FORMS))];
    const QUESTION: &[(&str, Returns)] = &[("customModule", Returns::One(&CUSTOM_MODULES))];
    b.mutation("createCustomModuleForm", FORM, op!(forms::create));
    b.mutation("updateCustomModuleForm", FORM, op!(forms::update));
    b.mutation("deleteCustomModuleForm", FORM, op!(forms::delete));
    b.mutation("copyCustomModuleForm", FORM, op!(copy::copy));
    b.mutation("shareCustomModuleForm", FORM, op!(share::share));
    b.mutation("createCustomModule", QUESTION, op!(questions::create));
    b.mutation("updateCustomModule", QUESTION, op!(questions::update));
    b.mutation("deleteCustomModule", QUESTION, op!(questions::delete));
    b.mutation("copyCustomModule", QUESTION, op!(questions::copy));
    const FILLED: &[(&str, Returns)] = &[("form_answer_group", Returns::One(&FORM_ANSWER_GROUPS))];
    b.mutation("createFormAnswerGroup", FILLED, op!(filled::create));
    b.mutation("updateFormAnswerGroup", FILLED, op!(filled::update));
    b.mutation("deleteFormAnswerGroup", FILLED, op!(filled::delete));
    const CONNECTED: &[(&str, Returns)] = &[
        ("appointment", Returns::One(&APPOINTMENTS)),
        ("form_answer_group", Returns::One(&FORM_ANSWER_GROUPS)),
    ];
    b.mutation("createAppointmentFormAnswerGroupConnection", CONNECTED, op!(session::connect));
    b.mutation("deleteAppointmentFormAnswerGroupConnection", FILLED, op!(session::disconnect));
}

/// The numbers in a column of some rows, in order and each once.
fn numbers(rows: &[RowView<'_>], column: usize) -> Vec<i64> {
    let mut numbers: Vec<i64> = rows.iter().filter_map(|row| row.get(column).int()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The client whom a column of each names, for who sees them: a group note is read by who sees
/// another client of the group, too.
async fn clients(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    column: usize,
) -> Answer<Vec<Out>> {
    let columns = vec![users::id];
    let found = related(request, q, (&USERS, false), (&rows, column), columns).await?;
    let seen = |row: &RowView<'_>| row.get(column).int().filter(|id| found.contains_key(id));
    Ok(rows.iter().map(|row| seen(row).into()).collect())
}

/// Columns of the rows that a column of some rows names, by their ids, which come first,
/// as the caller sees them; with `shown` their public part in any case.
async fn related(
    request: &Request,
    q: &mut dyn Query,
    (table, shown): (&'static Table, bool),
    (rows, column): (&[RowView<'_>], usize),
    columns: Vec<usize>,
) -> Answer<HashMap<i64, Vec<Value>>> {
    let mut select = question::seen(request, table);
    select.columns = columns;
    select.shown = shown;
    select.deleted = true;
    select.by_id = true;
    select.filter = Cond::is_in("id", &numbers(rows, column));
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let found = q.rows(&select.sql()).await?;
    Ok(found.iter().filter_map(|row| Some((row.first()?.int()?, row.to_vec()))).collect())
}
