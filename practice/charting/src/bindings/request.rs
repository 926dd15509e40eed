//! Fields of requests and of what became of them, and of whom they concern.

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Link, Out, Request, Returns, RowView, op};
use ward_identity::tables::{USERS, users};
use ward_instance::Timestamp;
use ward_store::Query;

use crate::filled::listing as filled;
use crate::filled::tables::{FORM_ANSWER_GROUPS, form_answer_groups};
use crate::flow::due;
use crate::request::tables::{
    FORM_HISTORIES, RECURRING_FORMS, REQUESTED_FORM_COMPLETIONS, form_histories as deed,
    requested_form_completions as at,
};
use crate::request::{ITEM_TYPE, change, create, history, listing};
use crate::tables::CUSTOM_MODULE_FORMS;

const OF: &str = "RequestedFormCompletion";
const HISTORY: &str = "FormHistory";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    queries(b);
    fields(b);
    of_others(b);
    const REQUEST: (&str, Returns) =
        ("requestedFormCompletion", Returns::One(&REQUESTED_FORM_COMPLETIONS));
    const MADE: &[(&str, Returns)] = &[REQUEST, ("requestedFormCompletionStatus", Returns::Leaf)];
    b.value_object("RequestedFormStatusType", &["status"]);
    b.mutation("createRequestedFormCompletion", MADE, op!(create::create));
    b.mutation("deleteRequestedFormCompletion", &[REQUEST], op!(change::delete));
}

fn queries(b: &mut Bindings) {
    let requests = &REQUESTED_FORM_COMPLETIONS;
    b.query_one("requestedFormCompletion", requests, listing::one)
        .args(listing::ONE_ARGS)
        .after(history::request_opened);
    b.query_list("requestedFormCompletions", requests, listing::all)
        .args(listing::ALL_ARGS)
        .orders(listing::MADE, "CREATED_AT_DESC");
    b.query_list("formHistories", &FORM_HISTORIES, listing::histories)
        .args(listing::HISTORY_ARGS)
        .orders(listing::MADE, "CREATED_AT_DESC");
    b.query_count("formHistoriesCount", &FORM_HISTORIES, listing::histories)
        .args(listing::HISTORY_ARGS);
}

fn fields(b: &mut Bindings) {
    b.object(OF, &REQUESTED_FORM_COMPLETIONS);
    b.computed(OF, "item_type", &[], |_, _, _| ITEM_TYPE.into());
    // A program's own data is nothing to clients (behaviour 9).
    b.computed(OF, "metadata", &[at::metadata], |request, row, _| {
        row.text(at::metadata).filter(|_| request.actor.is_member()).map(str::to_owned).into()
    });
    b.computed(OF, "date_to_show", &[at::completed_at, at::created_at], |_, row, _| date(row));
    let form = Link::Key(at::custom_module_form_id);
    b.one(OF, "custom_module_form", &CUSTOM_MODULE_FORMS, form).listing(filled::template);
    b.one(OF, "form_answer_group", &FORM_ANSWER_GROUPS, Link::Key(at::form_answer_group_id));
    b.one(OF, "recurring_form", &RECURRING_FORMS, Link::Key(at::recurring_form_id));
    for (field, column) in [("recipient", at::recipient_id), ("sender", at::sender_id)] {
        b.one(OF, field, &USERS, Link::Key(column)).listing(filled::left);
    }
    b.object(HISTORY, &FORM_HISTORIES);
    for (field, column) in [("creator", deed::creator_id), ("patient", deed::patient_id)] {
        b.one(HISTORY, field, &USERS, Link::Key(column)).listing(filled::left);
    }
}

/// What is said of requests elsewhere.
fn of_others(b: &mut Bindings) {
    let filled_in = Link::Column { parent: form_answer_groups::id, child: "form_answer_group_id" };
    b.one("FormAnswerGroup", "requested_form_completion", &REQUESTED_FORM_COMPLETIONS, filled_in);
    b.batch("User", "requested_form_count", &[users::id], |request, q, rows, _| {
        Box::pin(counts(request, q, rows, Out::Int))
    });
    b.batch("User", "any_incomplete_requested_form_completions", &[users::id], |r, q, rows, _| {
        Box::pin(counts(r, q, rows, |count| Out::Bool(count > 0)))
    });
}

/// When it was completed, else when it was asked.
fn date(row: &RowView<'_>) -> Out {
    let done = row.get(at::completed_at).int();
    let moment = done.or(row.get(at::created_at).int());
    moment.map_or(Out::Null, |at| Out::Instant(Timestamp(at)))
}

/// Something of how many requests wait for each client.
async fn counts(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    value: fn(i64) -> Out,
) -> Answer<Vec<Out>> {
    let clients: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let found: HashMap<i64, i64> = due::requests(request, q, &clients).await?;
    let of = |row: &RowView<'_>| row.get(users::id).int().and_then(|id| found.get(&id).copied());
    Ok(rows.iter().map(|row| value(of(row).unwrap_or(0))).collect())
}
