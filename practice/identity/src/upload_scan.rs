//! Whether files that people send are looked at for malware: what a practice says of it, and what is
//! told of a file. The look itself is the dispatcher's.

use std::collections::HashMap;

use ward_engine::{Answer, Call, Out, Refused, Request, RowView};
use ward_store::blobs::{self, FileScan};
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::tables::{Organization, UploadScan};

/// The input field.
const AT: &str = "upload_scan";

impl UploadScan {
    /// How a file begins that is stored now; nothing where nobody looks at it.
    pub const fn first(self) -> Option<FileScan> {
        match self {
            UploadScan::Off => None,
            UploadScan::Release => Some(FileScan::Pending),
            UploadScan::Hold => Some(FileScan::Held),
        }
    }
}

/// Whether a file of the organization that somebody sends now is to be looked at, and whether it may
/// be read before. What Ward makes itself, such as an archive, is not. It stays so until the transaction
/// ends: whoever changes it meanwhile waits, and lets go this file, too.
pub async fn upload_scan(tx: &mut Tx, org_id: i64) -> Result<Option<FileScan>, StoreError> {
    let sql = Sql::fixed(
        "SELECT o.upload_scan FROM organizations o WHERE o.org_id = $1 AND o.id = $2 FOR_SHARE",
        [org_id.into(), org_id.into()],
    );
    let rows = tx.rows(&sql).await?;
    let said = rows.scalar().and_then(Value::text).and_then(UploadScan::from_text);
    Ok(said.and_then(UploadScan::first))
}

/// Writes what an input says of it. It is the root's to say, for those below it, too.
pub fn set(unit: &mut Organization, asked: &str) -> Answer<()> {
    let Some(asked) = UploadScan::from_text(asked) else {
        return Err(Refused::on(AT, "Upload scan must be OFF, RELEASE or HOLD"));
    };
    if unit.parent_organization_id.is_some() {
        let message =
            "Upload scan is the root organization's to say, for its sub-organizations, too";
        return Err(Refused::on(AT, message));
    }
    unit.upload_scan = asked;
    Ok(())
}

/// Lets go what was held, once a root holds no files any more.
pub async fn changed(
    call: &mut Call<'_>,
    before: &Organization,
    after: &Organization,
) -> Answer<()> {
    if lets_go(before.upload_scan, after.upload_scan) {
        blobs::let_go(call.scope.tx, after.org_id.0).await?;
    }
    Ok(())
}

/// Whether files that are held may be read once a practice says this instead of that.
fn lets_go(before: UploadScan, after: UploadScan) -> bool {
    before == UploadScan::Hold && after != UploadScan::Hold
}

/// What the API calls a state.
pub const fn word(scan: FileScan) -> &'static str {
    match scan {
        FileScan::Pending => "PENDING",
        FileScan::Held => "HELD",
        FileScan::Clean => "CLEAN",
        FileScan::Found => "FOUND",
    }
}

/// Of several files, what is told of is the worst.
const fn rank(scan: FileScan) -> u8 {
    match scan {
        FileScan::Clean => 0,
        FileScan::Pending => 1,
        FileScan::Held => 2,
        FileScan::Found => 3,
    }
}

/// Where the looks at the files stand whose ids are in these columns of the rows; null where nobody
/// asked for one, or there is no file.
pub async fn of_rows(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    columns: &[usize],
) -> Answer<Vec<Out>> {
    let mut ids: Vec<Box<str>> = Vec::new();
    for row in &rows {
        ids.extend(columns.iter().filter_map(|at| row.text(*at)).map(Box::<str>::from));
    }
    if ids.is_empty() {
        return Ok(vec![Out::Null; rows.len()]);
    }
    let mut sql = Sql::new();
    sql.push("SELECT b.id, b.scan FROM blobs b WHERE b.org_id = ").bind(request.actor.org_id);
    sql.push(" AND b.scan IS NOT NULL AND b.id").bind_in_texts(ids);
    let found = q.rows(&sql).await?;
    let state = |row: &[Value]| {
        let scan = FileScan::from_text(row.get(1)?.text()?)?;
        Some((row.first()?.text()?.to_owned(), scan))
    };
    let states: HashMap<String, FileScan> = found.iter().filter_map(state).collect();
    let of = |row: &RowView<'_>| {
        let files = columns.iter().filter_map(|at| row.text(*at));
        let stand = files.filter_map(|id| states.get(id).copied());
        Out::from(stand.max_by_key(|scan| rank(*scan)).map(word))
    };
    Ok(rows.iter().map(of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::practice::blank_organization;
    use ward_instance::Timestamp;
    use ward_store::Id;

    #[test]
    fn who_leaves_hold_lets_go() {
        let all = [UploadScan::Off, UploadScan::Release, UploadScan::Hold];
        for (before, after) in all.into_iter().flat_map(|it| all.map(|after| (it, after))) {
            let leaves = before.as_str() == "HOLD" && after.as_str() != "HOLD";
            assert_eq!(lets_go(before, after), leaves);
        }
    }

    #[test]
    fn a_root_says_how_files_begin() {
        let mut root = blank_organization(Id::new(1), Id::new(1), "R", "r@x.example", Timestamp(0));
        assert_eq!(root.upload_scan.first(), None);
        for (asked, first) in
            [("HOLD", Some(FileScan::Held)), ("RELEASE", Some(FileScan::Pending)), ("OFF", None)]
        {
            assert!(set(&mut root, asked).is_ok());
            assert_eq!(root.upload_scan.first(), first);
        }
        for asked in ["", "hold", "HOLD ", "x"] {
            assert!(set(&mut root, asked).is_err(), "{asked}");
        }
        let mut below =
            blank_organization(Id::new(2), Id::new(1), "B", "b@x.example", Timestamp(0));
        for asked in UploadScan::TEXTS {
            assert!(set(&mut below, asked).is_err(), "{asked}");
        }
        assert_eq!(below.upload_scan, UploadScan::Off);
    }
}
