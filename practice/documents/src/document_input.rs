//! What comes in with a document, and its file on the disk before the transaction
//! (behaviour 10, 31).

use std::io::{Cursor, Read, Seek};
use std::sync::Arc;

use ward_clients::rules;
use ward_engine::{Answer, Given, Problems, Refused, Request, UploadedFile, input};
use ward_identity::id_list::IdList;
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::picture::{Named, NewFile, data_url_bytes};
use ward_identity::sealing::sealed;
use ward_identity::tables::User;
use ward_store::Id;

use crate::file::{self, Claim, DOCUMENT_BYTES_MAX};
use crate::name;
use crate::sharing::ShareList;
use crate::tables::{Document, Folder};

/// The longest description and notes, in characters.
pub const TEXT_CHARS_MAX: usize = 20_000;

input! {
    /// `createDocumentInput`; when it was made or changed is not its sender's to say.
    pub struct CreateDocument {
        file: UploadedFile,
        file_string: String,
        display_name: String,
        description: String,
        metadata: String,
        folder_id: IdOrBlank<Folder>,
        rel_user_id: IdOrBlank<User>,
        share_with_rel: bool,
        share_users: ShareList,
        clients_ids: IdList<User>,
        provider_ids: IdList<User>,
        include_in_charting: bool,
        org_level: bool,
        created_at: String,
        updated_at: String,
    }
}

input! {
    /// `updateDocumentInput`.
    pub struct UpdateDocument {
        id: Id<Document>,
        display_name: String,
        description: String,
        internal_notes: String,
        metadata: String,
        folder_id: IdOrBlank<Folder>,
        rel_user_id: IdOrBlank<User>,
        share_with_rel: bool,
        share_users: ShareList,
        include_in_charting: bool,
        shared_on_welcome: bool,
        shared_with_dietitians: bool,
    }
}

input! {
    /// `deleteDocumentInput`.
    pub struct DeleteDocument { id: Id<Document> }
}

/// `createDocument` with its file on the disk.
pub struct PreparedCreate {
    /// As it was sent, without the bytes of its file.
    pub input: CreateDocument,
    /// The file.
    pub file: NewFile,
}

/// What is wrong with the texts of a document.
pub fn check(
    display_name: &Given<String>,
    description: &Given<String>,
    metadata: &Given<String>,
) -> Problems {
    let mut problems = Problems::new();
    let title = display_name.trimmed().and_then(|it| name::wrong_title("Display name", it));
    if let Some(sentence) = title {
        problems.add("display_name", sentence);
    }
    rules::bounded("description", description, TEXT_CHARS_MAX, &mut problems);
    rules::metadata("metadata", metadata, &mut problems);
    problems
}

/// Examines the file and seals it onto the disk, outside any transaction. What is
/// refused here has left nothing.
pub async fn prepare_create(
    request: Arc<Request>,
    mut input: CreateDocument,
) -> Answer<PreparedCreate> {
    check(&input.display_name, &input.description, &input.metadata).check()?;
    let file = match input.file.value() {
        Some(file) => uploaded(&request, *file).await?,
        None => written(&request, &input).await?,
    };
    // It may be 30 MiB, and is on the disk.
    input.file_string = Given::Absent;
    Ok(PreparedCreate { input, file })
}

async fn uploaded(request: &Request, file: UploadedFile) -> Answer<NewFile> {
    let at = "file";
    let upload = request.uploads.get(file.0).ok_or_else(|| Refused::not_found(at))?;
    let unreadable = || Refused::on(at, "The file can't be read");
    let mut opened = std::fs::File::open(&upload.path).map_err(|_| unreadable())?;
    let claimed = Some(upload.content_type.as_str());
    stored(request, &mut opened, &upload.file_name, claimed, at).await
}

/// A file that is a data URL, or bare base64 whose type its title's end tells.
async fn written(request: &Request, input: &CreateDocument) -> Answer<NewFile> {
    let at = "file_string";
    let text = input.file_string.trimmed();
    let text =
        text.ok_or_else(|| Refused::on("file", "File can't be blank: send file or file_string"))?;
    if text.len() as u64 > DOCUMENT_BYTES_MAX.div_ceil(3) * 4 + 256 {
        return Err(Refused::on(
            at,
            format!("The file must be at most {} MiB", DOCUMENT_BYTES_MAX >> 20),
        ));
    }
    let bytes = data_url_bytes(text);
    let bytes = bytes.ok_or_else(|| Refused::on(at, "File string must be a base64 data URL"))?;
    let claimed = text.strip_prefix("data:").and_then(|rest| rest.split_once([';', ',']));
    let claimed = claimed.map(|(claimed, _)| claimed).filter(|claimed| !claimed.is_empty());
    let title = input.display_name.trimmed();
    let title = title.filter(|it| name::wrong_file_name(it).is_none()).unwrap_or("file");
    stored(request, &mut Cursor::new(bytes), title, claimed, at).await
}

async fn stored(
    request: &Request,
    bytes: &mut (impl Read + Seek + Send),
    file_name: &str,
    claimed: Option<&str>,
    at: &str,
) -> Answer<NewFile> {
    if let Some(sentence) = name::wrong_file_name(file_name) {
        return Err(Refused::on(at, sentence));
    }
    let unreadable = |_| Refused::on(at, "The file can't be read");
    let size = bytes.seek(std::io::SeekFrom::End(0)).map_err(unreadable)?;
    let extension = name::extension(file_name);
    let claim = Claim { extension: extension.as_deref(), content_type: claimed };
    let content_type = file::examined(bytes, claim).map_err(unreadable)?;
    let content_type = content_type.map_err(|sentence| Refused::on(at, sentence))?;
    let named = Named { file_name, content_type, at, bytes_max: DOCUMENT_BYTES_MAX };
    sealed(request, bytes, size, &named).await
}
