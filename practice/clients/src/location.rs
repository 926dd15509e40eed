//! Addresses of clients, members and organizations (behaviour 18.2): what one
//! needs, and how they are added, changed and removed.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Id, Level};

use crate::access::{self, IdOrBlank};
use crate::events;
use crate::npi;
use crate::place_of_service;
use crate::referral::physician;
use crate::rules;
use crate::tables::Location;

/// So many addresses can be sent in one call.
const LOCATIONS_OF_A_CALL_MAX: usize = 50;

input! {
    /// `createLocationInput`.
    pub struct CreateLocation {
        name: String,
        line1: String,
        line2: String,
        city: String,
        state: String,
        zip: String,
        country: String,
        npi: String,
        other_id: String,
        other_id_qual: String,
        place_of_service_id: String,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `updateLocationInput`.
    pub struct UpdateLocation {
        id: IdOrBlank<Location>,
        name: String,
        line1: String,
        line2: String,
        city: String,
        state: String,
        zip: String,
        country: String,
        npi: String,
        other_id: String,
        other_id_qual: String,
        place_of_service_id: String,
    }
}

input! {
    /// `deleteLocationInput`.
    pub struct DeleteLocation { id: IdOrBlank<Location> }
}

input! {
    /// `ClientLocationInput`: an address inside another input.
    pub struct ClientLocation {
        id: IdOrBlank<Location>,
        _destroy: bool,
        name: String,
        line1: String,
        line2: String,
        city: String,
        state: String,
        zip: String,
        country: String,
    }
}

/// The texts of an address, as any of the inputs sends them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Column and what was sent for it.
    pub given: Vec<(&'static str, Given<String>)>,
}

macro_rules! lines {
    ($input:expr; $($field:ident),*) => {
        Lines { given: vec![ $( (stringify!($field), $input.$field.clone()) ),* ] }
    };
}

impl Lines {
    fn of_create(input: &CreateLocation) -> Self {
        lines!(input; name, line1, line2, city, state, zip, country,
            npi, other_id, other_id_qual, place_of_service_id)
    }

    fn of_update(input: &UpdateLocation) -> Self {
        lines!(input; name, line1, line2, city, state, zip, country,
            npi, other_id, other_id_qual, place_of_service_id)
    }

    fn of_client(input: &ClientLocation) -> Self {
        lines!(input; name, line1, line2, city, state, zip, country)
    }

    /// What is wrong with them.
    pub fn check(&self, problems: &mut Problems) {
        for (field, value) in &self.given {
            rules::bounded(field, value, rules::LINE_CHARS_MAX, problems);
            match *field {
                "npi" => npi::check(field, value, problems),
                "place_of_service_id" => place_of_service::check(field, value, problems),
                _ => {}
            }
        }
    }

    /// The address with what was sent.
    pub(crate) fn write(&self, location: &mut Location) {
        for (field, value) in &self.given {
            if *field == "place_of_service_id" {
                if value.is_given() {
                    let code = value.trimmed().and_then(place_of_service::number);
                    location.place_of_service_id = code;
                }
                continue;
            }
            value.set_text(match *field {
                "name" => &mut location.name,
                "line1" => &mut location.line1,
                "line2" => &mut location.line2,
                "city" => &mut location.city,
                "state" => &mut location.state,
                "zip" => &mut location.zip,
                "country" => &mut location.country,
                "npi" => &mut location.npi,
                "other_id" => &mut location.other_id,
                _ => &mut location.other_id_qual,
            });
        }
    }
}

/// An address on one line, as a letter would have it: lines, city, state and zip.
pub fn oneline(line1: &str, line2: &str, city: &str, state: &str, zip: &str) -> String {
    let region = [state, zip].map(str::trim).join(" ");
    let parts = [line1, line2, city, region.as_str()].map(str::trim);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// An address of a user that says nothing yet.
pub fn blank(id: Id<Location>, user: &User, now: Timestamp) -> Location {
    let blank = Location::blank(id, user.org_id, user.unit_id, now);
    Location { user_id: Some(user.id), ..blank }
}

/// Whether an address says anything at all.
fn is_blank(location: &Location) -> bool {
    let texts = [
        &location.name,
        &location.line1,
        &location.line2,
        &location.city,
        &location.state,
        &location.zip,
        &location.country,
        &location.npi,
    ];
    texts.into_iter().all(Option::is_none)
}

/// Adds an address of a user, the caller when none is named (behaviour 8).
pub async fn create(call: &mut Call<'_>, input: &CreateLocation) -> Answer<Payload> {
    let named = input.user_id.value().and_then(|id| id.0);
    let user_id = named.unwrap_or_else(|| Id::new(call.actor.user_id));
    let user = access::seen_user(call, user_id, "user_id").await?;
    access::concerns(call, &user);
    access::may_write_for(call.actor, &user)?;
    let lines = Lines::of_create(input);
    let mut problems = Problems::new();
    lines.check(&mut problems);
    problems.check()?;
    let location = add(call, &user, &lines, "base").await?;
    Ok(Payload::new().one("location", location.id.0))
}

/// Changes an address (behaviour 18.2).
pub async fn update(call: &mut Call<'_>, input: &UpdateLocation) -> Answer<Payload> {
    let location = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    access::may_change(call, &location, "id").await?;
    let lines = Lines::of_update(input);
    let mut problems = Problems::new();
    lines.check(&mut problems);
    problems.check()?;
    change(call, &location, &lines, "base").await?;
    Ok(Payload::new().one("location", location.id.0))
}

/// Removes an address.
pub async fn delete(call: &mut Call<'_>, input: &DeleteLocation) -> Answer<Payload> {
    let location = to_change(call, input.id.value().and_then(|id| id.0), "id").await?;
    access::may_change(call, &location, "id").await?;
    remove(call, &location).await?;
    Ok(Payload::new().one("location", location.id.0))
}

/// Addresses inside another input, before anything is written: their problems.
pub fn check_all(at: &str, locations: &Given<Vec<ClientLocation>>, problems: &mut Problems) {
    let locations = locations.value().map(Vec::as_slice).unwrap_or_default();
    if locations.len() > LOCATIONS_OF_A_CALL_MAX {
        problems
            .add(at, format!("At most {LOCATIONS_OF_A_CALL_MAX} addresses can be sent at once"));
    }
    for location in locations {
        Lines::of_client(location).check(problems);
    }
}

/// Addresses inside another input: without `id` one is added, with `id`
/// changed, with `_destroy` removed (behaviour 18.2). Each must be the user's.
pub async fn write_all(
    call: &mut Call<'_>,
    user: &User,
    inputs: &[ClientLocation],
    at: &str,
) -> Answer<()> {
    for input in inputs {
        let lines = Lines::of_client(input);
        let Some(id) = input.id.value().and_then(|id| id.0) else {
            if !input._destroy.is_true() {
                add(call, user, &lines, at).await?;
            }
            continue;
        };
        let location = to_change(call, Some(id), at).await?;
        if location.user_id != Some(user.id) {
            return Err(Refused::not_found(at));
        }
        match input._destroy.is_true() {
            true => remove(call, &location).await?,
            false => change(call, &location, &lines, at).await?,
        }
    }
    Ok(())
}

async fn add(call: &mut Call<'_>, user: &User, lines: &Lines, at: &str) -> Answer<Location> {
    let id = call.next_id().await?;
    let mut location = blank(id, user, call.now());
    lines.write(&mut location);
    refuse_blank(&location, at)?;
    call.create(&location).await?;
    call.emit(events::location_created(&location));
    Ok(location)
}

pub(crate) async fn change(
    call: &mut Call<'_>,
    before: &Location,
    lines: &Lines,
    at: &str,
) -> Answer<()> {
    let mut after = before.clone();
    lines.write(&mut after);
    refuse_blank(&after, at)?;
    let changes = call.update(before, &after).await?;
    if !changes.is_empty() {
        call.emit(events::location_updated(&after, &changes.columns));
    }
    Ok(())
}

async fn remove(call: &mut Call<'_>, location: &Location) -> Answer<()> {
    call.destroy(location).await?;
    if let Some(id) = location.referring_physician_id {
        physician::forget_location(call, Id::new(id.0)).await?;
    }
    call.emit(events::location_deleted(location));
    Ok(())
}

pub(crate) fn refuse_blank(location: &Location, at: &str) -> Answer<()> {
    match is_blank(location) {
        true => Err(Refused::on(at, "An address needs a name or at least one of its lines")),
        false => Ok(()),
    }
}

async fn to_change(call: &mut Call<'_>, id: Option<Id<Location>>, at: &str) -> Answer<Location> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(location, _)| location).ok_or_else(|| Refused::not_found(at))
}
