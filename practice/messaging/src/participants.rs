//! Who is named for a conversation: `"user-4,group-2"`, and whether the caller
//! may bring them together (behaviour 32).

use std::collections::BTreeMap;

use ward_clients::group;
use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Call, Permission, Refused, last_step, parse_id};
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_ADD_MEMBERS_TO_CHAT, START_CONVERSATION_WITH,
};
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, OrganizationMembership, USERS, User, users};
use ward_store::{Cond, Id, Level, Query, Select, Value};

use crate::tables::NoteRecipient;

/// So many people can take part in a conversation (behaviour 11).
pub const MEMBERS_MAX: usize = 256;
/// So many people can be sent a broadcast.
pub const RECIPIENTS_MAX: usize = 5_000;

/// One entry of a list of participants, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named<'a> {
    /// `user-4`, or `4`.
    User(&'a str),
    /// `group-2`.
    Group(&'a str),
}

/// The entries of a list; blank ones are nobody.
pub fn named(list: &str) -> Vec<Named<'_>> {
    let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(Named::of).collect()
}

impl<'a> Named<'a> {
    fn of(entry: &'a str) -> Self {
        match entry.strip_prefix("group-") {
            Some(id) => Named::Group(id),
            None => Named::User(entry.strip_prefix("user-").unwrap_or(entry)),
        }
    }
}

/// Somebody who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// Whether a client.
    pub is_patient: bool,
    /// The group that they come with.
    pub group: Option<Id<UserGroup>>,
}

/// How many people a message may bring together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    /// A conversation, its owner included.
    #[default]
    Conversation,
    /// A broadcast.
    Broadcast,
}

impl Room {
    /// Besides the owner, so many.
    const fn most(self) -> usize {
        match self {
            Room::Conversation => MEMBERS_MAX - 1,
            Room::Broadcast => RECIPIENTS_MAX,
        }
    }

    fn is_full(self, at: &str) -> Refused {
        Refused::on(
            at,
            match self {
                Room::Conversation => {
                    format!("A conversation can have at most {MEMBERS_MAX} members")
                }
                Room::Broadcast => {
                    format!("A message can go to at most {RECIPIENTS_MAX} recipients")
                }
            },
        )
    }
}

/// Who is to take part besides the owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participants {
    /// How many there may be.
    pub room: Room,
    /// Everybody once.
    pub people: BTreeMap<Id<User>, Person>,
    /// Groups that were named as a whole.
    pub groups: Vec<Id<UserGroup>>,
}

impl Participants {
    /// Nobody yet.
    pub fn of(room: Room) -> Self {
        Participants { room, ..Self::default() }
    }

    fn add(&mut self, id: Id<User>, person: Person, at: &str) -> Answer<()> {
        self.people.entry(id).or_insert(person);
        match self.people.len() <= self.room.most() {
            true => Ok(()),
            false => Err(self.room.is_full(at)),
        }
    }

    /// With somebody whose place the caller has checked.
    pub fn include(&mut self, user: &User) {
        self.people.entry(user.id).or_insert(Person { is_patient: user.is_patient, group: None });
    }
}

impl From<&[NoteRecipient]> for Participants {
    fn from(rows: &[NoteRecipient]) -> Self {
        let person = |row: &NoteRecipient| {
            (row.user_id, Person { is_patient: true, group: row.user_group_id })
        };
        Participants {
            people: rows.iter().map(person).collect(),
            ..Participants::of(Room::Broadcast)
        }
    }
}

/// Adds those whom a list names; `path` is where the list stands in the input.
/// `already` take part and need no right to be added.
pub async fn add_list(
    call: &mut Call<'_>,
    found: &mut Participants,
    list: &str,
    already: &Participants,
    path: &str,
) -> Answer<()> {
    let ids = call.request.instance.ids();
    let at = last_step(path);
    for entry in named(list) {
        match entry {
            Named::User(id) => {
                let id = parse_id(id, path, ids)?;
                add_user(call, found, id, already, at).await?;
            }
            Named::Group(id) => {
                let id = parse_id(id, path, ids)?;
                match already.groups.contains(&id) {
                    true => keep_group(found, id, already),
                    false => add_group(call, found, id, at).await?,
                }
            }
        }
    }
    Ok(())
}

