//! Messages that wait for their time, and broadcasts: one message to many, each
//! in a conversation of two, so that recipients do not see each other
//! (behaviour 32). They are sent by jobs on the instance's clock
//! ([`crate::sender`]).

use std::sync::Arc;

use ward_clients::rules;
use ward_engine::{
    Answer, Call, FromIn, Given, IdCodec, In, Kind, Payload, Problems, Refused, Request, input,
    moment, parse_id,
};
use ward_identity::flags::IS_ADMIN;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::jobs::{self, NewJob};
use ward_store::{Cond, Entity, Id, Level, Scope};

use crate::attachments::{Attachments, Sent};
use crate::conversation::FirstNote;
use crate::note::is_blank_with;
use crate::note_input;
use crate::participants::{self, Participants, Room};
use crate::sender::JOB_KIND;
use crate::tables::{Note, NoteRecipient, NoteScheduler};

/// Messages are scheduled for so many days ahead at most.
const DAYS_AHEAD_MAX: i64 = 366;
const DAY_MICROS: i64 = 86_400_000_000;

input! {
    /// `createMessageBlastInput`.
    pub struct CreateMessageBlast {
        dietitian_id: IdOrBlank<User>,
        patient_id: IdOrBlank<User>,
        name: String,
        note: FirstNote,
        scheduled_at: String,
        select_all_status: String,
        simple_added_users: String,
    }
}

/// Ids of users: a list, or a text with commas as the baseline view has it.
#[derive(Clone, Debug, PartialEq)]
pub struct UserIds(pub Vec<Id<User>>);

impl FromIn for UserIds {
    const KIND: Kind = Kind::Ids(User::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        match value {
            In::Text(text) => {
                let parts = text.split(',').filter(|part| !part.trim().is_empty());
                parts.map(|part| parse_id(part, at, ids)).collect::<Answer<_>>().map(UserIds)
            }
            other => Vec::from_in(other, at, ids).map(UserIds),
        }
    }
}

input! {
    /// `updateNoteSchedulerInput`.
    pub struct UpdateNoteScheduler {
        id: Id<NoteScheduler>,
        participant_ids: UserIds,
        select_all_status: String,
    }
}

/// A broadcast with its text cleaned and its files on the disk.
pub struct PreparedBlast {
    input: CreateMessageBlast,
    content: String,
    files: Attachments,
}

