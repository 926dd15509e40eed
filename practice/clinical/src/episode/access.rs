//! Whose episodes a member may write: those of the clients whom they see in full. Whoever writes
//! holds the client, so that no two calls do at a time.

use ward_clients::access;
use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Id, Level, Query, Sql, Value};

use super::rules;
use super::table::EpisodeOfCare;
use crate::client::LIST_MAX;
use crate::tables::HealthConcern;

/// The client whom an episode is made for, held; there is room for one more.
pub async fn subject(call: &mut Call<'_>, id: &Given<IdOrBlank<User>>) -> Answer<User> {
    const AT: &str = "patient_id";
    members_only(call.actor)?;
    let id = named(id).ok_or_else(|| Refused::not_found(AT))?;
    let client = access::client_to_change(call, id, AT).await?;
    call.scope.subject_id = Some(client.id.0);
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM episodes_of_care e WHERE e.org_id = $1 AND e.user_id = $2 \
         AND e.deleted_at IS NULL",
        [client.org_id.0.into(), client.id.0.into()],
    );
    let episodes = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match episodes < LIST_MAX {
        true => Ok(client),
        false => Err(Refused::base(format!(
            "A client can have {LIST_MAX} episodes of care; delete one first"
        ))),
    }
}

/// An episode that a member is to change, and its client, both held. `at` is the field that names
/// the episode.
pub async fn to_change(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<EpisodeOfCare>>,
    at: &str,
) -> Answer<(EpisodeOfCare, User)> {
    members_only(call.actor)?;
    let missing = || Refused::not_found(at);
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(EpisodeOfCare, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let client = access::client_to_change(call, seen.user_id, at).await?;
    let found: Option<(EpisodeOfCare, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut episode, _) = found.ok_or_else(missing)?;
    call.scope.subject_id = Some(client.id.0);
    // The audit entries of it are for those who look after the client now.
    episode.unit_id = client.unit_id;
    Ok((episode, client))
}

/// The provider who gives the care. Who gave it so far may have left.
pub async fn provider(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<User>>,
    before: Option<Id<User>>,
) -> Answer<Id<User>> {
    const AT: &str = "provider_id";
    let id = named(id).ok_or_else(|| Refused::not_found(AT))?;
    match before == Some(id) {
        true => Ok(id),
        false => Ok(access::primary_provider(call, id, AT).await?.id),
    }
}

/// What the care is for: one of the client's health concerns with a code of ICD-10-CM. What it was
/// for so far may have been taken off their list, or changed.
pub async fn diagnosis(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<HealthConcern>>,
    client: &User,
    before: Option<Id<HealthConcern>>,
) -> Answer<Id<HealthConcern>> {
    const AT: &str = "diagnosis_id";
    let id = named(id).ok_or_else(|| Refused::not_found(AT))?;
    if before == Some(id) {
        return Ok(id);
    }
    let found: Option<(HealthConcern, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let concern = found.map(|(concern, _)| concern).filter(|it| it.user_id == client.id);
    let concern = concern.ok_or_else(|| Refused::not_found(AT))?;
    match rules::is_diagnosis(concern.code.as_deref()) {
        true => Ok(concern.id),
        false => Err(Refused::on(
            AT,
            "Diagnosis must be a health concern with a code of ICD-10-CM such as E11.9: give it \
             one by updateHealthConcern",
        )),
    }
}
