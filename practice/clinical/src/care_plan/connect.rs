//! The documents and goals that a plan holds: `updateCarePlan(doc_id:)`, `createGoal(care_plan_id:)`
//! and `deleteCarePlanConnection` (behaviour 29).
//!
//! A document is neither copied nor shared by being in a plan: whoever reads the plan finds those
//! of its documents that they see anyway.

use ward_documents::tables::Document;
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::id_or_blank::named;
use ward_store::{Cond, Id, Level, Query, Sql, Value};

use super::PARTS_MAX;
use super::access;
use super::input::DeleteConnection;
use super::table::{CarePlan, CarePlanConnection};
use crate::goal::table::Goal;

/// What is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A document.
    Document(Id<Document>),
    /// A goal of the plan's client.
    Goal(Id<Goal>),
}

impl Part {
    fn cond(self) -> Cond {
        match self {
            Part::Document(id) => Cond::eq("document_id", id.0),
            Part::Goal(id) => Cond::eq("goal_id", id.0),
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Part::Document(_) => "document_id",
            Part::Goal(_) => "goal_id",
        }
    }
}

/// Adds a document that the caller sees to a plan that they hold. One about a client is in no
/// other's plan.
pub async fn add_document(call: &mut Call<'_>, plan: &CarePlan, id: Id<Document>) -> Answer<()> {
    let found: Option<(Document, Level)> = call.visible_for_reference(id, Level::Full).await?;
    let (document, _) = found.ok_or_else(|| Refused::not_found("doc_id"))?;
    if document.rel_user_id.is_some() && document.rel_user_id != plan.patient_id {
        let sentence = "This document is about a client, and can be in a care plan of theirs only";
        return Err(Refused::on("doc_id", sentence));
    }
    add(call, plan, Part::Document(id)).await.map(|_| ())
}

/// Adds a part to a plan, unless it is there; the connection.
pub async fn add(
    call: &mut Call<'_>,
    plan: &CarePlan,
    part: Part,
) -> Answer<Id<CarePlanConnection>> {
    let there = Cond::eq("care_plan_id", plan.id.0).and(part.cond());
    if let Some(connection) = call.find_by::<CarePlanConnection>(there).await? {
        return Ok(connection.id);
    }
    has_room(call, plan, part.column()).await?;
    let now = call.now();
    let (document_id, goal_id) = match part {
        Part::Document(id) => (Some(id), None),
        Part::Goal(id) => (None, Some(id)),
    };
    let row = CarePlanConnection {
        id: call.next_id().await?,
        org_id: plan.org_id,
        unit_id: plan.unit_id,
        care_plan_id: plan.id,
        patient_id: plan.patient_id,
        document_id,
        goal_id,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&row).await?;
    Ok(row.id)
}

async fn has_room(call: &mut Call<'_>, plan: &CarePlan, column: &str) -> Answer<()> {
    let mut sql = Sql::new();
    sql.push("SELECT COUNT(*) FROM care_plan_connections c WHERE c.org_id = ");
    sql.bind(plan.org_id.0).push(" AND c.care_plan_id = ").bind(plan.id.0);
    sql.push(" AND c.deleted_at IS NULL AND c.").push(column).push(" IS NOT NULL");
    let parts = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match parts < PARTS_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "A care plan can have {PARTS_MAX} documents and as many goals; take one out first"
        ))),
    }
}

/// The plan that a new goal of a client is to be in: of that client, whom the caller holds.
pub async fn plan_for_goal(
    call: &mut Call<'_>,
    id: Id<CarePlan>,
    client: Id<ward_identity::tables::User>,
) -> Answer<CarePlan> {
    const AT: &str = "care_plan_id";
    if call.actor.is_client() {
        return Err(Refused::not_found(AT));
    }
    let held = access::to_change(call, Some(id), AT).await?;
    match held.plan.patient_id == Some(client) {
        true => Ok(held.plan),
        false => {
            let sentence = "A goal can be in a care plan of its own client only, and in no \
                 template's or group's";
            Err(Refused::on(AT, sentence))
        }
    }
}

/// The plan that a goal is in.
pub async fn plan_of_goal(call: &mut Call<'_>, goal: Id<Goal>) -> Answer<Option<Id<CarePlan>>> {
    let found: Option<CarePlanConnection> = call.find_by(Part::Goal(goal).cond()).await?;
    Ok(found.map(|it| it.care_plan_id))
}

/// A goal that is deleted is in no plan.
pub async fn forget_goal(call: &mut Call<'_>, goal: Id<Goal>) -> Answer<()> {
    let found: Option<CarePlanConnection> = call.find_by(Part::Goal(goal).cond()).await?;
    match found {
        Some(connection) => Ok(call.destroy(&connection).await?),
        None => Ok(()),
    }
}

/// Takes a document or a goal out of a plan; it stays otherwise.
pub async fn delete(call: &mut Call<'_>, input: &DeleteConnection) -> Answer<Payload> {
    const AT: &str = "connectable_id";
    let held = access::to_change(call, named(&input.care_plan_id), "care_plan_id").await?;
    let id = input.connectable_id.value();
    let kind = input.connectable_type.trimmed().unwrap_or_default().to_ascii_lowercase();
    let part = match kind.as_str() {
        "document" => id.and_then(|id| id.document).map(Part::Document),
        "goal" => id.and_then(|id| id.goal).map(Part::Goal),
        _ => {
            let sentence = "Connectable type must be Document or Goal";
            return Err(Refused::on("connectable_type", sentence));
        }
    };
    let part = part.ok_or_else(|| Refused::not_found(AT))?;
    let there = Cond::eq("care_plan_id", held.plan.id.0).and(part.cond());
    let found: Option<CarePlanConnection> = call.find_by(there).await?;
    let mut connection = found.ok_or_else(|| Refused::not_found(AT))?;
    connection.unit_id = held.plan.unit_id;
    call.destroy(&connection).await?;
    Ok(Payload::new().one("connection", connection.id.0))
}
