//! Groups of clients: who makes them, renames them, and where their clients go
//! when one is deleted (behaviour 19).

use ward_engine::{Answer, Call, Payload, Problems, Refused, input};
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS};
use ward_identity::tables::{InviteCode, InviteKind, Organization, USERS};
use ward_instance::Random;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Cond, Id, Level, Query, Select, Sql, StoreError, Value};

use crate::access::members_only;
use crate::events;
use crate::rules;
use crate::tables::UserGroup;

/// So often a taken invite code is drawn anew.
const CODE_TRIES: usize = 20;

input! {
    /// `createGroupInput`.
    pub struct CreateGroup { name: String }
}

input! {
    /// `updateUserGroupInput`; its intake flow is the charting domain's share.
    pub struct UpdateUserGroup { id: Id<UserGroup>, name: String }
}

input! {
    /// `deleteUserGroupInput`.
    pub struct DeleteUserGroup { id: Id<UserGroup>, group_to_receive_clients: String }
}

/// Makes a group of the caller's organization. Two groups may have one name
/// (behaviour 19).
pub async fn create(call: &mut Call<'_>, input: &CreateGroup) -> Answer<Payload> {
    members_only(call.actor)?;
    let mut problems = Problems::new();
    rules::required("name", &input.name, &mut problems);
    rules::bounded("name", &input.name, rules::LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    let now = call.now();
    let group = UserGroup {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        name: input.name.trimmed().unwrap_or_default().to_owned(),
        invite_code: free_invite_code(call).await?,
        user_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&group).await?;
    call.create(&InviteCode {
        code: group.invite_code.clone(),
        root_id: group.org_id,
        kind: InviteKind::Group,
        target_id: group.id.0,
        created_at: now,
    })
    .await?;
    Ok(Payload::new().one("user_group", group.id.0))
}

/// Renames a group (behaviour 19).
pub async fn update(call: &mut Call<'_>, input: &UpdateUserGroup) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = changeable(call, input.id.value().copied()).await?;
    let mut problems = Problems::new();
    rules::not_emptied("name", &input.name, &mut problems);
    rules::bounded("name", &input.name, rules::LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    if let Some(name) = input.name.trimmed() {
        after.name = name.to_owned();
    }
    call.update(&before, &after).await?;
    Ok(Payload::new().one("user_group", after.id.0))
}

/// Deletes a group. Its clients, archived ones too, go to the group that is to
/// receive them, or to none (behaviour 19); each has a `patient.updated`. A group
/// of clients whom the actor does not see needs the right to act on groups.
pub async fn delete(call: &mut Call<'_>, input: &DeleteUserGroup) -> Answer<Payload> {
    members_only(call.actor)?;
    let group = changeable(call, input.id.value().copied()).await?;
    let receiver = match input.group_to_receive_clients.trimmed() {
        None => None,
        Some(text) => {
            let at = "group_to_receive_clients";
            let ids = call.request.instance.ids();
            let id: Id<UserGroup> = ward_engine::parse_id(text, &format!("input.{at}"), ids)?;
            Some(seen(call, id, at).await?)
        }
    };
    if receiver.as_ref().is_some_and(|receiver| receiver.id == group.id) {
        return Err(Refused::on(
            "group_to_receive_clients",
            "The group to receive the clients must be another group",
        ));
    }
    move_clients(call, &group, receiver.as_ref()).await?;
    let code = Cond::eq("code", group.invite_code.as_str());
    if let Some(code) = call.find_by::<InviteCode>(code).await? {
        call.destroy(&code).await?;
    }
    call.destroy(&group).await?;
    Ok(Payload::new().one("user_group", group.id.0))
}

/// Sets the group of every client of `from` in one statement.
async fn move_clients(call: &mut Call<'_>, from: &UserGroup, to: Option<&UserGroup>) -> Answer<()> {
    let org_id = call.actor.org_id;
    let members = Sql::fixed(
        "SELECT id, unit_id FROM users WHERE org_id = $1 AND user_group_id = $2 \
         ORDER BY id FOR_UPDATE",
        [org_id.into(), from.id.0.into()],
    );
    let members = call.tx.rows(&members).await?;
    if members.is_empty() {
        return Ok(());
    }
    may_move(call, from, members.iter().count()).await?;
    if let Some(to) = to {
        for unit in members.iter().filter_map(|row| row.get(1)?.int()) {
            check_unit(to, Id::new(unit), "group_to_receive_clients")?;
        }
    }
    let now = call.now();
    let to = to.map(|to| to.id.0);
    let moved = Sql::fixed(
        "UPDATE users SET user_group_id = $1, updated_at = $2, version = version + 1 \
         WHERE org_id = $3 AND user_group_id = $4",
        [to.into(), now.0.into(), org_id.into(), from.id.0.into()],
    );
    call.tx.execute(&moved).await?;
    for row in members.iter() {
        let [Value::Int(client_id), Value::Int(unit_id)] = row else { continue };
        let mut entry =
            AuditEntry::by(call.actor, AuditType::Update, "USER", client_id.to_string());
        entry.unit_id = *unit_id;
        entry.subject_id = Some(*client_id);
        let (before, after) = (from.id.0.to_string(), to.map(|id| id.to_string()));
        entry.changes = vec![AuditChange::new("user_group_id", Some(&before), after.as_deref())];
        call.record(entry);
        call.emit(events::patient_updated(*client_id, *unit_id, &["user_group_id"]));
    }
    Ok(())
}

/// Whether the actor may move all `members` of a group: whom they do not see in
/// full, they move with the right to act on groups or on settings only.
async fn may_move(call: &mut Call<'_>, from: &UserGroup, members: usize) -> Answer<()> {
    let may = [ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS];
    if may.iter().any(|permission| call.actor.has(permission.flag)) {
        return Ok(());
    }
    let mut select = Select::new(&USERS, call.scope.actor);
    select.least = Level::Full;
    select.deleted = true;
    select.filter = Cond::eq("user_group_id", from.id.0);
    let seen = call.scope.tx.rows(&select.count_sql()).await?;
    let seen = seen.scalar().and_then(Value::int).unwrap_or(0);
    match usize::try_from(seen) == Ok(members) {
        true => Ok(()),
        false => Err(Refused::Denied(ALLOW_GROUP_LEVEL_ACTIONS)),
    }
}

/// The group that an input names, to be assigned or changed.
pub async fn seen(call: &mut Call<'_>, id: Id<UserGroup>, at: &str) -> Answer<UserGroup> {
    let found = call.visible(id, Level::Full).await?;
    found.map(|(group, _)| group).ok_or_else(|| Refused::not_found(at))
}

/// Refuses a group of another unit: clients are in groups of their own unit or of
/// the root, so that siblings don't meet in one (behaviour 15).
pub fn check_unit(group: &UserGroup, unit: Id<Organization>, at: &str) -> Answer<()> {
    match group.unit_id == unit || group.unit_id == group.org_id {
        true => Ok(()),
        false => Err(Refused::on(at, "The group belongs to another organization than the client")),
    }
}

async fn changeable(call: &mut Call<'_>, id: Option<Id<UserGroup>>) -> Answer<UserGroup> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(group, _)| group).ok_or_else(|| Refused::not_found("id"))
}

/// Six hexadecimal characters that no one of the instance has for a code.
async fn free_invite_code(call: &mut Call<'_>) -> Answer<String> {
    for _ in 0..CODE_TRIES {
        let code = invite_code(call.instance().random());
        let taken: Option<InviteCode> = call.find_by(Cond::eq("code", code.as_str())).await?;
        if taken.is_none() {
            return Ok(code);
        }
    }
    Err(StoreError::internal("no free invite code was found").into())
}

/// A drawn invite code.
pub fn invite_code(random: &Random) -> String {
    format!("{:06x}", random.below(1 << 24))
}
