//! The history of a note, a step after another (behaviour 26).

use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Id, Scope, StoreError};

use super::tables::{Deed, FormAnswerGroup, FormAnswerGroupAuditEvent};

/// A step.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// What was done.
    pub action: Deed,
    /// Who did it; of what nobody did who stands in, because the contract demands a member: the
    /// owner of the client's organization.
    pub by: Id<User>,
    /// When.
    pub at: Timestamp,
    /// Whether nobody did it.
    pub is_automatic: bool,
    /// Why, or how it came.
    pub description: Option<&'a str>,
}

/// One more step of the note's history.
pub async fn add(
    scope: &mut Scope<'_>,
    group: &FormAnswerGroup,
    step: Step<'_>,
) -> Result<(), StoreError> {
    let row = FormAnswerGroupAuditEvent {
        id: scope.next_id().await?,
        org_id: group.org_id,
        unit_id: group.unit_id,
        form_answer_group_id: group.id,
        patient_id: group.user_id,
        action: step.action,
        committed_by_id: step.by,
        is_automatic: step.is_automatic,
        committed_at: step.at,
        description: step.description.map(str::to_owned),
        created_at: step.at,
        updated_at: step.at,
    };
    scope.create(&row).await
}
