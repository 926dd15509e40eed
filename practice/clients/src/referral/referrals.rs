//! Referrals of clients: `createReferral` and its siblings, and those inside a
//! referring provider's input. Who sees the client may write them.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::tables::User;
use ward_store::{Id, Json, Level};

use crate::access::members_only;
use crate::access::{self, IdOrBlank};
use crate::referral::{Referral, ReferringPhysician, events, physician};
use crate::rules;

/// So many referrals can be sent in one call.
pub const REFERRALS_OF_A_CALL_MAX: usize = 50;

input! {
    /// `createReferralInput`.
    pub struct CreateReferral {
        referring_physician_id: IdOrBlank<ReferringPhysician>,
        user_id: IdOrBlank<User>,
        referral_reason: String,
        metadata: String,
    }
}

input! {
    /// `updateReferralInput`.
    pub struct UpdateReferral {
        id: IdOrBlank<Referral>,
        referring_physician_id: IdOrBlank<ReferringPhysician>,
        user_id: IdOrBlank<User>,
        referral_reason: String,
        metadata: String,
    }
}

input! {
    /// `deleteReferralInput`.
    pub struct DeleteReferral { id: IdOrBlank<Referral> }
}

input! {
    /// `PhysicianReferralInput`: a referral inside a referring provider's input.
    pub struct PhysicianReferral {
        id: IdOrBlank<Referral>,
        _destroy: bool,
        user_id: IdOrBlank<User>,
        referral_reason: String,
    }
}

/// Notes who referred a client.
pub async fn create(call: &mut Call<'_>, input: &CreateReferral) -> Answer<Payload> {
    members_only(call.actor)?;
    check(&input.referral_reason, &input.metadata)?;
    let physician_id = input.referring_physician_id.value().and_then(|id| id.0);
    let physician = physician::seen(call, physician_id, "referring_physician_id").await?;
    let client = client(call, input.user_id.value().and_then(|id| id.0)).await?;
    let referral = add(call, &physician, &client, &input.referral_reason, &input.metadata).await?;
    Ok(Payload::new().one("referral", referral.id.0))
}

/// Changes a referral; it may pass to another client or referring provider.
pub async fn update(call: &mut Call<'_>, input: &UpdateReferral) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    check(&input.referral_reason, &input.metadata)?;
    let mut after = before.clone();
    if let Some(id) = input.referring_physician_id.value().and_then(|id| id.0)
        && id != before.referring_physician_id
    {
        let physician = physician::seen(call, Some(id), "referring_physician_id").await?;
        after.referring_physician_id = physician.id;
    }
    if let Some(id) = input.user_id.value().and_then(|id| id.0)
        && id != before.user_id
    {
        let client = client(call, Some(id)).await?;
        (after.user_id, after.unit_id) = (client.id, client.unit_id);
    }
    write(&mut after, &input.referral_reason, &input.metadata);
    save(call, &before, &after).await?;
    Ok(Payload::new().one("referral", after.id.0))
}

/// Removes a referral.
pub async fn delete(call: &mut Call<'_>, input: &DeleteReferral) -> Answer<Payload> {
    members_only(call.actor)?;
    let referral = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    remove(call, &referral).await?;
    Ok(Payload::new().one("referral", referral.id.0))
}

fn check(reason: &Given<String>, metadata: &Given<String>) -> Answer<()> {
    let mut problems = Problems::new();
    rules::bounded("referral_reason", reason, rules::NOTES_CHARS_MAX, &mut problems);
    rules::metadata("metadata", metadata, &mut problems);
    problems.check()
}

/// Problems of the referrals inside a referring provider's input.
pub fn check_all(list: &Given<Vec<PhysicianReferral>>, problems: &mut Problems) {
    let list = list.value().map(Vec::as_slice).unwrap_or_default();
    if list.len() > REFERRALS_OF_A_CALL_MAX {
        let message = format!("At most {REFERRALS_OF_A_CALL_MAX} referrals can be sent at once");
        problems.add("referrals", message);
    }
    for referral in list {
        let reason = &referral.referral_reason;
        rules::bounded("referral_reason", reason, rules::NOTES_CHARS_MAX, problems);
    }
}

