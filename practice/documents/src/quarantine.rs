//! Files in which malware was found: which there are, for who may edit settings, and who is told of
//! one. The look itself is the dispatcher's.

use std::collections::HashSet;

use futures_util::future::BoxFuture;
use serde_json::json;
use ward_charting::attachment::{self, tables::FILE_ATTACHMENTS};
use ward_engine::{Answer, Bindings, Link, Listing, OrderOption, Out, Request, RowView};
use ward_identity::account_mail::{self, AccountMail};
use ward_identity::deceased::may_be_told;
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_identity::restricted::watch_of_id;
use ward_identity::tables::{Organization, USERS, User};
use ward_identity::visibility::is_seen;
use ward_instance::Timestamp;
use ward_store::system::{BLOBS, blobs as at};
use ward_store::{
    Actor, Cond, Level, Query, Role, Rule, Scope, Select, Sql, StoreError, Subject, Table, Tx,
    Uuid, Value,
};

use crate::tables::{DOCUMENTS, Document};
use crate::{events, viewing};

/// The text of the mail of a find.
const KIND: &str = "file_quarantined";

const HOUR_MICROS: i64 = 3_600 * 1_000_000;

/// The client whose a file is: whom the document is about, whose form it came with, or who sent it.
const CLIENT: &str = "COALESCE((SELECT fd.rel_user_id FROM documents fd \
     WHERE fd.org_id = {t}.org_id AND fd.file_id = {t}.id), \
     (SELECT MIN(fa.patient_id) FROM file_attachments fa \
     WHERE fa.org_id = {t}.org_id AND fa.blob_id = {t}.id), \
     (SELECT fu.id FROM users fu \
     WHERE fu.org_id = {t}.org_id AND fu.id = {t}.owner_id AND fu.is_patient = TRUE))";

/// Stored files in which something was found, for who may edit settings.
pub static QUARANTINED_FILES: Table = Table {
    name: BLOBS.name,
    entity: "QuarantinedFile",
    columns: BLOBS.columns,
    key: BLOBS.key,
    indexes: &[],
    references: &[],
    audit: None,
    subject: Some(subject),
    visible,
};

const ORDERS: &[OrderOption] =
    &[OrderOption { name: "SCANNED_AT", expression: "COALESCE({t}.scanned_at, 0)" }];

/// Who was merged into another is watched as the other is.
fn subject(actor: &Actor) -> Subject {
    let now = format!(
        "(SELECT COALESCE(wm.merged_into_id, wm.id) FROM users wm \
         WHERE wm.org_id = {{t}}.org_id AND wm.id = {CLIENT})"
    );
    Subject { client: CLIENT, watch: watch_of_id(actor, &now), several: None }
}

/// Files of the units that a member may see, and of no client whom they do not see.
fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::Member if actor.has(CAN_EDIT_SETTINGS.flag) => {
            let found = Cond::sql("{t}.scan = 'found'", []);
            Rule::full(found.and(actor.units("unit_id")).and(is_seen(actor, CLIENT)))
        }
        _ => Rule::none(),
    }
}

/// Binds the type and its query.
pub fn bind(b: &mut Bindings) {
    const TYPE: &str = "QuarantinedFile";
    b.object(TYPE, &QUARANTINED_FILES);
    b.one(TYPE, "owner", &USERS, Link::Key(at::owner_id));
    b.batch(TYPE, "file_name", &[at::id, at::purpose, at::file_name], |request, q, rows, _| {
        Box::pin(names(request, q, rows))
    });
    b.query_list("quarantinedFiles", &QUARANTINED_FILES, |_, _| Ok(Listing::all()))
        .orders(ORDERS, "SCANNED_AT_DESC")
        .requires(CAN_EDIT_SETTINGS);
}

