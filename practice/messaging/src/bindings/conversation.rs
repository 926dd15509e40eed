//! `Conversation`, and what users are to conversations.

use std::collections::HashMap;

use ward_clients::tables::USER_GROUPS;
use ward_engine::{Answer, Bindings, Link, Out, Request, RowView};
use ward_identity::flags::CAN_ACCESS_TO_MEMBERS_CHAT;
use ward_identity::tables::{USERS, users};
use ward_store::{Cond, Join, Level, Query, Select, Value, read_selected};

use crate::tables::{
    CONVERSATION_MEMBERSHIPS, CONVERSATIONS, NOTES, conversation_memberships as parts,
    conversations as at, notes,
};
use crate::{html, listing, names};

const TYPE: &str = "Conversation";

/// Everybody in a conversation but its owner.
const INVITED: &str = "(SELECT m.org_id, m.conversation_id, m.user_id \
     FROM conversation_memberships m JOIN conversations c ON c.org_id = m.org_id \
     AND c.id = m.conversation_id WHERE m.deleted_at IS NULL AND m.user_id <> c.owner_id)";

/// The first four of them, as they joined.
const FIRST_FOUR: &str = "(SELECT r.org_id, r.conversation_id, r.user_id FROM (\
     SELECT m.org_id, m.conversation_id, m.user_id, ROW_NUMBER() OVER (\
     PARTITION BY m.org_id, m.conversation_id ORDER BY m.created_at, m.id) AS place \
     FROM conversation_memberships m JOIN conversations c ON c.org_id = m.org_id \
     AND c.id = m.conversation_id WHERE m.deleted_at IS NULL AND m.user_id <> c.owner_id\
     ) r WHERE r.place <= 4)";

const INVITEES: Link = Link::Join {
    parent: at::id,
    join: Join { table: INVITED, to: "user_id", from: "conversation_id" },
};
const FIRST_INVITEES: Link = Link::Join {
    parent: at::id,
    join: Join { table: FIRST_FOUR, to: "user_id", from: "conversation_id" },
};
const GROUPS: Link = Link::Join {
    parent: at::id,
    join: Join { table: "conversation_groups", to: "user_group_id", from: "conversation_id" },
};
const PARTS: Link = Link::Column { parent: at::id, child: "conversation_id" };

/// Binds the type.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &CONVERSATIONS);
    b.column(TYPE, "dietitian_id", at::owner_id);
    b.column(TYPE, "closed_date", at::closed_at);
    b.one(TYPE, "owner", &USERS, Link::Key(at::owner_id));
    b.one(TYPE, "closed_by", &USERS, Link::Key(at::closed_by_id));
    b.many(TYPE, "invitees", &USERS, INVITEES);
    b.many(TYPE, "first_four_invitees", &USERS, FIRST_INVITEES);
    b.many(TYPE, "user_groups", &USER_GROUPS, GROUPS);
    b.many(TYPE, "conversation_memberships", &CONVERSATION_MEMBERSHIPS, PARTS)
        .orders(listing::JOINED, "CREATED_AT_ASC");
    b.count(TYPE, "conversation_memberships_count", &CONVERSATION_MEMBERSHIPS, PARTS);
    b.one(TYPE, "current_user_conversation_membership", &CONVERSATION_MEMBERSHIPS, PARTS)
        .listing(listing::own_part);
    b.many(TYPE, "notes", &NOTES, PARTS)
        .listing(listing::sent)
        .orders(listing::NOTE_ORDERS, "CREATED_AT_DESC");
    bind_facts(b);
    bind_users(b);
}

fn bind_facts(b: &mut Bindings) {
    for field in ["community_chat", "includes_multiple_clients"] {
        b.computed(TYPE, field, &[at::clients_count], |_, row, _| is_community(row).into());
    }
    b.computed(TYPE, "community_chat_prefix", &[at::clients_count], |_, row, _| {
        is_community(row).then_some("Community: ").into()
    });
    b.computed(TYPE, "is_hidden_for_client", &[at::clients_count], |_, row, _| {
        (row.get(at::clients_count).int() == Some(0)).into()
    });
    // A program's own data is nothing to clients (behaviour 9).
    b.computed(TYPE, "metadata", &[at::metadata], |request, row, _| {
        let text = row.text(at::metadata).filter(|_| request.actor.is_member());
        match text.map(serde_json::from_str) {
            Some(Ok(json)) => Out::Json(json),
            _ => Out::Null,
        }
    });
    b.batch(TYPE, "name", &[at::id], |request, q, rows, _| Box::pin(name(request, q, rows)));
    b.batch(TYPE, "last_message_content", &[at::id, at::notes_count], |request, q, rows, _| {
        Box::pin(last_message(request, q, rows))
    });
    b.batch(TYPE, "last_note_viewed_id", &[at::id], |request, q, rows, _| {
        Box::pin(last_viewed(request, q, rows))
    });
}

