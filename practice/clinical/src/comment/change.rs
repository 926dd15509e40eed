//! `createComment` and `deleteComment`.

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;
use ward_store::{Id, Level, Query, Sql, Value};

use super::table::Comment;
use crate::entry::table::Entry;
use crate::events::of_comment;
use crate::rules::{self, NOTES_CHARS_MAX};

/// So many comments an entry has at most, with those deleted since.
pub const COMMENTS_MAX: i64 = 1_000;

const NOT_THEIRS: &str = "This comment was written by somebody else, who alone can delete it";

input! {
    /// `createCommentInput`.
    pub struct CreateComment {
        content: String,
        entry_id: IdOrBlank<Entry>,
        is_reaction: bool,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `deleteCommentInput`.
    pub struct DeleteComment { id: IdOrBlank<Comment> }
}

/// Says something of an entry, in one's own name.
pub async fn create(call: &mut Call<'_>, input: &CreateComment) -> Answer<Payload> {
    let entry = entry(call, &input.entry_id).await?;
    let author = Id::new(call.actor.user_id);
    if named(&input.user_id).is_some_and(|id| id != author) {
        return Err(Refused::not_found("user_id"));
    }
    let mut problems = Problems::new();
    rules::required("content", &input.content, &mut problems);
    rules::bounded("content", &input.content, NOTES_CHARS_MAX, &mut problems);
    problems.check()?;
    has_room(call, &entry).await?;
    let now = call.now();
    let row = Comment {
        id: call.next_id().await?,
        org_id: entry.org_id,
        unit_id: entry.unit_id,
        entry_id: entry.id,
        client_id: entry.user_id,
        user_id: author,
        content: input.content.trimmed().unwrap_or_default().to_owned(),
        is_reaction: input.is_reaction.is_true(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await?;
    call.emit(of_comment("comment.created", &row));
    Ok(Payload::new().one("comment", row.id.0))
}

/// The entry that is spoken of: neither it nor its client goes away meanwhile.
async fn entry(call: &mut Call<'_>, id: &Given<IdOrBlank<Entry>>) -> Answer<Entry> {
    const AT: &str = "entry_id";
    let missing = || Refused::not_found(AT);
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(Entry, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::seen_user(call, seen.user_id, AT).await?;
    let found: Option<(Entry, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let (mut entry, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    // What is told of it is for those who look after the client now.
    entry.unit_id = client.unit_id;
    Ok(entry)
}

async fn has_room(call: &mut Call<'_>, entry: &Entry) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM comments c WHERE c.org_id = $1 AND c.entry_id = $2",
        [entry.org_id.0.into(), entry.id.0.into()],
    );
    let comments = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match comments < COMMENTS_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "{COMMENTS_MAX} comments were written on this entry, which is the most"
        ))),
    }
}

/// Takes one's own comment back.
pub async fn delete(call: &mut Call<'_>, input: &DeleteComment) -> Answer<Payload> {
    let missing = || Refused::not_found("id");
    let id = named(&input.id).ok_or_else(missing)?;
    let found: Option<(Comment, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::seen_user(call, seen.client_id, "id").await?;
    let found: Option<(Comment, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut row, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    if row.user_id.0 != call.actor.user_id {
        return Err(Refused::base(NOT_THEIRS));
    }
    row.unit_id = client.unit_id;
    call.destroy(&row).await?;
    call.emit(of_comment("comment.deleted", &row));
    Ok(Payload::new().one("comment", row.id.0))
}