/// What the files are called, for who sees what they are in: a name may say what somebody has. A
/// conversation is its people's alone, and so are the names of its files.
async fn names(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let holders = [
        (&DOCUMENTS, "file_id", viewing::PURPOSE),
        (&FILE_ATTACHMENTS, "blob_id", attachment::PURPOSE),
    ];
    let mut seen: HashSet<String> = HashSet::new();
    for (table, column, purpose) in holders {
        let of_purpose = rows.iter().filter(|row| row.text(at::purpose) == Some(purpose));
        let ids: Vec<Box<str>> =
            of_purpose.filter_map(|row| row.text(at::id)).map(Into::into).collect();
        if ids.is_empty() {
            continue;
        }
        let mut select = Select::new(table, &request.actor);
        select.columns = table.column(column).into_iter().collect();
        select.least = Level::Full;
        let text = format!("{{t}}.{column} IN_LIST(?)");
        select.filter = Cond::sql(text, [Value::Texts(ids.into())]);
        let found = q.rows(&select.sql()).await?;
        seen.extend(found.iter().filter_map(|row| row.first()?.text().map(str::to_owned)));
    }
    let of = |row: &RowView<'_>| {
        let is_open = match row.text(at::purpose) {
            Some("avatar" | "logo") => true,
            _ => row.text(at::id).is_some_and(|id| seen.contains(id)),
        };
        Out::from(row.text(at::file_name).filter(|_| is_open))
    };
    Ok(rows.iter().map(of).collect())
}

/// Tells of what was found in a file, in the transaction that writes it down: the owner of the
/// practice by a mail that names neither the file nor anybody, and webhooks, if it is a document's. The
/// audit log is the dispatcher's to tell.
pub fn told_of_find<'a>(
    tx: &'a mut Tx,
    org_id: i64,
    blob: &'a Uuid,
    threat: &'a str,
) -> BoxFuture<'a, Result<(), StoreError>> {
    Box::pin(async move {
        let system = Actor::system(org_id);
        let mut scope = Scope::new(tx, &system);
        let sql = Sql::fixed(
            "SELECT unit_id FROM blobs WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL",
            [org_id.into(), blob.0.as_str().into()],
        );
        let found = scope.tx.rows(&sql).await?;
        let Some(unit_id) = found.scalar().and_then(Value::int) else { return Ok(()) };
        let of: Option<Document> = scope.find_by(viewing::holds(&blob.0)).await?;
        if let Some(document) = of {
            scope.emit(events::document_updated(&document, &["scan_status"]));
        }
        mail(&mut scope, unit_id, (blob, threat)).await
    })
}

/// One mail an hour and unit, to its owner or the root's: of a hundred files that hold the same, one
/// mail tells; the list has them all.
async fn mail(
    scope: &mut Scope<'_>,
    unit_id: i64,
    (blob, threat): (&Uuid, &str),
) -> Result<(), StoreError> {
    let Some((reader, to)) = reader_of(scope, unit_id).await? else { return Ok(()) };
    let cause = format!("file_scan/{}", blob.0);
    let facts = json!({ "finding": threat });
    let mail = AccountMail { kind: KIND, to: &to, facts, cause: &cause };
    let key = mail_key(unit_id, scope.now());
    account_mail::send_once(scope, &reader, mail, key).await
}

/// By which the mails of finds in a unit's files are one: its hour on the instance's clock.
fn mail_key(unit_id: i64, now: Timestamp) -> String {
    format!("{KIND}/{unit_id}/{}", now.0.div_euclid(HOUR_MICROS))
}

/// Who is told of a find, and at which address: the owner of the unit, or of the root where that one
/// can't be written to.
async fn reader_of(
    scope: &mut Scope<'_>,
    unit_id: i64,
) -> Result<Option<(User, String)>, StoreError> {
    for unit in [unit_id, scope.actor.org_id] {
        let unit: Option<Organization> = scope.find_by(Cond::eq("id", unit)).await?;
        let Some(owner_id) = unit.and_then(|unit| unit.owner_id) else { continue };
        let owner: Option<User> = scope.find(owner_id).await?;
        let able = owner.filter(may_be_told);
        if let Some((owner, to)) = able.and_then(|owner| Some((owner.clone(), owner.email?))) {
            return Ok(Some((owner, to)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_of_an_hour_and_unit_are_one() {
        let key = |unit_id, at| mail_key(unit_id, Timestamp(at));
        let hours = [-1, 0, 1].map(|hour| hour * HOUR_MICROS);
        for hour in hours {
            assert_eq!(key(7, hour), key(7, hour + HOUR_MICROS - 1));
            assert_ne!(key(7, hour), key(8, hour));
        }
        assert_ne!(key(7, hours[0]), key(7, hours[1]));
        assert_ne!(key(7, hours[1]), key(7, hours[2]));
        assert_eq!(key(7, 5 * HOUR_MICROS), "file_quarantined/7/5");
    }
}
