//! `sentNotificationRecords`: what was sent to whom by which way, and whether it
//! arrived (behaviour 42).

use std::collections::HashMap;

use ward_engine::{
    Answer, Bindings, Call, Kind, Out, Payload, Refused, Request, Returns, RowView, input, op,
};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::{User, users};
use ward_store::{Cond, Entity, Level, Query, Select, Sql, Value};

use crate::notices::listing::{self, DELIVERY};
use crate::notices::tables::{
    SENT_NOTIFICATION_RECORDS, SentNotificationRecord, sent_notification_records as at,
};

const TYPE: &str = "SentNotificationRecord";

input! {
    /// `bulkUpdateNotificationRecordsInput`.
    pub struct UpdateRecords { user_id: IdOrBlank<User>, viewed_bounced_records: bool }
}

/// Binds the type, its queries and its mutation.
pub fn bind(b: &mut Bindings) {
    let table = &SENT_NOTIFICATION_RECORDS;
    b.object(TYPE, table);
    b.batch(TYPE, "delivery_status", &[at::id], |request, q, rows, _| {
        Box::pin(statuses(request, q, rows))
    });
    b.computed(TYPE, "notification_description", &[at::notification_type], |_, row, _| {
        match row.text(at::notification_type) {
            Some("new_message") => "A message was not read yet".into(),
            Some("contact_message") => "A contact was told of a message".into(),
            Some("client_created") => "A new client".into(),
            Some("client_assigned") => "A client was assigned".into(),
            _ => Out::Null,
        }
    });
    b.query_one("sentNotificationRecord", table, listing::sent_record)
        .args(&[("id", Kind::Id(SentNotificationRecord::NAME))]);
    b.query_list("sentNotificationRecords", table, listing::sent_records)
        .args(listing::SENT_ARGS)
        .orders(listing::NEWEST, "CREATED_AT_DESC");
    b.query_count("sentNotificationRecordsCount", table, listing::sent_records)
        .args(listing::SENT_ARGS);
    b.batch(
        "User",
        "unseen_sent_notification_records_count",
        &[users::id],
        |request, q, rows, _| Box::pin(bounced(request, q, rows)),
    );
    const DONE: &[(&str, Returns)] = &[("success_string", Returns::Leaf)];
    b.mutation("updateNotificationRecords", DONE, op!(update));
}

/// Where each record's effect stands.
async fn statuses(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    // The rows themselves were seen; only their effects are looked up.
    let mut sql = Sql::new();
    sql.push("SELECT r.id, ").push(&DELIVERY.replace("{t}", "r"));
    sql.push(" FROM sent_notification_records r WHERE r.org_id = ").bind(request.actor.org_id);
    sql.push(" AND r.id IN_LIST(").bind(Value::Ints(ids.into())).push(")");
    let found = q.rows(&sql).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.text()?.to_owned()));
    let of: HashMap<i64, String> = found.iter().filter_map(pair).collect();
    let status = |row: &RowView<'_>| of.get(&row.get(at::id).int()?).cloned();
    Ok(rows.iter().map(|row| status(row).into()).collect())
}

fn unseen_bounces() -> Cond {
    Cond::eq("bounce_viewed", false).and(Cond::sql(format!("{DELIVERY} = 'bounced'"), []))
}

/// How many of a client's notices did not arrive and nobody took note of it.
async fn bounced(request: &Request, q: &mut dyn Query, rows: Vec<RowView<'_>>) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let mut select = Select::new(&SENT_NOTIFICATION_RECORDS, &request.actor);
    select.least = Level::Full;
    select.filter = Cond::is_in("user_id", &ids).and(unseen_bounces());
    if select.filter.is_never() {
        return Ok(vec![Out::Int(0); rows.len()]);
    }
    let found = q.rows(&select.count_by_sql("t.user_id")).await?;
    let pair = |row: &[Value]| Some((row.first()?.int()?, row.get(1)?.int()?));
    let of: HashMap<i64, i64> = found.iter().filter_map(pair).collect();
    let count = |row: &RowView<'_>| {
        let id = row.get(users::id).int().unwrap_or_default();
        Out::Int(of.get(&id).copied().unwrap_or(0))
    };
    Ok(rows.iter().map(count).collect())
}

/// A member takes note of what did not arrive at a client whom they see.
pub async fn update(call: &mut Call<'_>, input: &UpdateRecords) -> Answer<Payload> {
    members_only(call.actor)?;
    let id = named(&input.user_id).ok_or_else(|| Refused::not_found("user_id"))?;
    let seen: Option<(User, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let user = seen.map(|(user, _)| user).filter(|user| user.is_patient);
    let user = user.ok_or_else(|| Refused::not_found("user_id"))?;
    call.scope.subject_id = Some(user.id.0);
    if input.viewed_bounced_records.is_true() {
        let of_user = Cond::eq("user_id", user.id.0).and(unseen_bounces());
        let rows: Vec<SentNotificationRecord> = call.list(of_user, &[]).await?;
        for before in &rows {
            let after = SentNotificationRecord { bounce_viewed: true, ..before.clone() };
            call.update(before, &after).await?;
        }
    }
    Ok(Payload::new().leaf("success_string", "success"))
}