/// Adds one person.
pub async fn add_user(
    call: &mut Call<'_>,
    found: &mut Participants,
    id: Id<User>,
    already: &Participants,
    at: &str,
) -> Answer<()> {
    if let Some(person) = already.people.get(&id) {
        return found.add(id, Person { group: None, ..*person }, at);
    }
    let least = if call.actor.is_client() { Level::Public } else { Level::Full };
    let seen = call.visible_for_reference(id, least).await?;
    let (user, _) = seen.ok_or_else(|| Refused::not_found(at))?;
    // A client for whom they may act is known to them, and is no colleague.
    if call.actor.is_client() && user.is_patient && user.id.0 != call.actor.user_id {
        return Err(Refused::not_found(at));
    }
    if user.id.0 != call.actor.user_id && !user.is_patient {
        let staff = membership(call, &user).await?.ok_or_else(|| Refused::not_found(at))?;
        match call.actor.is_client() {
            true => can_be_asked(call, &staff, at).await?,
            false => requires(call.actor, CAN_ADD_MEMBERS_TO_CHAT)?,
        }
    }
    found.add(user.id, Person { is_patient: user.is_patient, group: None }, at)
}

/// The active membership of a colleague with an account of a person.
async fn membership(call: &mut Call<'_>, user: &User) -> Answer<Option<OrganizationMembership>> {
    match user.is_integration {
        true => Ok(None),
        false => ward_clients::access::membership(call, user).await,
    }
}

/// Whether clients may begin conversations with the member (behaviour 16.3).
async fn can_be_asked(call: &mut Call<'_>, staff: &OrganizationMembership, at: &str) -> Answer<()> {
    if holds(call, staff, START_CONVERSATION_WITH).await? {
        return Ok(());
    }
    Err(Refused::on(at, "You can't begin a conversation with this person"))
}

/// Whether a member has a flag that is about who they are; the owner has every
/// one (behaviour 16.1).
pub async fn holds(
    call: &mut Call<'_>,
    staff: &OrganizationMembership,
    permission: Permission,
) -> Answer<bool> {
    if staff.flags().has(permission.flag) {
        return Ok(true);
    }
    let unit: Option<Organization> = call.find(staff.unit_id).await?;
    Ok(unit.is_some_and(|unit| unit.owner_id == Some(staff.user_id)))
}

/// A group that takes part already goes on doing so, with whoever came with it.
fn keep_group(found: &mut Participants, id: Id<UserGroup>, already: &Participants) {
    found.groups.push(id);
    let with_it = already.people.iter().filter(|(_, person)| person.group == Some(id));
    for (user, person) in with_it {
        found.people.entry(*user).or_insert(*person);
    }
}

/// Adds the active clients of a group whom the caller sees.
async fn add_group(
    call: &mut Call<'_>,
    found: &mut Participants,
    id: Id<UserGroup>,
    at: &str,
) -> Answer<()> {
    requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    let group = group::seen(call, id, at).await?;
    let of_group = Cond::eq("user_group_id", group.id.0).and(Cond::is_true("active"));
    let clients = seen_clients(call, of_group, found.room).await?;
    for client in clients {
        found.add(client, Person { is_patient: true, group: Some(group.id) }, at)?;
    }
    if !found.groups.contains(&group.id) {
        found.groups.push(group.id);
    }
    Ok(())
}

/// Adds every client of a status whom the caller sees: `active`, `archived` or
/// `all`.
pub async fn add_all(
    call: &mut Call<'_>,
    found: &mut Participants,
    status: &str,
    at: &str,
) -> Answer<()> {
    requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    let of_status = match status.trim().to_ascii_lowercase().as_str() {
        "active" => Cond::is_true("active"),
        "archived" | "inactive" => Cond::eq("active", false),
        "all" => Cond::Always,
        _ => return Err(Refused::on(at, format!("{at} must be active, archived or all"))),
    };
    for client in seen_clients(call, of_status, found.room).await? {
        found.add(client, Person { is_patient: true, group: None }, at)?;
    }
    Ok(())
}

/// Clients whom the caller sees in full, up to one more than there is room for.
async fn seen_clients(call: &mut Call<'_>, which: Cond, room: Room) -> Answer<Vec<Id<User>>> {
    let mut select = Select::new(&USERS, call.actor);
    select.columns = vec![users::id];
    select.least = Level::Full;
    select.filter = which.and(Cond::is_true("is_patient"));
    select.limit = i64::try_from(room.most() + 1).ok();
    let sql = select.ordered(Vec::new()).sql();
    let rows = call.tx.rows(&sql).await?;
    let id = |row: &[Value]| row.first().and_then(Value::int).map(Id::new);
    Ok(rows.iter().filter_map(id).collect())
}
