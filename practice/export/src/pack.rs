//! The archive of a client: everything that is stored of them, sealed onto the disk as it is put
//! together, outside any transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use serde_json::{Value as Json, json};
use ward_clients::export::ClientRecord;
use ward_engine::{Answer, Refused, Request};
use ward_identity::picture::{Named, NewFile};
use ward_identity::sealing::{Sealing, Shelf};
use ward_store::blobs::FileScan;
use ward_store::keyring::OrgKeys;
use ward_store::system::BlobRow;
use ward_store::{ColumnKind, StoreError, Uuid, blobs};

use super::bundle::{Origin, bundle};
use super::consent::said;
use super::consent::table::DisclosureConsent;
use super::zip::{Packing, Zip};
use super::{notice, page, read};
use ward_documents::EXPORT_TYPE;

/// The largest archive.
const EXPORT_BYTES_MAX: u64 = 2 << 30;
/// So many files an archive takes.
const FILES_MAX: usize = 20_000;
/// The input field that refusals are told of.
const AT: &str = "client_id";

/// What the archive says of its format.
const README: &str = include_str!("../../../docs/client-export.md");

/// So many bytes of a text are packed at once.
const PIECE: usize = 256 << 10;

/// An archive that was made.
pub struct Packed {
    /// Its file.
    pub file: NewFile,
    /// Files in it at which nobody has looked yet though somebody will, by their ids.
    pub unlooked: Vec<Box<str>>,
}

/// An archive that is being written.
struct Archive {
    out: Sealing,
    zip: Zip,
}

impl Archive {
    async fn begin(request: &Request, client_id: i64, size: u64) -> Answer<Self> {
        let file_name = format!("client-{client_id}-export.zip");
        let named = Named {
            file_name: &file_name,
            content_type: EXPORT_TYPE,
            at: AT,
            bytes_max: EXPORT_BYTES_MAX,
        };
        let out = Sealing::begin(&Shelf::of(request, named.at)?, size, &named).await?;
        Ok(Archive { out, zip: Zip::default() })
    }

    fn entry(&mut self, name: &str, packing: Packing) -> Answer<()> {
        self.zip.begin(name, packing).map_err(broken)
    }

    async fn write(&mut self, bytes: &[u8]) -> Answer<()> {
        let ready = self.zip.write(bytes).map_err(broken)?;
        match ready.is_empty() {
            true => Ok(()),
            false => self.out.write(&ready).await,
        }
    }

    async fn whole(&mut self, name: &str, packing: Packing, bytes: &[u8]) -> Answer<()> {
        self.entry(name, packing)?;
        for piece in bytes.chunks(PIECE) {
            self.write(piece).await?;
        }
        Ok(())
    }

    async fn text(&mut self, name: &str, text: &[u8]) -> Answer<()> {
        self.whole(name, Packing::Packed, text).await
    }

    async fn finish(self) -> Answer<NewFile> {
        let Archive { mut out, zip } = self;
        out.write(&zip.finish().map_err(broken)?).await?;
        out.finish().await
    }
}

/// Entries are written into memory: this is no error of a disk.
fn broken(error: io::Error) -> Refused {
    StoreError::internal(format!("no archive is made: {error}")).into()
}

fn too_large() -> Refused {
    Refused::on(
        AT,
        format!(
            "The client's files are more than one archive takes ({} MiB, {FILES_MAX} files)",
            EXPORT_BYTES_MAX >> 20
        ),
    )
}

/// A stored file and its place in the archive.
struct File {
    row: BlobRow,
    path: String,
}

/// The archive of the client, for them or by their consent for somebody else. Whether whoever asks may
/// have it was decided before.
pub async fn archive(
    request: &Request,
    client_id: i64,
    consent: Option<&DisclosureConsent>,
) -> Answer<Packed> {
    let origin = Origin {
        kind: request.instance.kind(),
        base_url: request.base_url.clone(),
        at: request.now,
    };
    let record = read::record(request, client_id, consent).await?;
    let keys = {
        let mut reader = request.db.read().await?;
        request.db.keyring().of(&mut reader, request.actor.org_id).await?
    };
    let Files { files, withheld } = files(request, &keys, &record).await?;
    let told = told(&record, consent, withheld);
    let bytes = files.iter().map(|file| u64::try_from(file.row.byte_size).unwrap_or(0)).sum();
    let mut archive = Archive::begin(request, client_id, bytes).await?;
    // First, and readable in the archive's first bytes: it says where it is from.
    let mark = format!(
        "{}{}\nmade-by: {}\nmade-at: {}\n",
        super::MARK,
        origin.kind.as_str(),
        origin.base_url,
        origin.at
    );
    archive.whole("environment.txt", Packing::Stored, mark.as_bytes()).await?;
    let readme = notice::of_readme(&told.notices) + README;
    archive.text("README.md", readme.as_bytes()).await?;
    write_rows(&mut archive, &record, (files.as_slice(), &told), &origin).await?;
    for file in &files {
        write_file(&mut archive, request, &keys, file).await?;
    }
    let file = archive.finish().await?;
    let unlooked = files.iter().filter(|it| it.row.scan == Some(FileScan::Pending));
    let unlooked: Vec<Box<str>> = unlooked.map(|it| Box::from(it.row.id.0.as_str())).collect();
    Ok(Packed { file, unlooked })
}

