//! Categories of recommendations: words of a practice, with `can_edit_settings` (behaviour 16.3).

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused};
use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::requires;
use ward_store::{Id, Level, Query, Sql, StoreError, Value};

use super::input::{CreateCategory, DeleteCategory, UpdateCategory};
use super::table::CarePlanRecommendationCategory as Category;
use super::{CATEGORIES_MAX, rules};
use crate::rules::{LINE_CHARS_MAX, bounded, not_emptied};

const MADE: &str = "care_plan_recommendation_category";

fn answer(row: &Category) -> Payload {
    Payload::new().one(MADE, row.id.0).one("organization", row.unit_id.0)
}

fn taken(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) => Refused::on("name", "Name has already been taken"),
        other => other.into(),
    }
}

/// Makes a category of the caller's organization.
pub async fn create(call: &mut Call<'_>, input: &CreateCategory) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_SETTINGS)?;
    let mut problems = Problems::new();
    rules::name_of_new(&input.name, &mut problems);
    problems.check()?;
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM care_plan_recommendation_categories c WHERE c.org_id = $1 \
         AND c.unit_id = $2 AND c.deleted_at IS NULL",
        [call.actor.org_id.into(), call.actor.unit_id.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    if count >= CATEGORIES_MAX {
        let sentence = format!("An organization can have {CATEGORIES_MAX} categories");
        return Err(Refused::base(sentence));
    }
    let now = call.now();
    let row = Category {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        name: input.name.trimmed().unwrap_or_default().to_owned(),
        is_active: input.is_active.value().copied().unwrap_or(true),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await.map_err(taken)?;
    Ok(answer(&row))
}

/// One of the caller's organization, or of one below it.
async fn to_change(call: &mut Call<'_>, id: &Given<IdOrBlank<Category>>) -> Answer<Category> {
    requires(call.actor, CAN_EDIT_SETTINGS)?;
    let missing = || Refused::not_found("id");
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(Category, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (row, _) = found.ok_or_else(missing)?;
    let is_above = row.unit_id.0 == row.org_id.0 && call.actor.unit_id != row.org_id.0;
    match is_above {
        true => Err(Refused::base("This category belongs to the organization above yours")),
        false => Ok(row),
    }
}

/// Renames a category, or says whether it is offered.
pub async fn update(call: &mut Call<'_>, input: &UpdateCategory) -> Answer<Payload> {
    let before = to_change(call, &input.id).await?;
    let mut problems = Problems::new();
    not_emptied("name", &input.name, &mut problems);
    bounded("name", &input.name, LINE_CHARS_MAX, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    if let Some(name) = input.name.trimmed() {
        name.clone_into(&mut after.name);
    }
    if let Some(is_active) = input.is_active.value() {
        after.is_active = *is_active;
    }
    call.update(&before, &after).await.map_err(taken)?;
    Ok(answer(&after))
}

/// Deletes a category; recommendations of it are of none.
pub async fn delete(call: &mut Call<'_>, input: &DeleteCategory) -> Answer<Payload> {
    let row = to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(answer(&row))
}
