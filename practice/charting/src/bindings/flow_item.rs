//! Fields of the steps of intake flows, and of what clients have done of them.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Bindings, Link, Out, Request, RowView};
use ward_identity::tables::USERS;
use ward_instance::Timestamp;
use ward_store::{Cond, Level, OrderKey, Query, Select, Value};

use super::flow::steps_of;
use super::question::asked;
use crate::filled::tables::{FORM_ANSWER_GROUPS, form_answer_groups as groups};
use crate::flow::tables::{
    COMPLETED_ONBOARDING_ITEMS, ItemType, ONBOARDING_FLOWS, ONBOARDING_ITEMS,
    completed_onboarding_items as done, onboarding_items as at,
};
use crate::flow::{due, listing, rules};
use crate::rules::{Question, kind};
use crate::tables::{CUSTOM_MODULE_FORMS, custom_module_forms as forms};

const OF: &str = "OnboardingItem";
const DONE: &str = "CompletedOnboardingItem";

/// Where a step says what it asks for.
pub(super) const ASKS: &[usize] = &[at::item_type, at::custom_module_form_id];
/// Where it says whose it is.
pub(super) const WHOSE: &[usize] =
    &[at::id, at::lens, at::custom_module_form_id, at::completed_onboarding_item_id];

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &ONBOARDING_ITEMS);
    b.computed(OF, "item_id", &[at::custom_module_form_id], |_, row, _| item_id(row)).public();
    b.batch(OF, "display_name", ASKS, |request, q, rows, _| {
        Box::pin(display_names(request, q, rows))
    })
    .public();
    b.batch(OF, "has_matrix_field", &[at::custom_module_form_id], |request, q, rows, _| {
        Box::pin(have_matrix(request, q, rows))
    })
    .public();
    b.batch(OF, "is_last_item", &[at::id, at::onboarding_flow_id], |request, q, rows, args| {
        Box::pin(are_last(request, q, rows, args))
    })
    .args(listing::ITEMS_ARGS)
    .public();
    let flow = Link::Join { parent: at::lens, join: due::FLOW_OF_LENS };
    b.one(OF, "onboarding_flow", &ONBOARDING_FLOWS, flow).listing(listing::flow_in_light).public();
    let own = Link::Key(at::completed_onboarding_item_id);
    b.one(OF, "completed_onboarding_item", &COMPLETED_ONBOARDING_ITEMS, own).public();
    b.batch(OF, "completed_form_id", WHOSE, |request, q, rows, _| {
        Box::pin(completed_forms(request, q, rows))
    })
    .public();
    b.batch(OF, "incomplete_form_id", WHOSE, |request, q, rows, _| {
        Box::pin(incomplete_forms(request, q, rows))
    })
    .public();
    b.batch(OF, "date_to_show", WHOSE, |request, q, rows, _| Box::pin(dates(request, q, rows)))
        .public();
    completed(b);
}

fn completed(b: &mut Bindings) {
    b.object(DONE, &COMPLETED_ONBOARDING_ITEMS);
    b.column(DONE, "date_to_show", done::completed_at);
    b.one(DONE, "user", &USERS, Link::Key(done::user_id)).listing(listing::public);
    let step = Link::Key(done::onboarding_item_id);
    b.one(DONE, "onboarding_item", &ONBOARDING_ITEMS, step).listing(listing::left);
    const STEP: &[usize] = &[done::onboarding_item_id];
    b.batch(DONE, "item_id", STEP, |request, q, rows, _| {
        Box::pin(of_steps(request, q, rows, |_, form| form.int().map(|id| id.to_string()).into()))
    });
    b.batch(DONE, "item_type", STEP, |request, q, rows, _| {
        Box::pin(of_steps(request, q, rows, |item_type, _| {
            item_type.text().map(str::to_owned).into()
        }))
    });
}

/// The form's number, of a step that asks for one.
pub(super) fn item_id(row: &RowView<'_>) -> Out {
    row.get(at::custom_module_form_id).int().map(|id| id.to_string()).into()
}

/// Something of the steps that were done, whatever became of them.
async fn of_steps(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    value: fn(&Value, &Value) -> Out,
) -> Answer<Vec<Out>> {
    let columns = vec![at::id, at::item_type, at::custom_module_form_id];
    let of = (&rows[..], done::onboarding_item_id);
    let found = super::related(request, q, (&ONBOARDING_ITEMS, true), of, columns).await?;
    let of = |row: &RowView<'_>| {
        let found = row.get(done::onboarding_item_id).int().and_then(|id| found.get(&id));
        match found.map(Vec::as_slice) {
            Some([_, item_type, form, ..]) => value(item_type, form),
            _ => Out::Null,
        }
    };
    Ok(rows.iter().map(of).collect())
}

/// `display_name`: the form's name, else what the step is. Strangers and clients are told the
/// names of forms that they see, members whatever became of the form.
pub(super) async fn display_names(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let of = (&rows[..], at::custom_module_form_id);
    let columns = vec![forms::id, forms::name];
    let shown = (&CUSTOM_MODULE_FORMS, request.actor.is_member());
    let found = super::related(request, q, shown, of, columns).await?;
    let of = |row: &RowView<'_>| {
        let form = row.get(at::custom_module_form_id).int().and_then(|id| found.get(&id));
        let name = form.and_then(|it| it.get(1)).and_then(Value::text);
        Out::from(name.or(row.text(at::item_type)).map(str::to_owned))
    };
    Ok(rows.iter().map(of).collect())
}

