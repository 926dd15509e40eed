//! `createEntry` and its siblings (behaviour 30).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_store::Id;

use super::access::Lock;
use super::input::{CreateEntry, DeleteEntry, UpdateEntry};
use super::table::{Entry, Kind};
use super::{access, rules};
use crate::events::of_entry;

/// Notes something of a client.
pub async fn create(call: &mut Call<'_>, input: &CreateEntry) -> Answer<Payload> {
    let client = access::subject(call, &input.user_id, Lock::Shared).await?;
    let mut problems = Problems::new();
    let kind = rules::kind(&input.r#type, &mut problems);
    let now = call.now();
    let author = (Id::new(call.actor.user_id), kind.unwrap_or(Kind::Note));
    let mut row = Entry::new(call.next_id().await?, &client, author, now);
    // What the staff writes down, the staff has seen.
    row.viewed = call.actor.is_member();
    rules::write(&input.said(), &mut row, (now, &call.request.zone), &mut problems);
    problems.check()?;
    call.create(&row).await?;
    call.emit(of_entry("created", &row, &[]));
    Ok(Payload::new().one("entry", row.id.0))
}

/// Changes an entry; it stays of its type, and the client's whose it is.
pub async fn update(call: &mut Call<'_>, input: &UpdateEntry) -> Answer<Payload> {
    let before = access::to_change(call, &input.id).await?;
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    let mut problems = Problems::new();
    rules::write(&input.said(), &mut after, (call.now(), &call.request.zone), &mut problems);
    if call.actor.is_client() && after != before {
        // What it says now nobody of the practice has looked at.
        after.viewed = false;
    }
    if let Some(viewed) = input.viewed.value() {
        after.viewed = *viewed;
        if call.actor.is_client() {
            problems.add("viewed", "Viewed says whether your practice has looked at it");
        }
    }
    after.hide_from_main_feed =
        input.hide_from_main_feed.value().copied().unwrap_or(after.hide_from_main_feed);
    problems.check()?;
    let changes = call.update(&before, &after).await?;
    // What only moves in time is no change that receivers are told of (behaviour 13.2).
    let told: Vec<_> = changes.columns.into_iter().filter(|it| *it != "noted_at").collect();
    if !told.is_empty() {
        call.emit(of_entry("updated", &after, &told));
    }
    Ok(Payload::new().one("entry", after.id.0))
}

/// Takes an entry out of every list; its row stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteEntry) -> Answer<Payload> {
    let row = access::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    call.emit(of_entry("deleted", &row, &[]));
    Ok(Payload::new().one("entry", row.id.0))
}
