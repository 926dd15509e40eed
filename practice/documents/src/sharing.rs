//! Whom documents and folders are shared with (behaviour 31).

use std::collections::BTreeSet;

use ward_clients::access::{self, seen_user};
use ward_clients::tables::UserGroup;
use ward_engine::{Answer, Call, FromIn, IdCodec, In, Kind, Refused, last_step, parse_id};
use ward_identity::flags::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_DOCS, CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS,
};
use ward_identity::id_list;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Actor, Cond, Entity, Id, Level};

use crate::events;
use crate::tables::{Document, DocumentSharing, Folder, FolderSharing};

/// So many people one call shares with.
pub const PEOPLE_MAX: usize = 1_000;

/// What is shared.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A document.
    Document(&'a Document),
    /// A folder with all that is in it.
    Folder(&'a Folder),
}

/// Whom with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// A client or a member.
    Person(Id<User>),
    /// A group of clients.
    Group(Id<UserGroup>),
}

/// `share_users`: people and groups by their `doc_share_id` (`user-4`, `group-2`), or
/// people by their id (behaviour 9).
#[derive(Clone, Debug, PartialEq)]
pub struct ShareList(pub Vec<Whom>);

impl FromIn for ShareList {
    const KIND: Kind = Kind::Ids(User::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let texts = id_list::texts(value, at, ids)?;
        check_count(texts.len(), last_step(at))?;
        let whom = |text: &String| match text.split_once('-') {
            Some(("group", id)) => parse_id(id, at, ids).map(Whom::Group),
            Some(("user", id)) => parse_id(id, at, ids).map(Whom::Person),
            _ => parse_id(text, at, ids).map(Whom::Person),
        };
        texts.iter().map(whom).collect::<Answer<_>>().map(ShareList)
    }
}

impl Whom {
    fn columns(self) -> (Option<Id<User>>, Option<Id<UserGroup>>) {
        match self {
            Whom::Person(id) => (Some(id), None),
            Whom::Group(id) => (None, Some(id)),
        }
    }

    fn cond(self) -> Cond {
        match self {
            Whom::Person(id) => Cond::eq("user_id", id.0),
            Whom::Group(id) => Cond::eq("user_group_id", id.0),
        }
    }
}

