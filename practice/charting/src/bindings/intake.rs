//! `intakeFlow`: a client's steps with how far they came with each (behaviour 27). What is
//! asked for besides, by request, is not built.

use ward_engine::{Answer, Bindings, Link, Out, Request, RowView};
use ward_identity::tables::{USERS, users};
use ward_store::{Query, Value};

use super::flow_item::{self as step, ASKS, WHOSE};
use crate::flow::tables::{COMPLETED_ONBOARDING_ITEMS, ONBOARDING_ITEMS, onboarding_items as at};
use crate::flow::{due, listing, rules};
use crate::tables::CUSTOM_MODULE_FORMS;

const OF: &str = "IntakeFlowType";
const ITEM: &str = "IntakeFlowItem";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_one("intakeFlow", &USERS, listing::client).args(listing::OF_CLIENT_ARGS);
    b.object(OF, &USERS);
    let steps = Link::Join { parent: users::id, join: due::ITEMS_OF_LENS };
    for field in ["all_forms", "forms", "intake_flows"] {
        b.many(OF, field, &ONBOARDING_ITEMS, steps)
            .listing(listing::items_in_light)
            .orders(listing::BY_PLACE, "PLACE_ASC");
    }
    b.many(OF, "not_started_incomplete", &ONBOARDING_ITEMS, steps)
        .listing(listing::due_steps)
        .orders(listing::BY_PLACE, "PLACE_ASC");
    b.many(OF, "completed_skipped", &ONBOARDING_ITEMS, steps)
        .listing(listing::done_steps)
        .orders(listing::BY_PLACE, "PLACE_ASC");
    items(b);
}

fn items(b: &mut Bindings) {
    b.object(ITEM, &ONBOARDING_ITEMS);
    b.batch(ITEM, "display_name", ASKS, |request, q, rows, _| {
        Box::pin(step::display_names(request, q, rows))
    })
    .public();
    b.batch(ITEM, "form_answer_group_id", WHOSE, |request, q, rows, _| {
        Box::pin(step::completed_forms(request, q, rows))
    })
    .public();
    b.batch(ITEM, "incomplete_form_id", WHOSE, |request, q, rows, _| {
        Box::pin(step::incomplete_forms(request, q, rows))
    })
    .public();
    b.batch(ITEM, "date_to_show", WHOSE, |request, q, rows, _| {
        Box::pin(step::dates(request, q, rows))
    })
    .public();
    b.batch(ITEM, "skipped", WHOSE, |request, q, rows, _| Box::pin(skipped(request, q, rows)))
        .public();
    b.batch(ITEM, "status", WHOSE, |request, q, rows, _| Box::pin(statuses(request, q, rows)))
        .public();
    b.computed(ITEM, "form_type", &[], |_, _, _| "intake_forms".into()).public();
    b.computed(ITEM, "typename", &[], |_, _, _| "OnboardingItem".into()).public();
    let form = Link::Key(at::custom_module_form_id);
    b.one(ITEM, "custom_module_form", &CUSTOM_MODULE_FORMS, form).listing(listing::public).public();
    b.one(ITEM, "onboarding_item", &ONBOARDING_ITEMS, Link::Key(at::id))
        .listing(listing::public)
        .public();
    let own = Link::Key(at::completed_onboarding_item_id);
    b.one(ITEM, "completed_onboarding_item", &COMPLETED_ONBOARDING_ITEMS, own).public();
}

async fn skipped(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let deeds = step::deeds(request, q, &rows).await?;
    let of = |row: &RowView<'_>| Out::from(step::skipped(row, &deeds).unwrap_or(false));
    Ok(rows.iter().map(of).collect())
}

/// `not_started`, `incomplete` or `completed`; what was skipped is asked no more.
async fn statuses(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let drafts = step::drafts(request, q, &rows).await?;
    let of = |row: &RowView<'_>| {
        let is_completed = !matches!(row.get(at::completed_onboarding_item_id), Value::Null);
        rules::status(is_completed, step::draft(row, &drafts).is_some())
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
