//! What is sent of places and rooms, and what is wrong with it. Pure.

use ward_clients::rules::LINE_CHARS_MAX;
use ward_engine::{Given, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;

use super::table::{AppointmentLocation, Room};

/// So many places one layer of settings has.
pub const PLACES_MAX: usize = 100;
/// So many rooms a place has.
pub const ROOMS_MAX: usize = 50;
/// The field that problems of places are told at.
pub const AT: &str = "appointment_locations";

input! {
    /// `AppointmentLocationInput`: with an id it changes or removes a place, without
    /// one it makes one.
    pub struct PlaceInput {
        _destroy: bool,
        clients_can_book: bool,
        has_rooms: bool,
        id: IdOrBlank<AppointmentLocation>,
        location: String,
        rooms: Vec<RoomInput>,
    }
}

input! {
    /// `RoomInput`: the same of a room.
    pub struct RoomInput {
        _destroy: bool,
        id: IdOrBlank<Room>,
        limit_to_one: bool,
        name: String,
    }
}

/// What is wrong with places, whatever there is of them.
pub fn check(given: &Given<Vec<PlaceInput>>, problems: &mut Problems) {
    let Some(places) = given.value() else { return };
    if places.len() > PLACES_MAX {
        return problems.add(AT, format!("At most {PLACES_MAX} locations can be named"));
    }
    twice(places.iter().filter_map(|it| it.id.value()?.0).map(|id| id.0), "location", problems);
    for place in places.iter().filter(|it| !it._destroy.is_true()) {
        let is_known = place.id.value().is_some_and(|id| id.0.is_some());
        named("Location", is_known, &place.location, problems);
        let Some(rooms) = place.rooms.value() else { continue };
        if rooms.len() > ROOMS_MAX {
            return problems.add(AT, format!("A location can have {ROOMS_MAX} rooms"));
        }
        twice(rooms.iter().filter_map(|it| it.id.value()?.0).map(|id| id.0), "room", problems);
        for room in rooms.iter().filter(|it| !it._destroy.is_true()) {
            let is_known = room.id.value().is_some_and(|id| id.0.is_some());
            named("Room", is_known, &room.name, problems);
        }
    }
}

fn twice(ids: impl Iterator<Item = i64>, what: &str, problems: &mut Problems) {
    let mut ids: Vec<i64> = ids.collect();
    let sent = ids.len();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < sent {
        problems.add(AT, format!("The same {what} can't be named twice"));
    }
}

/// A new one has a name, and no name is taken away.
fn named(what: &str, is_known: bool, text: &Given<String>, problems: &mut Problems) {
    let is_blank = text.trimmed().is_none();
    let sentence = match text.trimmed().map(|it| it.chars().count()) {
        None if is_blank && (!is_known || text.is_given()) => format!("{what} can't be blank"),
        Some(chars) if chars > LINE_CHARS_MAX => {
            format!("{what} is too long (maximum is {LINE_CHARS_MAX} characters)")
        }
        _ => return,
    };
    problems.add(AT, sentence);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(places: Vec<PlaceInput>) -> Option<String> {
        let mut problems = Problems::new();
        check(&Given::Value(places), &mut problems);
        problems.check().err().map(|refused| format!("{refused:?}"))
    }

    fn place(text: &str) -> PlaceInput {
        PlaceInput { location: Given::Value(text.to_owned()), ..PlaceInput::default() }
    }

    #[test]
    fn a_place_has_a_name_that_fits() {
        assert_eq!(problems(vec![place("Main Street 1")]), None);
        for (text, says) in [(" ", "can't be blank"), (&*"x".repeat(256), "too long")] {
            assert!(problems(vec![place(text)]).unwrap().contains(says), "{text}");
        }
    }

    #[test]
    fn no_more_of_them_than_there_can_be() {
        let many = |count: usize| (0..count).map(|_| place("A")).collect::<Vec<_>>();
        assert_eq!(problems(many(PLACES_MAX)), None);
        assert!(problems(many(PLACES_MAX + 1)).unwrap().contains("At most 100"));
        let rooms = |count: usize| {
            let room = RoomInput { name: Given::Value("R".to_owned()), ..RoomInput::default() };
            vec![PlaceInput { rooms: Given::Value(vec![room; count]), ..place("A") }]
        };
        assert_eq!(problems(rooms(ROOMS_MAX)), None);
        assert!(problems(rooms(ROOMS_MAX + 1)).unwrap().contains("50 rooms"));
    }
}
