//! Verifies the audit log: every entry's MAC, every link, every number, and
//! the ends of the chains against the file outside the database.

use std::fmt;
use std::path::Path;

use crate::audit::{self, Link, Verifier};
use crate::certificate::read_certificate;
use crate::chain_heads::{self, ChainHead, ChainHeads};
use crate::codec;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::stamp;
use crate::system::{AUDIT_EVENTS, audit_events as at};
use crate::value::{Rows, Sql, Value};

/// Entries read at a time.
const PAGE: i64 = 500;

/// What is wrong with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The entry was changed, or made by somebody without the key.
    Edited,
    /// An entry before this one is gone.
    Missing,
    /// The entry stands in another place than it was written at.
    Reordered,
    /// Entries at the end, which the file knows, are gone.
    Truncated,
    /// The chain is sound but not the one that the file knows.
    Replaced,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Edited => "was edited",
            Damage::Missing => "follows a deleted entry",
            Damage::Reordered => "stands out of order",
            Damage::Truncated => "is the last, but later ones were written",
            Damage::Replaced => "is not the one that chain.heads knows",
        })
    }
}

/// The first bad entry of an organization's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    /// The root organization.
    pub org_id: i64,
    /// The entry's number; none when it is not numbered.
    pub seq: Option<i64>,
    /// The entry's id; empty when the log is empty and should not be.
    pub id: String,
    /// What is wrong.
    pub damage: Damage,
}

impl fmt::Display for BadEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq.map_or("unnumbered".to_owned(), |seq| seq.to_string());
        write!(f, "organization {}, entry {seq} ({}) {}", self.org_id, self.id, self.damage)
    }
}

/// What verifying found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as it was written.
    Intact {
        /// Numbered entries.
        entries: u64,
        /// Entries that are not numbered yet; their MACs fit.
        unnumbered: u64,
        /// Organizations with a log.
        organizations: u64,
    },
    /// The first bad entry.
    Broken(BadEntry),
}

impl Verdict {
    /// Whether the log is intact.
    pub fn is_intact(&self) -> bool {
        matches!(self, Verdict::Intact { .. })
    }
}

/// Verifies the whole log; with `heads_file`, also that nothing is cut off.
pub async fn verify(db: &Db, heads_file: Option<&Path>) -> Result<Verdict, StoreError> {
    let verifier = Verifier::of(db);
    let verdict = verify_with(db, &verifier, heads_file).await?;
    // Looked at from beside a server that took a new root meanwhile, everything
    // written since would seem edited.
    if let Verdict::Broken(_) = verdict {
        let certificate = read_certificate(&mut db.read().await?).await?;
        if certificate.root_version > verifier.ring.current_version() {
            let what = "the root key was rotated meanwhile; verify again";
            return Err(StoreError::Unavailable(what.into()));
        }
    }
    Ok(verdict)
}

async fn verify_with(
    db: &Db,
    verifier: &Verifier,
    heads_file: Option<&Path>,
) -> Result<Verdict, StoreError> {
    // Read first: the database only grows meanwhile.
    let known = match heads_file {
        Some(path) => chain_heads::read_heads(&verifier.ring, path)?,
        None => None,
    };
    let mut reader = db.read().await?;
    let epoch = read_certificate(&mut reader).await?.restore_epoch;
    let heads = known.filter(|known| known.epoch >= epoch).map(|known| known.heads);
    let heads = heads.unwrap_or_default();
    let mut tally = Tally::default();
    let mut last = i64::MIN;
    while let Some(org_id) = next_organization(&mut reader, &heads, last).await? {
        last = org_id;
        tally.organizations += 1;
        if let Some(bad) =
            verify_chain(&mut reader, verifier, org_id, heads.get(&org_id), &mut tally).await?
        {
            return Ok(Verdict::Broken(bad));
        }
        if let Some(bad) = verify_unnumbered(&mut reader, verifier, org_id, &mut tally).await? {
            return Ok(Verdict::Broken(bad));
        }
    }
    let Tally { entries, unnumbered, organizations } = tally;
    Ok(Verdict::Intact { entries, unnumbered, organizations })
}

