//! Sending what was scheduled, when the instance's clock says so: each step is a
//! transaction of its own, so that a broadcast to many never holds the writer.

use ward_engine::{Answer, errands};
use ward_identity::deceased::may_be_told;
use ward_identity::flags::IS_ADMIN;
use ward_identity::person;
use ward_identity::tables::User;
use ward_store::jobs::Job;
use ward_store::{Actor, Cond, Db, Id, Level, OrderKey, Scope, StoreError, Tx};

use crate::attachments::{self, NoteFiles};
use crate::events;
use crate::note::{self, Draft};
use crate::participants::Participants;
use crate::parts::{self, New};
use crate::scheduler;
use crate::tables::{Conversation, Note, NoteRecipient, NoteScheduler};

/// The kind of job that sends a scheduled message.
pub const JOB_KIND: &str = "send_messages";
const KINDS: &[&str] = &[JOB_KIND];
/// Recipients of one step.
const RECIPIENTS_A_STEP: usize = 25;

/// Sends some of what is due; how many steps were begun.
pub async fn run_batch(db: &Db) -> Result<u64, StoreError> {
    let failed = "a scheduled message was not sent";
    errands::work_off(db, KINDS, failed, |tx, job| Box::pin(step(tx, job))).await
}

/// One step of a job: a note, or some recipients of a broadcast.
async fn step(tx: &mut Tx, job: &Job) -> Answer<()> {
    let id = errands::number(job, "note_scheduler")?;
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let row: Option<NoteScheduler> = scope.find(Id::new(id)).await?;
    // Moved to later: another job is there for that.
    let due = row.filter(|row| row.sent_at.is_none() && row.scheduled_at <= scope.now());
    let Some(row) = due else { return Ok(()) };
    match row.note_id {
        Some(note) => send_note(&mut scope, &row, note).await,
        None => send_some(&mut scope, &row).await,
    }
}

async fn send_note(scope: &mut Scope<'_>, row: &NoteScheduler, id: Id<Note>) -> Answer<()> {
    let Some(note): Option<Note> = scope.find(id).await? else { return Ok(()) };
    let seen: Option<(Conversation, Level)> =
        scope.visible_for_update(note.conversation_id, Level::Full).await?;
    let Some((conversation, _)) = seen else { return Ok(()) };
    let may = match actor_of(scope, note.user_id).await? {
        Some(sender) => may_send(scope, &sender, &note, &conversation).await?,
        None => false,
    };
    scope.subject_id = note.patient_id.map(|id| id.0);
    if conversation.closed_at.is_some() || !may {
        // Too late: what was written is kept nowhere that anybody reads.
        attachments::take_off(scope, &mut note.clone()).await?;
        scope.destroy(&note).await?;
        return Ok(scope.destroy(row).await?);
    }
    let number = conversation.notes_count + 1;
    let sent = Note { number: Some(number), sent_at: Some(scope.now()), ..note.clone() };
    scope.update(&note, &sent).await?;
    note::sent(scope, &conversation, &sent, number).await?;
    finish(scope, row).await
}

/// Whether the author may send it as of now: the rules of writing, once more.
async fn may_send(
    scope: &mut Scope<'_>,
    sender: &Actor,
    note: &Note,
    conversation: &Conversation,
) -> Answer<bool> {
    let seen: Option<(Conversation, Level)> = {
        let mut own = Scope::new(&mut *scope.tx, sender);
        own.visible(conversation.id, Level::Full).await?
    };
    if seen.is_none() {
        return Ok(false);
    }
    let takes_part = note::part_of(scope, conversation, note.user_id).await?.is_some();
    Ok(match note.on_behalf_user_id {
        _ if takes_part => true,
        None => false,
        Some(_) => {
            sender.has(IS_ADMIN.flag) || note::cares_for(scope, conversation, note.user_id).await?
        }
    })
}

async fn finish(scope: &mut Scope<'_>, before: &NoteScheduler) -> Answer<()> {
    let after = NoteScheduler { sent_at: Some(scope.now()), ..before.clone() };
    scope.update(before, &after).await?;
    scope.emit(events::scheduled_message_sent(before));
    Ok(())
}

/// The sender as they are now; nobody when they may not act any more.
async fn actor_of(scope: &mut Scope<'_>, user: Id<User>) -> Answer<Option<Actor>> {
    let found = person::load(scope.tx, scope.actor.org_id, user.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    Ok(able.map(|it| it.actor(None)))
}

/// Sends a broadcast to some of those who wait for it; the last step ends it.
async fn send_some(scope: &mut Scope<'_>, row: &NoteScheduler) -> Answer<()> {
    let waiting = Cond::eq("note_scheduler_id", row.id.0).and(Cond::eq("is_done", false));
    let order = [OrderKey::column("user_id", false)];
    let waiting: Vec<NoteRecipient> = scope.list(waiting, &order).await?;
    let sender = actor_of(scope, row.user_id).await?;
    for recipient in waiting.iter().take(RECIPIENTS_A_STEP) {
        if let Some(sender) = &sender {
            send_to(scope, row, sender, recipient.user_id).await?;
        }
        let done = NoteRecipient { is_done: true, ..recipient.clone() };
        scope.subject_id = scheduler::client_of(scope, recipient.user_id).await?;
        scope.update(recipient, &done).await?;
        scope.subject_id = None;
    }
    match waiting.len() > RECIPIENTS_A_STEP {
        true => scheduler::enqueue(scope, row).await,
        false => finish(scope, row).await,
    }
}

/// Sends it to one, whom the sender must see as of now; archived clients get no
/// broadcasts (behaviour 18.3), nor does who has died.
async fn send_to(
    scope: &mut Scope<'_>,
    row: &NoteScheduler,
    sender: &Actor,
    to: Id<User>,
) -> Answer<()> {
    let seen: Option<(User, Level)> = {
        let mut own = Scope::new(&mut *scope.tx, sender);
        own.visible_for_reference(to, Level::Full).await?
    };
    let is_there = |user: &User| user.active && may_be_told(user);
    let Some((recipient, _)) = seen.filter(|(user, _)| is_there(user)) else { return Ok(()) };
    let Some(owner): Option<User> = scope.find(row.user_id).await? else { return Ok(()) };
    let found = parts::of_two(scope, &owner, recipient.id, true).await?;
    let conversation = match found {
        Some(id) => {
            let seen = scope.visible_for_update(id, Level::Full).await?;
            seen.map(|(conversation, _)| conversation)
        }
        None => None,
    };
    let conversation = match conversation {
        Some(conversation) => conversation,
        None => {
            let mut participants = Participants::default();
            participants.include(&recipient);
            let name = row.name.clone();
            let new = New { owner: &owner, participants: &participants, name, metadata: None };
            new.begin(scope).await?
        }
    };
    let draft = Draft {
        author: row.user_id,
        on_behalf: None,
        content: row.content.clone().unwrap_or_default(),
        files: NoteFiles {
            image_id: row.image_id.clone(),
            image_name: row.image_name.clone(),
            audio_id: None,
            attached_document_id: row.attached_document_id.clone(),
            document_name: row.document_name.clone(),
        },
        is_autoresponse: false,
    };
    note::send(scope, &conversation, draft).await.map(drop)
}
