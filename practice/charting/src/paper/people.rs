//! Who is named on paper: practices, members, and the client whose paper it is.

use std::collections::HashMap;

use ward_engine::{Answer, Request};
use ward_identity::account::joined;
use ward_identity::tables::{ORGANIZATIONS, USERS, User, organizations, users};
use ward_store::{Cond, Id, Level, Query, Select, Value};

use crate::filled::tables::{ChartingNoteAddendum, FormAnswerGroup};

/// Names of the practices that the notes are of: whoever sees a note sees whose it is.
pub async fn practices(
    request: &Request,
    q: &mut dyn Query,
    groups: &[FormAnswerGroup],
) -> Answer<HashMap<i64, String>> {
    let ids: Vec<i64> = groups.iter().map(|it| it.unit_id.0).collect();
    let mut select = Select::new(&ORGANIZATIONS, &request.actor);
    select.columns = vec![organizations::id, organizations::name];
    select.shown = true;
    select.filter = Cond::is_in("id", &ids);
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned()));
    Ok(found.iter().filter_map(pair).collect())
}

/// Names of who filled in, locked and added, whatever became of them.
pub async fn staff(
    request: &Request,
    q: &mut dyn Query,
    groups: &[FormAnswerGroup],
    addenda: &[ChartingNoteAddendum],
) -> Answer<HashMap<i64, String>> {
    let of_groups = groups.iter().flat_map(|it| [it.filler_id, it.locked_by_id]).flatten();
    let all = of_groups.chain(addenda.iter().map(|it| it.user_id));
    let mut ids: Vec<i64> = all.map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::id, users::first_name, users::last_name];
    select.shown = true;
    select.deleted = true;
    select.by_id = true;
    select.filter = Cond::is_in("id", &ids);
    if select.filter.is_never() {
        return Ok(HashMap::new());
    }
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| {
        let name = joined([row.get(1).and_then(Value::text), row.get(2).and_then(Value::text)]);
        Some((row.first()?.int()?, name))
    };
    Ok(found.iter().filter_map(pair).collect())
}

/// The client as each page names them: two things by which they are told from others, where the
/// caller may read both.
pub async fn client(request: &Request, q: &mut dyn Query, client: Id<User>) -> Answer<String> {
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![users::first_name, users::last_name, users::dob];
    select.shown = true;
    select.deleted = true;
    select.by_id = true;
    select.filter = Cond::eq("id", client.0);
    let found = q.rows(&select.sql()).await?;
    let [first, last, dob, level] = found.row(0) else { return Ok(String::new()) };
    let name = joined([first.text(), last.text()]);
    let is_full = level.int() == Some(Level::Full as i64);
    let born = dob.text().filter(|_| is_full).map(|day| format!("born {day}"));
    let parts = [Some(name).filter(|it| !it.is_empty()), born];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
