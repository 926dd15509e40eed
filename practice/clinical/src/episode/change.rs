//! `createEpisodeOfCare` and its siblings (behaviour 38).

use jiff::tz::TimeZone;
use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_store::Day;

use super::input::{CreateEpisode, DeleteEpisode, UpdateEpisode};
use super::table::EpisodeOfCare;
use super::{access, rules};

/// Begins an episode.
pub async fn create(call: &mut Call<'_>, input: &CreateEpisode) -> Answer<Payload> {
    let client = access::subject(call, &input.patient_id).await?;
    let provider_id = access::provider(call, &input.provider_id, None).await?;
    let diagnosis_id = access::diagnosis(call, &input.diagnosis_id, &client, None).await?;
    let now = call.now();
    let today = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::MAX);
    let mut episode = EpisodeOfCare {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        provider_id,
        diagnosis_id,
        start_date: Day(today.to_zoned_datetime(TimeZone::UTC).date()),
        end_date: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let mut problems = Problems::new();
    rules::write((&input.start_date, &input.end_date), &mut episode, now, &mut problems);
    problems.check()?;
    call.create(&episode).await?;
    Ok(Payload::new().one("episode_of_care", episode.id.0))
}

/// Changes an episode; it stays the client's whose it is.
pub async fn update(call: &mut Call<'_>, input: &UpdateEpisode) -> Answer<Payload> {
    let (before, client) = access::to_change(call, &input.id, "id").await?;
    if named(&input.patient_id) != Some(client.id) {
        return Err(Refused::not_found("patient_id"));
    }
    let mut after = before.clone();
    after.provider_id =
        access::provider(call, &input.provider_id, Some(before.provider_id)).await?;
    let diagnosis = Some(before.diagnosis_id);
    after.diagnosis_id = access::diagnosis(call, &input.diagnosis_id, &client, diagnosis).await?;
    let mut problems = Problems::new();
    rules::write((&input.start_date, &input.end_date), &mut after, call.now(), &mut problems);
    problems.check()?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("episode_of_care", after.id.0))
}

/// Deletes an episode; its encounters stay.
pub async fn delete(call: &mut Call<'_>, input: &DeleteEpisode) -> Answer<Payload> {
    let (episode, _) = access::to_change(call, &input.id, "id").await?;
    call.destroy(&episode).await?;
    Ok(Payload::new().one("episode_of_care", episode.id.0))
}
