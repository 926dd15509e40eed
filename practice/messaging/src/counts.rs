//! Unread messages and other numbers that pages show (behaviour 32).

use std::collections::HashMap;

use serde_json::json;
use ward_engine::{Answer, Args, Bindings, Kind, Listing, Out, Request, RowView};
use ward_identity::tables::{USERS, users};
use ward_store::{Cond, Level, Query, Select, Value};

use crate::listing::{self, Status, unread};
use crate::tables::{CONVERSATION_MEMBERSHIPS, NOTES, Note, conversation_memberships as at, notes};

/// Binds the fields.
pub fn bind(b: &mut Bindings) {
    b.query_one("currentUserNotificationsCount", &USERS, |request, _| {
        Ok(Listing::of(Cond::eq("id", request.actor.user_id)))
    });
    const COUNTED: [(&str, &str); 2] = [
        ("UserNotificationsCount", "conversation_notification_count"),
        ("User", "unread_convo_count"),
    ];
    for (of, field) in COUNTED {
        b.batch(of, field, &[users::id], |request, q, rows, _| {
            Box::pin(of_users(request, q, rows))
        });
    }
    b.value_object(
        "ConversationMembershipsAllCounts",
        &["active_count", "archived_count", "closed_count", "scheduled_count"],
    );
    b.batch("Query", "conversationMembershipsAllCounts", &[], |request, q, rows, args| {
        Box::pin(all(request, q, rows, args))
    })
    .args(listing::ALL_COUNTS_ARGS);
    b.batch("Query", "noteViewedStatus", &[], |request, q, rows, args| {
        Box::pin(viewed_status(request, q, rows, args))
    })
    .args(&[("id", Kind::Id("Note"))]);
}

/// How many parts of each user are unread, of those that the caller sees.
pub async fn unread_of(
    request: &Request,
    q: &mut dyn Query,
    ids: &[i64],
) -> Answer<HashMap<i64, i64>> {
    let filter = Cond::is_in("user_id", ids).and(unread()).and(Status::Active.cond());
    if filter.is_never() {
        return Ok(HashMap::new());
    }
    let mut select = Select::new(&CONVERSATION_MEMBERSHIPS, &request.actor);
    select.least = Level::Full;
    select.filter = filter;
    let rows = q.rows(&select.count_by_sql("t.user_id")).await?;
    Ok(rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

async fn of_users(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let counts = unread_of(request, q, &ids).await?;
    let count = |row: &RowView<'_>| {
        let id = row.get(users::id).int().unwrap_or_default();
        Out::Int(counts.get(&id).copied().unwrap_or(0))
    };
    Ok(rows.iter().map(count).collect())
}

async fn all(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let which = listing::which_memberships(request, args)?;
    let mut numbers = [0; 3];
    let statuses = [Status::Active, Status::Archived, Status::Closed];
    for (number, status) in numbers.iter_mut().zip(statuses) {
        *number = parts(request, q, which.clone().and(status.cond())).await?;
    }
    let scheduled = parts(request, q, which.and(listing::waiting(request))).await?;
    let [active, archived, closed] = numbers;
    let counts = json!({
        "active_count": active, "archived_count": archived, "closed_count": closed,
        "scheduled_count": scheduled,
    });
    Ok(vec![Out::Json(counts); rows.len()])
}

async fn parts(request: &Request, q: &mut dyn Query, filter: Cond) -> Answer<i64> {
    let mut select = Select::new(&CONVERSATION_MEMBERSHIPS, &request.actor);
    select.least = Level::Full;
    select.filter = filter;
    Ok(q.rows(&select.count_sql()).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Whether somebody other than its author has seen a message.
async fn viewed_status(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let Some(id) = listing::id::<Note>(args, "id", request)? else {
        return Ok(vec![Out::Null; rows.len()]);
    };
    let mut select = Select::new(&NOTES, &request.actor);
    select.columns = vec![notes::conversation_id, notes::number, notes::user_id];
    select.least = Level::Full;
    select.filter = Cond::eq("id", id.0);
    let found = q.rows(&select.sql()).await?;
    let [Value::Int(conversation), Value::Int(number), Value::Int(author), ..] = found.row(0)
    else {
        return Ok(vec![Out::Null; rows.len()]);
    };
    let mut select = Select::new(&CONVERSATION_MEMBERSHIPS, &request.actor);
    select.columns = vec![at::id];
    select.limit = Some(1);
    select.filter = Cond::eq("conversation_id", *conversation).and(Cond::sql(
        "{t}.user_id <> ? AND {t}.viewed_count >= ?",
        [(*author).into(), (*number).into()],
    ));
    let seen = !q.rows(&select.sql()).await?.is_empty();
    Ok(vec![seen.into(); rows.len()])
}
