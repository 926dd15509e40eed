//! Fields of answers: what was asked is what the question was then (DOM-13).

use std::collections::HashMap;

use jiff::tz::TimeZone;
use ward_engine::{Answer, Bindings, Kind, Link, Out, Request, RowView};
use ward_identity::tables::User;
use ward_store::{Cond, Entity, Join, Query, Select, Value};

use crate::filled::tables::{
    FORM_ANSWER_GROUPS, FORM_ANSWERS, FormAnswerGroup, form_answers as at,
};
use crate::filled::{listing, prefill};
use crate::rules::display::displayed;
use crate::tables::{CUSTOM_MODULES, CustomModuleForm, QUESTION_VERSIONS, question_versions};

const OF: &str = "FormAnswer";

/// Questions by their versions.
const VERSIONS: Join = Join { table: "question_versions", to: "custom_module_id", from: "id" };

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.object(OF, &FORM_ANSWERS);
    b.computed(OF, "metadata", &[at::metadata], |request, row, _| {
        row.text(at::metadata).filter(|_| request.actor.is_member()).map(str::to_owned).into()
    });
    b.batch(OF, "user_id", &[at::user_id], |request, q, rows, _| {
        Box::pin(super::clients(request, q, rows, at::user_id))
    });
    let needs: &'static [usize] = &[at::answer, at::mod_type, at::answered_at, at::updated_at];
    b.computed(OF, "displayed_answer", needs, |request, row, _| shown(request, row).into());
    let version = Link::Join { parent: at::question_version_id, join: VERSIONS };
    b.one(OF, "custom_module", &CUSTOM_MODULES, version).listing(listing::asked);
    b.one(OF, "form_answer_group", &FORM_ANSWER_GROUPS, Link::Key(at::form_answer_group_id));
    const VERSION: &[usize] = &[at::question_version_id];
    use question_versions as then;
    b.batch(OF, "label", VERSION, |request, q, rows, _| {
        Box::pin(of_versions(request, q, rows, then::label))
    });
    b.batch(OF, "conditional_custom_module_id", VERSION, |request, q, rows, _| {
        Box::pin(of_versions(request, q, rows, then::conditional_custom_module_id))
    });
    b.batch(OF, "filter_type", VERSION, |request, q, rows, _| {
        Box::pin(of_versions(request, q, rows, then::filter_type))
    });
    b.batch(OF, "value_to_filter", VERSION, |request, q, rows, _| {
        Box::pin(of_versions(request, q, rows, then::value_to_filter))
    });
    b.batch("Query", "initialFormAnswers", &[], |request, q, rows, args| {
        Box::pin(prefill::listed(request, q, rows, args))
    })
    .args(&[
        ("custom_module_form_id", Kind::Id(CustomModuleForm::NAME)),
        ("incomplete_form_id", Kind::Id(FormAnswerGroup::NAME)),
        ("user_id", Kind::Id(User::NAME)),
    ]);
}

/// The answer as people read it, at the reader's time.
fn shown(request: &Request, row: &RowView<'_>) -> Option<String> {
    let answer = row.text(at::answer)?;
    let given = row.get(at::answered_at).int().or(row.get(at::updated_at).int())?;
    let given = jiff::Timestamp::from_microsecond(given).ok()?;
    let zone: &TimeZone = &request.zone;
    displayed(row.text(at::mod_type)?, answer, zone.to_datetime(given))
}

/// Something of the question as it was when it was answered. Nobody sees versions but by
/// the answers that they see.
async fn of_versions(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    column: usize,
) -> Answer<Vec<Out>> {
    let mut ids: Vec<i64> =
        rows.iter().filter_map(|row| row.get(at::question_version_id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    let system = ward_store::Actor::system(request.actor.org_id);
    let mut select = Select::new(&QUESTION_VERSIONS, &system);
    select.columns = vec![question_versions::id, column];
    select.filter = Cond::is_in("id", &ids);
    select.by_id = true;
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.clone()));
    let found: HashMap<i64, Value> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| match row
        .get(at::question_version_id)
        .int()
        .and_then(|id| found.get(&id))
    {
        Some(Value::Int(id)) => Out::from(id.to_string()),
        Some(value) => value.text().map(str::to_owned).into(),
        None => Out::Null,
    };
    Ok(rows.iter().map(of).collect())
}
