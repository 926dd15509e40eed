//! Replies by themselves: to a client who writes to a member who is away, once an
//! absence; and the first words to a new client (behaviour 18.1, 32).

use jiff::tz::TimeZone;
use ward_engine::{Answer, Bindings, Call};
use ward_identity::person::{self, Person};
use ward_identity::tables::User;
use ward_store::{Cond, Event, Id, Level, Scope};

use crate::attachments::NoteFiles;
use crate::away::setting;
use crate::away::tables::{AutoReply, ChatSetting};
use crate::away::window;
use crate::note::{self, Draft};
use crate::notices::zone_of;
use crate::tables::{Conversation, Note};

/// What holds while a member is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// Which of their absences: the same word as long as it lasts.
    pub word: String,
    /// What is answered.
    pub content: Option<String>,
    /// Whether they want notices all the same.
    pub is_told: bool,
}

/// The absence that a member is in, if any: the one-off window first.
pub fn absence(
    setting: &ChatSetting,
    now: ward_instance::Timestamp,
    zone: &TimeZone,
) -> Option<Absence> {
    let once = setting.is_active || setting.scheduled_turned_on;
    let end = setting.end_date.filter(|_| !setting.no_end_date);
    if once && window::is_in(now, setting.start_date, end) {
        let start = setting.start_date.map_or(0, |start| start.0);
        return Some(Absence {
            word: format!("once {start} {}", end.map_or(0, |end| end.0)),
            content: setting.content.clone(),
            is_told: setting.receive_notifications,
        });
    }
    let weekly = setting.is_recurring_active || setting.recurring_turned_on;
    let began = window::weekly(&setting.weekly(), now, zone).filter(|_| weekly)?;
    Some(Absence {
        word: format!("weekly {began}"),
        content: setting.recurring_content.clone(),
        is_told: setting.receive_notifications_recurring,
    })
}

/// The absence that somebody is in at this moment.
pub async fn now(scope: &mut Scope<'_>, person: &Person) -> Answer<Option<Absence>> {
    let setting = setting::of(scope, person.user.id).await?;
    let now = scope.now();
    Ok(setting.and_then(|setting| absence(&setting, now, &zone_of(person))))
}

/// Registers the reaction.
pub fn bind(b: &mut Bindings) {
    b.reaction("message.created", |call, event| Box::pin(answer(call, event)));
}

/// Answers a client's message for a member who is away; nobody in conversations
/// that several clients share.
async fn answer(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let note: Option<Note> = call.find(Id::new(event.resource_id)).await?;
    let by_client =
        note.filter(|note| !note.is_autoresponse && note.patient_id == Some(note.user_id));
    let Some(note) = by_client else { return Ok(()) };
    let seen: Option<(Conversation, Level)> =
        call.visible_for_update(note.conversation_id, Level::Full).await?;
    let Some((conversation, _)) = seen.filter(|(it, _)| it.clients_count == 1) else {
        return Ok(());
    };
    let found = person::load(call.tx, note.org_id.0, conversation.owner_id.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    let Some(owner) = able else { return Ok(()) };
    let Some(absence) = now(call, &owner).await? else { return Ok(()) };
    let Some(content) = absence.content else { return Ok(()) };
    let once = Cond::eq("user_id", owner.user.id.0)
        .and(Cond::eq("patient_id", note.user_id.0))
        .and(Cond::eq("absence", &*absence.word));
    let before: Option<AutoReply> = call.find_by(once).await?;
    if before.is_some() {
        return Ok(());
    }
    let reply = AutoReply {
        org_id: note.org_id,
        user_id: owner.user.id,
        patient_id: note.user_id,
        absence: absence.word,
        created_at: call.now(),
    };
    call.create(&reply).await?;
    say(call, &conversation, owner.user.id, content).await
}

/// The first words to a new client, of a provider who has some.
pub async fn welcome(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    provider: &User,
) -> Answer<()> {
    let setting = setting::of(scope, provider.id).await?;
    let words = setting.filter(|it| it.send_auto_welcome).and_then(|it| it.auto_welcome_text);
    match words {
        Some(words) => say(scope, conversation, provider.id, words).await,
        None => Ok(()),
    }
}

async fn say(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    author: Id<User>,
    content: String,
) -> Answer<()> {
    let draft = Draft {
        author,
        on_behalf: None,
        content,
        files: NoteFiles::default(),
        is_autoresponse: true,
    };
    note::send(scope, conversation, draft).await.map(drop)
}
