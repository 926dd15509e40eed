//! `linkEncounterToEpisodeOfCare` and `unlinkEncounterToEpisodeOfCare`: each encounter is answered
//! alone, in the order in which they are named (behaviour 38).

use serde_json::json;
use ward_engine::{Answer, Call, Out, Payload, Refused};
use ward_store::{Cond, Id, Level, Query, Sql, Value};

use super::access;
use super::input::{EncounterIds, LinkEncounters};
use super::table::{EpisodeEncounter, EpisodeOfCare, PatientEncounter};

/// So many encounters can be named at a time.
pub const NAMED_MAX: usize = 100;
/// An episode has so many encounters at most.
pub const LINKED_MAX: i64 = 1_000;

/// The members of a result.
pub const MEMBERS: &[&str] =
    &["episode_of_care_id", "failed_reason", "patient_encounter_id", "success"];

const MISSING: &str = "There is no such encounter";
const ANOTHERS: &str = "The encounter is another client's";
const LINKED: &str = "The encounter is linked to this episode of care already";
const NOT_LINKED: &str = "The encounter is not linked to this episode of care";

/// So much of what can be no id is repeated.
const REPEATED_CHARS: usize = 40;

/// Links encounters to an episode of their client's.
pub async fn link(call: &mut Call<'_>, input: &LinkEncounters) -> Answer<Payload> {
    let (episode, _) =
        access::to_change(call, &input.episode_of_care_id, "episode_of_care_id").await?;
    let named = named(input)?;
    let mut room = LINKED_MAX - linked(call, &episode).await?;
    let mut results = Vec::with_capacity(named.0.len());
    for (text, id) in &named.0 {
        let failed = match id {
            Some(_) if room <= 0 => Some(format!(
                "An episode of care can have {LINKED_MAX} encounters; unlink one first"
            )),
            Some(id) => begin(call, &episode, *id).await?.map(str::to_owned),
            None => Some(MISSING.to_owned()),
        };
        room -= i64::from(failed.is_none());
        results.push(result(&episode, text, failed));
    }
    Ok(Payload::new().leaf("results", Out::List(results)))
}

/// Takes encounters out of an episode.
pub async fn unlink(call: &mut Call<'_>, input: &LinkEncounters) -> Answer<Payload> {
    let (episode, _) =
        access::to_change(call, &input.episode_of_care_id, "episode_of_care_id").await?;
    let named = named(input)?;
    let mut results = Vec::with_capacity(named.0.len());
    for (text, id) in &named.0 {
        let failed = match id {
            Some(id) => end(call, &episode, *id).await?,
            None => Some(MISSING),
        };
        results.push(result(&episode, text, failed.map(str::to_owned)));
    }
    Ok(Payload::new().leaf("results", Out::List(results)))
}

/// The encounters that are named.
fn named(input: &LinkEncounters) -> Answer<&EncounterIds> {
    const AT: &str = "encounter_ids";
    let named = input.encounter_ids.value().filter(|ids| !ids.0.is_empty());
    let named = named.ok_or_else(|| Refused::on(AT, "Encounter ids can't be blank"))?;
    match named.0.len() <= NAMED_MAX {
        true => Ok(named),
        false => Err(Refused::on(AT, format!("At most {NAMED_MAX} encounters can be named"))),
    }
}

/// How many encounters the episode has.
async fn linked(call: &mut Call<'_>, episode: &EpisodeOfCare) -> Answer<i64> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM episode_encounters l WHERE l.org_id = $1 \
         AND l.episode_of_care_id = $2",
        [episode.org_id.0.into(), episode.id.0.into()],
    );
    Ok(call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0))
}

/// Links one; or why not.
async fn begin(
    call: &mut Call<'_>,
    episode: &EpisodeOfCare,
    id: Id<PatientEncounter>,
) -> Answer<Option<&'static str>> {
    let found: Option<(PatientEncounter, Level)> =
        call.visible_for_reference(id, Level::Full).await?;
    let Some((encounter, _)) = found else { return Ok(Some(MISSING)) };
    if encounter.user_id != episode.user_id {
        return Ok(Some(ANOTHERS));
    }
    if of(call, episode, id).await?.is_some() {
        return Ok(Some(LINKED));
    }
    let made = EpisodeEncounter {
        org_id: episode.org_id,
        episode_of_care_id: episode.id,
        patient_encounter_id: id,
        created_at: call.now(),
    };
    call.create(&made).await?;
    Ok(None)
}

/// Takes one out; or why not.
async fn end(
    call: &mut Call<'_>,
    episode: &EpisodeOfCare,
    id: Id<PatientEncounter>,
) -> Answer<Option<&'static str>> {
    let found: Option<(PatientEncounter, Level)> = call.visible(id, Level::Full).await?;
    if found.is_none() {
        return Ok(Some(MISSING));
    }
    match of(call, episode, id).await? {
        Some(link) => {
            call.destroy(&link).await?;
            Ok(None)
        }
        None => Ok(Some(NOT_LINKED)),
    }
}

/// The link of an encounter to the episode.
async fn of(
    call: &mut Call<'_>,
    episode: &EpisodeOfCare,
    id: Id<PatientEncounter>,
) -> Answer<Option<EpisodeEncounter>> {
    let cond = Cond::eq("episode_of_care_id", episode.id.0);
    Ok(call.find_by(cond.and(Cond::eq("patient_encounter_id", id.0))).await?)
}

/// What became of one.
fn result(episode: &EpisodeOfCare, named: &str, failed: Option<String>) -> Out {
    let named: String = named.chars().take(REPEATED_CHARS).collect();
    Out::Json(json!({
        "episode_of_care_id": episode.id.0.to_string(),
        "failed_reason": failed,
        "patient_encounter_id": named,
        "success": failed.is_none(),
    }))
}
