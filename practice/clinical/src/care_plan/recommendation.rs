//! Recommendations of care plans (behaviour 29): HTML that the staff writes and clients read, kept
//! as it was sent; `sanitized_body` is its text without tags.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::permit::members_only;
use ward_identity::tables::Organization;
use ward_store::{Id, Level, Query, Sql, Value};

use super::input::{CreateRecommendation, DeleteRecommendation, UpdateRecommendation};
use super::table::{CarePlan, CarePlanRecommendationCategory as Category, Recommendation};
use super::{PARTS_MAX, access, rules};

const CATEGORY: &str = "care_plan_recommendation_category_id";

/// Adds a recommendation to a plan.
pub async fn create(call: &mut Call<'_>, input: &CreateRecommendation) -> Answer<Payload> {
    let held = access::to_change(call, named(&input.care_plan_id), "care_plan_id").await?;
    let said = (&input.recommendation_body, &input.recommendation_type);
    let mut problems = Problems::new();
    rules::advice(said, true, &mut problems);
    problems.check()?;
    let sent = &input.care_plan_recommendation_category_id;
    let category = category(call, (sent, None), held.plan.unit_id).await?;
    has_room(call, &held.plan).await?;
    let now = call.now();
    let mut row = Recommendation {
        id: call.next_id().await?,
        org_id: held.plan.org_id,
        unit_id: held.plan.unit_id,
        care_plan_id: held.plan.id,
        patient_id: held.plan.patient_id,
        care_plan_recommendation_category_id: category,
        recommendation_body: None,
        recommendation_type: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    input.recommendation_body.set_text(&mut row.recommendation_body);
    input.recommendation_type.set_text(&mut row.recommendation_type);
    call.create(&row).await?;
    Ok(Payload::new().one("recommendation", row.id.0))
}

/// That a plan has room for one more.
pub async fn has_room(call: &mut Call<'_>, plan: &CarePlan) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM recommendations r WHERE r.org_id = $1 AND r.care_plan_id = $2 \
         AND r.deleted_at IS NULL",
        [plan.org_id.0.into(), plan.id.0.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match count < PARTS_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "A care plan can have {PARTS_MAX} recommendations; delete one first"
        ))),
    }
}

/// Whether a category is for plans of an organization: its own, or the root's.
fn is_of(category: &Category, unit: Id<Organization>) -> bool {
    category.unit_id == unit || category.unit_id == category.org_id
}

/// The category that a copy of a recommendation is of: the same, if it is for plans of the
/// organization that the copy is in.
pub async fn copied(
    call: &mut Call<'_>,
    id: Option<Id<Category>>,
    unit: Id<Organization>,
) -> Answer<Option<Id<Category>>> {
    let Some(id) = id else { return Ok(None) };
    let category: Option<Category> = call.find(id).await?;
    Ok(category.filter(|category| is_of(category, unit)).map(|category| category.id))
}

/// The category that is named: an active one for plans of this organization, or the one that it
/// is of already.
async fn category(
    call: &mut Call<'_>,
    (sent, before): (&Given<IdOrBlank<Category>>, Option<Id<Category>>),
    unit: Id<Organization>,
) -> Answer<Option<Id<Category>>> {
    if !sent.is_given() {
        return Ok(before);
    }
    let Some(id) = named(sent) else { return Ok(None) };
    if before == Some(id) {
        return Ok(before);
    }
    let found: Option<(Category, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let (category, _) = found.ok_or_else(|| Refused::not_found(CATEGORY))?;
    if !is_of(&category, unit) {
        let sentence = "This category belongs to another organization than the care plan";
        return Err(Refused::on(CATEGORY, sentence));
    }
    match category.is_active {
        true => Ok(Some(id)),
        false => Err(Refused::on(CATEGORY, "This category is not active; choose another one")),
    }
}

/// A recommendation that a member changes, with its plan held.
async fn to_change(
    call: &mut Call<'_>,
    id: &Given<IdOrBlank<Recommendation>>,
) -> Answer<Recommendation> {
    members_only(call.actor)?;
    let missing = || Refused::not_found("id");
    let id = named(id).ok_or_else(missing)?;
    let found: Option<(Recommendation, Level)> = call.visible(id, Level::Full).await?;
    let (seen, _) = found.ok_or_else(missing)?;
    let held = access::to_change(call, Some(seen.care_plan_id), "id").await?;
    let found: Option<(Recommendation, Level)> = call.visible_for_update(id, Level::Full).await?;
    let (mut row, _) = found.ok_or_else(missing)?;
    row.unit_id = held.plan.unit_id;
    Ok(row)
}

/// Changes what a recommendation says.
pub async fn update(call: &mut Call<'_>, input: &UpdateRecommendation) -> Answer<Payload> {
    let before = to_change(call, &input.id).await?;
    let said = (&input.recommendation_body, &input.recommendation_type);
    let mut problems = Problems::new();
    rules::advice(said, false, &mut problems);
    problems.check()?;
    let mut after = before.clone();
    let sent = &input.care_plan_recommendation_category_id;
    let kept = before.care_plan_recommendation_category_id;
    after.care_plan_recommendation_category_id =
        category(call, (sent, kept), before.unit_id).await?;
    input.recommendation_body.set_text(&mut after.recommendation_body);
    input.recommendation_type.set_text(&mut after.recommendation_type);
    call.update(&before, &after).await?;
    Ok(Payload::new().one("recommendation", after.id.0))
}

/// Deletes a recommendation.
pub async fn delete(call: &mut Call<'_>, input: &DeleteRecommendation) -> Answer<Payload> {
    let row = to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("recommendation", row.id.0))
}
