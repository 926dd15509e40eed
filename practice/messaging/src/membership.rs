//! Somebody's part in a conversation: what they have read and put away, and
//! leaving it (behaviour 32).

use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level};

use crate::conversation::{locked, to_manage};
use crate::events;
use crate::note::part_of;
use crate::notices::feed;
use crate::parts::{leave, recount};
use crate::tables::{Conversation, ConversationGroup, ConversationMembership};

input! {
    /// `updateConversationMembershipInput`.
    pub struct UpdateMembership { id: Id<ConversationMembership>, archived: bool, viewed: bool }
}

input! {
    /// `deleteConversationMembershipInput`.
    pub struct DeleteMembership {
        conversation_id: Id<Conversation>,
        user_id: IdOrBlank<User>,
        group_id: IdOrBlank<UserGroup>,
    }
}

impl ConversationMembership {
    /// Whether nothing is unread in a conversation with so many notes.
    pub fn has_viewed(&self, notes_count: i64) -> bool {
        self.viewed_count >= notes_count
    }

    /// Marks everything as read, or the last note as unread.
    pub fn view(&mut self, viewed: bool, notes_count: i64) {
        if viewed != self.has_viewed(notes_count) {
            self.viewed_count = if viewed { notes_count } else { notes_count - 1 };
        }
    }

    /// Puts the conversation away until a newer note comes, or takes it back.
    pub fn archive(&mut self, archived: bool, notes_count: i64) {
        self.archived_count = archived.then_some(notes_count);
    }
}

/// Marks one's own part as read, unread or put away: read state is each
/// member's own (DOM-34). Who acts for a client reads and puts away nothing of theirs: both stay the
/// client's, who is told of what they have not read and finds it where it was.
pub async fn update(call: &mut Call<'_>, input: &UpdateMembership) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let seen: Option<(ConversationMembership, Level)> = call.visible(id, Level::Full).await?;
    let own = seen.map(|(part, _)| part).filter(|part| part.user_id.0 == call.actor.user_id);
    let before = own.ok_or_else(|| Refused::not_found("id"))?;
    let conversation: Option<Conversation> = call.find(before.conversation_id).await?;
    let conversation = conversation.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = conversation.patient_id.map(|id| id.0);
    let notes = conversation.notes_count;
    let mut after = before.clone();
    let is_own = call.actor.proxy_id.is_none();
    if let Some(viewed) = input.viewed.value().filter(|_| is_own) {
        after.view(*viewed, notes);
    }
    if let Some(archived) = input.archived.value().filter(|_| is_own) {
        after.archive(*archived, notes);
    }
    let changes = call.update(&before, &after).await?;
    if !before.has_viewed(notes) && after.has_viewed(notes) {
        feed::viewed(call, &conversation, after.user_id).await?;
        call.emit(events::membership_viewed(&conversation, &after));
    } else if !changes.is_empty() {
        call.emit(events::membership_updated(&conversation, &after));
    }
    Ok(Payload::new().one("conversation_membership", after.id.0))
}

/// Takes a person or a whole group out of a conversation; without either, the
/// caller leaves it.
pub async fn delete(call: &mut Call<'_>, input: &DeleteMembership) -> Answer<Payload> {
    let id = input.conversation_id.value().copied();
    if let Some(group) = named(&input.group_id) {
        let conversation = to_manage(call, id, "conversation_id").await?;
        return remove_group(call, &conversation, group).await;
    }
    let own = Id::new(call.actor.user_id);
    let user = named(&input.user_id).unwrap_or(own);
    let conversation = match user == own && !call.actor.is_client() {
        true => locked(call, id, "conversation_id").await?,
        false => to_manage(call, id, "conversation_id").await?,
    };
    call.scope.subject_id = conversation.patient_id.map(|id| id.0);
    let part = part_of(call, &conversation, user).await?;
    let part = part.ok_or_else(|| Refused::not_found("user_id"))?;
    if user == conversation.owner_id {
        return Err(Refused::on("user_id", "The owner can't be taken out of a conversation"));
    }
    leave(call, &conversation, &part).await?;
    told(call, &conversation).await?;
    Ok(Payload::new().one("conversationMembership", part.id.0))
}

async fn remove_group(
    call: &mut Call<'_>,
    conversation: &Conversation,
    group: Id<UserGroup>,
) -> Answer<Payload> {
    let of_conversation = Cond::eq("conversation_id", conversation.id.0);
    let of_group = of_conversation.and(Cond::eq("user_group_id", group.0));
    let row: Option<ConversationGroup> = call.find_by(of_group.clone()).await?;
    let row = row.ok_or_else(|| Refused::not_found("group_id"))?;
    call.destroy(&row).await?;
    let parts: Vec<ConversationMembership> = call.list(of_group, &[]).await?;
    for part in &parts {
        leave(call, conversation, part).await?;
    }
    told(call, conversation).await?;
    let payload = Payload::new();
    Ok(match parts.first() {
        Some(part) => payload.one("conversationMembership", part.id.0),
        None => payload,
    })
}

async fn told(call: &mut Call<'_>, conversation: &Conversation) -> Answer<()> {
    let after = recount(call, conversation).await?;
    call.emit(events::conversation_updated(&after, &["invitees"]));
    Ok(())
}