/// Referrals inside a referring provider's input: without `id` one is added,
/// with `id` changed, with `_destroy` removed. Each must be of that provider.
pub async fn write_all(
    call: &mut Call<'_>,
    physician: &ReferringPhysician,
    list: &[PhysicianReferral],
) -> Answer<()> {
    for input in list {
        let user_id = input.user_id.value().and_then(|id| id.0);
        let Some(id) = input.id.value().and_then(|id| id.0) else {
            if !input._destroy.is_true() {
                let client = client(call, user_id).await?;
                let reason = &input.referral_reason;
                add(call, physician, &client, reason, &Given::Absent).await?;
            }
            continue;
        };
        let before = to_change(call, Some(id), "referrals").await?;
        if before.referring_physician_id != physician.id {
            return Err(Refused::not_found("referrals"));
        }
        if input._destroy.is_true() {
            remove(call, &before).await?;
            continue;
        }
        let mut after = before.clone();
        if let Some(id) = user_id.filter(|id| *id != before.user_id) {
            let client = client(call, Some(id)).await?;
            (after.user_id, after.unit_id) = (client.id, client.unit_id);
        }
        write(&mut after, &input.referral_reason, &Given::Absent);
        save(call, &before, &after).await?;
    }
    Ok(())
}

/// Adds a referral of a client.
pub async fn add(
    call: &mut Call<'_>,
    physician: &ReferringPhysician,
    client: &User,
    reason: &Given<String>,
    metadata: &Given<String>,
) -> Answer<Referral> {
    let now = call.now();
    let mut referral = Referral {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        referring_physician_id: physician.id,
        user_id: client.id,
        referral_reason: None,
        metadata: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    write(&mut referral, reason, metadata);
    let subject = call.scope.subject_id.replace(client.id.0);
    call.create(&referral).await?;
    call.scope.subject_id = subject;
    call.emit(events::of_referral("referral.created", &referral, &[]));
    Ok(referral)
}

fn write(referral: &mut Referral, reason: &Given<String>, metadata: &Given<String>) {
    reason.set_text(&mut referral.referral_reason);
    if metadata.is_given() {
        let text = metadata.value().filter(|text| !text.trim().is_empty());
        referral.metadata = text.cloned().map(Json);
    }
}

/// Writes a changed referral; the audit entry is of the client it is of now.
pub async fn save(call: &mut Call<'_>, before: &Referral, after: &Referral) -> Answer<()> {
    let subject = call.scope.subject_id.replace(after.user_id.0);
    let changes = call.update(before, after).await?;
    call.scope.subject_id = subject;
    if !changes.is_empty() {
        call.emit(events::of_referral("referral.updated", after, &changes.columns));
    }
    Ok(())
}

/// Removes a referral.
pub async fn remove(call: &mut Call<'_>, referral: &Referral) -> Answer<()> {
    let subject = call.scope.subject_id.replace(referral.user_id.0);
    call.destroy(referral).await?;
    call.scope.subject_id = subject;
    call.emit(events::of_referral("referral.deleted", referral, &[]));
    Ok(())
}

/// A client whom the actor sees in full.
async fn client(call: &mut Call<'_>, id: Option<Id<User>>) -> Answer<User> {
    let id = id.ok_or_else(|| Refused::not_found("user_id"))?;
    let user = access::seen_user(call, id, "user_id").await?;
    match user.is_patient {
        true => Ok(user),
        false => Err(Refused::not_found("user_id")),
    }
}

/// A referral whose client the actor sees in full, locked.
pub async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<Referral>>,
    field: &str,
) -> Answer<Referral> {
    let id = id.ok_or_else(|| Refused::not_found(field))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(field))
}
