//! People at the edges of what a record can hold: for programs that have met ordinary ones only.
//! The same for every seed; nobody can be reached, and no number of theirs is ever issued.

use std::borrow::Cow;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use ward_identity::account;
use ward_identity::tables::User;
use ward_store::{Scope, StoreError};

use crate::client::set_active;
use crate::rules::LINE_CHARS_MAX;
use crate::seed_people::Person;

/// One of them: first and last name, how old, time zone, and what is about them.
struct Sketch {
    names: (&'static str, Option<&'static str>),
    born: Born,
    zone: Option<&'static str>,
    edge: Edge,
}

#[derive(Clone, Copy)]
enum Born {
    On(Date),
    DaysAgo(i64),
    YearsAgo(i64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    None,
    /// Neither e-mail address, telephone number, birth date, address nor group.
    Bare,
    /// Names and address as long as they may be.
    Longest,
    Restricted,
    Archived,
    /// Their name is another one since.
    Renamed,
    /// Merged into the one before.
    Merged,
}

const fn plain(
    first: &'static str,
    last: &'static str,
    born: Born,
    zone: Option<&'static str>,
) -> Sketch {
    Sketch { names: (first, Some(last)), born, zone, edge: Edge::None }
}

const fn with(edge: Edge, first: &'static str, last: &'static str) -> Sketch {
    Sketch {
        names: (first, Some(last)),
        born: Born::YearsAgo(41),
        zone: Some("America/New_York"),
        edge,
    }
}

const LEAP: Born = Born::On(date(2000, 2, 29));

/// In this order, and none of them more: their ids are offsets.
const SKETCHES: [Sketch; 24] = [
    plain("Leap", "Twentyninth", LEAP, Some("America/New_York")),
    plain("Newborn", "Yesterday", Born::DaysAgo(1), Some("America/Chicago")),
    plain("Minor", "Almosteighteen", Born::DaysAgo(6_573), Some("America/Denver")),
    plain("Elder", "Centenarian", Born::YearsAgo(108), None),
    Sketch { names: ("Mononym", None), born: Born::YearsAgo(33), zone: None, edge: Edge::None },
    plain("小明", "样例", Born::YearsAgo(29), Some("Asia/Shanghai")),
    plain("さくら", "見本", Born::YearsAgo(52), Some("Asia/Tokyo")),
    plain("Олена", "Зразкова", Born::YearsAgo(37), Some("Europe/Kyiv")),
    plain("محمد", "تجربة", Born::YearsAgo(45), Some("Africa/Cairo")),
    plain("अनुज", "नमूना", Born::YearsAgo(61), Some("Asia/Kathmandu")),
    plain("דנה", "דוגמה", Born::YearsAgo(26), Some("Asia/Jerusalem")),
    plain("Ada 🦄", "Sample 👩\u{200d}👩\u{200d}👧", Born::YearsAgo(31), Some("Europe/Dublin")),
    plain("Rene\u{301}e", "Zo\u{308}e-Probe", Born::YearsAgo(48), Some("Europe/Paris")),
    plain("Siobhán", "O'Quote \"Nick\" D'Arc", Born::YearsAgo(57), Some("Pacific/Auckland")),
    plain("<b>Bold</b>", "&amp; Markup", Born::YearsAgo(23), Some("Australia/Lord_Howe")),
    plain("Robert'); --", "Tables %_\\", Born::YearsAgo(12), Some("America/Phoenix")),
    plain("Null", "None Undefined", Born::YearsAgo(39), Some("Pacific/Kiritimati")),
    plain("Epoch", "Before", Born::On(date(1969, 12, 31)), Some("America/St_Johns")),
    with(Edge::Longest, "L", "M"),
    with(Edge::Bare, "Bare", "Minimum"),
    with(Edge::Restricted, "Restricted", "Chart"),
    with(Edge::Archived, "Archived", "Leaver"),
    with(Edge::Renamed, "Maiden", "Name"),
    with(Edge::Merged, "Maiden", "Nameagain"),
];

/// So many people are there.
pub const COUNT: usize = SKETCHES.len();

/// Those who are met: the one who was merged into another is not.
pub const MET: usize = COUNT - 1;

/// The people, as old as they are on the day `today`.
pub fn people(today: Date) -> Vec<Person> {
    SKETCHES.iter().enumerate().map(|(at, sketch)| person(at, sketch, today)).collect()
}

fn person(at: usize, sketch: &Sketch, today: Date) -> Person {
    let is_bare = sketch.edge == Edge::Bare;
    let (first, last) = sketch.names;
    let long = |name: &'static str| -> Cow<'static, str> {
        match sketch.edge {
            Edge::Longest => name.repeat(LINE_CHARS_MAX).into(),
            _ => name.into(),
        }
    };
    let street = long(if sketch.edge == Edge::Longest { "N" } else { "1 Edge Street" });
    Person {
        number: at + 1,
        first_name: long(first),
        last_name: last.map(long),
        email: (!is_bare).then(|| format!("edge{:02}@example.com", at + 1)),
        phone_number: format!("212-555-01{at:02}"),
        dob: born(sketch.born, today),
        timezone: sketch.zone,
        ssn: at.is_multiple_of(3).then(|| format!("9{at:02}010{at:03}")),
        address: (!is_bare)
            .then(|| [street.into_owned(), "New York".into(), "NY".into(), "10001".into()]),
        group: (!is_bare && at.is_multiple_of(2)).then_some(at % 4),
        tags: if is_bare { Vec::new() } else { vec![at % 6] },
        is_archived: sketch.edge == Edge::Archived,
        is_restricted: sketch.edge == Edge::Restricted,
    }
}

fn born(born: Born, today: Date) -> Date {
    match born {
        Born::On(day) => day,
        Born::DaysAgo(days) => today.checked_sub(days.days()).unwrap_or(today),
        Born::YearsAgo(years) => today.checked_sub(years.years()).unwrap_or(today),
    }
}

/// What happens to some of them once they are there: in their order.
pub async fn tangle(scope: &mut Scope<'_>, clients: &[User]) -> Result<(), StoreError> {
    let of = |edge: Edge| {
        let at = SKETCHES.iter().position(|sketch| sketch.edge == edge);
        at.and_then(|at| clients.get(at))
    };
    if let Some(before) = of(Edge::Bare) {
        let after = User { phone_number: None, dob: None, ..before.clone() };
        account::update(scope, before, &after).await?;
    }
    let (Some(before), Some(twin)) = (of(Edge::Renamed), of(Edge::Merged)) else { return Ok(()) };
    let (first, last) = ("Married".to_owned(), "Newname-Maiden".to_owned());
    let after = User { first_name: Some(first), last_name: Some(last), ..before.clone() };
    account::update(scope, before, &after).await?;
    let mut gone = User {
        merged_into_id: Some(before.id),
        deleted_at: Some(scope.now()),
        dietitian_id: None,
        user_group_id: None,
        ..twin.clone()
    };
    set_active(&mut gone, false, scope.now());
    account::close(scope, twin, &gone).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_invented_and_at_an_edge() {
        let today = date(2026, 11, 26);
        let people = people(today);
        assert_eq!(people.len(), COUNT);
        for person in &people {
            assert!(person.email.iter().all(|email| email.ends_with("@example.com")));
            assert!(person.phone_number.contains("-555-01") && person.phone_number.len() == 12);
            assert!(person.ssn.iter().all(|ssn| ssn.len() == 9 && ssn.starts_with('9')));
            assert!(person.first_name.chars().count() <= LINE_CHARS_MAX);
        }
        assert_eq!(people[0].dob, date(2000, 2, 29));
        assert_eq!(people[1].dob, date(2026, 11, 25));
        assert_eq!(people[18].first_name.chars().count(), LINE_CHARS_MAX);
        assert!(people[COUNT - 1].last_name.as_deref() == Some("Nameagain"));
    }
}
