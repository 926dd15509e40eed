//! What a seeded practice and its clients have written to each other: made by the system, without
//! events or mails, the same for the same seed and at the same offsets of the instance's id ranges,
//! in the four weeks before. Of a large practice some have written, so that it is made quickly.

use std::collections::HashMap;

use ward_clients::seed_people::PEOPLE;
use ward_identity::tables::User;
use ward_instance::{Random, Timestamp};
use ward_store::{Id, Scope, StoreError};

use crate::notices::tables::{Notification, NotificationKind};
use crate::seed_words::{BEGUN_BY_PROVIDER, LONGEST, THREADS, Thread, Writer};
use crate::tables::{Conversation, ConversationMembership, Note};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;
/// Behind the first forty clients, one of so many has a conversation. Providers are assigned in
/// turn, so this has no divisor with their number in common: each of them has some.
const EVERY: usize = 21;
/// Of so many conversations of the first forty, one has no message yet.
const SILENT: usize = 5;
/// Of so many that are read by everybody, the provider has put one away.
const PUT_AWAY: u64 = 6;

const MINUTE: i64 = 60 * 1_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Conversations begin so many days ago, at most, and a day at least.
const DAYS: u64 = 28;
/// Minutes between two messages, at most: the longest thread takes less than a day.
const PAUSE: u64 = 200;

/// Where the ids of a seed's conversations begin, and its chance.
#[derive(Clone, Debug)]
pub struct Talk {
    seed: u64,
    conversation_id: i64,
    membership_id: i64,
    note_id: i64,
    notification_id: i64,
}

/// Reserves the ids for the conversations of `count` clients.
pub async fn lay(scope: &mut Scope<'_>, random: &Random, count: usize) -> Result<Talk, StoreError> {
    let conversations = conversations_of(count) as i64;
    let messages = conversations * LONGEST as i64;
    Ok(Talk {
        seed: random.u64(),
        conversation_id: scope.tx.reserve_ids("Conversation", conversations, ALIGN).await?,
        membership_id: scope
            .tx
            .reserve_ids("ConversationMembership", conversations * 2, ALIGN)
            .await?,
        note_id: scope.tx.reserve_ids("Note", messages, ALIGN).await?,
        notification_id: scope.tx.reserve_ids("Notification", messages, ALIGN).await?,
    })
}

/// How many conversations so many seeded clients have.
pub fn conversations_of(count: usize) -> usize {
    count.min(PEOPLE) + count.saturating_sub(PEOPLE).div_ceil(EVERY)
}

/// Which conversation is that of the client at a place, if they have one.
fn conversation_at(place: usize) -> Option<usize> {
    match place.checked_sub(PEOPLE) {
        None => Some(place),
        Some(behind) => behind.is_multiple_of(EVERY).then_some(PEOPLE + behind / EVERY),
    }
}

/// Makes the conversations of these clients, the first of whom has the place `first`, with their
/// primary providers.
pub async fn conversations(
    scope: &mut Scope<'_>,
    talk: &Talk,
    first: usize,
    clients: &[User],
) -> Result<(), StoreError> {
    let now = scope.now();
    let (mut begun, mut parts) = (Vec::new(), Vec::new());
    let (mut notes, mut notifications) = (Vec::new(), Vec::new());
    for (place, client) in (first..).zip(clients) {
        let at = conversation_at(place);
        let Some((at, provider)) = at.zip(client.dietitian_id) else { continue };
        let mut told = talk.begin(at, client, provider, now);
        talk.write(&mut told, at, client);
        talk.end(&mut told, client, now);
        begun.push(told.conversation);
        parts.extend(told.parts);
        notes.extend(told.notes);
        notifications.extend(told.notifications);
    }
    let client_of: HashMap<i64, i64> =
        begun.iter().filter_map(|it| Some((it.id.0, it.patient_id?.0))).collect();
    scope.create_all_about(&begun, |it| client_of.get(&it.id.0).copied()).await?;
    let of_part = |it: &ConversationMembership| client_of.get(&it.conversation_id.0).copied();
    scope.create_all_about(&parts, of_part).await?;
    scope.create_all_about(&notes, |it| it.patient_id.map(|id| id.0)).await?;
    scope.create_all_about(&notifications, |it| it.patient_id.map(|id| id.0)).await
}

/// The rows of one conversation.
struct Told {
    random: Random,
    conversation: Conversation,
    /// The provider's, then the client's.
    parts: [ConversationMembership; 2],
    notes: Vec<Note>,
    notifications: Vec<Notification>,
}

