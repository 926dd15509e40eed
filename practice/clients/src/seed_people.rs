//! Forty people who do not exist, the same for the same seed: names from a
//! fixed list, addresses under `example.com`, telephone numbers of the range
//! 555-01xx, numbers that no authority issues.

use jiff::civil::{Date, date};
use ward_instance::Random;

/// How many clients a seeded practice has.
pub const PEOPLE: usize = 40;

/// First and last names: plainly invented, some of one word, some not Latin.
const NAMES: [(&str, &str); PEOPLE] = [
    ("Ada", "Testwell"),
    ("Bruno", "Sampleton"),
    ("Chidi", "Mockwright"),
    ("Dagny", "Fixture"),
    ("Emeka", "Placeholder"),
    ("Fatima", "al-Mithal"),
    ("Giulia", "Esempio"),
    ("Hiroshi", "Mihon"),
    ("Imani", "Dummywood"),
    ("José María", "de la Prueba y Ensayo"),
    ("Kateřina", "Vzorová"),
    ("Lars", "Ørsted-Eksempel"),
    ("Mei", "样例"),
    ("Ngozi", "Specimen"),
    ("Olga", "Примерова"),
    ("Priya", "Namuna"),
    ("Quentin", "O'Dummy"),
    ("Rosa", "Muster-Mann"),
    ("Siobhán", "Ní Shampla"),
    ("Taro", "見本"),
    ("Uma", "Proofread"),
    ("Viktor", "Beispiel"),
    ("Wanjiru", "Trialwood"),
    ("Ximena", "Simulada"),
    ("Yusuf", "Deneme"),
    ("Zoë", "Voorbeeld"),
    ("Teller", "Mononym"),
    ("さくら", "例"),
    ("Aroha", "Tauira"),
    ("Benedikt", "Þór Dæmisson"),
    ("Leap", "Daysworth"),
    ("Little", "Testwell"),
    ("Noor", "Prototype"),
    ("Anneliese-Marguerite", "Überlangenprobenstein-Hollowfield"),
    ("Milo", "Blueprint"),
    ("Sana", "Rehearsal"),
    ("Theo", "Dryrun"),
    ("Ines", "Maqueta"),
    ("Pavel", "Ukázka"),
    ("Bo", "Ex"),
];

const ZONES: [&str; 6] = [
    "America/New_York",
    "America/Chicago",
    "America/Phoenix",
    "America/Los_Angeles",
    "Pacific/Honolulu",
    "Europe/Dublin",
];
const AREA_CODES: [&str; 6] = ["212", "312", "602", "415", "808", "617"];
const STREETS: [&str; 6] = [
    "Example Street",
    "Sample Avenue",
    "Fixture Lane",
    "Placeholder Road",
    "Mock Court",
    "Trial Way",
];
const CITIES: [(&str, &str, &str); 6] = [
    ("New York", "NY", "10001"),
    ("Chicago", "IL", "60601"),
    ("Phoenix", "AZ", "85001"),
    ("San Francisco", "CA", "94103"),
    ("Honolulu", "HI", "96801"),
    ("Boston", "MA", "02108"),
];

/// A person to be made a client of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Place in the list, from 1.
    pub number: usize,
    /// First name.
    pub first_name: &'static str,
    /// Last name; none for those with one name.
    pub last_name: Option<&'static str>,
    /// None for those who have no e-mail; two of a family share one.
    pub email: Option<String>,
    /// `212-555-0142`.
    pub phone_number: String,
    /// Birth date.
    pub dob: Date,
    /// IANA time zone; none for those who never chose one.
    pub timezone: Option<&'static str>,
    /// Nine digits of an area that is never issued; few have one.
    pub ssn: Option<String>,
    /// Street, city, state and zip; a few have none.
    pub address: Option<[String; 4]>,
    /// Number of the group, if in one.
    pub group: Option<usize>,
    /// Numbers of the tags.
    pub tags: Vec<usize>,
    /// Archived.
    pub is_archived: bool,
    /// Restricted.
    pub is_restricted: bool,
}

/// So many groups and tags the people are spread over.
pub const GROUPS: [&str; 4] = ["Nutrition", "Sports", "Prenatal", "Waiting list"];
/// The tags.
pub const TAGS: [&str; 6] =
    ["VIP", "New", "Telehealth", "Needs interpreter", "Insurance", "Follow-up"];

/// The people, as old as the list says on the day `today`.
pub fn people(random: &Random, today: Date) -> Vec<Person> {
    (0..PEOPLE).map(|at| person(at, random, today)).collect()
}

fn person(at: usize, random: &Random, today: Date) -> Person {
    let (first_name, last_name) = NAMES[at];
    let place = pick(random, CITIES.len());
    let (city, state, zip) = CITIES[place];
    let street = STREETS[pick(random, STREETS.len())];
    let house = 1 + pick(random, 998);
    let group = pick(random, GROUPS.len() + 1);
    let mut tags: Vec<usize> = (0..pick(random, 4)).map(|_| pick(random, TAGS.len())).collect();
    tags.sort_unstable();
    tags.dedup();
    // Drawn for everybody, so that one person's luck moves nobody else's.
    let serial = random.below(9_999) + 1;
    Person {
        number: at + 1,
        first_name,
        last_name: (last_name != "Mononym").then_some(last_name),
        email: email(at),
        phone_number: format!("{}-555-01{:02}", AREA_CODES[place], pick(random, 100)),
        dob: birth(at, random, today),
        timezone: (!at.is_multiple_of(5)).then_some(ZONES[place]),
        ssn: at.is_multiple_of(4).then(|| format!("9{:02}{:02}{serial:04}", at + 1, 1 + at % 60)),
        address: (!at.is_multiple_of(7)).then(|| {
            [format!("{house} {street}"), city.to_owned(), state.to_owned(), zip.to_owned()]
        }),
        group: (group < GROUPS.len()).then_some(group),
        tags,
        is_archived: at % 13 == 12,
        is_restricted: at == 17,
    }
}

/// `client07@example.com`; the child of the first shares theirs, and two have none.
fn email(at: usize) -> Option<String> {
    match at {
        15 | 33 => None,
        31 => email(0),
        at => Some(format!("client{:02}@example.com", at + 1)),
    }
}

/// From one year old to ninety-five, and one born on a leap day.
fn birth(at: usize, random: &Random, today: Date) -> Date {
    let day = 1 + pick(random, 28);
    if at == 30 {
        return date(1996, 2, 29);
    }
    let age = 1 + at * 94 / (PEOPLE - 1);
    let year = today.year() - i16::try_from(age).unwrap_or(1);
    let month = today.month();
    let born = Date::new(year, month, 1).unwrap_or(today);
    // In the months before today's day of the year, so the age is reached.
    let back = jiff::Span::new().days(i64::try_from(day).unwrap_or(1));
    born.checked_sub(back).unwrap_or(born)
}

fn pick(random: &Random, n: usize) -> usize {
    usize::try_from(random.below(n as u64)).unwrap_or(0)
}
