//! Answers that are kept for an idempotency key: with whom they show, so that a
//! replay shows nobody whom the caller does not see any more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use ward_store::access::AccessEntry;
use ward_store::{Cond, Query, Role, Select, StoreError, Table, Tx, Value, Watch};

use crate::call::Request;
use crate::outcome::{Answer, Refused, RequestError};

/// Clients whose data an answer shows, and by which fields.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Shown {
    path: String,
    clients: BTreeSet<i64>,
}

impl Shown {
    /// Whom these readings are of.
    pub(crate) fn of(reads: &[AccessEntry]) -> Self {
        let path = reads.first().map(|entry| entry.path.to_string()).unwrap_or_default();
        Shown { path, clients: reads.iter().flat_map(|entry| &entry.clients).copied().collect() }
    }
}

/// The answer as it is kept: a line that says whom it shows, then the answer.
pub(crate) fn framed(shown: &Shown, json: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut kept = serde_json::to_vec(shown)
        .map_err(|error| StoreError::internal(format!("whom an answer shows: {error}")))?;
    kept.push(b'\n');
    kept.extend_from_slice(json);
    Ok(kept)
}

fn parsed(kept: &[u8]) -> Option<(Shown, &[u8])> {
    let (line, json) = kept.split_at_checked(kept.iter().position(|byte| *byte == b'\n')?)?;
    Some((serde_json::from_slice(line).ok()?, json.get(1..)?))
}

/// The answer out of what was kept, when the caller sees all whom it shows: a
/// reading of them like the first one. Who had no account got their own answer.
pub(crate) async fn reopened(
    tx: &mut Tx,
    request: &Request,
    clients: Option<&'static Table>,
    kept: &[u8],
) -> Answer<Vec<u8>> {
    let bad = || StoreError::corrupt("idempotency_keys", "a kept answer does not decode");
    let (shown, json) = parsed(kept).ok_or_else(bad)?;
    if !shown.clients.is_empty() && request.actor.role != Role::Anonymous {
        let table = clients.ok_or_else(|| StoreError::internal("no table of clients is bound"))?;
        let seen = seen(tx, request, table, &shown).await?;
        if !shown.clients.iter().all(|id| seen.iter().any(|(seen, _)| seen == id)) {
            return Err(Refused::Error(RequestError::coded(
                "ANSWER_WITHHELD",
                "This request was done before, and its answer shows clients whom you can't see any \
                 more. Nothing was done again.",
            )));
        }
        request.reads.note(&shown.path, seen);
    }
    Ok(json.to_vec())
}

/// Those whom the caller sees at this moment, and how closely that is watched.
async fn seen(
    tx: &mut Tx,
    request: &Request,
    table: &'static Table,
    shown: &Shown,
) -> Result<Vec<(i64, Watch)>, StoreError> {
    let ids: Vec<i64> = shown.clients.iter().copied().collect();
    let mut select = Select::new(table, &request.actor);
    select.filter = Cond::is_in("id", &ids);
    select.with_subject = true;
    let rows = tx.rows(&select.sql()).await?;
    let client = |row: &[Value]| {
        let watch = row.get(1).and_then(Value::int);
        Some((row.first()?.int()?, watch.map_or(Watch::BrokenGlass, Watch::from_number)))
    };
    Ok(rows.iter().filter_map(client).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_as_it_is() {
        let shown = Shown { path: "createClient.user".to_owned(), clients: [7, 9].into() };
        for json in [&b"{\n\"a\": 1}"[..], b"null", b""] {
            let kept = framed(&shown, json).unwrap();
            assert_eq!(
                parsed(&kept),
                Some((Shown { path: shown.path.clone(), clients: [7, 9].into() }, json))
            );
        }
        assert_eq!(parsed(b"null"), None);
        assert_eq!(parsed(b"null\nnull"), None);
    }
}
