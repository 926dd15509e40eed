//! Folders: making, moving and deleting them (behaviour 31).

use ward_clients::rules;
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, Returns, input};
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_DOCS};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, Query, Sql, Value};

use crate::document::client_seen;
use crate::sharing::{self, Item, ShareList};
use crate::tables::{Document, FOLDERS, Folder};
use crate::{events, name};

/// What the mutations answer.
pub const RETURNS: &[(&str, Returns)] = &[("folder", Returns::One(&FOLDERS))];
/// Folders are in each other so deep at most.
pub const DEPTH_MAX: usize = 20;
/// One folder holds so many documents and folders at most, so that it can be deleted.
pub const CONTENTS_MAX: i64 = 5_000;

input! {
    /// `createFolderInput`.
    pub struct CreateFolder {
        name: String,
        folder_id: IdOrBlank<Folder>,
        rel_user_id: IdOrBlank<User>,
        share_with_rel: bool,
        share_users: ShareList,
    }
}

input! {
    /// `updateFolderInput`.
    pub struct UpdateFolder {
        id: Id<Folder>,
        name: String,
        folder_id: IdOrBlank<Folder>,
        share_with_rel: bool,
        share_users: ShareList,
        shared_on_welcome: bool,
        shared_with_dietitians: bool,
    }
}

input! {
    /// `deleteFolderInput`.
    pub struct DeleteFolder { id: Id<Folder> }
}

fn check(input: &Given<String>) -> Problems {
    let mut problems = Problems::new();
    if let Some(sentence) = input.trimmed().and_then(|it| name::wrong_title("Name", it)) {
        problems.add("name", sentence);
    }
    problems
}

/// Makes a folder, perhaps in another one, perhaps a client's.
pub async fn create(call: &mut Call<'_>, input: &CreateFolder) -> Answer<Payload> {
    members_only(call.actor)?;
    let mut problems = check(&input.name);
    rules::required("name", &input.name, &mut problems);
    problems.check()?;
    let mut client = named(&input.rel_user_id);
    let parent = match named(&input.folder_id) {
        Some(id) => {
            let parent = to_put_in(call, id, "folder_id").await?;
            client = client.or(parent.rel_user_id);
            check_same_client(&parent, client, "folder_id")?;
            check_depth(ancestors(call, parent.id).await?.len() + 1)?;
            Some(parent.id)
        }
        None => None,
    };
    let unit_id = match client {
        Some(id) => {
            call.scope.subject_id = Some(id.0);
            client_seen(call, id, "rel_user_id").await?.unit_id
        }
        None => Id::new(call.actor.unit_id),
    };
    let now = call.now();
    let folder = Folder {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id,
        owner_id: Id::new(call.actor.user_id),
        rel_user_id: client,
        folder_id: parent,
        name: input.name.trimmed().unwrap_or_default().to_owned(),
        shared_on_welcome: false,
        shared_with_dietitians: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&folder).await?;
    let item = Item::Folder(&folder);
    if let Some(people) = input.share_users.value() {
        sharing::share_with_all(call, item, &people.0, "share_users").await?;
    }
    if input.share_with_rel.is_true() {
        sharing::set_rel(call, item, true).await?;
    }
    Ok(Payload::new().one("folder", folder.id.0))
}

