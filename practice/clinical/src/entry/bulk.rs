//! `bulkCreateEntries`: what devices send, many at once, again and again (behaviour 30).

use std::collections::BTreeMap;

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Query, Sql, Value};

use super::access::{self, Lock};
use super::input::{BulkCreate, BulkEntry};
use super::rules;
use super::table::{Entry, Kind};
use crate::events::of_entry;

/// So many entries are taken at once.
pub const BULK_MAX: usize = 500;

/// At most so many entries of one moment, type and name are looked through for the same.
const LOOKED_AT: i64 = 100;

/// Writes all of them, or none. Of one that is there already, where it is to be looked for, the
/// one that is there is answered.
pub async fn create(call: &mut Call<'_>, input: &BulkCreate) -> Answer<Payload> {
    let entries = input.entries.value().map_or(&[][..], Vec::as_slice);
    if entries.is_empty() || entries.len() > BULK_MAX {
        let sentence = format!("Entries must be a list of one to {BULK_MAX} entries");
        return Err(Refused::on("entries", sentence));
    }
    let clients = clients(call, entries).await?;
    // All are judged before one is written.
    let mut rows = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let Some(client) = clients.get(&named(&entry.user_id)) else {
            return Err(Refused::not_found("user_id"));
        };
        rows.push(judged(call, client, entry).map_err(|refused| placed(refused, place))?);
    }
    let mut kept: Vec<Entry> = Vec::with_capacity(rows.len());
    let mut ids: Vec<i64> = Vec::with_capacity(rows.len());
    for (mut row, entry) in rows.into_iter().zip(entries) {
        let known = match entry.check_duplicates.is_true() {
            true => known(call, &row, &kept).await?,
            false => Known::No,
        };
        let id = match known {
            Known::Yes(id) => id,
            Known::Gone => continue,
            Known::No => {
                row.id = call.next_id().await?;
                kept.push(row);
                kept.last().map_or(0, |it| it.id.0)
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    for row in &kept {
        call.scope.subject_id = Some(row.user_id.0);
        call.create(row).await?;
        call.emit(of_entry("created", row, &[]));
    }
    Ok(Payload::new().many("entries", ids))
}

/// The clients whom the entries name, held in the order of their ids, as all who hold several do.
async fn clients(
    call: &mut Call<'_>,
    entries: &[BulkEntry],
) -> Answer<BTreeMap<Option<Id<User>>, User>> {
    let lock = match entries.iter().any(|entry| entry.check_duplicates.is_true()) {
        // No two calls write the same at a time.
        true => Lock::Alone,
        false => Lock::Shared,
    };
    let mut first: BTreeMap<Option<Id<User>>, usize> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        first.entry(named(&entry.user_id)).or_insert(place);
    }
    let mut clients = BTreeMap::new();
    for (id, place) in first {
        let Some(entry) = entries.get(place) else { continue };
        clients.insert(id, access::subject(call, &entry.user_id, lock).await?);
    }
    Ok(clients)
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

/// The row that one of them asks for; it has no id yet.
fn judged(call: &Call<'_>, client: &User, input: &BulkEntry) -> Answer<Entry> {
    let mut problems = Problems::new();
    // What is sent of no type is what devices measure.
    let kind = match input.r#type.trimmed() {
        Some(_) => rules::kind(&input.r#type, &mut problems),
        None => Some(Kind::Metric),
    };
    let now = call.now();
    let author = (Id::new(call.actor.user_id), kind.unwrap_or(Kind::Note));
    let mut row = Entry::new(Id::new(0), client, author, now);
    row.viewed = call.actor.is_member();
    rules::write(&input.common(), &mut row, (now, &call.request.zone), &mut problems);
    rules::name(&input.external_id, &input.external_id_type, &mut row, &mut problems);
    problems.check()?;
    Ok(row)
}

/// Whether an entry is there already.
enum Known {
    No,
    Yes(i64),
    /// It was, until somebody deleted it: it does not come back with the device's next call.
    Gone,
}

async fn known(call: &mut Call<'_>, row: &Entry, kept: &[Entry]) -> Answer<Known> {
    let is_of = |it: &&Entry| it.user_id == row.user_id && it.kind == row.kind;
    let same = kept.iter().filter(is_of).find(|it| match row.external_id {
        Some(_) => {
            (&it.external_id, &it.external_id_type) == (&row.external_id, &row.external_id_type)
        }
        None => it.noted_at == row.noted_at && says_the_same(it, row),
    });
    if let Some(same) = same {
        return Ok(Known::Yes(same.id.0));
    }
    match &row.external_id {
        Some(name) => of_name(call, row, name).await,
        None => of_moment(call, row).await,
    }
}

/// By what it is called where it comes from.
async fn of_name(call: &mut Call<'_>, row: &Entry, name: &str) -> Answer<Known> {
    let sql = Sql::fixed(
        "SELECT e.id, e.deleted_at FROM entries e WHERE e.org_id = $1 AND e.user_id = $2 \
         AND e.external_id = $3 AND e.kind = $4 AND COALESCE(e.external_id_type, '') = $5 \
         ORDER BY CASE WHEN e.deleted_at IS NULL THEN 0 ELSE 1 END, e.id LIMIT 1",
        [
            row.org_id.0.into(),
            row.user_id.0.into(),
            name.into(),
            row.kind.as_str().into(),
            row.external_id_type.as_deref().unwrap_or_default().into(),
        ],
    );
    let rows = call.tx.rows(&sql).await?;
    Ok(match rows.iter().next() {
        Some([Value::Int(id), Value::Null]) => Known::Yes(*id),
        Some(_) => Known::Gone,
        None => Known::No,
    })
}

/// By what it says of the moment. What it says is sealed, so it is compared here.
async fn of_moment(call: &mut Call<'_>, row: &Entry) -> Answer<Known> {
    let cond = Cond::sql(
        "{t}.id IN (SELECT e.id FROM entries e WHERE e.org_id = ? AND e.user_id = ? \
         AND e.noted_at = ? AND e.kind = ? AND COALESCE(e.category, '') = ? \
         AND e.deleted_at IS NULL ORDER BY e.id LIMIT CAST(? AS BIGINT))",
        [
            row.org_id.0.into(),
            row.user_id.0.into(),
            row.noted_at.0.into(),
            row.kind.as_str().into(),
            row.category.as_deref().unwrap_or_default().into(),
            LOOKED_AT.into(),
        ],
    );
    let others: Vec<Entry> = call.list(cond, &[]).await?;
    Ok(others.iter().find(|it| says_the_same(it, row)).map_or(Known::No, |it| Known::Yes(it.id.0)))
}

/// Of a metric the number; of all else every word.
fn says_the_same(one: &Entry, other: &Entry) -> bool {
    let number = |it: &Entry| (it.category.clone(), it.metric_stat.clone());
    let words = |it: &Entry| {
        [
            &it.description,
            &it.ed_posthunger,
            &it.ed_prehunger,
            &it.emotions,
            &it.percieved_hungriness,
            &it.reflection,
        ]
        .map(Clone::clone)
    };
    number(one) == number(other) && (one.kind == Kind::Metric || words(one) == words(other))
}
