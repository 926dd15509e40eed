//! Messages: writing, changing and deleting them (behaviour 32).

use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, Call, Payload, Refused, Returns};
use ward_identity::flags::IS_ADMIN;
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, Query, Scope, Sql};

use crate::attachments::{self, NoteFiles};
use crate::conversation::locked;
use crate::note_input::{CreateNote, DeleteNote, Prepared, UpdateNote};
use crate::notices::unread;
use crate::tables::{Conversation, ConversationMembership, NOTES, Note};
use crate::{away, events, html, scheduler};

/// What the mutations answer.
pub static RETURNS: &[(&str, Returns)] = &[("note", Returns::One(&NOTES))];

/// Sends a message (behaviour 32).
pub async fn create(call: &mut Call<'_>, prepared: &Prepared<CreateNote>) -> Answer<Payload> {
    let input = &prepared.input;
    let id = input.conversation_id.value().copied();
    let conversation = locked(call, id, "conversation_id").await?;
    let on_behalf = on_behalf_of(call, input, &conversation).await?;
    if call.actor.is_client() {
        client_may_write(call, conversation.clients_count).await?;
    }
    is_open(&conversation)?;
    let content = prepared.content.clone().unwrap_or_default();
    is_blank_with(&content, !prepared.files.is_empty(), "content")?;
    let scheduled_at = scheduler::time(call, &input.scheduled_at)?;
    let (unit, author) = (conversation.unit_id.0, call.actor.user_id);
    away::setting::hide(call, &input.hide_org_chat_confirmation, |setting, hidden| {
        setting.hide_org_chat_confirmation = hidden;
    })
    .await?;
    let draft = Draft {
        author: Id::new(author),
        on_behalf,
        content,
        files: prepared.files.registered(call, unit, author).await?,
        is_autoresponse: false,
    };
    let note = match scheduled_at {
        None => send(call, &conversation, draft).await?,
        Some(at) => {
            members_only(call.actor)?;
            let waiting = Note { scheduled_at: Some(at), ..new(call, &conversation, draft).await? };
            call.create(&waiting).await?;
            scheduler::hold(call, &waiting, at).await?;
            waiting
        }
    };
    Ok(Payload::new().one("note", note.id.0))
}

/// A message says something, or has a file.
pub fn is_blank_with(content: &str, has_files: bool, at: &str) -> Answer<()> {
    match html::is_blank(content) && !has_files {
        true => Err(Refused::on(at, "Content can't be blank")),
        false => Ok(()),
    }
}

/// Nothing is written in a closed conversation.
pub fn is_open(conversation: &Conversation) -> Answer<()> {
    match conversation.closed_at {
        Some(_) => Err(Refused::on("conversation_id", "The conversation is closed")),
        None => Ok(()),
    }
}

/// The member in whose conversation the caller writes, when it is not simply
/// their own: a colleague in the client's care team says so with `org_chat`, an
/// administrator names a member who takes part. Nobody writes as another: the
/// author is always who asks (behaviour 32).
async fn on_behalf_of(
    call: &mut Call<'_>,
    input: &CreateNote,
    conversation: &Conversation,
) -> Answer<Option<Id<User>>> {
    let caller = Id::new(call.actor.user_id);
    let takes_part = part_of(call, conversation, caller).await?.is_some();
    match named(&input.user_id).filter(|id| *id != caller) {
        Some(other) => {
            members_only(call.actor)?;
            let user: Option<User> = call.find(other).await?;
            let is_member = user.is_some_and(|user| !user.is_patient);
            if !is_member || part_of(call, conversation, other).await?.is_none() {
                return Err(Refused::not_found("user_id"));
            }
            requires(call.actor, IS_ADMIN)?;
            Ok(Some(other))
        }
        None if takes_part => {
            let is_owner = conversation.owner_id == caller;
            let for_owner = input.org_chat.is_true() && !is_owner && call.actor.is_member();
            Ok(for_owner.then_some(conversation.owner_id))
        }
        None if input.org_chat.is_true() => {
            members_only(call.actor)?;
            if !cares_for(call, conversation, caller).await? {
                requires(call.actor, IS_ADMIN)?;
            }
            Ok(Some(conversation.owner_id))
        }
        None => Err(Refused::on("conversation_id", "You don't take part in this conversation")),
    }
}

