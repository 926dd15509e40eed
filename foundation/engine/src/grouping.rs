//! Rows and their parents: narrowing a select to the rows of some parents, and
//! finding each row's parent again.

use std::collections::HashMap;

use ward_store::{Cond, Query, Select, StoreError, Value};

use crate::bound::{Link, RowsBinding};

/// How many of a select's rows each parent has.
pub(crate) async fn counts(
    conn: &mut dyn Query,
    rows: &RowsBinding,
    select: &Select<'_>,
) -> Result<HashMap<i64, i64>, StoreError> {
    let by = match rows.link {
        Link::Join { join, .. } => format!("j.{}", join.from),
        Link::Column { child, .. } => format!("t.{child}"),
        Link::Key(_) | Link::Root => "t.id".to_owned(),
    };
    let mut counts = HashMap::new();
    if !select.filter.is_never() {
        for row in conn.rows(&select.count_by_sql(&by)).await?.iter() {
            if let (Some(parent), Some(count)) = (row[0].int(), row[1].int()) {
                counts.insert(parent, count);
            }
        }
    }
    Ok(counts)
}

/// Narrows a select to the rows of these parents.
pub(crate) fn linked(select: &mut Select<'_>, rows: &RowsBinding, parents: &[Value]) {
    let mut ids: Vec<i64> = parents.iter().filter_map(Value::int).collect();
    ids.sort_unstable();
    ids.dedup();
    let cond = match rows.link {
        Link::Root => return,
        Link::Key(_) => {
            select.by_id = true;
            Cond::is_in("id", &ids)
        }
        Link::Column { child, .. } => Cond::is_in(child, &ids),
        Link::Join { join, .. } => {
            select.join = Some(join);
            // Found by the table between, and not by their tenant.
            select.by_id |= !select.instead.is_empty();
            match ids.as_slice() {
                [] => Cond::Never,
                [one] => Cond::sql(format!("j.{} = ?", join.from), [Value::Int(*one)]),
                many => {
                    Cond::sql(format!("j.{} IN_LIST(?)", join.from), [Value::Ints(many.into())])
                }
            }
        }
    };
    select.filter = std::mem::replace(&mut select.filter, Cond::Always).and(cond);
}

/// A parent value as a map key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GroupKey {
    Nothing,
    Number(i64),
    Text(Box<str>),
}

impl GroupKey {
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Int(n) => GroupKey::Number(*n),
            Value::Text(text) => GroupKey::Text(text.clone()),
            _ => GroupKey::Nothing,
        }
    }
}
