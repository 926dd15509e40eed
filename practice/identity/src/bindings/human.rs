//! Which accounts are one human (behaviour 15), as far as the reader sees them.
//!
//! Accounts of one address have one human in the whole root organization. Told as
//! it is stored, that would tell whoever gives an account of theirs an address
//! whether somebody whom they do not see has it: a sibling's or a restricted
//! client. So a human is told as the first of its accounts that the reader sees.

use std::collections::{BTreeMap, BTreeSet};

use ward_engine::{Answer, Bindings, Out, Request, RowView};
use ward_store::{Cond, Level, Query, Select, Value, Watch};

use crate::tables::{USERS, users as at};
use crate::visibility;

const NEEDS: &[usize] = &[at::id, at::human_id];

/// Registers the fields.
pub fn bind(b: &mut Bindings) {
    for field in ["human_id", "true_human_id"] {
        b.batch("User", field, NEEDS, |request, conn, rows, _| {
            Box::pin(humans(request, conn, rows))
        });
    }
}

async fn humans(
    request: &Request,
    conn: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids = |column: usize| -> BTreeSet<i64> {
        rows.iter().filter_map(|row| row.get(column).int()).collect()
    };
    let (own, humans): (_, Vec<i64>) = (ids(at::id), ids(at::human_id).into_iter().collect());
    let mut select = Select::new(&USERS, &request.actor);
    select.columns = vec![at::id, at::human_id];
    select.least = Level::Full;
    select.filter = Cond::is_in("human_id", &humans).and(is_first_seen(request));
    select.with_subject = true;
    if select.filter.is_never() {
        return Ok(rows.iter().map(|_| Out::Null).collect());
    }
    let mut first = BTreeMap::new();
    let mut others = Vec::new();
    for row in conn.rows(&select.sql()).await?.iter() {
        let number = |at: usize| row.get(at).and_then(Value::int);
        let (Some(id), Some(human)) = (number(0), number(1)) else { continue };
        first.insert(human, id);
        if let Some(client) = number(2).filter(|_| !own.contains(&id)) {
            let watch = number(3).map_or(Watch::BrokenGlass, Watch::from_number);
            others.push((client, watch));
        }
    }
    request.reads.note("User.human_id", others);
    let told = |row: &RowView<'_>| {
        let human = row.get(at::human_id).int();
        human.and_then(|human| first.get(&human).copied()).or(row.get(at::id).int()).into()
    };
    Ok(rows.iter().map(told).collect())
}

/// No account of the same human with a smaller id is seen by the reader.
fn is_first_seen(request: &Request) -> Cond {
    let (seen, params) = visibility::seen(&USERS, &request.actor, Level::Full, "lo");
    Cond::sql(
        format!(
            "NOT EXISTS (SELECT 1 FROM users lo WHERE lo.org_id = {{t}}.org_id \
             AND lo.human_id = {{t}}.human_id AND lo.id < {{t}}.id \
             AND lo.deleted_at IS NULL AND ({seen}))"
        ),
        params,
    )
}
