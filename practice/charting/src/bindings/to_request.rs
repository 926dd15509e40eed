//! `formTypesToRequest`: what staff can ask a client to fill in (behaviour 28). The
//! reference's built-in forms (billing, insurance) are of domains that are not built.

use ward_engine::{Answer, Args, Bindings, Kind, Out, Request, RowView};
use ward_store::{Cond, Keywords, Level, OrderKey, Query, Select, Value};

use crate::listing::requestable;
use crate::tables::{CUSTOM_MODULE_FORMS, custom_module_forms as at};

/// What a request calls a form that the practice made.
const ITEM_TYPE: &str = "cmf";
/// So many are listed; keywords find the others.
const LISTED_MAX: i64 = 2_000;

/// Binds the field.
pub fn bind(b: &mut Bindings) {
    b.value_object("FormTypesToRequest", &["id", "is_video", "item_type", "name"]);
    b.batch("Query", "formTypesToRequest", &[], |request, q, rows, args| {
        Box::pin(types(request, q, rows, args))
    })
    .args(&[("keywords", Kind::Plain), ("sort_by", Kind::Plain)]);
}

async fn types(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let mut select = Select::new(&CUSTOM_MODULE_FORMS, &request.actor);
    select.columns = vec![at::id, at::is_video, at::name];
    select.least = Level::Full;
    select.filter = match request.actor.is_member() {
        true => requestable(),
        false => Cond::Never,
    };
    if let Some(words) = args.text("keywords") {
        let words = Keywords::new(&CUSTOM_MODULE_FORMS, request.actor.org_id, words);
        select.filter = select.filter.and(words.cond());
    }
    select.limit = Some(LISTED_MAX);
    let descending = args.text("sort_by") == Some("name_desc");
    let select = select.ordered(vec![OrderKey::column("name_fold", descending)]);
    let found: Vec<Out> = match select.filter.is_never() {
        true => Vec::new(),
        false => q.rows(&select.sql()).await?.iter().filter_map(listed).collect(),
    };
    Ok(rows.iter().map(|_| Out::List(found.clone())).collect())
}

fn listed(row: &[Value]) -> Option<Out> {
    let [Value::Int(id), is_video, name, ..] = row else { return None };
    Some(Out::Object(vec![
        ("id", id.to_string().into()),
        ("is_video", is_video.truth().into()),
        ("item_type", ITEM_TYPE.into()),
        ("name", name.text().map(str::to_owned).into()),
    ]))
}