async fn write_rows(
    archive: &mut Archive,
    record: &ClientRecord,
    (files, told): (&[File], &Told),
    origin: &Origin,
) -> Answer<()> {
    let paths: BTreeMap<String, String> =
        files.iter().map(|file| (file.row.id.0.clone(), file.path.clone())).collect();
    let listed: Vec<(String, String)> =
        files.iter().map(|file| (file.path.clone(), file.row.file_name.clone())).collect();
    let index = page::index(record, &listed, (origin, told.notices.as_slice()));
    archive.text("index.html", index.as_bytes()).await?;
    archive.text("bundle.json", &text(&bundle(record, &paths, origin))?).await?;
    let mut counts = serde_json::Map::new();
    for (table, rows) in &record.rows {
        counts.insert((*table).to_owned(), rows.len().into());
        let said = json!({
            "environment": origin.kind.as_str(),
            "table": table,
            "rows": rows.iter().map(page::row).collect::<Vec<Json>>(),
        });
        archive.text(&format!("data/{table}.json"), &text(&said)?).await?;
    }
    let mut manifest = json!({
        "environment": origin.kind.as_str(),
        "made_by": origin.base_url,
        "made_at": origin.at.to_string(),
        "client_id": record.client_id.to_string(),
        "notices": told.notices,
        "tables": counts,
        "files": paths,
        "files_left_out": told.withheld,
    });
    // What else there is, is the client's to know and nobody else's.
    match &told.consent {
        Some(consent) => manifest["consent"] = consent.clone(),
        None => manifest["counselling_notes_left_out"] = record.counselling_notes.into(),
    }
    archive.text("manifest.json", &text(&manifest)?).await
}

/// What an archive says of itself.
struct Told {
    notices: Vec<String>,
    /// The consent that it was made by.
    consent: Option<Json>,
    /// Files that are not in it, by their ids, and why.
    withheld: BTreeMap<String, &'static str>,
}

fn told(
    record: &ClientRecord,
    consent: Option<&DisclosureConsent>,
    withheld: BTreeMap<String, &'static str>,
) -> Told {
    let by = consent.map(said::sentence).into_iter();
    let notices = by.chain(notice::notices(record)).chain(notice::of_files(&withheld)).collect();
    Told { notices, consent: consent.map(said::json), withheld }
}

fn text(json: &Json) -> Answer<Vec<u8>> {
    let written = serde_json::to_vec_pretty(json);
    Ok(written.map_err(|error| StoreError::internal(error.to_string()))?)
}

/// Stored files: those of the archive, and those that are kept out of it, by their ids, and why.
struct Files {
    files: Vec<File>,
    withheld: BTreeMap<String, &'static str>,
}

/// Every stored file that a row names, but for former exports. What nobody may read for what was
/// found in it, or until it was looked at, is not passed on by an archive either.
async fn files(request: &Request, keys: &OrgKeys, record: &ClientRecord) -> Answer<Files> {
    let mut ids = BTreeSet::new();
    for row in record.rows.values().flatten() {
        for (column, value) in row.table.columns.iter().zip(&row.values) {
            if column.kind == ColumnKind::Uuid && column.name != "id" {
                ids.extend(value.text().map(str::to_owned));
            }
        }
    }
    if ids.len() > FILES_MAX {
        return Err(too_large());
    }
    let mut files = Vec::with_capacity(ids.len());
    let mut withheld = BTreeMap::new();
    let mut bytes = 0u64;
    let mut reader = request.db.read().await?;
    for id in ids {
        let found = blobs::find(&mut reader, keys, &Uuid(id)).await?;
        let Some(row) = found.filter(|row| row.content_type != EXPORT_TYPE) else { continue };
        if let Some(why) = row.scan.and_then(notice::withheld) {
            withheld.insert(row.id.0, why);
            continue;
        }
        bytes = bytes.saturating_add(u64::try_from(row.byte_size).unwrap_or(0));
        let path = format!("files/{}-{}", row.id.0, plain_name(&row.file_name));
        files.push(File { row, path });
    }
    match bytes > EXPORT_BYTES_MAX {
        true => Err(too_large()),
        false => Ok(Files { files, withheld }),
    }
}

/// A name that every machine can save.
fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let start = name.chars().count().saturating_sub(80);
    name.chars().skip(start).map(plain).collect()
}

async fn write_file(
    archive: &mut Archive,
    request: &Request,
    keys: &OrgKeys,
    file: &File,
) -> Answer<()> {
    let Some(store) = &request.blobs else { return Ok(()) };
    let size = u64::try_from(file.row.byte_size).unwrap_or(0);
    archive.entry(&file.path, Packing::Stored)?;
    let mut stored = blobs::open(&**store, &request.instance, keys, &file.row, 0..size).await?;
    while let Some(bytes) = stored.chunk().await? {
        archive.write(&bytes).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_are_plain() {
        assert_eq!(plain_name("../Blut bild \u{202e}é.pdf"), ".._Blut_bild___.pdf");
        assert_eq!(plain_name(&"x".repeat(300)).len(), 80);
    }
}
