//! Events that the domain emits (behaviour 14). The catalogue has those of medications,
//! allergies, entries, comments, goals and their histories, and care plans; what happens to the other lists is in the audit log alone.

use ward_store::Event;

use crate::care_plan::table::CarePlan;
use crate::comment::table::Comment;
use crate::entry::table::{Entry, Kind};
use crate::goal::table::{Goal, GoalHistory};
use crate::tables::{AllergySensitivity, Medication};

/// `medication.created`, `.updated` or `.deleted`.
pub fn of_medication(kind: &'static str, row: &Medication, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "Medication", row.id.0);
    event
        .changed(columns)
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("user_id", row.user_id.0.to_string())
}

/// `allergy_sensitivity.created`, `.updated` or `.deleted`.
pub fn of_allergy(kind: &'static str, row: &AllergySensitivity, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "AllergySensitivity", row.id.0);
    event
        .changed(columns)
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("user_id", row.user_id.0.to_string())
}

/// What happens to an entry: of a metric `metric_entry.created`, `.updated` or `.deleted`, of
/// any other `entry.`, never both (behaviour 13.6).
pub fn of_entry(deed: &str, row: &Entry, columns: &[&'static str]) -> Event {
    let kind = match (row.kind == Kind::Metric, deed) {
        (true, "created") => "metric_entry.created",
        (true, "updated") => "metric_entry.updated",
        (true, _) => "metric_entry.deleted",
        (false, "created") => "entry.created",
        (false, "updated") => "entry.updated",
        (false, _) => "entry.deleted",
    };
    let event = Event::new(kind, "Entry", row.id.0);
    event.changed(columns).of_unit(row.unit_id.0).about(row.user_id.0)
}

/// `comment.created` or `.deleted`.
pub fn of_comment(kind: &'static str, row: &Comment) -> Event {
    Event::new(kind, "Comment", row.id.0).of_unit(row.unit_id.0).about(row.client_id.0)
}

/// `goal.created`, `.updated` or `.deleted`; a goal that is in a care plan names it besides.
pub fn of_goal(kind: &'static str, row: &Goal, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "Goal", row.id.0);
    event
        .changed(columns)
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("care_plan_id", serde_json::Value::Null)
        .with("parent_id", row.parent_id.map(|id| id.0.to_string()))
        .with("user_id", row.user_id.0.to_string())
}

/// `care_plan.created`, `.updated`, `.deleted`, `.activated` or `.deactivated`.
pub fn of_plan(kind: &'static str, row: &CarePlan, columns: &[&'static str]) -> Event {
    let event = Event::new(kind, "CarePlan", row.id.0)
        .changed(columns)
        .of_unit(row.unit_id.0)
        .with("patient_id", row.patient_id.map(|id| id.0.to_string()))
        .with("user_group_id", row.user_group_id.map(|id| id.0.to_string()));
    match row.patient_id {
        Some(client) => event.about(client.0),
        None => event,
    }
}

/// `goal_history.created` or `.deleted`.
pub fn of_goal_history(kind: &'static str, row: &GoalHistory) -> Event {
    let event = Event::new(kind, "GoalHistory", row.id.0);
    event
        .of_unit(row.unit_id.0)
        .about(row.user_id.0)
        .with("goal_id", row.goal_id.0.to_string())
        .with("user_id", row.user_id.0.to_string())
}