impl Item<'_> {
    fn owner_id(&self) -> Id<User> {
        match self {
            Item::Document(it) => it.owner_id,
            Item::Folder(it) => it.owner_id,
        }
    }

    /// The client whom it is about.
    pub fn rel_user_id(&self) -> Option<Id<User>> {
        match self {
            Item::Document(it) => it.rel_user_id,
            Item::Folder(it) => it.rel_user_id,
        }
    }

    /// Shares it; whether it was not before.
    pub async fn share(&self, call: &mut Call<'_>, whom: Whom) -> Answer<bool> {
        let of_item = self.tell_of(call, whom).await?;
        let shared = self.write_share(call, whom).await;
        call.scope.subject_id = of_item;
        shared
    }

    /// Has the audit entries be about the client with whom it is shared; about whom they are
    /// otherwise.
    async fn tell_of(&self, call: &mut Call<'_>, whom: Whom) -> Answer<Option<i64>> {
        let of_item = call.scope.subject_id;
        if let Whom::Person(id) = whom
            && call.find(id).await?.is_some_and(|user: User| user.is_patient)
        {
            call.scope.subject_id = Some(id.0);
        }
        Ok(of_item)
    }

    async fn write_share(&self, call: &mut Call<'_>, whom: Whom) -> Answer<bool> {
        let (user_id, user_group_id) = whom.columns();
        let now = call.now();
        match self {
            Item::Document(it) => {
                let there = Cond::eq("document_id", it.id.0).and(whom.cond());
                if call.find_by::<DocumentSharing>(there).await?.is_some() {
                    return Ok(false);
                }
                let row = DocumentSharing {
                    id: call.next_id().await?,
                    org_id: it.org_id,
                    unit_id: it.unit_id,
                    document_id: it.id,
                    user_id,
                    user_group_id,
                    created_at: now,
                };
                call.create(&row).await?;
            }
            Item::Folder(it) => {
                let there = Cond::eq("folder_id", it.id.0).and(whom.cond());
                if call.find_by::<FolderSharing>(there).await?.is_some() {
                    return Ok(false);
                }
                let row = FolderSharing {
                    id: call.next_id().await?,
                    org_id: it.org_id,
                    unit_id: it.unit_id,
                    folder_id: it.id,
                    user_id,
                    user_group_id,
                    created_at: now,
                };
                call.create(&row).await?;
                call.emit(events::folder_sharing_created(it, &row));
            }
        }
        Ok(true)
    }

    /// Shares it no more; whether it was.
    pub async fn unshare(&self, call: &mut Call<'_>, whom: Whom) -> Answer<bool> {
        let of_item = self.tell_of(call, whom).await?;
        let unshared = self.delete_share(call, whom).await;
        call.scope.subject_id = of_item;
        unshared
    }

    async fn delete_share(&self, call: &mut Call<'_>, whom: Whom) -> Answer<bool> {
        match self {
            Item::Document(it) => {
                let there = Cond::eq("document_id", it.id.0).and(whom.cond());
                let Some(row) = call.find_by::<DocumentSharing>(there).await? else {
                    return Ok(false);
                };
                call.destroy(&row).await?;
            }
            Item::Folder(it) => {
                let there = Cond::eq("folder_id", it.id.0).and(whom.cond());
                let Some(row) = call.find_by::<FolderSharing>(there).await? else {
                    return Ok(false);
                };
                call.destroy(&row).await?;
                call.emit(events::folder_sharing_deleted(it, &row));
            }
        }
        Ok(true)
    }

    /// Whom it is shared with.
    async fn shared_with(&self, call: &mut Call<'_>) -> Answer<BTreeSet<Whom>> {
        let whom = |user: Option<Id<User>>, group: Option<Id<UserGroup>>| {
            user.map(Whom::Person).or(group.map(Whom::Group))
        };
        Ok(match self {
            Item::Document(it) => {
                let of = Cond::eq("document_id", it.id.0);
                let rows: Vec<DocumentSharing> = call.list(of, &[]).await?;
                rows.iter().filter_map(|row| whom(row.user_id, row.user_group_id)).collect()
            }
            Item::Folder(it) => {
                let of = Cond::eq("folder_id", it.id.0);
                let rows: Vec<FolderSharing> = call.list(of, &[]).await?;
                rows.iter().filter_map(|row| whom(row.user_id, row.user_group_id)).collect()
            }
        })
    }
}

/// Whether somebody may change what they see: their own, else a member with
/// `can_edit_docs`. A pure rule.
pub fn may_edit(actor: &Actor, owner_id: i64) -> bool {
    owner_id == actor.user_id || (actor.is_member() && actor.has(CAN_EDIT_DOCS.flag))
}

/// Refuses whoever may not change it.
pub fn check_may_edit(actor: &Actor, owner_id: Id<User>) -> Answer<()> {
    match may_edit(actor, owner_id.0) {
        true => Ok(()),
        false => requires(actor, CAN_EDIT_DOCS),
    }
}

/// Shares with a person whom the caller sees: a client who is not archived
/// (behaviour 18.3), or, with the right to, a colleague.
pub async fn share_with(
    call: &mut Call<'_>,
    item: Item<'_>,
    id: Id<User>,
    at: &str,
) -> Answer<bool> {
    let user = seen_user(call, id, at).await?;
    check_person(call, item, &user, at).await?;
    item.share(call, Whom::Person(id)).await
}

async fn check_person(call: &mut Call<'_>, item: Item<'_>, user: &User, at: &str) -> Answer<()> {
    if !user.is_patient {
        requires(call.actor, CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS)?;
        return match access::membership(call, user).await? {
            Some(_) => Ok(()),
            None => Err(Refused::not_found(at)),
        };
    }
    if !user.active {
        return Err(Refused::on(
            at,
            format!("User {} is archived: nothing new is shared with them", user.id),
        ));
    }
    match item {
        Item::Folder(folder) if folder.rel_user_id.is_some_and(|rel| rel != user.id) => {
            Err(Refused::on(at, "A client's folder can't be shared with another client"))
        }
        _ => Ok(()),
    }
}

