//! `User.weight`: the newest weight that was noted of a client (behaviour 30).

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Out, Request, RowView};
use ward_identity::tables::users;
use ward_store::{Actor, Cond, Query, Select, Value, read_selected};

use super::table::{ENTRIES, entries, open_to_proxy};

/// Binds it, in place of the account's own.
pub fn bind(b: &mut Bindings) {
    b.batch("User", "weight", &[users::id], |request, q, rows, _| {
        Box::pin(newest(request, q, rows))
    });
}

/// Of each user the newest weight of those whose entries the caller sees.
async fn newest(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let mut select = Select::new(&ENTRIES, &request.actor);
    select.columns = vec![entries::id, entries::org_id, entries::user_id, entries::metric_stat];
    select.filter = latest_of(&request.actor, &ids);
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = read_selected(q, &request.db, &select).await?;
    let pair = |row: &[Value]| Some((row.get(2)?.int()?, row.get(3)?.text()?.to_owned()));
    let found: HashMap<i64, String> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| row.get(users::id).int().and_then(|id| found.get(&id).cloned());
    Ok(rows.iter().map(|row| of(row).into()).collect())
}

/// One entry of each of these users, found from the end of their index: of those that who acts for a
/// client may know of, so that it does not tell of others by being none.
fn latest_of(actor: &Actor, ids: &[i64]) -> Cond {
    let Cond::Sql(whose, params) = Cond::is_in("id", ids) else { return Cond::Never };
    let (open, open_params) = match open_to_proxy(actor) {
        Cond::Sql(text, params) => (format!("AND {} ", text.replace("{t}", "latest")), params),
        Cond::Always => (String::new(), Vec::new()),
        Cond::Never => return Cond::Never,
    };
    let whose = whose.replace("{t}", "whose");
    Cond::sql(
        format!(
            "{{t}}.id IN (SELECT (SELECT latest.id FROM entries latest \
             WHERE latest.org_id = whose.org_id AND latest.user_id = whose.id \
             AND latest.kind = 'MetricEntry' AND latest.category = 'Weight' \
             AND latest.deleted_at IS NULL {open}ORDER BY latest.noted_at DESC, latest.id DESC LIMIT 1) \
             FROM users whose WHERE whose.org_id = ? AND {whose})"
        ),
        open_params.into_iter().chain([actor.org_id.into()]).chain(params),
    )
}
