//! Messages that are not sent yet: one a person and conversation, and theirs alone.

use std::sync::Arc;

use ward_engine::{Answer, Args, Call, Kind, Listing, Payload, Refused, Request, Returns, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{
    Actor, Cond, Entity, Id, Key, Level, Reference, Role, Rule, Scope, index, record, unique,
};

use crate::tables::{Conversation, ConversationMembership};
use crate::{html, listing, note_input};

record! {
    /// What somebody has begun to write in a conversation. Removed, it stays without its text.
    pub struct Draft in DRAFTS, drafts {
        id: Id<Draft>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Their part in the conversation.
        conversation_membership_id: Id<ConversationMembership>,
        /// Whose it is.
        user_id: Id<User>,
        content: String [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "conversation_membership_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "conversation_membership_id"],
            table: "conversation_memberships",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("DRAFT"),
    subject: restricted::by_user_id,
    visible: own,
}

/// One's own, in conversations that one takes part in. No permission opens somebody else's.
fn own(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Anonymous => Rule::none(),
        Role::Member | Role::Client => Rule::full(Cond::eq("user_id", actor.user_id).and(Cond::sql(
            "EXISTS (SELECT 1 FROM conversation_memberships part WHERE part.org_id = {t}.org_id \
             AND part.id = {t}.conversation_membership_id AND part.user_id = {t}.user_id \
             AND part.deleted_at IS NULL)",
            [],
        ))),
    }
}

input! {
    /// `createDraftInput`.
    pub struct CreateDraft {
        content: String,
        conversation_membership_id: IdOrBlank<ConversationMembership>,
    }
}

input! {
    /// `removeDraftInput`.
    pub struct RemoveDraft { id: IdOrBlank<Draft> }
}

/// What the mutations answer.
pub const RETURNS: &[(&str, Returns)] = &[("draft", Returns::One(&DRAFTS))];
/// Arguments of `draft`.
pub const ARGS: &[(&str, Kind)] =
    &[("conversation_membership_id", Kind::Id(ConversationMembership::NAME))];
const AT: &str = "conversation_membership_id";

/// `draft`: the caller's in a conversation.
pub fn one(request: &Request, args: &Args) -> Answer<Listing> {
    let part = listing::id::<ConversationMembership>(args, AT, request)?;
    Ok(part.map_or_else(Listing::none, |id| Listing::of(Cond::eq(AT, id.0))))
}

/// A draft with its text cleaned, as a message's is.
pub struct Cleaned {
    part: Option<Id<ConversationMembership>>,
    content: String,
}

/// What happens before the transaction.
pub async fn prepare(_: Arc<Request>, input: CreateDraft) -> Answer<Cleaned> {
    let content = note_input::content(&input.content)?.unwrap_or_default();
    if html::is_blank(&content) {
        let sentence = "Content can't be blank; removeDraft removes a draft";
        return Err(Refused::on("content", sentence));
    }
    Ok(Cleaned { part: named(&input.conversation_membership_id), content })
}

/// Keeps what the caller has begun to write in a conversation, in place of what they had before.
pub async fn create(call: &mut Call<'_>, prepared: &Cleaned) -> Answer<Payload> {
    let id = prepared.part.ok_or_else(|| Refused::not_found(AT))?;
    // Two devices write one after the other.
    let found = call.visible_for_update::<ConversationMembership>(id, Level::Full).await?;
    let part = found.map(|(part, _)| part).filter(|part| part.user_id.0 == call.actor.user_id);
    let part = part.ok_or_else(|| Refused::not_found(AT))?;
    let conversation: Option<Conversation> = call.find(part.conversation_id).await?;
    call.scope.subject_id = conversation.and_then(|it| it.patient_id).map(|id| id.0);
    let before: Option<Draft> = call.find_by(Cond::eq(AT, part.id.0)).await?;
    let draft = match before {
        Some(before) => {
            let after = Draft { content: prepared.content.clone(), ..before.clone() };
            call.update(&before, &after).await?;
            before.id
        }
        None => {
            let now = call.now();
            let row = Draft {
                id: call.next_id().await?,
                org_id: part.org_id,
                unit_id: part.unit_id,
                conversation_membership_id: part.id,
                user_id: part.user_id,
                content: prepared.content.clone(),
                version: 1,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            call.create(&row).await?;
            row.id
        }
    };
    Ok(Payload::new().one("draft", draft.0))
}

/// Removes a draft of the caller's.
pub async fn remove(call: &mut Call<'_>, input: &RemoveDraft) -> Answer<Payload> {
    let id = named(&input.id).ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update::<Draft>(id, Level::Full).await?;
    let (draft, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    forget(call, &draft).await?;
    Ok(Payload::new().one("draft", draft.id.0))
}

/// Somebody takes part no more: what they had begun to write goes.
pub async fn of_who_left(scope: &mut Scope<'_>, part: &ConversationMembership) -> Answer<()> {
    let draft: Option<Draft> = scope.find_by(Cond::eq(AT, part.id.0)).await?;
    match draft {
        Some(draft) => forget(scope, &draft).await,
        None => Ok(()),
    }
}

/// Empties a draft and marks it removed.
async fn forget(scope: &mut Scope<'_>, draft: &Draft) -> Answer<()> {
    let mut after = Draft { content: String::new(), ..draft.clone() };
    let changes = scope.update(draft, &after).await?;
    after.version = changes.version.unwrap_or(after.version);
    scope.destroy(&after).await?;
    Ok(())
}
