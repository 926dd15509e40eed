//! Which encounters and episodes the lists answer, by their arguments, and in which orders
//! (behaviour 38). Visibility comes on top and is not here.

use ward_charting::filled::listing::of_parent;
use ward_engine::{Answer, Args, Kind, Listing, OrderOption, Refused, Request};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::{USERS, User};
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Cond, Entity, Id};

use super::table::{EpisodeOfCare, PatientEncounter};

const USER: Kind = Kind::Id(User::NAME);

/// So many episodes can be named at a time.
const IDS_MAX: usize = 1_000;

/// Arguments of `patientEncounter`.
pub const ENCOUNTER_ARGS: &[(&str, Kind)] = &[
    ("appointment_id", Kind::Id(Appointment::NAME)),
    ("id", Kind::Id(PatientEncounter::NAME)),
    ("patient_id", USER),
];
/// Arguments of `episodesOfCare`.
pub const EPISODES_ARGS: &[(&str, Kind)] =
    &[("ids", Kind::Ids(EpisodeOfCare::NAME)), ("patient_id", USER), ("provider_id", USER)];

/// Episodes by their first day.
pub const BEGUN: &[OrderOption] =
    &[OrderOption { name: "START_DATE", expression: "{t}.start_date" }];
/// Encounters as they were made.
pub const MADE: &[OrderOption] =
    &[OrderOption { name: "CREATED_AT", expression: "{t}.created_at" }];

/// An argument that is an id; a blank one says nothing.
fn id<R: Entity>(args: &Args, name: &str, request: &Request) -> Answer<Option<Id<R>>> {
    Ok(args.get::<IdOrBlank<R>>(name, request)?.and_then(|id| id.0))
}

/// `patientEncounter`: by its id, else that of a client at an appointment; a client who names none
/// asks for their own. Whatever else is named beside the id has to be the encounter's.
pub fn encounter(request: &Request, args: &Args) -> Answer<Listing> {
    let own = request.actor.is_client().then(|| Id::new(request.actor.user_id));
    let client = id::<User>(args, "patient_id", request)?.or(own);
    let appointment = id::<Appointment>(args, "appointment_id", request)?;
    let this = id::<PatientEncounter>(args, "id", request)?;
    if this.is_none() && (client.is_none() || appointment.is_none()) {
        return Ok(Listing::none());
    }
    let id = this.map_or(Cond::Always, |id| Cond::eq("id", id.0));
    let at = appointment.map_or(Cond::Always, |id| Cond::eq("appointment_id", id.0));
    let theirs = client.map_or(Cond::Always, |client| Cond::eq("user_id", client.0));
    let named = client.map(|client| client.0).into_iter().collect();
    Ok(Listing::of(id.and(at).and(theirs)).naming(&USERS, named))
}

/// `episodesOfCare`.
pub fn episodes(request: &Request, args: &Args) -> Answer<Listing> {
    let ids: Option<Vec<Id<EpisodeOfCare>>> = args.get("ids", request)?;
    let ids: Option<Vec<i64>> = ids.map(|ids| ids.iter().map(|id| id.0).collect());
    if ids.as_ref().is_some_and(|ids| ids.len() > IDS_MAX) {
        return Err(Refused::on("ids", format!("ids can name at most {IDS_MAX} episodes of care")));
    }
    let these = ids.map_or(Cond::Always, |ids| Cond::is_in("id", &ids));
    let client = id::<User>(args, "patient_id", request)?;
    let theirs = client.map_or(Cond::Always, |client| Cond::eq("user_id", client.0));
    let provider = id::<User>(args, "provider_id", request)?;
    let given = provider.map_or(Cond::Always, |provider| Cond::eq("provider_id", provider.0));
    let named = client.map(|client| client.0).into_iter().collect();
    Ok(Listing::of(these.and(theirs).and(given)).naming(&USERS, named))
}

/// The notes of an encounter: what is finished.
pub fn notes(request: &Request, args: &Args) -> Answer<Listing> {
    let finished = of_parent(request, args)?;
    let filter = finished.filter.clone().and(Cond::is_true("use_for_charting"));
    Ok(Listing { filter, ..finished })
}

/// What an episode is for, also when it was taken off the client's list since.
pub fn diagnosis(_: &Request, _: &Args) -> Answer<Listing> {
    Ok(Listing { deleted: true, ..Listing::all() })
}
