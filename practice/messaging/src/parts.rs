//! Who takes part in a conversation, as rows: beginning one, joining and leaving
//! it (behaviour 32).

use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Query, Scope, Sql, Value};

use crate::draft;
use crate::events;
use crate::participants::{Participants, Person};
use crate::tables::{Conversation, ConversationGroup, ConversationMembership};

/// A conversation to be begun.
pub struct New<'a> {
    /// Whose it is.
    pub owner: &'a User,
    /// Who else takes part.
    pub participants: &'a Participants,
    /// Its name.
    pub name: Option<String>,
    /// A program's own data.
    pub metadata: Option<ward_store::Json>,
}

impl New<'_> {
    /// Writes it, with everybody's part and the events.
    pub async fn begin(self, scope: &mut Scope<'_>) -> Answer<Conversation> {
        let now = scope.now();
        let conversation = Conversation {
            id: scope.next_id().await?,
            org_id: self.owner.org_id,
            unit_id: self.owner.unit_id,
            owner_id: self.owner.id,
            patient_id: only_client(self.participants),
            name: self.name,
            clients_count: count_clients(self.participants),
            notes_count: 0,
            closed_at: None,
            closed_by_id: None,
            metadata: self.metadata,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        scope.subject_id = conversation.patient_id.map(|id| id.0);
        scope.create(&conversation).await?;
        scope.emit(events::conversation_created(&conversation));
        let owner = Person { is_patient: false, group: None };
        join(scope, &conversation, self.owner.id, owner).await?;
        for (user, person) in &self.participants.people {
            join(scope, &conversation, *user, *person).await?;
        }
        for group in &self.participants.groups {
            join_group(scope, &conversation, *group).await?;
        }
        Ok(conversation)
    }
}

fn only_client(people: &Participants) -> Option<Id<User>> {
    let mut clients = people.people.iter().filter(|(_, person)| person.is_patient);
    match (clients.next(), clients.next()) {
        (Some((id, _)), None) => Some(*id),
        _ => None,
    }
}