/// Shares with a whole group, those who join it included: for who may act on groups.
pub async fn share_with_group(
    call: &mut Call<'_>,
    item: Item<'_>,
    id: Id<UserGroup>,
    at: &str,
) -> Answer<bool> {
    requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    let found = call.visible_for_reference(id, Level::Full).await?;
    found.ok_or_else(|| Refused::not_found(at))?;
    if item.rel_user_id().is_some() {
        return Err(Refused::on(at, "What is about a client can't be shared with a group"));
    }
    item.share(call, Whom::Group(id)).await
}

/// Shares with each of these.
pub async fn share_with_all(
    call: &mut Call<'_>,
    item: Item<'_>,
    whom: &[Whom],
    at: &str,
) -> Answer<bool> {
    let mut changed = false;
    for whom in whom {
        changed |= match whom {
            Whom::Person(id) => share_with(call, item, *id, at).await?,
            Whom::Group(id) => share_with_group(call, item, *id, at).await?,
        };
    }
    Ok(changed)
}

/// Makes these all whom it is shared with, those apart whom the caller does not see,
/// and the client whom it is about, of whom `share_with_rel` decides.
pub async fn set_shared(
    call: &mut Call<'_>,
    item: Item<'_>,
    wanted: &[Whom],
    at: &str,
) -> Answer<bool> {
    let rel = item.rel_user_id().map(Whom::Person);
    let wanted: BTreeSet<Whom> = wanted.iter().copied().filter(|it| Some(*it) != rel).collect();
    let before = item.shared_with(call).await?;
    let new: Vec<Whom> = wanted.difference(&before).copied().collect();
    let mut changed = share_with_all(call, item, &new, at).await?;
    for whom in before.difference(&wanted).filter(|it| Some(**it) != rel) {
        let is_seen = match whom {
            Whom::Person(id) => call.visible(*id, Level::Limited).await?.is_some(),
            Whom::Group(id) => call.visible(*id, Level::Limited).await?.is_some(),
        };
        if is_seen {
            changed |= item.unshare(call, *whom).await?;
        }
    }
    Ok(changed)
}

/// Takes the shares of clients away when it is about another client, or about nobody: of the one
/// whom it was about, and of what is about a client now those of all others. Whether there were any.
pub async fn close(
    call: &mut Call<'_>,
    item: Item<'_>,
    was_about: Option<Id<User>>,
) -> Answer<bool> {
    let is_about = item.rel_user_id();
    let mut changed = false;
    for whom in item.shared_with(call).await? {
        let Whom::Person(id) = whom else { continue };
        let is_other = is_about.is_some_and(|client| client != id)
            && call.find(id).await?.is_some_and(|user: User| user.is_patient);
        if Some(id) == was_about || is_other {
            changed |= item.unshare(call, whom).await?;
        }
    }
    Ok(changed)
}

/// Refuses lists that are too long.
pub fn check_count(count: usize, at: &str) -> Answer<()> {
    match count > PEOPLE_MAX {
        true => Err(Refused::on(at, format!("At most {PEOPLE_MAX} ids can be named at once"))),
        false => Ok(()),
    }
}

/// Shares with the client whom it is about, or no more.
pub async fn set_rel(call: &mut Call<'_>, item: Item<'_>, shared: bool) -> Answer<bool> {
    let Some(rel) = item.rel_user_id() else {
        return match shared {
            true => {
                Err(Refused::on("share_with_rel", "Name the client first: rel_user_id is blank"))
            }
            false => Ok(false),
        };
    };
    match shared {
        true => share_with(call, item, rel, "share_with_rel").await,
        false => item.unshare(call, Whom::Person(rel)).await,
    }
}

/// What a member changes about a shared item; a client changes nothing of it.
pub fn members_share(actor: &Actor, item: Item<'_>) -> Answer<()> {
    members_only(actor)?;
    check_may_edit(actor, item.owner_id())
}
