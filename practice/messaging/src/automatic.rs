//! Conversations that nobody begins: a client's with the primary provider and
//! with members of the care team; and what follows for conversations when a
//! client changes group, is archived or merged (behaviour 18.1, 18.3, 32).
//!
//! All of it are reactions in the transaction of the change.

use ward_clients::access;
use ward_engine::{Answer, Bindings, Call};
use ward_identity::flags::{AUTO_CREATE_CONVO_FOR_CARE_TEAM, CREATE_CHAT_WHEN_ASSIGNED};
use ward_identity::tables::{CareTeamMember, User};
use ward_store::{Cond, Event, Id, Query, Sql};

use crate::away::reply;
use crate::owner;
use crate::participants::{MEMBERS_MAX, Participants, Person, holds};
use crate::parts::{self, New, join, leave, recount};
use crate::tables::{Conversation, ConversationMembership};

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("patient.created", |call, event| Box::pin(created(call, event)));
    b.reaction("patient.updated", |call, event| Box::pin(updated(call, event)));
    b.reaction("patient.merged", |call, event| Box::pin(merged(call, event)));
}

async fn client_of(call: &mut Call<'_>, event: &Event) -> Answer<Option<User>> {
    let client: Option<User> = call.find(Id::new(event.resource_id)).await?;
    Ok(client.filter(|client| client.is_patient))
}

/// A new client has a conversation with the primary provider, and with each
/// member of the care team whose flag says so.
async fn created(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(client) = client_of(call, event).await? else { return Ok(()) };
    if let Some(provider) = client.dietitian_id
        && let Some((conversation, owner)) = between(call, &client, provider).await?
    {
        reply::welcome(call, &conversation, &owner).await?;
    }
    with_care_team(call, &client).await?;
    join_group_chats(call, &client).await
}

async fn updated(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let changed = |name: &str| event.changed_fields.contains(&name);
    let concerns = ["dietitian_id", "other_provider_ids", "active", "user_group_id", "restricted"];
    if !concerns.into_iter().any(changed) {
        return Ok(());
    }
    let Some(client) = client_of(call, event).await? else { return Ok(()) };
    if changed("dietitian_id") {
        with_new_primary(call, &client).await?;
    }
    if changed("other_provider_ids") {
        with_care_team(call, &client).await?;
    }
    if changed("active") && !client.active {
        leave_shared(call, &client).await?;
    }
    if ["dietitian_id", "other_provider_ids", "restricted"].into_iter().any(changed) {
        leave_unseen(call, &client).await?;
    }
    if changed("user_group_id") {
        leave_group_chats(call, &client).await?;
        join_group_chats(call, &client).await?;
    }
    Ok(())
}

/// A newly assigned provider, if their flag says so.
async fn with_new_primary(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let Some(provider) = client.dietitian_id else { return Ok(()) };
    match has(call, provider, CREATE_CHAT_WHEN_ASSIGNED).await? {
        true => between(call, client, provider).await.map(drop),
        false => Ok(()),
    }
}

async fn with_care_team(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let team: Vec<CareTeamMember> = call.list(Cond::eq("patient_id", client.id.0), &[]).await?;
    for member in team {
        if has(call, member.user_id, AUTO_CREATE_CONVO_FOR_CARE_TEAM).await? {
            between(call, client, member.user_id).await?;
        }
    }
    Ok(())
}

async fn has(
    call: &mut Call<'_>,
    member: Id<User>,
    permission: ward_engine::Permission,
) -> Answer<bool> {
    let Some(user): Option<User> = call.find(member).await? else { return Ok(false) };
    match access::membership(call, &user).await? {
        Some(membership) => holds(call, &membership, permission).await,
        None => Ok(false),
    }
}

/// Begins a conversation of two, unless there is one; what was begun, and its owner.
async fn between(
    call: &mut Call<'_>,
    client: &User,
    provider: Id<User>,
) -> Answer<Option<(Conversation, User)>> {
    let Some(owner): Option<User> = call.find(provider).await? else { return Ok(None) };
    if parts::of_two(call, &owner, client.id, false).await?.is_some() {
        return Ok(None);
    }
    let mut participants = Participants::default();
    participants.include(client);
    let new = New { owner: &owner, participants: &participants, name: None, metadata: None };
    let begun = new.begin(call).await?;
    Ok(Some((begun, owner)))
}

