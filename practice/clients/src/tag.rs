//! Tags: words that clients and members are marked with, one set an
//! organization (behaviour 19).

use ward_engine::{Answer, Call, Payload, Problems, Refused, input};
use ward_identity::flags::{CAN_CREATE_TAGS, CAN_RENAME_AND_DELETE_TAGS};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, StoreError, search};

use crate::access;
use crate::access::members_only;
use crate::events;
use crate::rules;
use crate::tables::{AppliedTag, Tag};

/// Deleting a tag takes it off so many people at a time.
const APPLIED_AT_ONCE: i64 = 1_000;
/// So many tags can be put on a user in one call.
const TAGS_OF_A_CALL_MAX: usize = 200;

input! {
    /// `createTagInput`.
    pub struct CreateTag { name: String, taggable_user_id: Id<User> }
}

input! {
    /// `updateTagInput`.
    pub struct UpdateTag { id: Id<Tag>, name: String }
}

input! {
    /// `deleteTagInput`; tags are always removed at once.
    pub struct DeleteTag { id: Id<Tag>, remove_async_if_needed: bool }
}

input! {
    /// `bulkApplyInput`.
    pub struct BulkApply { ids: Vec<Id<Tag>>, taggable_user_id: Id<User> }
}

input! {
    /// `removeAppliedTagInput`; `id` is the tag's.
    pub struct RemoveAppliedTag { id: Id<Tag>, taggable_user_id: Id<User> }
}

