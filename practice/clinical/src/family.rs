//! Family history: `createFamilyHistory` and its siblings. A condition is a concept of SNOMED CT,
//! and whose relatives had it is a list of words.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Json};

use crate::client;
use crate::codes::System;
use crate::rules::{self, LINE_CHARS_MAX};
use crate::tables::FamilyHistoryCondition;

/// So many relatives can be named.
pub const RELATIONSHIPS_MAX: usize = 20;

const KNOWN: &str = "Concept is in this client's family history already; change that entry instead";

input! {
    /// `createFamilyHistoryInput`.
    pub struct CreateFamilyHistory {
        user_id: IdOrBlank<User>,
        concept_id: String,
        relationships: Vec<String>,
    }
}

input! {
    /// `updateFamilyHistoryInput`.
    pub struct UpdateFamilyHistory {
        id: IdOrBlank<FamilyHistoryCondition>,
        user_id: IdOrBlank<User>,
        concept_id: String,
        relationships: Vec<String>,
    }
}

input! {
    /// `deleteFamilyHistoryInput`.
    pub struct DeleteFamilyHistory { id: IdOrBlank<FamilyHistoryCondition> }
}

/// The row with what was sent: a concept, and a relative at least.
fn write(
    row: &mut FamilyHistoryCondition,
    concept: &Given<String>,
    relationships: &Given<Vec<String>>,
) -> Answer<()> {
    let mut problems = Problems::new();
    let before = Some(row.concept_id.clone()).filter(|code| !code.is_empty());
    let kept = rules::code_of(("concept_id", concept), before, &[System::SnomedCt], &mut problems);
    if kept.is_none() && problems.is_empty() {
        problems.add("concept_id", "Concept can't be blank");
    }
    row.concept_id = kept.unwrap_or_default();
    if relationships.is_given() {
        let sent = relationships.value().map(Vec::as_slice).unwrap_or_default();
        row.relationships = Json(serde_json::json!(relatives(sent, &mut problems)).to_string());
    } else if row.relationships.0 == "[]" {
        relatives(&[], &mut problems);
    }
    problems.check()
}

/// The relatives that were named, each once.
pub fn relatives(sent: &[String], problems: &mut Problems) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for text in sent.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        if !named.iter().any(|known| known == text) {
            named.push(text.to_owned());
        }
    }
    let field = "relationships";
    if named.is_empty() {
        problems.add(field, "Relationships can't be blank: name a relative such as mother");
    }
    if named.len() > RELATIONSHIPS_MAX {
        problems.add(field, format!("Relationships can be at most {RELATIONSHIPS_MAX}"));
    }
    if named.iter().any(|text| text.chars().count() > LINE_CHARS_MAX) {
        let sentence =
            format!("A relationship is too long (maximum is {LINE_CHARS_MAX} characters)");
        problems.add(field, sentence);
    }
    named
}

/// The relatives of a row, as they were kept.
pub fn kept(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Notes what relatives have. What is in the history already is answered as the duplicate, and
/// not added a second time.
pub async fn create(call: &mut Call<'_>, input: &CreateFamilyHistory) -> Answer<Payload> {
    let client = client::to_write::<FamilyHistoryCondition>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = FamilyHistoryCondition {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        concept_id: String::new(),
        relationships: Json("[]".to_owned()),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    write(&mut row, &input.concept_id, &input.relationships)?;
    if let Some(other) = duplicate(call, &row).await? {
        return Ok(known(other));
    }
    call.create(&row).await?;
    Ok(Payload::new().one("family_history_condition", row.id.0))
}

/// Changes an entry; it stays the client's whose it is.
pub async fn update(call: &mut Call<'_>, input: &UpdateFamilyHistory) -> Answer<Payload> {
    let before: FamilyHistoryCondition = client::to_change(call, &input.id).await?;
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    write(&mut after, &input.concept_id, &input.relationships)?;
    let is_another = after.concept_id != before.concept_id;
    if is_another && let Some(other) = duplicate(call, &after).await? {
        return Ok(known(other));
    }
    call.update(&before, &after).await?;
    Ok(Payload::new().one("family_history_condition", after.id.0))
}

/// Takes an entry off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteFamilyHistory) -> Answer<Payload> {
    let row: FamilyHistoryCondition = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("family_history_condition", row.id.0))
}

fn known(other: Id<FamilyHistoryCondition>) -> Payload {
    Payload::new().one("duplicate_family_history_condition", other.0).remark("concept_id", KNOWN)
}

/// Another entry of the client's for the same concept, which is sealed and compared here.
async fn duplicate(
    call: &mut Call<'_>,
    row: &FamilyHistoryCondition,
) -> Answer<Option<Id<FamilyHistoryCondition>>> {
    let others: Vec<FamilyHistoryCondition> =
        call.list(Cond::eq("user_id", row.user_id.0), &[]).await?;
    let is_same = |it: &&FamilyHistoryCondition| it.id != row.id && it.concept_id == row.concept_id;
    Ok(others.iter().find(is_same).map(|it| it.id))
}