fn is_community(row: &RowView<'_>) -> bool {
    row.get(at::clients_count).int().is_some_and(|clients| clients > 1)
}

fn bind_users(b: &mut Bindings) {
    b.computed("User", "has_org_chat_access", &[users::id], |request, row, _| {
        let actor = &request.actor;
        match row.get(users::id).int() == Some(actor.user_id) && actor.is_member() {
            true => actor.flags.has(CAN_ACCESS_TO_MEMBERS_CHAT.flag).into(),
            false => Out::Null,
        }
    });
    b.batch("User", "last_conversation_id", &[users::id], |request, q, rows, _| {
        Box::pin(last_conversation(request, q, rows))
    });
}

fn ids(rows: &[RowView<'_>], column: usize) -> Vec<i64> {
    rows.iter().filter_map(|row| row.get(column).int()).collect()
}

/// What a conversation goes by, to whoever asks.
async fn name(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let called = names::of(request, q, &ids(&rows, at::id), "Conversation.name").await?;
    let name = |row: &RowView<'_>| {
        let called = row.get(at::id).int().and_then(|id| called.get(&id));
        called.map_or(Out::Null, |it| names::text(it.display_name(request.actor.user_id)))
    };
    Ok(rows.iter().map(name).collect())
}

/// What the last message says, without tags.
async fn last_message(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let filter = Cond::is_in("conversation_id", &ids(&rows, at::id)).and(Cond::sql(
        "{t}.number = (SELECT c.notes_count FROM conversations c \
         WHERE c.org_id = {t}.org_id AND c.id = {t}.conversation_id)",
        [],
    ));
    if filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let mut select = Select::new(&NOTES, &request.actor);
    select.columns = vec![notes::id, notes::org_id, notes::conversation_id, notes::content];
    select.least = Level::Full;
    select.filter = filter;
    let found = read_selected(q, &request.db, &select).await?;
    let last = |row: &[Value]| Some((row.get(2)?.int()?, html::plain(row.get(3)?.text()?)));
    let last: HashMap<i64, String> = found.iter().filter_map(last).collect();
    let of = |row: &RowView<'_>| {
        row.get(at::id).int().and_then(|id| last.get(&id).cloned()).map_or(Out::Null, names::text)
    };
    Ok(rows.iter().map(of).collect())
}

/// The last message that whoever asks has seen.
async fn last_viewed(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let filter = Cond::is_in("conversation_id", &ids(&rows, at::id)).and(Cond::sql(
        "{t}.number = (SELECT own.viewed_count FROM conversation_memberships own \
         WHERE own.org_id = {t}.org_id AND own.conversation_id = {t}.conversation_id \
         AND own.user_id = ? AND own.deleted_at IS NULL)",
        [request.actor.user_id.into()],
    ));
    if filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let mut select = Select::new(&NOTES, &request.actor);
    select.columns = vec![notes::conversation_id, notes::id];
    select.filter = filter;
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let last: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| row.get(at::id).int().and_then(|id| last.get(&id).copied());
    Ok(rows.iter().map(|row| of(row).into()).collect())
}

/// The conversation that somebody's last message is in, of those that the caller
/// sees.
async fn last_conversation(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let filter = Cond::is_in("user_id", &ids(&rows, users::id)).and(Cond::sql(
        "{t}.conversation_id = (SELECT c.id FROM conversations c \
         JOIN conversation_memberships m ON m.org_id = c.org_id AND m.conversation_id = c.id \
         WHERE m.org_id = {t}.org_id AND m.user_id = {t}.user_id AND m.deleted_at IS NULL \
         ORDER BY c.updated_at DESC, c.id DESC LIMIT 1)",
        [],
    ));
    if filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let mut select = Select::new(&CONVERSATION_MEMBERSHIPS, &request.actor);
    select.columns = vec![parts::user_id, parts::conversation_id];
    select.least = Level::Full;
    select.filter = filter;
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let last: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| row.get(users::id).int().and_then(|id| last.get(&id).copied());
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
