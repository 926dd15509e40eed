//! What a seeded practice has noted of its first clients: made by the system, without events, the
//! same for the same seed and at the same offsets of the instance's id ranges. Plainly synthetic,
//! and of no person.

use jiff::civil::date;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Day, Id, Json, Scope, StoreError};

use crate::tables::{
    AllergySensitivity, Category, FamilyHistoryCondition, HealthConcern, Immunization, Medication,
    Status,
};

/// Seeded ids start at a multiple of this in each range.
const ALIGN: i64 = 1_000;
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Whose place, name, code, dosage, frequency, days since it began and, if it did, since it ended.
type Taken = (usize, &'static str, &'static str, &'static str, &'static str, i64, Option<i64>);

const TAKEN: &[Taken] = &[
    (0, "Metformin", "6809", "500 mg", "Twice a day with meals", 400, None),
    (0, "Atorvastatin", "83367", "20 mg", "Once a day in the evening", 210, None),
    (1, "Levothyroxine", "10582", "50 mcg", "Once a day before breakfast", 900, None),
    (2, "Lisinopril", "29046", "10 mg", "Once a day", 300, None),
    (2, "Hydrochlorothiazide", "5487", "12.5 mg", "Once a day", 300, Some(60)),
    (4, "Sertraline", "36437", "50 mg", "Once a day", 120, None),
    (6, "Omeprazole", "7646", "20 mg", "Once a day before breakfast", 45, Some(3)),
    (7, "Cetirizine", "20610", "10 mg", "Once a day as needed", 30, None),
];

/// Whose place, category, type, name, reaction, severity, status.
type Borne = (usize, Category, &'static str, &'static str, &'static str, &'static str, Status);

const BORNE: &[Borne] = &[
    (0, Category::Allergy, "DRUG", "Penicillin", "Hives", "MODERATE", Status::Active),
    (1, Category::Intolerance, "FOOD", "Cow's milk", "Bloating", "MILD", Status::Active),
    (3, Category::Allergy, "FOOD", "Peanut", "Swelling", "SEVERE", Status::Active),
    (5, Category::Preference, "DISLIKE", "Mushrooms", "", "", Status::Active),
    (7, Category::Allergy, "ENVIRONMENTAL", "Grass pollen", "Sneezing", "MILD", Status::Inactive),
    (8, Category::Allergy, "FOOD", "Egg", "Rash", "MILD", Status::Resolved),
];

/// Whose place, vaccine, code of CVX, days ago.
const VACCINES: &[(usize, &str, i64, i64)] = &[
    (0, "Influenza, seasonal, injectable, preservative free", 140, 90),
    (2, "Tdap", 115, 700),
    (3, "Influenza, seasonal, injectable, preservative free", 140, 100),
];

/// Whose place, code of ICD-10-CM, name, year since when.
const CONCERNS: &[(usize, &str, &str, i16)] = &[
    (0, "E11.9", "Type 2 diabetes without complications", 2023),
    (1, "E03.9", "Hypothyroidism", 2021),
    (2, "I10", "High blood pressure", 2022),
];

/// Whose place, concept of SNOMED CT, relatives.
const RELATIVES: &[(usize, &str, &[&str])] =
    &[(0, "73211009", &["Mother", "Maternal grandmother"]), (2, "38341003", &["Father"])];

