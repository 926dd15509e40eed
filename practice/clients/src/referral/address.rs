//! The address of a referring provider.

use ward_engine::{Answer, Call, Problems, Refused, input};
use ward_store::{Id, Level};

use crate::access::IdOrBlank;
use crate::events;
use crate::location::{self, ClientLocation, Lines};
use crate::referral::ReferringPhysician;
use crate::tables::Location;

input! {
    /// `PhysicianLocationInput`: the address of a referring provider.
    pub struct PhysicianLocation {
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

fn lines(input: &PhysicianLocation) -> Lines {
    macro_rules! given {
        ($($field:ident),*) => {
            Lines { given: vec![ $( (stringify!($field), input.$field.clone()) ),* ] }
        };
    }
    given!(
        name,
        line1,
        line2,
        city,
        state,
        zip,
        country,
        npi,
        other_id,
        other_id_qual,
        place_of_service_id
    )
}

/// Problems of a referring provider's address.
pub fn check(input: &PhysicianLocation, problems: &mut Problems) {
    lines(input).check(problems);
}

/// Whether the address inside another input says anything, if only which it is.
pub fn says_anything(input: &PhysicianLocation) -> bool {
    let is_named = input.id.value().is_some_and(|id| id.0.is_some());
    is_named || lines(input).given.iter().any(|(_, value)| value.trimmed().is_some())
}

/// An address as `updateClient` sends it for a referring provider.
pub fn of_client(input: &ClientLocation) -> PhysicianLocation {
    let ClientLocation { id, name, line1, line2, city, state, zip, country, .. } = input.clone();
    let rest = PhysicianLocation::default();
    PhysicianLocation { id, name, line1, line2, city, state, zip, country, ..rest }
}

/// Adds the address of a referring provider, with an id drawn before.
pub async fn add(
    call: &mut Call<'_>,
    physician: &ReferringPhysician,
    id: Id<Location>,
    input: &PhysicianLocation,
) -> Answer<()> {
    let blank = Location::blank(id, physician.org_id, physician.unit_id, call.now());
    let mut location = Location { referring_physician_id: Some(Id::new(physician.id.0)), ..blank };
    lines(input).write(&mut location);
    location::refuse_blank(&location, "location")?;
    call.create(&location).await?;
    call.emit(events::location_created(&location));
    Ok(())
}

/// Adds or changes the address of a referring provider; its id.
pub async fn write(
    call: &mut Call<'_>,
    physician: &ReferringPhysician,
    input: &PhysicianLocation,
) -> Answer<Id<Location>> {
    let own = match physician.location_id {
        Some(id) => call.visible_for_update(id, Level::Full).await?.map(|(location, _)| location),
        None => None,
    };
    let named = input.id.value().and_then(|id| id.0);
    if named.is_some_and(|named| own.as_ref().is_none_or(|own| own.id != named)) {
        return Err(Refused::not_found("location"));
    }
    match own {
        Some(own) => {
            location::change(call, &own, &lines(input), "location").await?;
            Ok(own.id)
        }
        None => {
            let id = call.next_id().await?;
            add(call, physician, id, input).await?;
            Ok(id)
        }
    }
}