/// Makes a tag and, if a user is named, puts it on them (behaviour 19).
pub async fn create(call: &mut Call<'_>, input: &CreateTag) -> Answer<Payload> {
    access::requires(call.actor, CAN_CREATE_TAGS)?;
    let user = match input.taggable_user_id.value() {
        Some(id) => Some(access::seen_user(call, *id, "taggable_user_id").await?),
        None => None,
    };
    let mut problems = Problems::new();
    rules::required("name", &input.name, &mut problems);
    rules::bounded("name", &input.name, rules::LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    let name = input.name.trimmed().unwrap_or_default();
    name_is_free(call, name, None).await?;
    let now = call.now();
    let tag = Tag {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        name: name.to_owned(),
        user_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&tag).await.map_err(taken)?;
    if let Some(user) = user {
        apply(call, tag.id, &user).await?;
    }
    Ok(Payload::new().one("tag", tag.id.0))
}

/// Renames a tag (behaviour 19).
pub async fn update(call: &mut Call<'_>, input: &UpdateTag) -> Answer<Payload> {
    access::requires(call.actor, CAN_RENAME_AND_DELETE_TAGS)?;
    let before = seen(call, input.id.value().copied(), "id").await?;
    let mut problems = Problems::new();
    rules::not_emptied("name", &input.name, &mut problems);
    rules::bounded("name", &input.name, rules::LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    if let Some(name) = input.name.trimmed() {
        name_is_free(call, name, Some(before.id)).await?;
        after.name = name.to_owned();
    }
    call.update(&before, &after).await.map_err(taken)?;
    Ok(Payload::new().one("tag", after.id.0))
}

/// Deletes a tag, which nothing brings back, and takes it off everybody (behaviour 19).
pub async fn delete(call: &mut Call<'_>, input: &DeleteTag) -> Answer<Payload> {
    access::requires(call.actor, CAN_RENAME_AND_DELETE_TAGS)?;
    let tag = seen(call, input.id.value().copied(), "id").await?;
    loop {
        let applied: Vec<AppliedTag> = call.list(some_of(&tag), &[]).await?;
        for applied in &applied {
            call.destroy(applied).await?;
            call.emit(events::applied_tag_deleted(applied, tag.unit_id.0));
        }
        if applied.is_empty() {
            break;
        }
    }
    call.destroy(&tag).await?;
    Ok(Payload::new().one("tag", tag.id.0).leaf("removing_async", false))
}

/// The first page of those who still have the tag: there may be more than one
/// list holds.
fn some_of(tag: &Tag) -> Cond {
    Cond::sql(
        "{t}.id IN (SELECT a.id FROM applied_tags a WHERE a.org_id = ? AND a.tag_id = ? \
         AND a.deleted_at IS NULL ORDER BY a.id LIMIT CAST(? AS BIGINT))",
        [tag.org_id.0.into(), tag.id.0.into(), APPLIED_AT_ONCE.into()],
    )
}

/// Puts tags on a user: all of them, or none when one is unknown (behaviour
/// 19). Those that the user has already are left alone.
pub async fn bulk_apply(call: &mut Call<'_>, input: &BulkApply) -> Answer<Payload> {
    members_only(call.actor)?;
    let user_id = input.taggable_user_id.value().copied();
    let user_id = user_id.ok_or_else(|| Refused::not_found("taggable_user_id"))?;
    let user = access::seen_user(call, user_id, "taggable_user_id").await?;
    access::concerns(call, &user);
    let mut ids: Vec<Id<Tag>> = input.ids.value().cloned().unwrap_or_default();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > TAGS_OF_A_CALL_MAX {
        let message = format!("At most {TAGS_OF_A_CALL_MAX} tags can be applied at once");
        return Err(Refused::on("ids", message));
    }
    let mut tags = Vec::with_capacity(ids.len());
    for id in ids {
        tags.push(seen(call, Some(id), "ids").await?);
    }
    for tag in &tags {
        apply(call, tag.id, &user).await?;
    }
    Ok(Payload::new().many("tags", tags.iter().map(|tag| tag.id.0).collect()))
}

/// Takes a tag off a user (behaviour 19).
pub async fn remove_applied(call: &mut Call<'_>, input: &RemoveAppliedTag) -> Answer<Payload> {
    members_only(call.actor)?;
    let tag = seen(call, input.id.value().copied(), "id").await?;
    let user_id = input.taggable_user_id.value().copied();
    let user_id = user_id.ok_or_else(|| Refused::not_found("taggable_user_id"))?;
    let user = access::seen_user(call, user_id, "taggable_user_id").await?;
    access::concerns(call, &user);
    let applied: AppliedTag = found(call, tag.id, &user)
        .await?
        .ok_or_else(|| Refused::on("id", "The user does not have this tag"))?;
    call.destroy(&applied).await?;
    call.emit(events::applied_tag_deleted(&applied, user.unit_id.0));
    Ok(Payload::new().one("tag", tag.id.0))
}

async fn apply(call: &mut Call<'_>, tag_id: Id<Tag>, user: &User) -> Answer<()> {
    if found(call, tag_id, user).await?.is_some() {
        return Ok(());
    }
    let now = call.now();
    let applied = AppliedTag {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        tag_id,
        user_id: user.id,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&applied).await?;
    call.emit(events::applied_tag_created(&applied, user.unit_id.0));
    Ok(())
}

async fn found(call: &mut Call<'_>, tag_id: Id<Tag>, user: &User) -> Answer<Option<AppliedTag>> {
    let cond = Cond::eq("tag_id", tag_id.0).and(Cond::eq("user_id", user.id.0));
    Ok(call.find_by(cond).await?)
}

async fn seen(call: &mut Call<'_>, id: Option<Id<Tag>>, at: &str) -> Answer<Tag> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible(id, Level::Full).await?;
    found.map(|(tag, _)| tag).ok_or_else(|| Refused::not_found(at))
}

/// Whether no other tag of the root organization has the name, case and
/// accents aside (behaviour 19).
async fn name_is_free(call: &mut Call<'_>, name: &str, own: Option<Id<Tag>>) -> Answer<()> {
    let same = Cond::eq("name_fold", search::fold(name)).and(Cond::is_null("deleted_at"));
    let other: Option<Tag> = call.find_by(same).await?;
    match other {
        Some(other) if own != Some(other.id) => Err(name_is_taken()),
        _ => Ok(()),
    }
}

fn name_is_taken() -> Refused {
    Refused::on("name", "Name has already been taken")
}

/// Two equal names at once: the database lets one in.
fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) => name_is_taken(),
        other => other.into(),
    }
}