async fn have_matrix(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let form = |row: &RowView<'_>| row.get(at::custom_module_form_id).int();
    let all: Vec<i64> = rows.iter().filter_map(form).collect();
    let found: HashMap<i64, Vec<Question>> = asked(request, q, all).await?;
    let has = |row: &RowView<'_>| {
        let own = form(row).and_then(|id| found.get(&id));
        Out::from(own.is_some_and(|own| own.iter().any(|it| it.mod_type == kind::MATRIX)))
    };
    Ok(rows.iter().map(has).collect())
}

async fn are_last(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let flow = |row: &RowView<'_>| row.get(at::onboarding_flow_id).int();
    let flows = super::numbers(&rows, at::onboarding_flow_id);
    let steps: HashMap<i64, Vec<(i64, ItemType)>> = steps_of(request, q, &flows).await?;
    let forms_only = args.flag("custom_module_forms_only");
    let is_last = |row: &RowView<'_>| {
        let own = flow(row).and_then(|id| steps.get(&id)).map(Vec::as_slice);
        let last = rules::last(own.unwrap_or_default(), forms_only);
        Out::from(last.is_some() && last == row.get(at::id).int())
    };
    Ok(rows.iter().map(is_last).collect())
}

/// What was done of each step, as the caller sees it: when, skipped or not, what was filled
/// in, by whom.
pub(super) async fn deeds(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
) -> Answer<HashMap<i64, Vec<Value>>> {
    let columns = vec![done::id, done::skipped, done::form_answer_group_id, done::completed_at];
    let of = (rows, at::completed_onboarding_item_id);
    super::related(request, q, (&COMPLETED_ONBOARDING_ITEMS, false), of, columns).await
}

fn deed<'a>(row: &RowView<'_>, deeds: &'a HashMap<i64, Vec<Value>>) -> Option<&'a [Value]> {
    let id = row.get(at::completed_onboarding_item_id).int()?;
    deeds.get(&id).map(Vec::as_slice)
}

/// Whether the step was skipped; nothing where nothing was done of it.
pub(super) fn skipped(row: &RowView<'_>, deeds: &HashMap<i64, Vec<Value>>) -> Option<bool> {
    Some(deed(row, deeds)?.get(1)?.truth())
}

pub(super) async fn completed_forms(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let deeds = deeds(request, q, &rows).await?;
    let filled = |row: &RowView<'_>| deed(row, &deeds)?.get(2)?.int();
    let wanted: Vec<i64> = rows.iter().filter_map(filled).collect();
    let mut select = Select::new(&FORM_ANSWER_GROUPS, &request.actor);
    select.columns = vec![groups::id];
    select.least = Level::Full;
    select.filter = Cond::is_in("id", &wanted);
    let there: Vec<i64> = match select.filter.is_never() {
        true => Vec::new(),
        false => q.rows(&select.sql()).await?.iter().filter_map(|it| it.first()?.int()).collect(),
    };
    let of = |row: &RowView<'_>| filled(row).filter(|id| there.contains(id));
    Ok(rows.iter().map(|row| of(row).map(|id| id.to_string()).into()).collect())
}

/// When the step was done or skipped.
pub(super) async fn dates(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let deeds = deeds(request, q, &rows).await?;
    let at = |row: &RowView<'_>| {
        let moment = deed(row, &deeds)?.get(3)?.int()?;
        Some(Out::Instant(Timestamp(moment)))
    };
    Ok(rows.iter().map(|row| at(row).unwrap_or(Out::Null)).collect())
}

pub(super) async fn incomplete_forms(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let drafts = drafts(request, q, &rows).await?;
    let of = |row: &RowView<'_>| draft(row, &drafts).map(|id| id.to_string());
    Ok(rows.iter().map(|row| of(row).into()).collect())
}

/// The newest drafts of clients' forms, by client and form.
pub(super) type Drafts = HashMap<(i64, i64), i64>;

/// The draft of the form that a step asks for, of the client in whose light it is read, while
/// the step is neither done nor skipped.
pub(super) fn draft(row: &RowView<'_>, drafts: &Drafts) -> Option<i64> {
    if !row.get(at::completed_onboarding_item_id).is_null() {
        return None;
    }
    let who = row.get(at::lens).int().filter(|lens| *lens > 0)?;
    drafts.get(&(who, row.get(at::custom_module_form_id).int()?)).copied()
}

/// Drafts of the forms that steps ask for, as the caller sees them.
pub(super) async fn drafts(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
) -> Answer<Drafts> {
    let mut clients = super::numbers(rows, at::lens);
    clients.retain(|lens| *lens > 0);
    let clients = Cond::is_in("user_id", &clients);
    let forms = super::numbers(rows, at::custom_module_form_id);
    let asked = Cond::is_in("custom_module_form_id", &forms);
    let mut select = Select::new(&FORM_ANSWER_GROUPS, &request.actor);
    select.columns = vec![groups::id, groups::custom_module_form_id, groups::user_id];
    select.least = Level::Full;
    let open = Cond::eq("finished", false).and(Cond::eq("use_for_charting", false));
    select.filter = clients.and(asked).and(open);
    if select.filter.is_never() {
        return Ok(Drafts::new());
    }
    let keys = vec![OrderKey::column("created_at", false)];
    let found = q.rows(&select.ordered(keys).sql()).await?;
    // The last one of each stays.
    let one = |row: &[Value]| {
        let [Value::Int(id), Value::Int(form), Value::Int(client), ..] = row else { return None };
        Some(((*client, *form), *id))
    };
    Ok(found.iter().filter_map(one).collect())
}
