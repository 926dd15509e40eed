//! Beginning conversations, naming and closing them, and who takes part
//! (behaviour 32).

use std::sync::Arc;

use ward_clients::rules;
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Request, UploadedFile, input};
use ward_identity::flags::{CAN_ACCESS_TO_MEMBERS_CHAT, CAN_ADD_MEMBERS_TO_CHAT, IS_ADMIN};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Id, Level};

use crate::attachments::{Attachments, Sent};
use crate::metadata::{self, Metadata};
use crate::note::{self, Draft};
use crate::participants::{self, Participants};
use crate::parts::{New, count_clients, current, recount, replace};
use crate::tables::Conversation;
use crate::{away, events, html, note_input, owner};

input! {
    /// `AddedUsersInput`; the label is what a page showed.
    pub struct AddedUser { label: String, value: String }
}

input! {
    /// `NoteInput`.
    pub struct FirstNote {
        content: String,
        attached_image: UploadedFile,
        attached_document: UploadedFile,
    }
}

input! {
    /// `createConversationInput`.
    pub struct CreateConversation {
        owner_id: IdOrBlank<User>,
        dietitian_id: IdOrBlank<User>,
        patient_id: IdOrBlank<User>,
        name: String,
        metadata: Metadata,
        added_users: Vec<AddedUser>,
        simple_added_users: String,
        select_all_status: String,
        note: FirstNote,
    }
}

input! {
    /// `updateConversationInput`.
    pub struct UpdateConversation {
        id: Id<Conversation>,
        name: String,
        metadata: Metadata,
        simple_added_users: String,
        select_all_status: String,
        closed_by_id: IdOrBlank<User>,
        hide_close_confirmation: bool,
    }
}

/// Where the list of participants stands.
const ADDED: &str = "input.simple_added_users";

/// `createConversation` with its first note's text cleaned and files on the disk.
pub struct PreparedCreate {
    input: CreateConversation,
    content: String,
    files: Attachments,
}

/// Stores the files of the first note, for somebody who may send any.
pub async fn prepare_create(
    request: Arc<Request>,
    input: CreateConversation,
) -> Answer<PreparedCreate> {
    let none = (Given::Absent, Given::Absent);
    let (content, files) = match input.note.value() {
        Some(note) => {
            let content = note_input::content(&note.content)?.unwrap_or_default();
            let sent = Sent {
                image: &note.attached_image,
                image_string: &none.0,
                audio: &none.1,
                document: &note.attached_document,
            };
            (content, sent.stored(&request).await?)
        }
        None => Default::default(),
    };
    Ok(PreparedCreate { input, content, files })
}

/// Begins a conversation (behaviour 32).
pub async fn create(call: &mut Call<'_>, prepared: &PreparedCreate) -> Answer<Payload> {
    let input = &prepared.input;
    check(&input.name, &input.metadata).check()?;
    let mut people = named_people(call, input).await?;
    let owner = owner_of(call, input, &people).await?;
    people.people.remove(&owner.id);
    let is_client = call.actor.is_client();
    if is_client {
        // Naming oneself makes no community of two.
        let own = caller(call).await?;
        people.people.remove(&own.id);
        note::client_may_write(call, 1 + count_clients(&people)).await?;
        people.include(&own);
    }
    if people.people.is_empty() {
        return Err(Refused::on("simple_added_users", "Simple added users can't be blank"));
    }
    if !is_client {
        owner::check_restricted(call, owner.id, &people, &Participants::default()).await?;
    }
    let mut metadata = None;
    if !is_client {
        metadata::set(&input.metadata, &mut metadata);
    }
    let conversation = New {
        owner: &owner,
        participants: &people,
        name: input.name.trimmed().map(str::to_owned),
        metadata,
    };
    let conversation = conversation.begin(call).await?;
    if !html::is_blank(&prepared.content) || !prepared.files.is_empty() {
        let caller = Id::new(call.actor.user_id);
        let is_in = caller == owner.id || people.people.contains_key(&caller);
        if !is_in && !note::cares_for(call, &conversation, caller).await? {
            requires(call.actor, IS_ADMIN)?;
        }
        let draft = Draft {
            author: caller,
            on_behalf: (!is_in).then_some(owner.id),
            content: prepared.content.clone(),
            files: prepared.files.registered(call, conversation.unit_id.0, caller.0).await?,
            is_autoresponse: false,
        };
        note::send(call, &conversation, draft).await?;
    }
    Ok(Payload::new().one("conversation", conversation.id.0))
}

fn check(name: &Given<String>, metadata: &Given<Metadata>) -> Problems {
    let mut problems = Problems::new();
    rules::bounded("name", name, rules::LINE_CHARS_MAX, &mut problems);
    metadata::check(metadata, &mut problems);
    problems
}

/// Everybody whom the input names, by whichever of its fields.
async fn named_people(call: &mut Call<'_>, input: &CreateConversation) -> Answer<Participants> {
    let none = Participants::default();
    let mut found = Participants::default();
    if let Some(status) = input.select_all_status.trimmed() {
        participants::add_all(call, &mut found, status, "select_all_status").await?;
        return Ok(found);
    }
    if let Some(list) = input.simple_added_users.trimmed() {
        participants::add_list(call, &mut found, list, &none, ADDED).await?;
    }
    for user in input.added_users.value().map(Vec::as_slice).unwrap_or_default() {
        let value = user.value.trimmed().unwrap_or_default();
        let path = "input.added_users.value";
        participants::add_list(call, &mut found, value, &none, path).await?;
    }
    if let Some(client) = named(&input.patient_id) {
        participants::add_user(call, &mut found, client, &none, "patient_id").await?;
    }
    Ok(found)
}

