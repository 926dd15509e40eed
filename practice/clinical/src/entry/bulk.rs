//! `bulkCreateEntries`: what devices send, many at once, again and again (behaviour 30).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Id};

use super::access::{self, Lock};
use super::input::{BulkCreate, BulkEntry};
use super::rules;
use super::table::{Entry, Kind};
use crate::events::of_entry;

/// So many entries are taken at once.
pub const BULK_MAX: usize = 500;

/// Writes all of them, or none. Of one that is there already, where it is to be looked for, the
/// one that is there is answered.
pub async fn create(call: &mut Call<'_>, input: &BulkCreate) -> Answer<Payload> {
    let entries = input.entries.value().map_or(&[][..], Vec::as_slice);
    if entries.is_empty() || entries.len() > BULK_MAX {
        let sentence = format!("Entries must be a list of one to {BULK_MAX} entries");
        return Err(Refused::on("entries", sentence));
    }
    let lock = match entries.iter().any(|entry| entry.check_duplicates.is_true()) {
        // No two calls write the same at a time.
        true => Lock::Alone,
        false => Lock::Shared,
    };
    let mut clients: Vec<(Option<Id<User>>, User)> = Vec::new();
    let mut ids: Vec<i64> = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let whose = named(&entry.user_id);
        let client = match clients.iter().find(|(id, _)| *id == whose) {
            Some((_, client)) => client.clone(),
            None => {
                let client = access::subject(call, &entry.user_id, lock).await?;
                clients.push((whose, client.clone()));
                client
            }
        };
        call.scope.subject_id = Some(client.id.0);
        let id = one(call, &client, entry).await.map_err(|refused| placed(refused, place))?;
        if !ids.contains(&id.0) {
            ids.push(id.0);
        }
    }
    Ok(Payload::new().many("entries", ids))
}

/// A problem, with which of the entries it is of.
fn placed(refused: Refused, place: usize) -> Refused {
    match refused {
        Refused::Problems(mut problems) => {
            for problem in &mut problems {
                problem.message = format!("Entry {}: {}", place + 1, problem.message);
            }
            Refused::Problems(problems)
        }
        other => other,
    }
}

async fn one(call: &mut Call<'_>, client: &User, input: &BulkEntry) -> Answer<Id<Entry>> {
    let mut problems = Problems::new();
    // What is sent of no type is what devices measure.
    let kind = match input.r#type.trimmed() {
        Some(_) => rules::kind(&input.r#type, &mut problems),
        None => Some(Kind::Metric),
    };
    let now = call.now();
    let author = (Id::new(call.actor.user_id), kind.unwrap_or(Kind::Note));
    let mut row = Entry::new(call.next_id().await?, client, author, now);
    row.viewed = call.actor.is_member();
    rules::write(&input.common(), &mut row, (now, &call.request.zone), &mut problems);
    rules::name(&input.external_id, &input.external_id_type, &mut row, &mut problems);
    problems.check()?;
    if input.check_duplicates.is_true()
        && let Some(known) = duplicate(call, &row).await?
    {
        return Ok(known);
    }
    call.create(&row).await?;
    call.emit(of_entry("created", &row, &[]));
    Ok(row.id)
}

/// The client's entry that has the same name where it comes from; without such a name, of the
/// same moment the one of the same type, category and number. Numbers are sealed, so they are
/// compared here.
async fn duplicate(call: &mut Call<'_>, row: &Entry) -> Answer<Option<Id<Entry>>> {
    let of_kind = Cond::eq("user_id", row.user_id.0).and(Cond::eq("kind", row.kind.as_str()));
    let cond = match &row.external_id {
        Some(name) => of_kind.and(Cond::eq("external_id", name.as_str())),
        None => of_kind.and(at(row.noted_at)),
    };
    let others: Vec<Entry> = call.list(cond, &[]).await?;
    let is_same = |it: &&Entry| match row.external_id {
        Some(_) => it.external_id_type == row.external_id_type,
        None => (&it.category, &it.metric_stat) == (&row.category, &row.metric_stat),
    };
    Ok(others.iter().find(is_same).map(|it| it.id))
}

fn at(moment: Timestamp) -> Cond {
    Cond::sql("{t}.noted_at = ?", [moment.0.into()])
}
