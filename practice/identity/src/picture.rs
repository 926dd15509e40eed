//! Pictures of people and practices, and the files of other domains: what may
//! be one, and how it is kept (behaviour 10).

use std::io::Read;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_engine::{Answer, Call, Refused, Request, Upload, UploadedFile};
use ward_store::blobs::{
    self, BlobFacts, BlobStore, DEFAULT_QUOTA_BYTES, FileScan, Registered, Stored,
};
use ward_store::system::KeyClass;
use ward_store::{Db, Query, Sql, StoreError, Uuid, Value};

use crate::sealing::sealed;
use crate::tables::User;
use crate::upload_scan::upload_scan;

/// The largest picture.
pub const PICTURE_BYTES_MAX: u64 = 5 << 20;
/// All pictures of one person together, with those replaced within a day: so
/// nobody uses up the storage of their organization by changing theirs.
pub const PERSON_BYTES_MAX: i64 = 50 << 20;
/// What a field of pictures takes.
pub const PICTURE: FileKind = FileKind {
    bytes_max: PICTURE_BYTES_MAX,
    type_of: picture_type,
    wanted: "a PNG, JPEG, GIF or WebP picture",
};
/// What a person's picture is for.
const AVATAR: &str = "avatar";

/// What a field takes as its file.
#[derive(Clone, Copy, Debug)]
pub struct FileKind {
    /// The largest file.
    pub bytes_max: u64,
    /// The media type by a file's bytes; none when it is no such file.
    pub type_of: fn(&[u8]) -> Option<&'static str>,
    /// As a sentence says it, with its article.
    pub wanted: &'static str,
}

impl FileKind {
    /// The longest text that can hold one: base64 and the start of a data URL.
    const fn text_bytes_max(&self) -> u64 {
        self.bytes_max.div_ceil(3) * 4 + 256
    }
}

/// A file on the disk that no row tells of yet. When it goes and there still
/// is none, because the mutation was refused, its file is removed.
pub struct NewFile {
    pub(crate) stored: Stored,
    /// The name its sender gave it.
    pub file_name: String,
    pub(crate) content_type: &'static str,
    pub(crate) leftover: Leftover,
}

impl NewFile {
    /// What it is by its bytes.
    pub fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// How many they are.
    pub fn byte_size(&self) -> i64 {
        self.stored.byte_size
    }

    /// What is on the disk, for whoever registers it without a call.
    pub fn stored(&self) -> &Stored {
        &self.stored
    }
}

/// What it takes to remove the file of a refused mutation.
#[derive(Clone)]
pub(crate) struct Leftover {
    pub(crate) org_id: i64,
    pub(crate) db: Db,
    pub(crate) store: Arc<dyn BlobStore>,
    pub(crate) runtime: tokio::runtime::Handle,
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let (leftover, id) = (self.leftover.clone(), self.stored.id.0.clone());
        // What can't be removed now is the sweep's.
        self.leftover.runtime.spawn(async move {
            drop(leftover.remove(&id).await);
        });
    }
}

impl Leftover {
    /// Removes the file unless a row tells of it.
    async fn remove(&self, id: &str) -> Result<(), StoreError> {
        let org_id = self.org_id;
        if has_row(&mut self.db.read().await?, org_id, id).await? {
            return Ok(());
        }
        // A transaction that registers it and is being committed is waited for.
        let lock = Sql::fixed(
            "SELECT version FROM data_keys WHERE org_id = $1 AND class = $2 \
             ORDER BY version LIMIT 1 FOR_UPDATE",
            [org_id.into(), KeyClass::Personal.as_str().into()],
        );
        let id_text = id.to_owned();
        let is_kept = self.db.write(move |tx| {
            let (lock, id) = (lock.clone(), id_text.clone());
            Box::pin(async move {
                tx.rows(&lock).await?;
                has_row(tx, org_id, &id).await
            })
        });
        match is_kept.await? {
            true => Ok(()),
            false => self.store.remove(id).await,
        }
    }
}

async fn has_row(q: &mut impl Query, org_id: i64, id: &str) -> Result<bool, StoreError> {
    let sql = Sql::fixed(
        "SELECT id FROM blobs WHERE org_id = $1 AND id = $2",
        [org_id.into(), id.into()],
    );
    Ok(!q.rows(&sql).await?.is_empty())
}

/// The media type of a picture, by its first bytes: what its sender says of it
/// is not believed, and no format that can hold a script is a picture.
pub fn picture_type(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// The bytes of a data URL `data:<type>;base64,<data>`, or of bare base64.
pub fn data_url_bytes(text: &str) -> Option<Vec<u8>> {
    let data = match text.trim().strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,")?.1,
        None => text.trim(),
    };
    STANDARD.decode(data.trim()).ok()
}

/// Seals an uploaded picture onto the disk, outside any transaction. `at` is
/// the input field: `avatar`, `logo`.
pub async fn from_upload(request: &Request, file: UploadedFile, at: &str) -> Answer<NewFile> {
    file_from_upload(request, file, at, &PICTURE).await
}

/// The same for a file of any kind.
pub async fn file_from_upload(
    request: &Request,
    file: UploadedFile,
    at: &str,
    kind: &FileKind,
) -> Answer<NewFile> {
    let upload = request.uploads.get(file.0).ok_or_else(|| Refused::not_found(at))?;
    if upload.byte_size > kind.bytes_max {
        return Err(too_large(at, kind.bytes_max));
    }
    let bytes = read(upload, kind).map_err(|_| unreadable(at))?;
    keep(request, &bytes, &upload.file_name, at, kind).await
}

