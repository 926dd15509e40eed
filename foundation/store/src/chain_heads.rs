//! The file `chain.heads` beside the database: the last link of each
//! organization's audit chain, under a MAC. Entries cut off at the end of a
//! chain are missed only because somebody outside the database knows of them.
//!
//! The file says after how many restores it was written. A database whose
//! certificate knows of a later one went back in time on purpose, so what the
//! file says of before counts no more; every node finds that by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ward_instance::{Purpose, RootRing};

use crate::certificate::read_certificate;
use crate::db::Db;
use crate::error::StoreError;
use crate::query::Query;
use crate::stamp;
use crate::value::{Sql, Value};

const LABEL: &[u8] = b"ward/chain-heads/v1";

/// Before the restore epoch in the first line, unless that is 0.
const AFTER_RESTORE: &str = " after restore ";

/// The last entry of an organization's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Its number.
    pub seq: i64,
    /// Its link.
    pub chain: Vec<u8>,
}

/// The content of the file: heads by root organization.
pub type ChainHeads = BTreeMap<i64, ChainHead>;

/// The file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHeads {
    /// The restore epoch of the database that it was written of.
    pub epoch: i64,
    /// The heads.
    pub heads: ChainHeads,
}

/// What writing the file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadsWritten {
    /// Organizations in the file.
    pub organizations: usize,
    /// Organizations whose chain no longer holds what the file says: their
    /// heads stay as they were, so that `verify` finds it.
    pub contradicted: Vec<i64>,
}

/// Brings the file up to the database. The server calls it every 10 s and when
/// it stops.
pub async fn write_heads(db: &Db, path: &Path) -> Result<HeadsWritten, StoreError> {
    let ring = db.instance().ring();
    let _alone = db.heads_file().lock().await;
    let mut reader = db.read().await?;
    let epoch = read_certificate(&mut reader).await?.restore_epoch;
    let known = read_heads(&ring, path)?.filter(|known| known.epoch >= epoch);
    let mut changed = known.is_none() || !is_signed_by_current(&ring, path);
    let KnownHeads { mut heads, epoch } =
        known.unwrap_or(KnownHeads { epoch, heads: ChainHeads::new() });
    let mut written = HeadsWritten::default();
    for (org_id, seq) in last_numbers(&mut reader).await? {
        let known = heads.get(&org_id);
        if known.is_some_and(|known| known.seq == seq) {
            continue;
        }
        if let Some(known) = known
            && chain_at(&mut reader, org_id, known.seq).await?.as_deref() != Some(&known.chain[..])
        {
            written.contradicted.push(org_id);
            continue;
        }
        if let Some(chain) = chain_at(&mut reader, org_id, seq).await? {
            heads.insert(org_id, ChainHead { seq, chain });
            changed = true;
        }
    }
    written.organizations = heads.len();
    if changed {
        save(&ring, epoch, &heads, path)?;
    }
    Ok(written)
}

/// Each organization's last number, by one descent of the index each.
async fn last_numbers(q: &mut impl Query) -> Result<Vec<(i64, i64)>, StoreError> {
    let sql = Sql::fixed(
        "WITH RECURSIVE o (org_id) AS (\
           SELECT MIN(org_id) FROM audit_events \
           UNION ALL \
           SELECT (SELECT MIN(a.org_id) FROM audit_events a WHERE a.org_id > o.org_id) \
           FROM o WHERE o.org_id IS NOT NULL) \
         SELECT o.org_id, (SELECT MAX(a.seq) FROM audit_events a WHERE a.org_id = o.org_id) \
         FROM o WHERE o.org_id IS NOT NULL",
        [],
    );
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some((row.first()?.int()?, row.get(1)?.int()?))).collect())
}

async fn chain_at(
    q: &mut impl Query,
    org_id: i64,
    seq: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = Sql::fixed(
        "SELECT chain FROM audit_events WHERE org_id = $1 AND seq = $2",
        [org_id.into(), seq.into()],
    );
    let rows = q.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::bytes).map(<[u8]>::to_vec))
}

/// Reads the file; none when there is none. A file that was changed by hand, or
/// is another instance's, is an error.
pub fn read_heads(ring: &RootRing, path: &Path) -> Result<Option<KnownHeads>, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::Unavailable(format!("chain.heads: {error}"))),
    };
    let bad = |what: &str| StoreError::corrupt("audit_events", format!("chain.heads {what}"));
    let (body, mac) = text.trim_end().rsplit_once('\n').ok_or_else(|| bad("is cut off"))?;
    let mac = stamp::from_hex(mac).ok_or_else(|| bad("does not decode"))?;
    if !stamp::verify(ring, Purpose::Ledger, &[LABEL, body.as_bytes()], &mac) {
        return Err(bad("was changed by hand or belongs to another instance"));
    }
    let mut lines = body.lines();
    let epoch = match lines.next().and_then(|title| title.split_once(AFTER_RESTORE)) {
        Some((_, epoch)) => epoch.parse().map_err(|_| bad("does not decode"))?,
        None => 0,
    };
    let heads: Option<ChainHeads> = lines.map(parse_line).collect();
    let heads = heads.ok_or_else(|| bad("does not decode"))?;
    Ok(Some(KnownHeads { epoch, heads }))
}

/// Whether there is a file, and the current root signed it.
fn is_signed_by_current(ring: &RootRing, path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mac = text.trim_end().rsplit_once('\n').and_then(|(_, mac)| stamp::from_hex(mac));
    mac.and_then(|mac| stamp::version_of(&mac)) == Some(ring.current_version())
}

/// `<organization> <seq> <link>`.
fn parse_line(line: &str) -> Option<(i64, ChainHead)> {
    let mut words = line.split(' ');
    let org_id = words.next()?.parse().ok()?;
    let seq = words.next()?.parse().ok()?;
    let chain = stamp::from_hex(words.next()?)?;
    Some((org_id, ChainHead { seq, chain }))
}

/// Writes a temporary beside the file, syncs it and renames it over.
fn save(ring: &RootRing, epoch: i64, heads: &ChainHeads, path: &Path) -> Result<(), StoreError> {
    let mut body = format!("ward chain heads of {} {}", ring.kind(), ring.tag());
    if epoch > 0 {
        let _ = write!(body, "{AFTER_RESTORE}{epoch}");
    }
    for (org_id, head) in heads {
        let _ = write!(body, "\n{org_id} {} {}", head.seq, stamp::to_hex(&head.chain));
    }
    let mac = stamp::sign(ring, Purpose::Ledger, &[LABEL, body.as_bytes()]);
    let text = format!("{body}\n{}\n", stamp::to_hex(&mac));
    let temporary = path.with_extension("heads.new");
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let write = || {
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full(format!("chain.heads: {error}")),
        _ => StoreError::Unavailable(format!("chain.heads: {error}")),
    })
}
