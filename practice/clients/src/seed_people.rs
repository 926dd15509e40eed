//! People who do not exist, the same for the same seed: forty with names from a
//! fixed list, then a crowd with names out of pieces; addresses under
//! `example.com`, telephone numbers of the range 555-01xx, numbers that no
//! authority issues.

use std::borrow::Cow;

use jiff::civil::{Date, date};
use ward_instance::Random;

/// How many clients a seeded practice has unless asked for more.
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

/// What the crowd's names are made of: plainly invented, too.
const FIRST_NAMES: [&str; 48] = [
    "Adela", "Anton", "Beatriz", "Bogdan", "Carmen", "Cyrus", "Dalia", "Dorian", "Edith", "Elio",
    "Farah", "Felix", "Gemma", "Goran", "Hana", "Henrik", "Ilse", "Ivo", "Jamila", "Joakim",
    "Katya", "Kofi", "Leila", "Lucio", "Magda", "Marek", "Nadia", "Nils", "Odette", "Oskar",
    "Paloma", "Petr", "Quilla", "Renzo", "Runa", "Samir", "Selma", "Tadeo", "Tove", "Ulrik",
    "Valeria", "Vasco", "Wilma", "Xavier", "Yara", "Yusra", "Zeno", "Zoran",
];
const LAST_BEGINNINGS: [&str; 40] = [
    "Bench", "Blank", "Bogus", "Canned", "Copy", "Demo", "Dial", "Draft", "Dummy", "Echo", "Fable",
    "Faux", "Fixture", "Form", "Ghost", "Grid", "Index", "Label", "Layout", "Lorem", "Mock",
    "Model", "Null", "Paper", "Pattern", "Pilot", "Probe", "Proof", "Proxy", "Query", "Sample",
    "Sketch", "Spare", "Stub", "Table", "Test", "Token", "Trial", "Vector", "Zero",
];
const LAST_ENDINGS: [&str; 40] = [
    "acre", "ander", "bach", "berg", "bridge", "brook", "by", "dale", "dóttir", "er", "ett",
    "field", "ford", "gate", "ham", "heim", "holm", "hurst", "iak", "ides", "ington", "ko",
    "kvist", "land", "ley", "lund", "mann", "mere", "more", "nen", "ova", "quist", "skaya", "son",
    "stad", "stone", "ström", "ton", "well", "wood",
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
    pub first_name: Cow<'static, str>,
    /// Last name; none for those with one name.
    pub last_name: Option<Cow<'static, str>>,
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

/// Person `at` of the crowd behind the first [`PEOPLE`], whoever else is made.
pub fn one_of_crowd(at: usize, seed: u64, today: Date) -> Person {
    // Multiplied, so that neighbouring seeds give crowds without a person in common.
    let own = seed ^ (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let random = Random::seeded(own);
    let mut person = person(at, &random, today);
    let area = 201 + pick(&random, 789);
    // N11 are service codes.
    let area = if area % 100 == 11 { area + 1 } else { area };
    person.phone_number = format!("{area}-555-01{:02}", pick(&random, 100));
    person
}

/// First and last name.
fn name(at: usize, random: &Random) -> (Cow<'static, str>, Option<Cow<'static, str>>) {
    if let Some((first, last)) = NAMES.get(at) {
        return ((*first).into(), (*last != "Mononym").then_some((*last).into()));
    }
    let first = FIRST_NAMES[pick(random, FIRST_NAMES.len())];
    let (begin, end) = (pick(random, LAST_BEGINNINGS.len()), pick(random, LAST_ENDINGS.len()));
    (first.into(), Some(format!("{}{}", LAST_BEGINNINGS[begin], LAST_ENDINGS[end]).into()))
}

fn person(at: usize, random: &Random, today: Date) -> Person {
    let (first_name, last_name) = name(at, random);
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
        last_name,
        email: email(at),
        phone_number: format!("{}-555-01{:02}", AREA_CODES[place], pick(random, 100)),
        dob: birth(at, random, today),
        timezone: (!at.is_multiple_of(5)).then_some(ZONES[place]),
        ssn: at
            .is_multiple_of(4)
            .then(|| format!("9{:02}{:02}{serial:04}", (at + 1) % 100, 1 + at % 60)),
        address: (!at.is_multiple_of(7)).then(|| {
            [format!("{house} {street}"), city.to_owned(), state.to_owned(), zip.to_owned()]
        }),
        group: (group < GROUPS.len()).then_some(group),
        tags,
        is_archived: at % 13 == 12,
        is_restricted: at == 17,
    }
}

/// `client07@example.com`; of fifty, two have none and a child has a parent's.
fn email(at: usize) -> Option<String> {
    match at % FAMILIES {
        15 | 33 => None,
        CHILD => email(parent(at)),
        _ => Some(format!("client{:02}@example.com", at + 1)),
    }
}

/// The person whose e-mail address person `at` has: a parent, or themselves.
pub fn parent(at: usize) -> usize {
    if at % FAMILIES == CHILD { at - CHILD } else { at }
}

/// In so many people there is one child with a parent's address.
const FAMILIES: usize = 50;
/// The child's place among them; the parent's is the first.
const CHILD: usize = 31;

/// From one year old to ninety-five, and one born on a leap day.
fn birth(at: usize, random: &Random, today: Date) -> Date {
    let day = 1 + pick(random, 28);
    if at == 30 {
        return date(1996, 2, 29);
    }
    let age = if at < PEOPLE { 1 + at * 94 / (PEOPLE - 1) } else { 1 + pick(random, 95) };
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
