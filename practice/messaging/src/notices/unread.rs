//! Telling of messages: in the pages at once, by mail and SMS to who has not read
//! them after a while (behaviour 32, 42).
//!
//! A notice is held in quiet hours; all that waits for a person when they end is
//! one notice. What was read meanwhile is not told.

use serde_json::json;
use ward_clients::feature_toggle::{self, Switch};
use ward_engine::{Answer, errands};
use ward_identity::person::{self, Person};
use ward_identity::tables::User;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Cond, Db, Id, Level, Query, Scope, Sql, StoreError, Tx, Value};

use crate::away::reply;
use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::reminders::{self, About, NOT_GIVEN, Outcome};
use crate::notices::settings::{self, MESSAGES};
use crate::notices::tables::{NoticeCategory, Reminder};
use crate::notices::{contact, feed, zone_of};
use crate::tables::{Conversation, Note};

/// Who reads a message within so many seconds gets no notice of it.
pub const DELAY_SECONDS: i64 = 120;

/// The kind of reminder of a conversation with something unread.
pub const KIND: &str = "unread_messages";

/// The kind of job that tells of a message.
const JOB_KIND: &str = "tell_of_message";
const KINDS: &[&str] = &[JOB_KIND];

/// Sees to it that those who have not read a message are told of it: afterwards,
/// since a room may be full.
pub async fn tell_of(scope: &mut Scope<'_>, note: &Note) -> Answer<()> {
    let job = NewJob::new(note.org_id.0, JOB_KIND, json!({ "note": note.id.0 }));
    jobs::enqueue(scope.tx, job).await?;
    Ok(())
}

/// Tells of some messages; how many jobs were begun.
pub async fn run_batch(db: &Db) -> Result<u64, StoreError> {
    errands::work_off(db, KINDS, NOT_GIVEN, |tx, job| Box::pin(tell(tx, job))).await
}

async fn tell(tx: &mut Tx, job: &Job) -> Answer<()> {
    let id = errands::number(job, "note")?;
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let note: Option<Note> = scope.find(Id::new(id)).await?;
    match note.filter(|note| !note.deleted_by_user) {
        Some(note) => tell_readers(&mut scope, &note).await,
        None => Ok(()),
    }
}

async fn tell_readers(scope: &mut Scope<'_>, note: &Note) -> Answer<()> {
    let conversation: Option<Conversation> = scope.find(note.conversation_id).await?;
    let Some(conversation) = conversation else { return Ok(()) };
    let due_at = note.sent_at.unwrap_or(note.created_at).plus_seconds(DELAY_SECONDS);
    for (reader, is_patient) in readers(scope, note).await? {
        feed::message(scope, &conversation, note, reader, is_patient).await?;
        let about = About {
            kind: KIND,
            subject_id: conversation.id.0,
            user_id: reader,
            unit_id: conversation.unit_id,
        };
        reminders::keep(scope, about, due_at).await?;
    }
    Ok(())
}

/// Those who have not read a message and may still act; archived clients are told
/// nothing (behaviour 18.3), nor is who has died.
async fn readers(scope: &mut Scope<'_>, note: &Note) -> Answer<Vec<(Id<User>, bool)>> {
    let sql = Sql::fixed(
        "SELECT u.id, u.is_patient FROM conversation_memberships m \
         JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id \
         WHERE m.org_id = $1 AND m.conversation_id = $2 AND m.deleted_at IS NULL \
         AND m.user_id <> $3 AND m.viewed_count < $4 \
         AND u.active = TRUE AND u.is_integration = FALSE AND u.deleted_at IS NULL \
         AND u.deceased_on IS NULL ORDER BY u.id",
        [
            note.org_id.0.into(),
            note.conversation_id.0.into(),
            note.user_id.0.into(),
            note.number.unwrap_or_default().into(),
        ],
    );
    let rows = scope.tx.rows(&sql).await?;
    let reader = |row: &[Value]| Some((Id::new(row.first()?.int()?), row.get(1)?.truth()));
    Ok(rows.iter().filter_map(reader).collect())
}

/// By which ways a notice goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ways {
    email: bool,
    sms: bool,
    push: bool,
}

