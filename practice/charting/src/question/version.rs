//! What a question was: one row a version, which nothing changes.

use ward_engine::{Answer, Call};
use ward_instance::Timestamp;
use ward_store::Id;

use crate::tables::{CustomModule, CustomModuleCondition, QuestionVersion};

/// Whether the two differ in what an answer depends on.
pub fn differs(before: &CustomModule, after: &CustomModule) -> bool {
    before.mod_type != after.mod_type
        || before.label != after.label
        || before.sublabel != after.sublabel
        || before.options != after.options
        || before.required != after.required
        || before.place != after.place
        || before.parent_custom_module_id != after.parent_custom_module_id
}

/// Keeps what a question is now as its newest version, whose number it has already.
pub async fn keep(
    call: &mut Call<'_>,
    of: &CustomModule,
    condition: Option<&CustomModuleCondition>,
) -> Answer<()> {
    let row = QuestionVersion::of(call.next_id().await?, of, condition, call.now());
    call.create(&row).await?;
    Ok(())
}

impl QuestionVersion {
    /// What a question is at this moment.
    pub fn of(
        id: Id<QuestionVersion>,
        of: &CustomModule,
        condition: Option<&CustomModuleCondition>,
        now: Timestamp,
    ) -> Self {
        QuestionVersion {
            id,
            org_id: of.org_id,
            unit_id: of.unit_id,
            custom_module_form_id: of.custom_module_form_id,
            custom_module_id: of.id,
            number: of.versions_count,
            mod_type: of.mod_type.clone(),
            label: of.label.clone(),
            sublabel: of.sublabel.clone(),
            options: of.options.clone(),
            required: of.required,
            place: of.place,
            parent_custom_module_id: of.parent_custom_module_id,
            conditional_custom_module_id: condition.map(|it| it.conditional_custom_module_id),
            filter_type: condition.map(|it| it.filter_type.clone()),
            value_to_filter: condition.and_then(|it| it.value_to_filter.clone()),
            created_at: now,
        }
    }
}
