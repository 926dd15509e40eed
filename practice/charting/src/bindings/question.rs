//! Fields of questions.

use std::collections::{BTreeMap, HashMap, HashSet};

use ward_engine::{Answer, Bindings, Link, Listing, Out, Request, RowView};
use ward_identity::tables::{ORGANIZATIONS, organizations};
use ward_store::{Cond, Level, OrderKey, Query, Role, Select, Table, Value};

use crate::listing;
use crate::rules::section::{of, scored, sections};
use crate::rules::{Question, kind, options};
use crate::tables::{
    CUSTOM_MODULE_CONDITIONS, CUSTOM_MODULE_FORMS, CUSTOM_MODULES, custom_module_conditions,
    custom_modules as at,
};

const OF: &str = "CustomModule";

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &CUSTOM_MODULES);
    b.computed(OF, "position", &[at::place], |_, row, _| position(row)).public();
    b.computed(OF, "position_integer", &[at::place], |_, row, _| {
        row.get(at::place).int().map(|place| place / crate::question::order::STEP).into()
    })
    .public();
    b.computed(OF, "options_array", &[at::options], |_, row, _| {
        row.text(at::options).map(options).into()
    })
    .public();
    b.one(OF, "custom_module_form", &CUSTOM_MODULE_FORMS, Link::Key(at::custom_module_form_id))
        .listing(|_, _| Ok(Listing::all().public()))
        .public();
    let own = Link::Column { parent: at::id, child: "custom_module_id" };
    b.one(OF, "custom_module_condition", &CUSTOM_MODULE_CONDITIONS, own)
        .listing(|_, _| Ok(Listing::all().public()))
        .orders(listing::MADE, "CREATED_AT_ASC")
        .public();
    b.object("CustomModuleConditionType", &CUSTOM_MODULE_CONDITIONS);
    const PLACED: &[usize] = &[at::id, at::custom_module_form_id];
    b.batch(OF, "custom_module_form_section_id", PLACED, |request, q, rows, _| {
        Box::pin(headings(request, q, rows))
    })
    .public();
    const SUMS: &[usize] = &[at::id, at::custom_module_form_id, at::mod_type];
    b.batch(OF, "other_module_ids_to_autoscore_on", SUMS, |request, q, rows, _| {
        Box::pin(summed(request, q, rows))
    })
    .public();
    b.batch(OF, "controls_conditional_modules", &[at::id], |request, q, rows, _| {
        Box::pin(decides(request, q, rows))
    })
    .public();
    b.batch(OF, "hipaa_name", &[at::unit_id, at::mod_type], |request, q, rows, _| {
        Box::pin(practice_names(request, q, rows))
    })
    .public();
}

/// Thousandths as the number that they are of.
fn position(row: &RowView<'_>) -> Out {
    let place = row.get(at::place).int().and_then(|place| i32::try_from(place).ok());
    place.map_or(Out::Null, |place| Out::Float(f64::from(place) / 1_000.0))
}

/// Rows as the caller sees them. A stranger has no tenant: what they see is bound by
/// the public part of the table's predicate.
pub(super) fn seen<'a>(request: &'a Request, table: &'static Table) -> Select<'a> {
    let mut select = Select::new(table, &request.actor);
    if request.actor.role == Role::Anonymous {
        select.org_id = None;
    }
    select.least = Level::Public;
    select
}

/// The questions of templates in order, by template, as the caller sees them.
pub(super) async fn asked(
    request: &Request,
    q: &mut dyn Query,
    mut forms: Vec<i64>,
) -> Answer<HashMap<i64, Vec<Question>>> {
    forms.sort_unstable();
    forms.dedup();
    let mut select = seen(request, &CUSTOM_MODULES);
    select.columns = vec![at::custom_module_form_id, at::id, at::mod_type];
    select.filter = Cond::is_in("custom_module_form_id", &forms);
    let mut found: HashMap<i64, Vec<Question>> = HashMap::new();
    if select.filter.is_never() {
        return Ok(found);
    }
    let select = select.ordered(vec![OrderKey::column("place", false)]);
    let rows = q.rows(&select.sql()).await?;
    for row in rows.iter() {
        let [Value::Int(form), Value::Int(id), mod_type, ..] = row else { continue };
        let mod_type = mod_type.text().unwrap_or_default().to_owned();
        let question = Question { id: *id, mod_type, ..Question::default() };
        found.entry(*form).or_default().push(question);
    }
    Ok(found)
}

async fn asked_with(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
) -> Answer<HashMap<i64, Vec<Question>>> {
    let form = |row: &RowView<'_>| row.get(at::custom_module_form_id).int();
    asked(request, q, rows.iter().filter_map(form).collect()).await
}

/// The heading under which each stands.
async fn headings(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let found = asked_with(request, q, &rows).await?;
    let mut headings: BTreeMap<i64, i64> = BTreeMap::new();
    for section in found.values().flat_map(|all| sections(all)) {
        let Some(heading) = section.heading else { continue };
        headings.insert(heading.id, heading.id);
        headings.extend(section.questions.iter().map(|it| (it.id, heading.id)));
    }
    let value = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| headings.get(&id).copied());
    Ok(rows.iter().map(|row| value(row).into()).collect())
}

/// What each calculator sums up; nothing of what is none.
async fn summed(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let found = asked_with(request, q, &rows).await?;
    let value = |row: &RowView<'_>| {
        let own = row.get(at::custom_module_form_id).int().and_then(|form| found.get(&form));
        let sums = row.text(at::mod_type) == Some(kind::CALCULATOR);
        let ids = match (own.filter(|_| sums), row.get(at::id).int()) {
            (Some(all), Some(id)) => of(&sections(all), id).map(scored).unwrap_or_default(),
            _ => Vec::new(),
        };
        Out::from(ids)
    };
    Ok(rows.iter().map(value).collect())
}

/// Whether another question depends on each.
async fn decides(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let mut select = seen(request, &CUSTOM_MODULE_CONDITIONS);
    select.columns = vec![custom_module_conditions::conditional_custom_module_id];
    select.filter = Cond::is_in("conditional_custom_module_id", &ids);
    let deciders: HashSet<i64> = match select.filter.is_never() {
        true => HashSet::new(),
        false => {
            let found = q.rows(&select.sql()).await?;
            found.iter().filter_map(|row| row.first()?.int()).collect()
        }
    };
    let value = |row: &RowView<'_>| row.get(at::id).int().is_some_and(|id| deciders.contains(&id));
    Ok(rows.iter().map(|row| value(row).into()).collect())
}

/// In whose name a notice of privacy practices is: its organization's.
async fn practice_names(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let is_notice = |row: &RowView<'_>| row.text(at::mod_type) == Some(kind::HIPAA);
    let units: Vec<i64> = rows
        .iter()
        .filter(|row| is_notice(row))
        .filter_map(|row| row.get(at::unit_id).int())
        .collect();
    let mut select = seen(request, &ORGANIZATIONS);
    select.columns = vec![organizations::id, organizations::name];
    select.filter = Cond::is_in("id", &units);
    let names: HashMap<i64, String> = match select.filter.is_never() {
        true => HashMap::new(),
        false => {
            let found = q.rows(&select.sql()).await?;
            let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned()));
            found.iter().filter_map(pair).collect()
        }
    };
    let name =
        |row: &RowView<'_>| row.get(at::unit_id).int().and_then(|id| names.get(&id).cloned());
    let value = |row: &RowView<'_>| is_notice(row).then(|| name(row)).flatten();
    Ok(rows.iter().map(|row| value(row).into()).collect())
}