/// Makes the lists of these clients, the first of the practice.
pub async fn lists(scope: &mut Scope<'_>, clients: &[User]) -> Result<(), StoreError> {
    let Some(first) = clients.first() else { return Ok(()) };
    let whose = |place: usize| clients.get(place).filter(|client| client.active);
    let now = scope.now();
    let author = first.dietitian_id;
    let start = reserve(scope, "Medication", TAKEN.len()).await?;
    let rows = placed(start, TAKEN, |id, it| Some(taken(id, whose(it.0)?, it, now)));
    scope.create_all_about(&rows, |row: &Medication| Some(row.user_id.0)).await?;
    let start = reserve(scope, "AllergySensitivity", BORNE.len()).await?;
    let rows = placed(start, BORNE, |id, it| Some(borne(id, whose(it.0)?, it, (now, author))));
    scope.create_all_about(&rows, |row: &AllergySensitivity| Some(row.user_id.0)).await?;
    let start = reserve(scope, "Immunization", VACCINES.len()).await?;
    let rows = placed(start, VACCINES, |id, it| Some(vaccine(id, whose(it.0)?, it, now)));
    scope.create_all_about(&rows, |row: &Immunization| Some(row.user_id.0)).await?;
    let start = reserve(scope, "HealthConcern", CONCERNS.len()).await?;
    let rows = placed(start, CONCERNS, |id, it| Some(concern(id, whose(it.0)?, it, now)));
    scope.create_all_about(&rows, |row: &HealthConcern| Some(row.user_id.0)).await?;
    crate::episode::seed::episodes(scope, clients, &rows).await?;
    let start = reserve(scope, "FamilyHistoryCondition", RELATIVES.len()).await?;
    let rows = placed(start, RELATIVES, |id, it| Some(relatives(id, whose(it.0)?, it, now)));
    scope.create_all_about(&rows, |row: &FamilyHistoryCondition| Some(row.user_id.0)).await?;
    crate::entry::seed::entries(scope, clients).await?;
    crate::goal::seed::goals(scope, clients).await
}

async fn reserve(
    scope: &mut Scope<'_>,
    name: &'static str,
    many: usize,
) -> Result<i64, StoreError> {
    scope.tx.reserve_ids(name, many as i64, ALIGN).await
}

/// A row a line, of those clients whom there are.
fn placed<L, R>(start: i64, lines: &[L], make: impl Fn(i64, &L) -> Option<R>) -> Vec<R> {
    (start..).zip(lines).filter_map(|(id, line)| make(id, line)).collect()
}

fn ago(now: Timestamp, days: i64) -> Timestamp {
    now.minus_micros(days * DAY)
}

fn taken(id: i64, client: &User, line: &Taken, now: Timestamp) -> Medication {
    let (_, name, code, dosage, frequency, began, ended) = *line;
    let since = ago(now, began);
    Medication {
        id: Id::new(id),
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        active: ended.is_none(),
        name: name.to_owned(),
        code: Some(code.to_owned()),
        dosage: Some(dosage.to_owned()),
        frequency: Some(frequency.to_owned()),
        route: Some("By mouth".to_owned()),
        directions: None,
        comment: None,
        start_date: Some(since),
        end_date: ended.map(|days| ago(now, days)),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn borne(
    id: i64,
    client: &User,
    line: &Borne,
    (now, author): (Timestamp, Option<Id<User>>),
) -> AllergySensitivity {
    let (_, category, kind, name, reaction, severity, status) = *line;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    AllergySensitivity {
        id: Id::new(id),
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        created_by_id: client.dietitian_id.or(author),
        category,
        status,
        category_type: text(kind),
        name: name.to_owned(),
        reaction: text(reaction),
        reaction_type: text(if reaction.is_empty() { "" } else { "ALLERGY" }),
        severity: text(severity),
        onset_date: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn vaccine(
    id: i64,
    client: &User,
    (_, name, code, days): &(usize, &str, i64, i64),
    now: Timestamp,
) -> Immunization {
    Immunization {
        id: Id::new(id),
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        vaccine_name: (*name).to_owned(),
        cvx_code: *code,
        status: "completed".to_owned(),
        additional_notes: None,
        received_at: ago(now, *days),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn concern(
    id: i64,
    client: &User,
    (_, code, name, year): &(usize, &str, &str, i16),
    now: Timestamp,
) -> HealthConcern {
    HealthConcern {
        id: Id::new(id),
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        code: Some((*code).to_owned()),
        display_name: Some((*name).to_owned()),
        description: None,
        effective_time: Some(Day(date(*year, 5, 1))),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}

fn relatives(
    id: i64,
    client: &User,
    (_, concept, relatives): &(usize, &str, &[&str]),
    now: Timestamp,
) -> FamilyHistoryCondition {
    FamilyHistoryCondition {
        id: Id::new(id),
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        concept_id: (*concept).to_owned(),
        relationships: Json(serde_json::json!(relatives).to_string()),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    }
}
