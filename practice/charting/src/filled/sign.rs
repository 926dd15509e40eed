//! Signing, locking, unlocking and adding to notes; each step is kept in the note's
//! history (behaviour 26, DOM-16, DOM-17).

use ward_clients::rules as texts;
use ward_engine::{Answer, Call, Payload, Problems, Refused, input};
use ward_identity::flags::CAN_REMOVE_ORG_MEMBER_SIGNATURES;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level};

use super::autolock;
use super::change::{LOCKED, held};
use super::hand::{self, Act, No, Note};
use super::sheet::Sheet;
use super::steps::{self, Step};
use super::tables::{ChartingNoteAddendum, Deed, FormAnswerGroup, FormAnswerGroupSigning, Meaning};
use crate::attachment::attached;
use crate::attachment::tables::FileAttachment;
use crate::events;
use crate::group_note::write;

input! {
    /// `SignInput`.
    pub struct Sign { id: Id<FormAnswerGroup> }
}

input! {
    /// `LockInput`.
    pub struct Lock { id: Id<FormAnswerGroup> }
}

input! {
    /// `UnlockInput`.
    pub struct Unlock { id: Id<FormAnswerGroup>, description: String }
}

input! {
    /// `createAddendumInput`.
    pub struct CreateAddendum {
        content: String,
        form_answer_group_id: IdOrBlank<FormAnswerGroup>,
    }
}

input! {
    /// `deleteFormAnswerGroupSigningInput`.
    pub struct DeleteSigning { id: IdOrBlank<FormAnswerGroupSigning> }
}

/// A note that the member may do something to, held, and who they are.
async fn to_do(
    call: &mut Call<'_>,
    id: Option<Id<FormAnswerGroup>>,
    act: Act,
) -> Answer<FormAnswerGroup> {
    members_only(call.actor)?;
    let group = held(call, id).await?;
    let own =
        Cond::eq("form_answer_group_id", group.id.0).and(Cond::eq("user_id", call.actor.user_id));
    let signed = call.find_by::<FormAnswerGroupSigning>(own).await?.is_some();
    let request = call.request;
    let hand = hand::of(request, call.scope.tx, None).await?;
    let hand = hand.ok_or_else(|| Refused::base("Only members can do this; sign in as one"))?;
    match hand::may(act, &hand, Note::of(&group, signed)) {
        Ok(used) => {
            // By the actor, who is told which of their permissions are used.
            used.map(|permission| call.actor.has(permission.flag));
            Ok(group)
        }
        Err(No::Permission(permission)) => Err(Refused::Denied(permission)),
        Err(No::State(sentence)) => Err(Refused::base(sentence)),
    }
}

/// Adds the member's signature, bound to exactly what the note says.
pub async fn sign(call: &mut Call<'_>, input: &Sign) -> Answer<Payload> {
    let before = to_do(call, input.id.value().copied(), Act::Sign).await?;
    let mut sheet = Sheet::of(call, &before).await?;
    sheet.settle(true)?;
    let files = Cond::eq("form_answer_group_id", before.id.0).and(attached());
    let files: Vec<FileAttachment> = call.list(files, &[]).await?;
    let individual = write::all(call, &before).await?;
    let caller = Id::new(call.actor.user_id);
    let signer: Option<User> = call.find(caller).await?;
    let signer = signer.ok_or_else(|| Refused::not_found("id"))?;
    let now = call.now();
    let is_own = before.filler_id == Some(signer.id);
    let name = signer.legal_name.clone().filter(|name| !name.trim().is_empty());
    let signing = FormAnswerGroupSigning {
        id: call.next_id().await?,
        org_id: before.org_id,
        unit_id: before.unit_id,
        form_answer_group_id: before.id,
        patient_id: before.user_id,
        user_id: signer.id,
        user_full_legal_name: name.unwrap_or_else(|| signer.full_name()),
        user_qualifications: signer.qualifications.clone(),
        meaning: if is_own { Meaning::Author } else { Meaning::CoSigner },
        content_hash: sheet.hash(&before, (&files, &individual)),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&signing).await?;
    let mut after = before.clone();
    after.signings_count += 1;
    call.update(&before, &after).await?;
    autolock::written(call, Some(&before), &after).await?;
    note(call, &before, Deed::Signed, None).await?;
    call.emit(events::group_signed(&before));
    Ok(Payload::new()
        .one("form_answer_group", before.id.0)
        .one("form_answer_group_signing", signing.id.0))
}