impl Talk {
    fn begin(&self, at: usize, client: &User, provider: Id<User>, now: Timestamp) -> Told {
        // Multiplied, so that neighbouring seeds have no conversation in common.
        let own = self.seed ^ (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let random = Random::seeded(own);
        let days = 1 + i64::try_from(random.below(DAYS)).unwrap_or(0);
        let since = now.minus_micros(days * DAY);
        let at = at as i64;
        let conversation = Conversation {
            id: Id::new(self.conversation_id + at),
            org_id: client.org_id,
            unit_id: client.unit_id,
            owner_id: provider,
            patient_id: Some(client.id),
            name: None,
            clients_count: 1,
            notes_count: 0,
            closed_at: None,
            closed_by_id: None,
            metadata: None,
            version: 1,
            created_at: since,
            updated_at: since,
        };
        let part = |n: i64, user_id: Id<User>| ConversationMembership {
            id: Id::new(self.membership_id + at * 2 + n),
            org_id: client.org_id,
            unit_id: client.unit_id,
            conversation_id: conversation.id,
            user_id,
            user_group_id: None,
            viewed_count: 0,
            archived_count: None,
            version: 1,
            created_at: since,
            updated_at: since,
            deleted_at: None,
        };
        let parts = [part(0, provider), part(1, client.id)];
        Told { random, conversation, parts, notes: Vec::new(), notifications: Vec::new() }
    }

    /// Writes the messages. Who writes has read what is before; who is written to is told, once
    /// until they look.
    fn write(&self, told: &mut Told, at: usize, client: &User) {
        if at < PEOPLE && at % SILENT == SILENT - 1 {
            return;
        }
        let lines = thread(&told.random, client);
        let name = client.first_name.as_deref().unwrap_or_default();
        let first = (at * LONGEST) as i64;
        let mut moment = told.conversation.created_at;
        for (number, (writer, words)) in (1_i64..).zip(lines) {
            let minutes = 1 + i64::try_from(told.random.below(PAUSE)).unwrap_or(0);
            moment = moment.plus_micros(minutes * MINUTE);
            let author = told.part(*writer).user_id;
            let note = Note {
                number: Some(number),
                content: words.replace("{name}", name),
                ..blank_note(Id::new(self.note_id + first + number - 1), told, author, moment)
            };
            told.notes.push(note);
            told.conversation.notes_count = number;
            told.conversation.updated_at = moment;
            told.look(*writer, moment);
            let id = Id::new(self.notification_id + first + told.notifications.len() as i64);
            told.tell(other(*writer), id, author, moment);
        }
    }

    /// What has become of it: read or not, closed with a client who was archived, put away.
    fn end(&self, told: &mut Told, client: &User, now: Timestamp) {
        let Some(last) = told.notes.last() else { return };
        let (author, moment) = (last.user_id, last.created_at.plus_micros(MINUTE));
        let reader = if author == client.id { Writer::Provider } else { Writer::Client };
        // Who can't sign in has seen nothing. Drawn for everybody.
        let is_read = told.random.below(3) > 0;
        let is_put_away = told.random.below(PUT_AWAY) == 0;
        let is_read = is_read && (reader == Writer::Provider || client.email.is_some());
        if is_read || !client.active {
            told.look(reader, moment);
        }
        if !client.active {
            told.conversation.closed_at = Some(now);
            told.conversation.closed_by_id = Some(told.conversation.owner_id);
            told.conversation.updated_at = now;
        } else if is_read && is_put_away {
            let count = told.conversation.notes_count;
            told.part(Writer::Provider).archived_count = Some(count);
        }
    }
}

/// The lines that were written so far. Nobody answers who has no account to answer with.
fn thread(random: &Random, client: &User) -> Thread {
    let drawn = usize::try_from(random.below(THREADS.len() as u64)).unwrap_or(0);
    let part = random.below(LONGEST as u64);
    if client.email.is_none() {
        return &THREADS[drawn % BEGUN_BY_PROVIDER][..1];
    }
    let lines = THREADS[drawn];
    // Half of them are at their end, the others anywhere.
    let so_far = usize::try_from(part).unwrap_or(0) * 2;
    &lines[..so_far.clamp(1, lines.len())]
}

fn other(writer: Writer) -> Writer {
    match writer {
        Writer::Provider => Writer::Client,
        Writer::Client => Writer::Provider,
    }
}

impl Told {
    fn part(&mut self, writer: Writer) -> &mut ConversationMembership {
        let [provider, client] = &mut self.parts;
        match writer {
            Writer::Provider => provider,
            Writer::Client => client,
        }
    }

    /// Somebody has everything before their eyes.
    fn look(&mut self, who: Writer, moment: Timestamp) {
        let count = self.conversation.notes_count;
        let part = self.part(who);
        (part.viewed_count, part.updated_at) = (count, moment);
        let user_id = part.user_id;
        for row in self.notifications.iter_mut().filter(|it| it.user_id == user_id && !it.seen) {
            (row.seen, row.is_read, row.updated_at) = (true, true, moment);
        }
    }

    fn tell(&mut self, who: Writer, id: Id<Notification>, author: Id<User>, moment: Timestamp) {
        let user_id = self.part(who).user_id;
        if self.notifications.iter().any(|it| it.user_id == user_id && !it.seen) {
            return;
        }
        let about = &self.conversation;
        let other_party_id = match who {
            Writer::Client => Some(author),
            Writer::Provider => about.patient_id,
        };
        self.notifications.push(Notification {
            id,
            org_id: about.org_id,
            unit_id: about.unit_id,
            user_id,
            kind: NotificationKind::Message,
            creator_id: Some(author),
            other_party_id,
            patient_id: about.patient_id,
            conversation_id: Some(about.id),
            seen: false,
            is_read: false,
            version: 1,
            created_at: moment,
            updated_at: moment,
        });
    }
}

fn blank_note(id: Id<Note>, told: &Told, author: Id<User>, moment: Timestamp) -> Note {
    Note {
        id,
        org_id: told.conversation.org_id,
        unit_id: told.conversation.unit_id,
        conversation_id: told.conversation.id,
        number: None,
        user_id: author,
        on_behalf_user_id: None,
        patient_id: told.conversation.patient_id,
        content: String::new(),
        image_id: None,
        image_name: None,
        audio_id: None,
        attached_document_id: None,
        document_name: None,
        is_autoresponse: false,
        deleted_by_user: false,
        scheduled_at: None,
        sent_at: None,
        version: 1,
        created_at: moment,
        updated_at: moment,
        deleted_at: None,
    }
}