/// The client's parts in conversations that meet a condition on `c`.
async fn parts(
    call: &mut Call<'_>,
    client: &User,
    condition: &str,
) -> Answer<Vec<ConversationMembership>> {
    let cond = Cond::eq("user_id", client.id.0).and(Cond::sql(condition, []));
    Ok(call.list(cond, &[]).await?)
}

/// An archived client leaves the conversations that several clients share
/// (behaviour 18.3).
async fn leave_shared(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let shared = "EXISTS (SELECT 1 FROM conversations c WHERE c.org_id = {t}.org_id \
         AND c.id = {t}.conversation_id AND c.clients_count > 1)";
    for part in parts(call, client, shared).await? {
        take_out(call, &part).await?;
    }
    Ok(())
}

/// A client whom the owner of a shared conversation does not see any more leaves
/// it: with them in it, it would be read by nobody.
async fn leave_unseen(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let shared = "({t}.user_group_id IS NOT NULL OR EXISTS (SELECT 1 FROM conversations c \
         WHERE c.org_id = {t}.org_id AND c.id = {t}.conversation_id AND c.clients_count > 1))";
    for part in parts(call, client, shared).await? {
        let Some(conversation) = call.find(part.conversation_id).await? else { continue };
        let conversation: Conversation = conversation;
        if !owner::may_share_with(call, conversation.owner_id, client).await? {
            take_out(call, &part).await?;
        }
    }
    Ok(())
}

/// Who leaves a group leaves the conversations that they joined with it.
async fn leave_group_chats(call: &mut Call<'_>, client: &User) -> Answer<()> {
    for part in parts(call, client, "{t}.user_group_id IS NOT NULL").await? {
        let stays = client
            .user_group_id
            .is_some_and(|group| part.user_group_id.is_some_and(|with| with.0 == group.0));
        if !stays {
            take_out(call, &part).await?;
        }
    }
    Ok(())
}

async fn take_out(call: &mut Call<'_>, part: &ConversationMembership) -> Answer<()> {
    let Some(conversation) = locked(call, part.conversation_id.0).await? else { return Ok(()) };
    leave(call, &conversation, part).await?;
    recount(call, &conversation).await.map(drop)
}

/// Who joins a group joins its conversations, where there is room and the owner
/// may see who they are.
async fn join_group_chats(call: &mut Call<'_>, client: &User) -> Answer<()> {
    let Some(group) = client.user_group_id.filter(|_| client.active) else { return Ok(()) };
    let sql = Sql::fixed(
        "SELECT g.conversation_id FROM conversation_groups g \
         WHERE g.org_id = $1 AND g.user_group_id = $2 AND NOT EXISTS (\
         SELECT 1 FROM conversation_memberships m WHERE m.org_id = g.org_id \
         AND m.conversation_id = g.conversation_id AND m.user_id = $3 AND m.deleted_at IS NULL) \
         AND (SELECT COUNT(*) FROM conversation_memberships m WHERE m.org_id = g.org_id \
         AND m.conversation_id = g.conversation_id AND m.deleted_at IS NULL) < $4 \
         ORDER BY g.conversation_id",
        [
            client.org_id.0.into(),
            group.0.into(),
            client.id.0.into(),
            i64::try_from(MEMBERS_MAX).unwrap_or(i64::MAX).into(),
        ],
    );
    let found = call.tx.rows(&sql).await?;
    let ids: Vec<i64> = found.iter().filter_map(|row| row.first()?.int()).collect();
    for id in ids {
        let Some(conversation) = locked(call, id).await? else { continue };
        if !owner::may_share_with(call, conversation.owner_id, client).await? {
            continue;
        }
        let person = Person { is_patient: true, group: Some(Id::new(group.0)) };
        join(call, &conversation, client.id, person).await?;
        recount(call, &conversation).await?;
    }
    Ok(())
}

/// Of two clients in one conversation one is left when they are merged.
async fn merged(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(client) = event.subject_id else { return Ok(()) };
    let parts: Vec<ConversationMembership> = call.list(Cond::eq("user_id", client), &[]).await?;
    for part in parts {
        if let Some(conversation) = locked(call, part.conversation_id.0).await? {
            recount(call, &conversation).await?;
        }
    }
    Ok(())
}

async fn locked(call: &mut Call<'_>, id: i64) -> Answer<Option<Conversation>> {
    let seen = call.visible_for_update(Id::new(id), ward_store::Level::Full).await?;
    Ok(seen.map(|(conversation, _)| conversation))
}