/// Says it.
pub(super) async fn deliver(scope: &mut Scope<'_>, row: &Reminder) -> Answer<Outcome> {
    let found = person::load(scope.tx, scope.actor.org_id, row.user_id.0).await?;
    let able = found
        .filter(|it| it.user.active && person::may_act(&it.user, it.membership.as_ref()))
        .filter(|it| !it.user.is_integration);
    let Some(person) = able else { return Ok(Outcome::Done) };
    let setting = settings::of(scope, person.user.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    if let Some(until) = wishes.quiet.held_until(scope.now(), &zone_of(&person)) {
        return Ok(Outcome::Later(until));
    }
    let away = match person.user.is_patient {
        true => None,
        false => reply::now(scope, &person).await?,
    };
    let is_told = away.is_none_or(|absence| absence.is_told);
    let mut ways = Ways::default();
    for waiting in waiting(scope, row).await? {
        if is_told && is_unread(scope, &person, waiting.subject_id).await? {
            let conversation: Option<Conversation> =
                scope.find(Id::new(waiting.subject_id)).await?;
            let shared = conversation.is_some_and(|it| it.clients_count > 1);
            let (mails, push) = match shared {
                true => ("send_group_message_emails", "send_group_message_push"),
                false => ("send_message_emails", "send_message_push"),
            };
            ways.email |= wishes.choices.is_on(mails);
            ways.push |= wishes.choices.is_on(push);
            ways.sms |= wishes.choices.is_on("send_message_sms");
        }
        if waiting.id != row.id {
            scope.destroy(&waiting).await?;
        }
    }
    let key = format!("{}:{}", KIND, row.id);
    let text = "You have a new message. Sign in to read it.";
    let notice = Notice::new("new_message", text, MESSAGES, &key);
    scope.subject_id = person.user.is_patient.then_some(person.user.id.0);
    if ways.email {
        notice::send(scope, &person.user, NoticeCategory::Email, &notice).await?;
        if person.user.is_patient {
            for contact in contact::copied(scope, &person.user).await? {
                notice::copy(scope, &person.user, &contact, &key).await?;
            }
        }
    }
    if ways.sms {
        notice::send(scope, &person.user, NoticeCategory::Sms, &notice).await?;
    }
    if ways.push {
        notice::send(scope, &person.user, NoticeCategory::Push, &notice).await?;
    }
    Ok(Outcome::Done)
}

/// All that is due for the person at this moment: one notice for several
/// conversations.
async fn waiting(scope: &mut Scope<'_>, row: &Reminder) -> Answer<Vec<Reminder>> {
    let due = Cond::sql("{t}.due_at <= ?", [scope.now().0.into()]);
    let of_person = Cond::eq("kind", KIND).and(Cond::eq("user_id", row.user_id.0));
    Ok(scope.list(of_person.and(due), &[]).await?)
}

/// Whether there is a message that the person has not read, in a conversation
/// that they see and may look into now.
async fn is_unread(scope: &mut Scope<'_>, person: &Person, conversation: i64) -> Answer<bool> {
    let actor = person.actor(None);
    let seen: Option<(Conversation, Level)> = {
        let mut own = Scope::new(&mut *scope.tx, &actor);
        own.visible(Id::new(conversation), Level::Full).await?
    };
    let Some((conversation, _)) = seen else { return Ok(false) };
    if person.user.is_patient {
        let shared = conversation.clients_count > 1;
        let switch = if shared { Switch::CommunityChat } else { Switch::DirectChat };
        if !feature_toggle::is_on(scope.tx, actor.org_id, actor.user_id, switch).await? {
            return Ok(false);
        }
    }
    let sql = Sql::fixed(
        "SELECT 1 FROM conversation_memberships m JOIN notes n \
         ON n.org_id = m.org_id AND n.conversation_id = m.conversation_id \
         WHERE m.org_id = $1 AND m.conversation_id = $2 AND m.user_id = $3 \
         AND m.deleted_at IS NULL AND n.number > m.viewed_count AND n.user_id <> $3 \
         AND n.deleted_by_user = FALSE AND n.deleted_at IS NULL LIMIT 1",
        [actor.org_id.into(), conversation.id.0.into(), actor.user_id.into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}
