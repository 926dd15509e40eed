//! Files that come with a message: a picture, a recording, a document, through
//! the instance's file store (behaviour 10, 32).

use ward_engine::{Answer, Call, Given, Refused, Request, UploadedFile};
use ward_identity::picture::{self, FileKind, NewFile, picture_type};
use ward_store::{Cond, Scope, Uuid, Value, blobs};

use crate::tables::{Note, NoteScheduler};

/// The purpose of a message's files, by which their links find the message.
pub const PURPOSE: &str = "note";
/// The files of all messages of one client together, with those deleted within a
/// day: so no client uses up the storage of the practice.
pub const CLIENT_BYTES_MAX: i64 = 500 << 20;

/// The messages that came with a file.
pub fn holds(blob: &str) -> Cond {
    let id: Value = blob.into();
    Cond::sql(
        "({t}.image_id = ? OR {t}.audio_id = ? OR {t}.attached_document_id = ?)",
        [id.clone(), id.clone(), id],
    )
}

const AUDIO: FileKind = FileKind {
    bytes_max: 10 << 20,
    type_of: audio_type,
    wanted: "an MP3, M4A, OGG, WAV or WebM recording",
};
const DOCUMENT: FileKind =
    FileKind { bytes_max: 20 << 20, type_of: document_type, wanted: "a file" };

/// The media type of a recording, by its first bytes.
pub fn audio_type(start: &[u8]) -> Option<&'static str> {
    match start {
        [b'I', b'D', b'3', ..] | [0xff, 0xfb | 0xf3 | 0xf2, ..] => Some("audio/mpeg"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some("audio/mp4"),
        [b'O', b'g', b'g', b'S', ..] => Some("audio/ogg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => Some("audio/wav"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("audio/webm"),
        _ => None,
    }
}

/// The media type of a document; what can't be told apart is only bytes. An
/// empty file is none.
fn document_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [] => None,
        [b'%', b'P', b'D', b'F', b'-', ..] => Some("application/pdf"),
        other => picture_type(other).or(Some("application/octet-stream")),
    }
}

/// The files of one message on the disk, before a row tells of them.
#[derive(Default)]
pub struct Attachments {
    /// A picture.
    pub image: Option<NewFile>,
    /// A recording.
    pub audio: Option<NewFile>,
    /// Any other file.
    pub document: Option<NewFile>,
}

/// The fields of an input that hold files.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// `attached_image`.
    pub image: &'a Given<UploadedFile>,
    /// `attached_image_string`.
    pub image_string: &'a Given<String>,
    /// `attached_audio`.
    pub audio: &'a Given<UploadedFile>,
    /// `attached_document`.
    pub document: &'a Given<UploadedFile>,
}

impl Sent<'_> {
    /// Whether any file was sent.
    pub fn is_some(&self) -> bool {
        let uploads = [self.image, self.audio, self.document];
        uploads.iter().any(|upload| upload.value().is_some())
            || self.image_string.trimmed().is_some()
    }

    /// Seals the files onto the disk, outside any transaction.
    pub async fn stored(&self, request: &Request) -> Answer<Attachments> {
        let image = match (self.image.value(), self.image_string.trimmed()) {
            (Some(file), _) => Some(picture::from_upload(request, *file, "attached_image").await?),
            (_, Some(text)) => {
                Some(picture::from_text(request, text, "attached_image_string").await?)
            }
            _ => None,
        };
        let audio = kept(request, self.audio, "attached_audio", &AUDIO).await?;
        let document = kept(request, self.document, "attached_document", &DOCUMENT).await?;
        Ok(Attachments { image, audio, document })
    }
}

async fn kept(
    request: &Request,
    file: &Given<UploadedFile>,
    at: &str,
    kind: &FileKind,
) -> Answer<Option<NewFile>> {
    match file.value() {
        Some(file) => picture::file_from_upload(request, *file, at, kind).await.map(Some),
        None => Ok(None),
    }
}

impl Attachments {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.image.is_none() && self.audio.is_none() && self.document.is_none()
    }

    /// Registers the files as those of a message that `owner` writes.
    pub async fn registered(
        &self,
        call: &mut Call<'_>,
        unit: i64,
        owner: i64,
    ) -> Answer<NoteFiles> {
        let mut files = NoteFiles::default();
        if let Some(file) = &self.image {
            files.image_id = Some(picture::register(call, file, unit, owner, PURPOSE).await?);
            files.image_name = Some(file.file_name.clone());
        }
        if let Some(file) = &self.audio {
            files.audio_id = Some(picture::register(call, file, unit, owner, PURPOSE).await?);
        }
        if let Some(file) = &self.document {
            let id = picture::register(call, file, unit, owner, PURPOSE).await?;
            files.attached_document_id = Some(id);
            files.document_name = Some(file.file_name.clone());
        }
        // Whoever registers another one waits until these are committed.
        if call.actor.is_client() && !self.is_empty() {
            let org_id = call.actor.org_id;
            let bytes = picture::bytes_of(call.scope.tx, org_id, owner, PURPOSE).await?;
            if bytes > CLIENT_BYTES_MAX {
                let most = CLIENT_BYTES_MAX >> 20;
                return Err(Refused::base(format!(
                    "The files of your messages can be at most {most} MiB together; those deleted count for a day"
                )));
            }
        }
        Ok(files)
    }
}

/// The files of a message, registered.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct NoteFiles {
    pub image_id: Option<Uuid>,
    pub image_name: Option<String>,
    pub audio_id: Option<Uuid>,
    pub attached_document_id: Option<Uuid>,
    pub document_name: Option<String>,
}

impl NoteFiles {
    /// Puts these files in the places of a note's; those that were there go.
    pub async fn put_on(self, scope: &mut Scope<'_>, note: &mut Note) -> Answer<()> {
        if self.image_id.is_some() {
            remove(scope, note, note.image_id.clone()).await?;
            (note.image_id, note.image_name) = (self.image_id, self.image_name);
        }
        if self.audio_id.is_some() {
            remove(scope, note, note.audio_id.clone()).await?;
            note.audio_id = self.audio_id;
        }
        if self.attached_document_id.is_some() {
            remove(scope, note, note.attached_document_id.clone()).await?;
            note.attached_document_id = self.attached_document_id;
            note.document_name = self.document_name;
        }
        Ok(())
    }
}

/// Takes all files off a note.
pub async fn take_off(scope: &mut Scope<'_>, note: &mut Note) -> Answer<()> {
    for old in [&note.image_id, &note.audio_id, &note.attached_document_id] {
        remove(scope, note, old.clone()).await?;
    }
    (note.image_id, note.audio_id, note.attached_document_id) = (None, None, None);
    (note.image_name, note.document_name) = (None, None);
    Ok(())
}

/// Deletes a file that no other note has: a broadcast's are shared.
async fn remove(scope: &mut Scope<'_>, note: &Note, old: Option<Uuid>) -> Answer<()> {
    let Some(old) = old else { return Ok(()) };
    let others = Cond::sql("{t}.id <> ?", [note.id.0.into()]).and(holds(&old.0));
    let other: Option<Note> = scope.find_by(others).await?;
    let waiting = Cond::is_null("sent_at").and(Cond::sql(
        "({t}.image_id = ? OR {t}.attached_document_id = ?)",
        [old.0.as_str().into(), old.0.as_str().into()],
    ));
    let blast: Option<NoteScheduler> = scope.find_by(waiting).await?;
    if other.is_none() && blast.is_none() {
        blobs::delete(scope.tx, scope.actor.org_id, &old).await?;
    }
    Ok(())
}