/// Renames, moves and shares a folder.
pub async fn update(call: &mut Call<'_>, input: &UpdateFolder) -> Answer<Payload> {
    let before = to_change(call, input.id.value().copied()).await?;
    let mut problems = check(&input.name);
    rules::not_emptied("name", &input.name, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    if let Some(name) = input.name.trimmed() {
        after.name = name.to_owned();
    }
    if let Given::Value(on) = input.shared_on_welcome {
        after.shared_on_welcome = on;
    }
    if let Given::Value(on) = input.shared_with_dietitians {
        after.shared_with_dietitians = on;
    }
    if after.shared_on_welcome && after.rel_user_id.is_some() {
        let message = "A client's folder can't be shared with everybody";
        return Err(Refused::on("shared_on_welcome", message));
    }
    if after.shared_with_dietitians && !before.shared_with_dietitians {
        requires(call.actor, CAN_EDIT_DOCS)?;
    }
    if after.shared_on_welcome && !before.shared_on_welcome {
        requires(call.actor, ALLOW_GROUP_LEVEL_ACTIONS)?;
    }
    if input.folder_id.is_given() {
        after.folder_id = named(&input.folder_id);
        if let Some(parent) = after.folder_id.filter(|_| after.folder_id != before.folder_id) {
            move_into(call, &before, parent).await?;
        }
    }
    call.update(&before, &after).await?;
    let item = Item::Folder(&after);
    if let Some(people) = input.share_users.value() {
        sharing::set_shared(call, item, &people.0, "share_users").await?;
    }
    if let Some(shared) = input.share_with_rel.value() {
        sharing::set_rel(call, item, *shared).await?;
    }
    Ok(Payload::new().one("folder", after.id.0))
}

/// Refuses a move into itself, into what is in it, or too deep.
async fn move_into(call: &mut Call<'_>, moved: &Folder, into: Id<Folder>) -> Answer<()> {
    let parent = to_put_in(call, into, "folder_id").await?;
    // What is in the folder belongs to its client, if it has one; else to anybody's.
    if parent.rel_user_id != moved.rel_user_id {
        return Err(Refused::on("folder_id", "A folder stays with its client, or with none"));
    }
    let above = ancestors(call, into).await?;
    if above.contains(&moved.id) {
        return Err(Refused::on("folder_id", "A folder can't be moved into itself"));
    }
    check_depth(above.len() + height(call, moved.id).await?)
}

/// The rule of nesting: so many levels at most.
fn check_depth(levels: usize) -> Answer<()> {
    match levels > DEPTH_MAX {
        true => Err(Refused::on(
            "folder_id",
            format!("Folders can be nested {DEPTH_MAX} levels deep at most"),
        )),
        false => Ok(()),
    }
}

/// A folder and those that it is in, from it outwards, locked: two moves at a time
/// can't put each of two folders into the other.
async fn ancestors(call: &mut Call<'_>, start: Id<Folder>) -> Answer<Vec<Id<Folder>>> {
    let mut found: Vec<Id<Folder>> = Vec::new();
    let mut next = Some(start);
    while let Some(id) = next.filter(|id| !found.contains(id)) {
        let sql = Sql::fixed(
            "SELECT folder_id FROM folders WHERE org_id = $1 AND id = $2 FOR_UPDATE",
            [call.actor.org_id.into(), id.0.into()],
        );
        let rows = call.tx.rows(&sql).await?;
        found.push(id);
        next = rows.scalar().and_then(Value::int).map(Id::new);
    }
    Ok(found)
}

/// How many levels a folder with what is in it has.
async fn height(call: &mut Call<'_>, id: Id<Folder>) -> Answer<usize> {
    let sql = Sql::fixed(
        "WITH RECURSIVE inside(id, level) AS (SELECT CAST($2 AS BIGINT), CAST(1 AS BIGINT) \
         UNION ALL SELECT c.id, i.level + 1 FROM folders c JOIN inside i ON c.folder_id = i.id \
         WHERE c.org_id = $1 AND c.deleted_at IS NULL AND i.level <= 40) \
         SELECT MAX(level) FROM inside",
        [call.actor.org_id.into(), id.0.into()],
    );
    let levels = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(1);
    Ok(usize::try_from(levels).unwrap_or(1))
}

/// Deletes a folder; what was in it is in the folder that it was in.
pub async fn delete(call: &mut Call<'_>, input: &DeleteFolder) -> Answer<Payload> {
    let folder = to_change(call, input.id.value().copied()).await?;
    let within = || Cond::eq("folder_id", folder.id.0);
    let documents: Vec<Document> = call.list(within(), &[]).await?;
    for document in documents {
        let after = Document { folder_id: folder.folder_id, ..document.clone() };
        call.scope.subject_id = document.rel_user_id.map(|id| id.0);
        let changes = call.update(&document, &after).await?;
        call.emit(events::document_updated(&after, &changes.columns));
    }
    let folders: Vec<Folder> = call.list(within(), &[]).await?;
    for inner in folders {
        let after = Folder { folder_id: folder.folder_id, ..inner.clone() };
        call.scope.subject_id = inner.rel_user_id.map(|id| id.0);
        call.update(&inner, &after).await?;
    }
    call.scope.subject_id = folder.rel_user_id.map(|id| id.0);
    call.destroy(&folder).await?;
    Ok(Payload::new().one("folder", folder.id.0))
}

/// A folder that the caller sees and may change, locked.
pub async fn to_change(call: &mut Call<'_>, id: Option<Id<Folder>>) -> Answer<Folder> {
    members_only(call.actor)?;
    let folder = seen(call, id).await?;
    sharing::check_may_edit(call.actor, folder.owner_id)?;
    Ok(folder)
}

/// A folder that the caller sees, locked.
pub async fn seen(call: &mut Call<'_>, id: Option<Id<Folder>>) -> Answer<Folder> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (folder, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = folder.rel_user_id.map(|id| id.0);
    Ok(folder)
}

/// A folder that the caller sees and something is put into: a member's own, or any
/// with `can_edit_docs`, since whoever it is shared with sees what is in it. Locked.
pub async fn to_put_in(call: &mut Call<'_>, id: Id<Folder>, at: &str) -> Answer<Folder> {
    let found = call.visible_for_update(id, Level::Full).await?;
    let (folder, _) = found.ok_or_else(|| Refused::not_found(at))?;
    sharing::check_may_edit(call.actor, folder.owner_id)?;
    let sql = Sql::fixed(
        "SELECT (SELECT COUNT(*) FROM documents d WHERE d.org_id = $1 AND d.folder_id = $2 \
         AND d.deleted_at IS NULL) + (SELECT COUNT(*) FROM folders f WHERE f.org_id = $1 \
         AND f.folder_id = $2 AND f.deleted_at IS NULL)",
        [call.actor.org_id.into(), folder.id.0.into()],
    );
    let held = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    if held >= CONTENTS_MAX {
        return Err(Refused::on(
            at,
            format!("A folder can hold at most {CONTENTS_MAX} documents and folders"),
        ));
    }
    Ok(folder)
}

/// The rule of clients' folders: all that is in one is about that client.
pub fn check_same_client(folder: &Folder, client: Option<Id<User>>, at: &str) -> Answer<()> {
    match folder.rel_user_id {
        Some(rel) if client != Some(rel) => {
            Err(Refused::on(at, "This folder holds only what is about its own client"))
        }
        _ => Ok(()),
    }
}
