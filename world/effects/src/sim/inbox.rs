//! Reading what a Sandbox sent to nobody.

use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_store::{Db, Query, Sql, StoreError, codec};

use crate::sim::simulator::address_index;
use crate::sim::tables::{SIMULATED_MESSAGES, SimulatedMessage};

/// The most messages that one reading answers.
pub const INBOX_MAX: usize = 200;

/// How many when nobody says.
const INBOX_DEFAULT: usize = 50;

/// Which messages are wanted; everything when empty.
#[derive(Clone, Debug, Default)]
pub struct InboxFilter {
    /// To this address, upper and lower case alike.
    pub to: Option<String>,
    /// By this way: `email`, `sms`, `push`, `video`. By one that has no simulator there is nothing.
    pub class: Option<String>,
    /// From this moment of the instance's clock on.
    pub since: Option<Timestamp>,
    /// At most so many, up to [`INBOX_MAX`].
    pub limit: Option<usize>,
}

/// An organization's simulated messages, newest first (by arrival: the clock may stand still).
pub async fn inbox(db: &Db, org_id: i64, filter: InboxFilter) -> Result<Vec<Json>, StoreError> {
    let sql = sql_of(db, org_id, &filter);
    let mut reader = db.read().await?;
    let rows = reader.rows(&sql).await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys = db.keyring().of(&mut reader, org_id).await?;
    rows.iter().map(|row| Ok(shown(codec::open_record(&keys, row)?))).collect()
}

fn sql_of(db: &Db, org_id: i64, filter: &InboxFilter) -> Sql {
    let columns = SIMULATED_MESSAGES.columns.iter();
    let columns: Vec<&str> = columns.map(|column| column.name).collect();
    let mut sql = Sql::new();
    sql.push("SELECT ").push(&columns.join(", "));
    sql.push(" FROM simulated_messages WHERE org_id = ").bind(org_id);
    if let Some(to) = &filter.to {
        let index = address_index(db.instance(), org_id, to);
        sql.push(" AND to_index = ").bind(index);
    }
    if let Some(class) = &filter.class {
        sql.push(" AND class = ").bind(class.as_str());
    }
    if let Some(since) = filter.since {
        sql.push(" AND created_at >= ").bind(since.0);
    }
    let limit = filter.limit.unwrap_or(INBOX_DEFAULT).min(INBOX_MAX);
    let limit = i64::try_from(limit).unwrap_or(0);
    sql.push(" ORDER BY arrived_at DESC, id DESC").limit(limit);
    sql
}

fn shown(message: SimulatedMessage) -> Json {
    let about = message
        .about_type
        .zip(message.about_id)
        .map(|(kind, id)| json!({ "type": kind, "id": id }));
    json!({
        "id": message.id.0,
        "class": message.class.as_str(),
        "to": message.to_address,
        "kind": message.kind,
        "about": about,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "state": message.state.as_str(),
        "created_at": message.created_at.to_string(),
        "cause": message.cause,
    })
}