/// Seals a picture sent as text onto the disk, outside any transaction. `at` is
/// the input field, such as `avatar_string`.
pub async fn from_text(request: &Request, text: &str, at: &str) -> Answer<NewFile> {
    let kind = &PICTURE;
    if text.len() as u64 > kind.text_bytes_max() {
        return Err(too_large(at, kind.bytes_max));
    }
    let wrong = || Refused::on(at, format!("{} string must be a base64 data URL", label(at)));
    let bytes = data_url_bytes(text).ok_or_else(wrong)?;
    keep(request, &bytes, at.trim_end_matches("_string"), at, kind).await
}

fn read(upload: &Upload, kind: &FileKind) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(&upload.path)?.take(kind.bytes_max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn keep(
    request: &Request,
    mut bytes: &[u8],
    file_name: &str,
    at: &str,
    kind: &FileKind,
) -> Answer<NewFile> {
    let wrong = || format!("{} must be {}", label(at), kind.wanted);
    let content_type = (kind.type_of)(bytes).ok_or_else(|| Refused::on(at, wrong()))?;
    let named = Named { file_name, content_type, at, bytes_max: kind.bytes_max };
    let size = bytes.len() as u64;
    sealed(request, &mut bytes, size, &named).await
}

/// What is known of a file before it is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The name its sender gave it.
    pub file_name: &'a str,
    /// What it is by its bytes.
    pub content_type: &'static str,
    /// The input field.
    pub at: &'a str,
    /// The largest such file.
    pub bytes_max: u64,
}

pub(crate) fn unreadable(at: &str) -> Refused {
    Refused::on(at, "The file can't be read")
}

/// What an input field calls its file: `avatar_string` is "Avatar".
fn label(at: &str) -> String {
    let mut text = at.trim_end_matches("_string").replace('_', " ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

pub(crate) fn over_quota(at: &str) -> Refused {
    let field = at.trim_end_matches("_string");
    Refused::on(field, "The organization has used up its file storage")
}

pub(crate) fn too_large(at: &str, bytes_max: u64) -> Refused {
    Refused::on(at, format!("{} must be at most {} MiB", label(at), bytes_max >> 20))
}

/// Registers a file that somebody sent in the transaction that puts it to use: `owner_id` is
/// the person it belongs to, `purpose` one word such as `avatar`. It is looked at for malware where the
/// organization says so.
pub async fn register(
    call: &mut Call<'_>,
    picture: &NewFile,
    unit_id: i64,
    owner_id: i64,
    purpose: &str,
) -> Answer<Uuid> {
    let scan = upload_scan(call.scope.tx, picture.leftover.org_id).await?;
    registered(call, picture, (unit_id, owner_id), purpose, scan).await
}

/// The same of a file that Ward made: nobody looks at it.
pub async fn register_made(
    call: &mut Call<'_>,
    file: &NewFile,
    (unit_id, owner_id): (i64, i64),
    purpose: &str,
) -> Answer<Uuid> {
    registered(call, file, (unit_id, owner_id), purpose, None).await
}

async fn registered(
    call: &mut Call<'_>,
    picture: &NewFile,
    (unit_id, owner_id): (i64, i64),
    purpose: &str,
    scan: Option<FileScan>,
) -> Answer<Uuid> {
    let facts = BlobFacts {
        unit_id,
        owner_id,
        purpose: purpose.to_owned(),
        file_name: picture.file_name.clone(),
        content_type: picture.content_type.to_owned(),
        scan,
        cause: call.request.request_id.clone(),
    };
    let registered =
        blobs::register(call.scope.tx, &picture.stored, facts, DEFAULT_QUOTA_BYTES).await?;
    match registered {
        Registered::OverQuota { .. } => Err(over_quota(purpose)),
        _ => Ok(picture.stored.id.clone()),
    }
}

/// Makes the picture the user's, in the transaction that changes them; the one
/// before is deleted.
pub async fn put_on(call: &mut Call<'_>, user: &mut User, picture: &NewFile) -> Answer<()> {
    let id = register(call, picture, user.unit_id.0, user.id.0, AVATAR).await?;
    // Whoever registers another one waits until this one is committed.
    if bytes_of(call.scope.tx, user.org_id.0, user.id.0, AVATAR).await? > PERSON_BYTES_MAX {
        return Err(Refused::on(
            AVATAR,
            format!(
                "One person's pictures can be at most {} MiB together; those replaced count for a day",
                PERSON_BYTES_MAX >> 20
            ),
        ));
    }
    take_off(call, user).await?;
    user.avatar_id = Some(id);
    user.uploaded_avatar_file_name = Some(picture.file_name.clone());
    Ok(())
}

/// Bytes of a person's files for one purpose, deleted ones included until they
/// are swept.
pub async fn bytes_of(
    q: &mut impl Query,
    org_id: i64,
    owner_id: i64,
    purpose: &str,
) -> Result<i64, StoreError> {
    let sql = Sql::fixed(
        "SELECT CAST(COALESCE(SUM(byte_size), 0) AS BIGINT) FROM blobs \
         WHERE org_id = $1 AND owner_id = $2 AND purpose = $3",
        [org_id.into(), owner_id.into(), purpose.into()],
    );
    Ok(q.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Removes the user's picture.
pub async fn take_off(call: &mut Call<'_>, user: &mut User) -> Answer<()> {
    if let Some(old) = user.avatar_id.take() {
        blobs::delete(call.scope.tx, user.org_id.0, &old).await?;
    }
    user.uploaded_avatar_file_name = None;
    Ok(())
}
