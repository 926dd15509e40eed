//! Files that come with a message: a picture, a recording, a document, through
//! the instance's file store (behaviour 10, 32).

use ward_engine::{Answer, Call, Given, Request, UploadedFile};
use ward_identity::picture::{self, FileKind, NewFile, picture_type};
use ward_store::{Cond, Uuid, Value, blobs};

use crate::tables::{Conversation, Note};

/// The purpose of a message's files, by which their links find the message.
pub const PURPOSE: &str = "note";

/// The messages that came with a file.
pub fn holds(blob: &str) -> Cond {
    let id: Value = blob.into();
    Cond::sql(
        "{t}.image_id = ? OR {t}.audio_id = ? OR {t}.attached_document_id = ?",
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

    /// Makes the files the note's; those that it had in their places are deleted.
    pub async fn put_on(
        &self,
        call: &mut Call<'_>,
        conversation: &Conversation,
        note: &mut Note,
    ) -> Answer<()> {
        let (unit, owner) = (conversation.unit_id.0, note.user_id.0);
        if let Some(file) = &self.image {
            let new = picture::register(call, file, unit, owner, PURPOSE).await?;
            replace(call, note.image_id.replace(new)).await?;
            note.image_name = Some(file.file_name.clone());
        }
        if let Some(file) = &self.audio {
            let new = picture::register(call, file, unit, owner, PURPOSE).await?;
            replace(call, note.audio_id.replace(new)).await?;
        }
        if let Some(file) = &self.document {
            let new = picture::register(call, file, unit, owner, PURPOSE).await?;
            replace(call, note.attached_document_id.replace(new)).await?;
            note.document_name = Some(file.file_name.clone());
        }
        Ok(())
    }
}

/// Takes all files off a note.
pub async fn take_off(call: &mut Call<'_>, note: &mut Note) -> Answer<()> {
    for old in [note.image_id.take(), note.audio_id.take(), note.attached_document_id.take()] {
        replace(call, old).await?;
    }
    note.image_name = None;
    note.document_name = None;
    Ok(())
}

async fn replace(call: &mut Call<'_>, old: Option<Uuid>) -> Answer<()> {
    if let Some(old) = old {
        blobs::delete(call.scope.tx, call.scope.actor.org_id, &old).await?;
    }
    Ok(())
}
