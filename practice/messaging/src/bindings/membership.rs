//! `ConversationMembership`.

use std::collections::HashMap;

use ward_engine::{Answer, Bindings, Link, Out, Request, RowView};
use ward_identity::tables::USERS;
use ward_store::{Actor, Query, Sql, Value};

use crate::names::{self, Called};
use crate::tables::{CONVERSATION_MEMBERSHIPS, CONVERSATIONS, conversation_memberships as at};

const TYPE: &str = "ConversationMembership";

/// Binds the type.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &CONVERSATION_MEMBERSHIPS);
    b.cursor(TYPE);
    b.one(TYPE, "convo", &CONVERSATIONS, Link::Key(at::conversation_id));
    b.one(TYPE, "creator", &USERS, Link::Key(at::user_id));
    const STATE: &[usize] =
        &[at::conversation_id, at::user_id, at::viewed_count, at::archived_count];
    b.batch(TYPE, "viewed", STATE, |request, q, rows, _| {
        Box::pin(compared(request, q, rows, |_, notes, row| {
            row.get(at::viewed_count).int().is_some_and(|viewed| viewed >= notes).into()
        }))
    });
    b.batch(TYPE, "archived", STATE, |request, q, rows, _| {
        Box::pin(compared(request, q, rows, |actor, notes, row| {
            // What others have put away is no client's to know.
            let is_told = !actor.is_client() || row.get(at::user_id).int() == Some(actor.user_id);
            let put_away = row.get(at::archived_count).int().is_some_and(|count| count >= notes);
            (is_told && put_away).into()
        }))
    });
    b.batch(TYPE, "conversation_role", NAMED, |request, q, rows, _| {
        Box::pin(roles(request, q, rows))
    });
    bind_names(b);
}

const NAMED: &[usize] = &[at::conversation_id, at::user_id];

fn bind_names(b: &mut Bindings) {
    b.batch(TYPE, "display_name", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |_, it, user| names::text(it.display_name(user))))
    });
    b.batch(TYPE, "display_name_and_initial", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |_, it, user| {
            let list = || {
                let names: Vec<String> = it.others(user).map(|it| it.name_and_initial()).collect();
                names.join(", ")
            };
            names::text(it.name.clone().unwrap_or_else(list))
        }))
    });
    b.batch(TYPE, "display_other_user_name", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |_, it, user| {
            it.others(user).next().map(|other| other.name()).into()
        }))
    });
    b.batch(TYPE, "display_other_user_first_name", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |_, it, user| {
            it.others(user).next().map(|other| other.first.clone()).into()
        }))
    });
    b.batch(TYPE, "user_list_as_display_name", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |_, it, user| names::text(it.list(user))))
    });
    b.batch(TYPE, "display_avatar", NAMED, |request, q, rows, _| {
        Box::pin(called(request, q, rows, |request, it, user| {
            names::avatar(request, it.other(user))
        }))
    });
}

fn conversations(rows: &[RowView<'_>]) -> Vec<i64> {
    let mut ids: Vec<i64> =
        rows.iter().filter_map(|row| row.get(at::conversation_id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A fact of each row and the names of its conversation.
async fn called(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    fact: fn(&Request, &Called, i64) -> Out,
) -> Answer<Vec<Out>> {
    let path = "ConversationMembership.display_name";
    let called = names::of(request, q, &conversations(&rows), path).await?;
    let of = |row: &RowView<'_>| {
        let conversation = row.get(at::conversation_id).int()?;
        let user = row.get(at::user_id).int()?;
        Some(fact(request, called.get(&conversation)?, user))
    };
    Ok(rows.iter().map(|row| of(row).unwrap_or(Out::Null)).collect())
}

/// A column of the conversations of the rows, by conversation. They are seen by
/// who sees the rows.
async fn column(
    request: &Request,
    q: &mut dyn Query,
    rows: &[RowView<'_>],
    name: &str,
) -> Answer<HashMap<i64, i64>> {
    let mut sql = Sql::new();
    sql.push("SELECT c.id, c.").push(name).push(" FROM conversations c WHERE c.org_id = ");
    sql.bind(request.actor.org_id).push(" AND c.id IN_LIST(");
    sql.bind(Value::Ints(conversations(rows).into())).push(")");
    let found = q.rows(&sql).await?;
    Ok(found.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

/// What the number of notes says of each row.
async fn compared(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    state: fn(&Actor, i64, &RowView<'_>) -> Out,
) -> Answer<Vec<Out>> {
    let counts = column(request, q, &rows, "notes_count").await?;
    let of = |row: &RowView<'_>| {
        let conversation = row.get(at::conversation_id).int().unwrap_or_default();
        state(&request.actor, counts.get(&conversation).copied().unwrap_or(0), row)
    };
    Ok(rows.iter().map(of).collect())
}

/// Whether the conversation is theirs.
async fn roles(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let owners = column(request, q, &rows, "owner_id").await?;
    let of = |row: &RowView<'_>| {
        let conversation = row.get(at::conversation_id).int().unwrap_or_default();
        let is_owner = owners.get(&conversation).copied() == row.get(at::user_id).int();
        if is_owner { "owner" } else { "member" }
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