#[derive(Default)]
struct Tally {
    entries: u64,
    unnumbered: u64,
    organizations: u64,
}

/// The next organization in the database or in the file.
async fn next_organization(
    q: &mut impl Query,
    heads: &ChainHeads,
    last: i64,
) -> Result<Option<i64>, StoreError> {
    let sql = Sql::fixed("SELECT MIN(org_id) FROM audit_events WHERE org_id > $1", [last.into()]);
    let stored = q.rows(&sql).await?.scalar().and_then(Value::int);
    let known = heads.range(last.saturating_add(1)..).next().map(|(org_id, _)| *org_id);
    Ok(stored.into_iter().chain(known).min())
}

async fn page(q: &mut impl Query, condition: &str, params: [Value; 2]) -> Result<Rows, StoreError> {
    let mut sql = Sql::fixed("SELECT ", params);
    sql.push(&codec::column_list(&AUDIT_EVENTS, "a"));
    sql.push(" FROM audit_events a WHERE ").push(condition).limit(PAGE);
    q.rows(&sql).await
}

async fn verify_chain(
    q: &mut impl Query,
    verifier: &Verifier,
    org_id: i64,
    head: Option<&ChainHead>,
    tally: &mut Tally,
) -> Result<Option<BadEntry>, StoreError> {
    let bad = |seq, id: &str, damage| {
        Ok(Some(BadEntry { org_id, seq: Some(seq), id: id.to_owned(), damage }))
    };
    let mut seq = 0;
    let mut chain = audit::chain_start(&verifier.ring, org_id);
    let mut version = 0;
    let mut last_id = String::new();
    loop {
        let rows =
            page(q, "a.org_id = $1 AND a.seq > $2 ORDER BY a.seq", [org_id.into(), seq.into()])
                .await?;
        for row in rows.iter() {
            let number = row.get(at::seq).and_then(Value::int).unwrap_or_default();
            let id = row.get(at::id).and_then(Value::text).unwrap_or_default();
            let row_mac = row.get(at::row_mac).and_then(Value::bytes).unwrap_or_default();
            let link = row.get(at::chain).and_then(Value::bytes).unwrap_or_default();
            if !verifier.row_is_intact(row) {
                return bad(number, id, Damage::Edited);
            }
            if number != seq + 1 {
                return bad(number, id, Damage::Missing);
            }
            let previous = Link { chain: &chain, version };
            if !verifier.links(&previous, row_mac, number, link) {
                return bad(number, id, Damage::Reordered);
            }
            if head.is_some_and(|head| head.seq == number && head.chain != link) {
                return bad(number, id, Damage::Replaced);
            }
            seq = number;
            version = stamp::version_of(link).unwrap_or(version);
            chain = link.to_vec();
            id.clone_into(&mut last_id);
            tally.entries += 1;
        }
        if rows.is_empty() {
            break;
        }
    }
    match head {
        Some(head) if head.seq > seq => bad(seq, &last_id, Damage::Truncated),
        _ => Ok(None),
    }
}

async fn verify_unnumbered(
    q: &mut impl Query,
    verifier: &Verifier,
    org_id: i64,
    tally: &mut Tally,
) -> Result<Option<BadEntry>, StoreError> {
    let mut last = String::new();
    loop {
        let rows = page(
            q,
            "a.org_id = $1 AND a.seq IS NULL AND a.id > $2 ORDER BY a.id",
            [org_id.into(), last.as_str().into()],
        )
        .await?;
        for row in rows.iter() {
            let id = row.get(at::id).and_then(Value::text).unwrap_or_default();
            if !verifier.row_is_intact(row) {
                let (id, damage) = (id.to_owned(), Damage::Edited);
                return Ok(Some(BadEntry { org_id, seq: None, id, damage }));
            }
            id.clone_into(&mut last);
            tally.unnumbered += 1;
        }
        if rows.is_empty() {
            return Ok(None);
        }
    }
}