/// Whose conversation it will be: a colleague's only by who may act in
/// colleagues' conversations and add colleagues to them, and with clients only
/// whom that colleague sees. A client's is the first member's whom they name.
async fn owner_of(
    call: &mut Call<'_>,
    input: &CreateConversation,
    people: &Participants,
) -> Answer<User> {
    let (id, at) = match (named(&input.owner_id), named(&input.dietitian_id)) {
        (Some(id), _) => (Some(id), "owner_id"),
        (None, id) => (id, "dietitian_id"),
    };
    if call.actor.is_client() {
        return clients_owner(call, id, at, people).await;
    }
    members_only(call.actor)?;
    let id = id.unwrap_or_else(|| Id::new(call.actor.user_id));
    if id.0 == call.actor.user_id {
        return caller(call).await;
    }
    let owner = ward_clients::access::seen_user(call, id, at).await?;
    if owner.is_integration || ward_clients::access::membership(call, &owner).await?.is_none() {
        return Err(Refused::not_found(at));
    }
    requires(call.actor, CAN_ACCESS_TO_MEMBERS_CHAT)?;
    // They take part from then on, as a colleague who is added does.
    requires(call.actor, CAN_ADD_MEMBERS_TO_CHAT)?;
    owner::check_all(call, owner.id, people).await?;
    Ok(owner)
}

async fn clients_owner(
    call: &mut Call<'_>,
    id: Option<Id<User>>,
    at: &str,
    people: &Participants,
) -> Answer<User> {
    let none = Participants::default();
    let mut staff = Participants::default();
    if let Some(id) = id.filter(|id| id.0 != call.actor.user_id) {
        participants::add_user(call, &mut staff, id, &none, at).await?;
    }
    let members = staff.people.iter().chain(&people.people);
    let first = members.filter(|(_, person)| !person.is_patient).map(|(id, _)| *id).next();
    let first = first.ok_or_else(|| {
        Refused::on("simple_added_users", "Name the member whom the conversation is with")
    })?;
    let found: Option<User> = call.find(first).await?;
    found.ok_or_else(|| Refused::not_found(at))
}

async fn caller(call: &mut Call<'_>) -> Answer<User> {
    let id = Id::new(call.actor.user_id);
    call.find(id).await?.ok_or_else(|| Refused::not_found("owner_id"))
}

/// A conversation that the caller may change: a member who takes part, or an
/// administrator who sees it. Locked.
pub async fn to_manage(
    call: &mut Call<'_>,
    id: Option<Id<Conversation>>,
    at: &str,
) -> Answer<Conversation> {
    let conversation = locked(call, id, at).await?;
    members_only(call.actor)?;
    let caller = Id::new(call.actor.user_id);
    if note::part_of(call, &conversation, caller).await?.is_none() {
        requires(call.actor, IS_ADMIN)?;
    }
    call.scope.subject_id = conversation.patient_id.map(|id| id.0);
    Ok(conversation)
}

/// A conversation that the caller sees, locked until the transaction ends.
pub async fn locked(
    call: &mut Call<'_>,
    id: Option<Id<Conversation>>,
    at: &str,
) -> Answer<Conversation> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(conversation, _)| conversation).ok_or_else(|| Refused::not_found(at))
}

/// Names, closes and reopens a conversation, and says who takes part in it
/// (behaviour 32).
pub async fn update(call: &mut Call<'_>, input: &UpdateConversation) -> Answer<Payload> {
    let mut before = to_manage(call, input.id.value().copied(), "id").await?;
    check(&input.name, &input.metadata).check()?;
    let mut told: Vec<&'static str> = Vec::new();
    let listed = input.simple_added_users.trimmed();
    let all = input.select_all_status.trimmed();
    if listed.is_some() || all.is_some() {
        let already = current(call, &before).await?;
        let mut wanted = Participants::default();
        match (all, listed) {
            (Some(status), _) => {
                participants::add_all(call, &mut wanted, status, "select_all_status").await?;
            }
            (None, list) => {
                let list = list.unwrap_or_default();
                participants::add_list(call, &mut wanted, list, &already, ADDED).await?;
            }
        }
        wanted.people.remove(&before.owner_id);
        owner::check_restricted(call, before.owner_id, &wanted, &already).await?;
        if replace(call, &before, &wanted).await? {
            told.push("invitees");
            before = recount(call, &before).await?;
        }
    }
    away::setting::hide(call, &input.hide_close_confirmation, |setting, hidden| {
        setting.hide_close_confirmation = hidden;
    })
    .await?;
    let mut after = before.clone();
    input.name.set_text(&mut after.name);
    metadata::set(&input.metadata, &mut after.metadata);
    close(call, input, &mut after)?;
    let changes = call.update(&before, &after).await?;
    told.extend(changes.columns.iter().map(|column| match *column {
        "closed_at" => "closed_date",
        "closed_by_id" => "closed_by",
        other => other,
    }));
    if !told.is_empty() {
        call.emit(events::conversation_updated(&after, &told));
    }
    Ok(Payload::new().one("conversation", after.id.0))
}

/// Whoever closes a conversation says so of themselves; nobody, and it is open
/// again.
fn close(call: &Call<'_>, input: &UpdateConversation, after: &mut Conversation) -> Answer<()> {
    if !input.closed_by_id.is_given() {
        return Ok(());
    }
    match named(&input.closed_by_id) {
        None => (after.closed_at, after.closed_by_id) = (None, None),
        Some(id) if id.0 != call.actor.user_id => {
            return Err(Refused::on("closed_by_id", "Closed by must be yourself"));
        }
        Some(id) if after.closed_at.is_none() => {
            (after.closed_at, after.closed_by_id) = (Some(call.now()), Some(id));
        }
        Some(_) => {}
    }
    Ok(())
}