/// Stores a broadcast's files, for a member.
pub async fn prepare(request: Arc<Request>, input: CreateMessageBlast) -> Answer<PreparedBlast> {
    let none = (Given::Absent, Given::Absent);
    let (content, files) = match input.note.value().filter(|_| request.actor.is_member()) {
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
    Ok(PreparedBlast { input, content, files })
}

/// When a message is to be sent; nothing when that is now.
pub fn time(call: &Call<'_>, text: &Given<String>) -> Answer<Option<Timestamp>> {
    let Some(text) = text.trimmed() else { return Ok(None) };
    let wrong = "Scheduled at must be a moment such as 2026-03-04T09:30:00Z";
    let at = moment::instant(text, &call.request.zone)
        .ok_or_else(|| Refused::on("scheduled_at", wrong))?;
    if at.0 > call.now().0 + DAYS_AHEAD_MAX * DAY_MICROS {
        let message = format!("Scheduled at must be within {DAYS_AHEAD_MAX} days");
        return Err(Refused::on("scheduled_at", message));
    }
    Ok((at > call.now()).then_some(at))
}

/// Sends a message to many, now or at its time (behaviour 32). A sender speaks
/// for nobody else.
pub async fn create(call: &mut Call<'_>, prepared: &PreparedBlast) -> Answer<Payload> {
    let input = &prepared.input;
    members_only(call.actor)?;
    let caller: Id<User> = Id::new(call.actor.user_id);
    if named(&input.dietitian_id).is_some_and(|id| id != caller) {
        return Err(Refused::on("dietitian_id", "Dietitian must be yourself"));
    }
    let mut problems = Problems::new();
    rules::bounded("name", &input.name, rules::LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    is_blank_with(&prepared.content, !prepared.files.is_empty(), "note")?;
    let scheduled_at = time(call, &input.scheduled_at)?;
    let recipients = recipients(call, input).await?;
    let sender: User = call.find(caller).await?.ok_or_else(|| Refused::not_found("base"))?;
    let files = prepared.files.registered(call, sender.unit_id.0, sender.id.0).await?;
    let now = call.now();
    let row = NoteScheduler {
        id: call.next_id().await?,
        org_id: sender.org_id,
        unit_id: sender.unit_id,
        user_id: sender.id,
        note_id: None,
        name: input.name.trimmed().map(str::to_owned),
        content: Some(prepared.content.clone()),
        image_id: files.image_id,
        image_name: files.image_name,
        attached_document_id: files.attached_document_id,
        document_name: files.document_name,
        scheduled_at: scheduled_at.unwrap_or(now),
        sent_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await?;
    address(call, &row, &recipients).await?;
    enqueue(call, &row).await?;
    let message = match scheduled_at {
        Some(_) => "Your message is scheduled",
        None => "Your message is on its way",
    };
    Ok(Payload::new().leaf("message", message))
}

async fn recipients(call: &mut Call<'_>, input: &CreateMessageBlast) -> Answer<Participants> {
    let none = Participants::default();
    let mut found = Participants::of(Room::Broadcast);
    if let Some(status) = input.select_all_status.trimmed() {
        participants::add_all(call, &mut found, status, "select_all_status").await?;
    } else if let Some(list) = input.simple_added_users.trimmed() {
        let path = "input.simple_added_users";
        participants::add_list(call, &mut found, list, &none, path).await?;
    }
    if let Some(client) = named(&input.patient_id) {
        participants::add_user(call, &mut found, client, &none, "patient_id").await?;
    }
    found.people.remove(&Id::new(call.actor.user_id));
    match found.people.is_empty() {
        true => Err(Refused::on("simple_added_users", "Simple added users can't be blank")),
        false => Ok(found),
    }
}

/// Writes whom a broadcast goes to.
async fn address(
    call: &mut Call<'_>,
    row: &NoteScheduler,
    recipients: &Participants,
) -> Answer<()> {
    let now = call.now();
    let recipient = |(user, person): (&Id<User>, &participants::Person)| NoteRecipient {
        org_id: row.org_id,
        note_scheduler_id: row.id,
        user_id: *user,
        user_group_id: person.group,
        is_done: false,
        created_at: now,
    };
    let rows: Vec<NoteRecipient> = recipients.people.iter().map(recipient).collect();
    let client = |row: &NoteRecipient| {
        let person = recipients.people.get(&row.user_id);
        person.filter(|person| person.is_patient).map(|_| row.user_id.0)
    };
    Ok(call.create_all_about(&rows, client).await?)
}

/// Whose client data a recipient is: their own, if they are a client.
pub async fn client_of(scope: &mut Scope<'_>, user: Id<User>) -> Answer<Option<i64>> {
    let user: Option<User> = scope.find(user).await?;
    Ok(user.filter(|user| user.is_patient).map(|user| user.id.0))
}

/// The job that sends it at its time.
pub async fn enqueue(scope: &mut Scope<'_>, row: &NoteScheduler) -> Answer<()> {
    let payload = serde_json::json!({ "note_scheduler": row.id.0 });
    let job = NewJob {
        not_before: Some(row.scheduled_at),
        ..NewJob::new(row.org_id.0, JOB_KIND, payload)
    };
    jobs::enqueue(scope.tx, job).await?;
    Ok(())
}

/// Keeps a note of a conversation until its time.
pub async fn hold(call: &mut Call<'_>, note: &Note, scheduled_at: Timestamp) -> Answer<()> {
    let now = call.now();
    let row = NoteScheduler {
        id: call.next_id().await?,
        org_id: note.org_id,
        unit_id: note.unit_id,
        user_id: note.user_id,
        note_id: Some(note.id),
        name: None,
        content: None,
        image_id: None,
        image_name: None,
        attached_document_id: None,
        document_name: None,
        scheduled_at,
        sent_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await?;
    enqueue(call, &row).await
}

/// What keeps a waiting note.
pub async fn holder(call: &mut Call<'_>, note: &Note) -> Answer<Option<NoteScheduler>> {
    Ok(call.find_by(Cond::eq("note_id", note.id.0)).await?)
}

/// Gives a waiting note another time.
pub async fn move_to(call: &mut Call<'_>, note: &Note, at: Timestamp) -> Answer<()> {
    let Some(before) = holder(call, note).await? else { return Ok(()) };
    let after = NoteScheduler { scheduled_at: at, ..before.clone() };
    call.update(&before, &after).await?;
    enqueue(call, &after).await
}

/// Says anew whom a broadcast goes to that was not sent yet: its sender does, or
/// an administrator who sees it.
pub async fn update(call: &mut Call<'_>, input: &UpdateNoteScheduler) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(NoteScheduler, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (row, _) = seen.ok_or_else(|| Refused::not_found("id"))?;
    members_only(call.actor)?;
    if row.user_id.0 != call.actor.user_id {
        requires(call.actor, IS_ADMIN)?;
    }
    if row.note_id.is_some() {
        return Err(Refused::on("id", "A message of a conversation goes to its participants"));
    }
    if row.scheduled_at <= call.now() || row.sent_at.is_some() {
        return Err(Refused::on("id", "The message was sent"));
    }
    let mut wanted = Participants::of(Room::Broadcast);
    let old: Vec<NoteRecipient> = call.list(Cond::eq("note_scheduler_id", row.id.0), &[]).await?;
    let already = Participants::from(old.as_slice());
    if let Some(status) = input.select_all_status.trimmed() {
        participants::add_all(call, &mut wanted, status, "select_all_status").await?;
    } else if let Some(ids) = input.participant_ids.value() {
        for user in &ids.0 {
            let at = "participant_ids";
            participants::add_user(call, &mut wanted, *user, &already, at).await?;
        }
    } else {
        return Ok(Payload::new().one("noteScheduler", row.id.0));
    }
    wanted.people.remove(&row.user_id);
    if wanted.people.is_empty() {
        return Err(Refused::on("participant_ids", "Participant ids can't be blank"));
    }
    for gone in old.iter().filter(|it| !wanted.people.contains_key(&it.user_id)) {
        call.scope.subject_id = client_of(call, gone.user_id).await?;
        call.destroy(gone).await?;
    }
    call.scope.subject_id = None;
    wanted.people.retain(|user, _| !already.people.contains_key(user));
    address(call, &row, &wanted).await?;
    Ok(Payload::new().one("noteScheduler", row.id.0))
}