/// Takes a signature back: one's own, or with `can_remove_org_member_signatures` a
/// colleague's. Of a locked note it stays.
pub async fn remove(call: &mut Call<'_>, input: &DeleteSigning) -> Answer<Payload> {
    members_only(call.actor)?;
    let id = named(&input.id).ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible::<FormAnswerGroupSigning>(id, Level::Full).await?;
    let (signing, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let before = held(call, Some(signing.form_answer_group_id)).await?;
    // It may be gone by now.
    let signing = call.find(id).await?.ok_or_else(|| Refused::not_found("id"))?;
    if signing.user_id.0 != call.actor.user_id {
        requires(call.actor, CAN_REMOVE_ORG_MEMBER_SIGNATURES)?;
    }
    if before.locked_at.is_some() {
        return Err(Refused::base(LOCKED));
    }
    call.destroy(&signing).await?;
    let mut after = before.clone();
    after.signings_count -= 1;
    call.update(&before, &after).await?;
    autolock::written(call, Some(&before), &after).await?;
    note(call, &before, Deed::RemoveSignature, None).await?;
    Ok(Payload::new().one("formAnswerGroupSigning", signing.id.0))
}

/// Locks a note that misses nothing: from here on nobody changes it.
pub async fn lock(call: &mut Call<'_>, input: &Lock) -> Answer<Payload> {
    let before = to_do(call, input.id.value().copied(), Act::Lock).await?;
    Sheet::of(call, &before).await?.settle(true)?;
    let mut after = before.clone();
    after.locked_at = Some(call.now());
    after.locked_by_id = Some(Id::new(call.actor.user_id));
    autolock::set_time(&mut after, call.now());
    call.update(&before, &after).await?;
    autolock::written(call, Some(&before), &after).await?;
    note(call, &before, Deed::Locked, None).await?;
    call.emit(events::group_locked(&before));
    Ok(Payload::new().one("form_answer_group", before.id.0))
}

/// Opens a note again, for a reason that is kept.
pub async fn unlock(call: &mut Call<'_>, input: &Unlock) -> Answer<Payload> {
    let before = to_do(call, input.id.value().copied(), Act::Unlock).await?;
    let mut problems = Problems::new();
    texts::required("description", &input.description, &mut problems);
    texts::bounded("description", &input.description, texts::NOTES_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    after.locked_at = None;
    after.locked_by_id = None;
    // Its time begins anew.
    autolock::set_time(&mut after, call.now());
    call.update(&before, &after).await?;
    autolock::written(call, Some(&before), &after).await?;
    note(call, &before, Deed::Unlocked, input.description.trimmed()).await?;
    call.emit(events::group_unlocked(&before));
    Ok(Payload::new().one("form_answer_group", before.id.0))
}

/// Adds to a locked note, which stays as it is.
pub async fn add(call: &mut Call<'_>, input: &CreateAddendum) -> Answer<Payload> {
    members_only(call.actor)?;
    const AT: &str = "form_answer_group_id";
    let id = named(&input.form_answer_group_id).ok_or_else(|| Refused::not_found(AT))?;
    let group = to_do(call, Some(id), Act::Add).await.map_err(|refused| match refused {
        Refused::NotFound(_) => Refused::not_found(AT),
        other => other,
    })?;
    let mut problems = Problems::new();
    texts::required("content", &input.content, &mut problems);
    texts::bounded("content", &input.content, texts::NOTES_CHARS_MAX, &mut problems);
    problems.check()?;
    let addendum = ChartingNoteAddendum {
        id: call.next_id().await?,
        org_id: group.org_id,
        unit_id: group.unit_id,
        form_answer_group_id: group.id,
        patient_id: group.user_id,
        user_id: Id::new(call.actor.user_id),
        content: input.content.trimmed().unwrap_or_default().to_owned(),
        created_at: call.now(),
    };
    call.create(&addendum).await?;
    note(call, &group, Deed::AddendumCreated, None).await?;
    call.emit(events::addendum_created(&addendum));
    Ok(Payload::new().one("addendum", addendum.id.0))
}

/// One more step of the note's history, which the caller took.
async fn note(
    call: &mut Call<'_>,
    group: &FormAnswerGroup,
    action: Deed,
    description: Option<&str>,
) -> Answer<()> {
    let (by, at) = (Id::new(call.actor.user_id), call.now());
    let step = Step { action, by, at, is_automatic: false, description };
    Ok(steps::add(call, group, step).await?)
}