/// Whether somebody is in the care team of the conversation's client.
pub async fn cares_for(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    user: Id<User>,
) -> Answer<bool> {
    let Some(client) = conversation.patient_id else { return Ok(false) };
    let sql = Sql::fixed(
        "SELECT 1 FROM users c WHERE c.org_id = $1 AND c.id = $2 AND (c.dietitian_id = $3 \
         OR EXISTS (SELECT 1 FROM care_team_members t WHERE t.org_id = c.org_id \
         AND t.patient_id = c.id AND t.user_id = $3))",
        [conversation.org_id.0.into(), client.0.into(), user.0.into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

/// Whether the client who asks may write in a conversation with so many clients
/// (behaviour 19).
pub async fn client_may_write(call: &mut Call<'_>, clients: i64) -> Answer<()> {
    let switch = if clients > 1 { Switch::CommunityChat } else { Switch::DirectChat };
    let (org_id, client) = (call.actor.org_id, call.actor.user_id);
    match feature_toggle::is_on(call.scope.tx, org_id, client, switch).await? {
        true => Ok(()),
        false => Err(Refused::base("Your practice has switched these messages off")),
    }
}

/// Somebody's part in a conversation.
pub async fn part_of(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    user: Id<User>,
) -> Answer<Option<ConversationMembership>> {
    let of_user = Cond::eq("user_id", user.0);
    Ok(scope.find_by(Cond::eq("conversation_id", conversation.id.0).and(of_user)).await?)
}

/// A message to be sent.
pub struct Draft {
    /// Who writes.
    pub author: Id<User>,
    /// In whose conversation, when they write in a colleague's.
    pub on_behalf: Option<Id<User>>,
    /// Cleaned.
    pub content: String,
    /// Its files.
    pub files: NoteFiles,
    /// Whether it answers by itself.
    pub is_autoresponse: bool,
}

/// Sends a message in a conversation that the transaction has locked: everybody
/// else has something to read from now on.
pub async fn send(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    draft: Draft,
) -> Answer<Note> {
    let number = conversation.notes_count + 1;
    let note = Note { number: Some(number), ..new(scope, conversation, draft).await? };
    scope.subject_id = note.patient_id.map(|id| id.0);
    scope.create(&note).await?;
    sent(scope, conversation, &note, number).await?;
    Ok(note)
}

/// A message without a place in its conversation.
async fn new(scope: &mut Scope<'_>, conversation: &Conversation, draft: Draft) -> Answer<Note> {
    let now = scope.now();
    Ok(Note {
        id: scope.next_id().await?,
        org_id: conversation.org_id,
        unit_id: conversation.unit_id,
        conversation_id: conversation.id,
        number: None,
        user_id: draft.author,
        on_behalf_user_id: draft.on_behalf,
        patient_id: concerned(scope, conversation, draft.author).await?,
        content: draft.content,
        image_id: draft.files.image_id,
        image_name: draft.files.image_name,
        audio_id: draft.files.audio_id,
        attached_document_id: draft.files.attached_document_id,
        document_name: draft.files.document_name,
        is_autoresponse: draft.is_autoresponse,
        deleted_by_user: false,
        scheduled_at: None,
        sent_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// The client concerned by what somebody writes.
async fn concerned(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    author: Id<User>,
) -> Answer<Option<Id<User>>> {
    if conversation.patient_id.is_some() {
        return Ok(conversation.patient_id);
    }
    let user: Option<User> = scope.find(author).await?;
    Ok(user.filter(|user| user.is_patient).map(|user| user.id))
}

/// What follows from a note that has its number: the conversation goes on, its
/// author has read it, and the world hears of it.
pub async fn sent(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    note: &Note,
    number: i64,
) -> Answer<()> {
    let after = Conversation { notes_count: number, ..conversation.clone() };
    scope.update(conversation, &after).await?;
    // Who answers by themselves has read nothing, and what a client has not read is not read by who
    // acts for them.
    let is_other = scope.actor.proxy_id.is_some();
    let part = part_of(scope, conversation, note.user_id).await?;
    let part = part.filter(|it| !is_other || it.has_viewed(conversation.notes_count));
    if let Some(part) = part.filter(|_| !note.is_autoresponse) {
        let read = ConversationMembership { viewed_count: number, ..part.clone() };
        scope.update(&part, &read).await?;
    }
    scope.emit(events::message_created(note));
    unread::tell_of(scope, note).await
}

/// A note that the caller wrote, locked; and its conversation.
async fn own(call: &mut Call<'_>, id: Option<Id<Note>>) -> Answer<(Note, Conversation)> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(Note, Level)> = call.visible(id, Level::Full).await?;
    let (note, _) = seen.ok_or_else(|| Refused::not_found("id"))?;
    // Conversations are locked before their notes, by everybody.
    let conversation = locked(call, Some(note.conversation_id), "id").await?;
    let seen = call.visible_for_update(id, Level::Full).await?;
    let (note, _): (Note, Level) = seen.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = note.patient_id.map(|id| id.0);
    Ok((note, conversation))
}

/// Changes a message of one's own; one that was deleted stays so.
pub async fn update(call: &mut Call<'_>, prepared: &Prepared<UpdateNote>) -> Answer<Payload> {
    let input = &prepared.input;
    let (before, conversation) = own(call, input.id.value().copied()).await?;
    if before.user_id.0 != call.actor.user_id {
        return Err(Refused::not_found("id"));
    }
    if input.conversation_id.value().is_some_and(|id| *id != conversation.id) {
        return Err(Refused::not_found("conversation_id"));
    }
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    if before.deleted_by_user {
        return Err(Refused::on("id", "The message was deleted"));
    }
    if call.actor.is_client() {
        client_may_write(call, conversation.clients_count).await?;
    }
    is_open(&conversation)?;
    let mut after = before.clone();
    if input.scheduled_at.is_given() {
        if before.number.is_some() {
            return Err(Refused::on("scheduled_at", "The message was sent"));
        }
        // Its time is now when none is named.
        let at = scheduler::time(call, &input.scheduled_at)?.unwrap_or(call.now());
        after.scheduled_at = Some(at);
        scheduler::move_to(call, &before, at).await?;
    }
    if let Some(content) = &prepared.content {
        after.content.clone_from(content);
    }
    let (unit, author) = (conversation.unit_id.0, after.user_id.0);
    let files = prepared.files.registered(call, unit, author).await?;
    files.put_on(call, &mut after).await?;
    is_blank_with(&after.content, has_files(&after), "content")?;
    let changes = call.update(&before, &after).await?;
    if !changes.is_empty() && before.number.is_some() {
        call.emit(events::message_updated(&after));
    }
    Ok(Payload::new().one("note", after.id.0))
}

fn has_files(note: &Note) -> bool {
    note.image_id.is_some() || note.audio_id.is_some() || note.attached_document_id.is_some()
}

/// Deletes a message: its author does, or an administrator. What was sent stays
/// as a place without content (DOM-34); what still waits goes.
pub async fn delete(call: &mut Call<'_>, input: &DeleteNote) -> Answer<Payload> {
    let (before, _) = own(call, input.id.value().copied()).await?;
    if before.user_id.0 != call.actor.user_id {
        requires(call.actor, IS_ADMIN)?;
    }
    if before.deleted_by_user {
        return Ok(Payload::new().one("note", before.id.0));
    }
    if before.number.is_none() {
        let mut gone = before.clone();
        attachments::take_off(call, &mut gone).await?;
        if let Some(holder) = scheduler::holder(call, &before).await? {
            call.destroy(&holder).await?;
        }
        call.destroy(&before).await?;
        return Ok(Payload::new().one("note", before.id.0));
    }
    let mut after = before.clone();
    attachments::take_off(call, &mut after).await?;
    after.content = String::new();
    after.deleted_by_user = true;
    call.update(&before, &after).await?;
    call.emit(events::message_deleted(&after));
    Ok(Payload::new().one("note", after.id.0))
}
