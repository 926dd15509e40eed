//! What the mutations of messages take, and their files on the way in.

use std::sync::Arc;

use ward_engine::{Answer, Given, Refused, Request, UploadedFile, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, Query, Select};

use crate::attachments::{Attachments, Sent};
use crate::html;
use crate::tables::{CONVERSATIONS, Conversation, NOTES, Note};

input! {
    /// `createNoteInput`.
    pub struct CreateNote {
        conversation_id: Id<Conversation>,
        user_id: IdOrBlank<User>,
        content: String,
        org_chat: bool,
        hide_org_chat_confirmation: bool,
        scheduled_at: String,
        attached_image: UploadedFile,
        attached_image_string: String,
        attached_audio: UploadedFile,
        attached_document: UploadedFile,
    }
}

input! {
    /// `updateNoteInput`.
    pub struct UpdateNote {
        id: Id<Note>,
        conversation_id: Id<Conversation>,
        user_id: IdOrBlank<User>,
        content: String,
        scheduled_at: String,
        attached_image: UploadedFile,
        attached_image_string: String,
        attached_audio: UploadedFile,
        attached_document: UploadedFile,
    }
}

input! {
    /// `deleteNoteInput`; a deleted message says so whether or not that is asked.
    pub struct DeleteNote { id: Id<Note>, deleted_by_user: bool }
}

/// An input with its text cleaned and its files on the disk.
pub struct Prepared<I> {
    /// As sent.
    pub input: I,
    /// The message as it is kept, where one was sent.
    pub content: Option<String>,
    /// Its files.
    pub files: Attachments,
}

/// The text of a message as it is kept. Outside any transaction: it is a
/// stranger's, and takes as long as it takes.
pub fn content(sent: &Given<String>) -> Answer<Option<String>> {
    let cleaned = sent.value().map(|text| html::cleaned(text)).transpose();
    cleaned.map_err(|unfit| unfit.on("content"))
}

/// Stores the files of a new note, for somebody who sees its conversation.
pub async fn prepare_create(
    request: Arc<Request>,
    input: CreateNote,
) -> Answer<Prepared<CreateNote>> {
    let sent = Sent {
        image: &input.attached_image,
        image_string: &input.attached_image_string,
        audio: &input.attached_audio,
        document: &input.attached_document,
    };
    if sent.is_some() {
        let id = input.conversation_id.value().map(|id| id.0);
        let select = Select::new(&CONVERSATIONS, &request.actor);
        is_seen(&request, select, id, "conversation_id").await?;
    }
    let content = content(&input.content)?;
    let files = sent.stored(&request).await?;
    Ok(Prepared { input, content, files })
}

/// The same for a changed note.
pub async fn prepare_update(
    request: Arc<Request>,
    input: UpdateNote,
) -> Answer<Prepared<UpdateNote>> {
    let sent = Sent {
        image: &input.attached_image,
        image_string: &input.attached_image_string,
        audio: &input.attached_audio,
        document: &input.attached_document,
    };
    if sent.is_some() {
        let select = Select::new(&NOTES, &request.actor);
        is_seen(&request, select, input.id.value().map(|id| id.0), "id").await?;
    }
    let content = content(&input.content)?;
    let files = sent.stored(&request).await?;
    Ok(Prepared { input, content, files })
}

/// Refuses what the caller can't write to before a file is stored; the
/// transaction looks again.
async fn is_seen(
    request: &Request,
    mut select: Select<'_>,
    id: Option<i64>,
    at: &str,
) -> Answer<()> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    select.least = Level::Full;
    select.filter = Cond::eq("id", id);
    let found = request.db.read().await?.rows(&select.sql()).await?;
    if found.is_empty() { Err(Refused::not_found(at)) } else { Ok(()) }
}
