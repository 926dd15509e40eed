//! The inputs of episodes of care.

use ward_engine::{Answer, FromIn, IdCodec, In, Kind, Refused, input, parse_id};
use ward_identity::id_list;
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_store::{Entity, Id};

use super::table::{EpisodeOfCare, PatientEncounter};
use crate::tables::HealthConcern;

/// Encounters in the order in which they were named. What can be no id is kept as it was sent,
/// since each is answered alone.
#[derive(Clone, Debug, PartialEq)]
pub struct EncounterIds(pub Vec<(String, Option<Id<PatientEncounter>>)>);

impl FromIn for EncounterIds {
    const KIND: Kind = Kind::Ids(PatientEncounter::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let one = |text: String| match parse_id(&text, at, ids) {
            Ok(id) => Ok((text, Some(id))),
            Err(Refused::NotFound(_)) => Ok((text, None)),
            Err(refused) => Err(refused),
        };
        let named: Answer<Vec<_>> = id_list::texts(value, at, ids)?.into_iter().map(one).collect();
        named.map(EncounterIds)
    }
}

input! {
    /// `createEpisodeOfCareInput`.
    pub struct CreateEpisode {
        patient_id: IdOrBlank<User>,
        provider_id: IdOrBlank<User>,
        diagnosis_id: IdOrBlank<HealthConcern>,
        start_date: String,
        end_date: String,
    }
}

input! {
    /// `updateEpisodeOfCareInput`.
    pub struct UpdateEpisode {
        id: IdOrBlank<EpisodeOfCare>,
        patient_id: IdOrBlank<User>,
        provider_id: IdOrBlank<User>,
        diagnosis_id: IdOrBlank<HealthConcern>,
        start_date: String,
        end_date: String,
    }
}

input! {
    /// `deleteEpisodeOfCareInput`.
    pub struct DeleteEpisode { id: IdOrBlank<EpisodeOfCare> }
}

input! {
    /// `linkEncounterToEpisodeOfCareInput` and `unlinkEncounterToEpisodeOfCareInput`.
    pub struct LinkEncounters {
        episode_of_care_id: IdOrBlank<EpisodeOfCare>,
        encounter_ids: EncounterIds,
    }
}
