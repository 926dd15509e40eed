//! `Note`.

use std::collections::HashMap;

use ward_engine::{Answer, Args, Bindings, Kind, Link, Out, Request, RowView};
use ward_identity::bindings::file_url;
use ward_identity::tables::{USERS, User};
use ward_identity::upload_scan;
use ward_instance::Timestamp;
use ward_store::{Cond, Entity, Level, Query, Select, Value};

use crate::tables::{
    CONVERSATION_MEMBERSHIPS, CONVERSATIONS, NOTES, conversation_memberships as parts,
    conversations, notes as at,
};
use crate::{listing, names};

const TYPE: &str = "Note";
const FILES: &[usize] = &[at::image_id, at::audio_id, at::attached_document_id];

/// Binds the type.
pub fn bind(b: &mut Bindings) {
    b.object(TYPE, &NOTES);
    b.cursor(TYPE);
    // What waited was written when it was sent, to whoever reads it.
    b.computed(TYPE, "created_at", &[at::created_at, at::sent_at], |_, row, _| {
        let sent = row.get(at::sent_at).int().or(row.get(at::created_at).int());
        sent.map_or(Out::Null, |at| Out::Instant(Timestamp(at)))
    });
    b.one(TYPE, "creator", &USERS, Link::Key(at::user_id));
    b.one(TYPE, "on_behalf_user", &USERS, Link::Key(at::on_behalf_user_id));
    b.batch(TYPE, "scan_status", FILES, |request, q, rows, _| {
        Box::pin(upload_scan::of_rows(request, q, rows, FILES))
    });
    b.computed(TYPE, "attached_image_url", &[at::image_id], |request, row, _| {
        file_url(request, row.text(at::image_id))
    });
    b.computed(TYPE, "attached_audio_url", &[at::audio_id], |request, row, _| {
        file_url(request, row.text(at::audio_id))
    });
    b.computed(TYPE, "attached_document_url", &[at::attached_document_id], |request, row, _| {
        file_url(request, row.text(at::attached_document_id))
    });
    const WAITS: &[usize] = &[at::conversation_id, at::number];
    b.computed(TYPE, "scheduled_conversation_id", WAITS, |_, row, _| {
        match row.get(at::number).is_null() {
            true => row.get(at::conversation_id).int().into(),
            false => Out::Null,
        }
    });
    const AUTHOR: &[usize] = &[at::conversation_id, at::user_id];
    b.batch(TYPE, "creator_display_name", AUTHOR, |request, q, rows, _| {
        Box::pin(author_names(request, q, rows))
    });
    b.batch(TYPE, "recipient_id", AUTHOR, |request, q, rows, _| {
        Box::pin(recipients(request, q, rows))
    });
    const PLACE: &[usize] = &[at::conversation_id, at::number];
    b.batch(TYPE, "viewed", PLACE, |request, q, rows, args| {
        Box::pin(viewed(request, q, rows, args))
    })
    .args(&[("viewer_id", Kind::Id(User::NAME))]);
}

fn conversation_ids(rows: &[RowView<'_>]) -> Vec<i64> {
    let mut ids: Vec<i64> =
        rows.iter().filter_map(|row| row.get(at::conversation_id).int()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Who wrote it, as those who take part know them.
async fn author_names(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let path = "Note.creator_display_name";
    let called = names::of(request, q, &conversation_ids(&rows), path).await?;
    let name = |row: &RowView<'_>| {
        let author = row.get(at::user_id).int()?;
        let called = called.get(&row.get(at::conversation_id).int()?)?;
        let person = called.people.iter().find(|person| person.user_id == author)?;
        Some(names::text(person.name()))
    };
    Ok(rows.iter().map(|row| name(row).unwrap_or(Out::Null)).collect())
}

/// The client for a member's note, and the owner for a client's.
async fn recipients(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let mut select = Select::new(&CONVERSATIONS, &request.actor);
    select.columns = vec![conversations::id, conversations::owner_id, conversations::patient_id];
    select.filter = Cond::is_in("id", &conversation_ids(&rows));
    let found = q.rows(&select.sql()).await?;
    let of = |row: &[Value]| Some((row.first()?.int()?, (row.get(1)?.int()?, row.get(2)?.int())));
    let of: HashMap<i64, (i64, Option<i64>)> = found.iter().filter_map(of).collect();
    let recipient = |row: &RowView<'_>| {
        let (owner, client) = *of.get(&row.get(at::conversation_id).int()?)?;
        match client == row.get(at::user_id).int() {
            true => Some(owner),
            false => client,
        }
    };
    Ok(rows.iter().map(|row| recipient(row).into()).collect())
}

/// Whether somebody, else the caller, has seen it.
async fn viewed(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    args: &Args,
) -> Answer<Vec<Out>> {
    let viewer = listing::id::<User>(args, "viewer_id", request)?;
    let viewer = viewer.map_or(request.actor.user_id, |viewer| viewer.0);
    let mut select = Select::new(&CONVERSATION_MEMBERSHIPS, &request.actor);
    select.columns = vec![parts::conversation_id, parts::viewed_count];
    select.least = Level::Full;
    select.filter =
        Cond::is_in("conversation_id", &conversation_ids(&rows)).and(Cond::eq("user_id", viewer));
    if select.filter.is_never() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let found = q.rows(&select.sql()).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let seen: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let of = |row: &RowView<'_>| {
        let count = *seen.get(&row.get(at::conversation_id).int()?)?;
        Some(row.get(at::number).int()? <= count)
    };
    Ok(rows.iter().map(|row| of(row).into()).collect())
}