/// Adds somebody.
pub async fn join(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    user: Id<User>,
    person: Person,
) -> Answer<()> {
    let now = scope.now();
    let row = ConversationMembership {
        id: scope.next_id().await?,
        org_id: conversation.org_id,
        unit_id: conversation.unit_id,
        conversation_id: conversation.id,
        user_id: user,
        user_group_id: person.group,
        viewed_count: 0,
        archived_count: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    // In a community each client's part is that client's.
    let of_conversation = scope.subject_id;
    if person.is_patient {
        scope.subject_id = Some(user.0);
    }
    scope.create(&row).await?;
    scope.subject_id = of_conversation;
    scope.emit(events::membership_created(conversation, row.id.0));
    Ok(())
}

async fn join_group(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    group: Id<UserGroup>,
) -> Answer<()> {
    let row = ConversationGroup {
        org_id: conversation.org_id,
        conversation_id: conversation.id,
        user_group_id: group,
        created_at: scope.now(),
    };
    scope.create(&row).await?;
    Ok(())
}

/// How many clients are among them.
pub fn count_clients(people: &Participants) -> i64 {
    let clients = people.people.values().filter(|person| person.is_patient).count();
    i64::try_from(clients).unwrap_or(i64::MAX)
}

/// Who takes part now, besides the owner.
pub async fn current(scope: &mut Scope<'_>, conversation: &Conversation) -> Answer<Participants> {
    let sql = Sql::fixed(
        "SELECT m.user_id, u.is_patient, m.user_group_id FROM conversation_memberships m \
         JOIN users u ON u.org_id = m.org_id AND u.id = m.user_id \
         WHERE m.org_id = $1 AND m.conversation_id = $2 AND m.deleted_at IS NULL \
         AND m.user_id <> $3",
        [conversation.org_id.0.into(), conversation.id.0.into(), conversation.owner_id.0.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    let person = |row: &[Value]| {
        let person =
            Person { is_patient: row.get(1)?.truth(), group: row.get(2)?.int().map(Id::new) };
        Some((Id::new(row.first()?.int()?), person))
    };
    let people = rows.iter().filter_map(person).collect();
    let of_conversation = Cond::eq("conversation_id", conversation.id.0);
    let groups: Vec<ConversationGroup> = scope.list(of_conversation, &[]).await?;
    let groups = groups.iter().map(|row| row.user_group_id).collect();
    Ok(Participants { people, groups, ..Participants::default() })
}

/// Makes the participants those that are wanted; whether that changed them.
pub async fn replace(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    wanted: &Participants,
) -> Answer<bool> {
    let already = current(scope, conversation).await?;
    let of_conversation = || Cond::eq("conversation_id", conversation.id.0);
    let mut changed = false;
    let rows: Vec<ConversationMembership> = scope.list(of_conversation(), &[]).await?;
    for row in rows.iter().filter(|row| row.user_id != conversation.owner_id) {
        if !wanted.people.contains_key(&row.user_id) {
            leave(scope, conversation, row).await?;
            changed = true;
        }
    }
    for (user, person) in wanted.people.iter().filter(|(id, _)| !already.people.contains_key(id)) {
        join(scope, conversation, *user, *person).await?;
        changed = true;
    }
    let groups: Vec<ConversationGroup> = scope.list(of_conversation(), &[]).await?;
    for row in groups.iter().filter(|row| !wanted.groups.contains(&row.user_group_id)) {
        scope.destroy(row).await?;
        changed = true;
    }
    for group in wanted.groups.iter().filter(|group| !already.groups.contains(group)) {
        join_group(scope, conversation, *group).await?;
        changed = true;
    }
    Ok(changed)
}

/// Takes somebody out.
pub async fn leave(
    scope: &mut Scope<'_>,
    conversation: &Conversation,
    row: &ConversationMembership,
) -> Answer<()> {
    let user: Option<User> = scope.find(row.user_id).await?;
    let of_conversation = scope.subject_id;
    if user.is_some_and(|user| user.is_patient) {
        scope.subject_id = Some(row.user_id.0);
    }
    draft::of_who_left(scope, row).await?;
    scope.destroy(row).await?;
    scope.subject_id = of_conversation;
    scope.emit(events::membership_deleted(conversation, row.id.0));
    Ok(())
}

/// Writes anew how many clients take part, and which one if it is one; the row
/// as it is then.
pub async fn recount(scope: &mut Scope<'_>, before: &Conversation) -> Answer<Conversation> {
    let people = current(scope, before).await?;
    let client = only_client(&people);
    let mut last = before.clone();
    // An entry of the audit log names one client at most.
    if let (Some(old), Some(new)) = (before.patient_id, client)
        && old != new
    {
        scope.subject_id = Some(old.0);
        scope.update(before, &Conversation { patient_id: None, ..before.clone() }).await?;
        last = scope.find(before.id).await?.ok_or_else(|| Refused::not_found("id"))?;
    }
    scope.subject_id = client.or(last.patient_id).map(|id| id.0);
    let clients_count = count_clients(&people);
    let after = Conversation { clients_count, patient_id: client, ..last.clone() };
    scope.update(&last, &after).await?;
    scope.find(before.id).await?.ok_or_else(|| Refused::not_found("id"))
}

/// A conversation of an owner with one other and nobody else, the oldest; closed
/// ones too unless only an open one is of use. Looked for among those of the other, mostly a
/// client with few (the CROSS JOIN says so to SQLite): an owner has one for each of theirs.
pub async fn of_two(
    scope: &mut Scope<'_>,
    owner: &User,
    other: Id<User>,
    only_open: bool,
) -> Answer<Option<Id<Conversation>>> {
    let mut sql = Sql::fixed(
        "SELECT c.id FROM conversation_memberships o CROSS JOIN conversations c \
         WHERE o.org_id = $1 AND o.user_id = $3 AND o.deleted_at IS NULL \
         AND c.org_id = o.org_id AND c.id = o.conversation_id AND c.owner_id = $2 \
         AND (SELECT COUNT(*) FROM conversation_memberships m WHERE m.org_id = c.org_id \
         AND m.conversation_id = c.id AND m.deleted_at IS NULL) = 2",
        [owner.org_id.0.into(), owner.id.0.into(), other.0.into()],
    );
    sql.push(if only_open { " AND c.closed_at IS NULL" } else { "" });
    sql.push(" ORDER BY c.id LIMIT 1");
    Ok(scope.tx.rows(&sql).await?.scalar().and_then(Value::int).map(Id::new))
}
