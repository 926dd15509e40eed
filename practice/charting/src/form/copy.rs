//! Copies of templates: independent of what they were made from. The questions'
//! conditions and parts lead to the copy's own questions; names of other systems
//! (`external_id`) stay with the original.

use std::collections::HashMap;

use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::id_or_blank::named;
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, User};
use ward_store::{Id, Level};

use super::change::blank;
use super::input::CopyForm;
use crate::attachment::copy as files;
use crate::events;
use crate::question::{self, version};
use crate::tables::{CustomModule, CustomModuleCondition, CustomModuleForm};

/// So many templates one call copies.
pub const COPIES_MAX: usize = 20;
const NAME_CHARS_MAX: usize = ward_clients::rules::LINE_CHARS_MAX;

/// Copies templates; what is answered is the first copy.
pub async fn copy(call: &mut Call<'_>, input: &CopyForm) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let mut ids: Vec<Id<CustomModuleForm>> = named(&input.id).into_iter().collect();
    let more = input.id_list.value().map(|list| list.0.clone()).unwrap_or_default();
    ids.extend(more.into_iter().filter(|id| named(&input.id) != Some(*id)));
    if ids.is_empty() {
        return Err(Refused::not_found("id"));
    }
    if ids.len() > COPIES_MAX {
        return Err(Refused::on(
            "id_list",
            format!("At most {COPIES_MAX} forms can be copied at once"),
        ));
    }
    let (unit, author) = owner(call, named(&input.user_id)).await?;
    let at = if input.id.value().is_some() { "id" } else { "id_list" };
    let mut first = None;
    for id in ids {
        let found = call.visible(id, Level::Full).await?;
        let (of, _) = found.ok_or_else(|| Refused::not_found(at))?;
        let name: String = format!("Copy of {}", of.name).chars().take(NAME_CHARS_MAX).collect();
        let made = make(call, &of, (unit, author), name).await?;
        first.get_or_insert(made.id);
    }
    let first = first.ok_or_else(|| Refused::not_found(at))?;
    Ok(Payload::new().one("customModuleForm", first.0))
}

/// Whose the copies are: the caller's, or those of a colleague whom they see.
async fn owner(
    call: &mut Call<'_>,
    user: Option<Id<User>>,
) -> Answer<(Id<Organization>, Option<Id<User>>)> {
    let Some(id) = user else { return Ok((Id::new(call.actor.unit_id), super::caller(call))) };
    let found = call.visible(id, Level::Full).await?;
    let member = found.map(|(user, _)| user).filter(|user| !user.is_patient && user.active);
    let member = member.ok_or_else(|| Refused::not_found("user_id"))?;
    Ok((member.unit_id, Some(member.id)))
}

/// A copy for somebody, with all questions.
pub(super) async fn make(
    call: &mut Call<'_>,
    of: &CustomModuleForm,
    (unit, author): (Id<Organization>, Option<Id<User>>),
    name: String,
) -> Answer<CustomModuleForm> {
    let empty = blank(call, unit, author).await?;
    let form = CustomModuleForm {
        name,
        use_for_charting: of.use_for_charting,
        use_for_program: of.use_for_program,
        is_video: of.is_video,
        confidentiality: of.confidentiality,
        prefill: of.prefill,
        metadata: of.metadata.clone(),
        ..empty
    };
    call.create(&form).await?;
    call.emit(events::form_created(&form));
    let (questions, conditions) = question::of_form(call, of.id).await?;
    let mut twins: HashMap<Id<CustomModule>, Id<CustomModule>> = HashMap::new();
    for question in &questions {
        twins.insert(question.id, call.next_id().await?);
    }
    for question in &questions {
        let condition = conditions.iter().find(|it| it.custom_module_id == question.id);
        twin(call, &form, (question, condition), (&of.name, &twins)).await?;
    }
    files::of_form(call, of.id, &form, &twins).await?;
    // A condition may lead to a question further down, which is there only now.
    for condition in &conditions {
        let ends = (condition.custom_module_id, condition.conditional_custom_module_id);
        let (Some(id), Some(decides)) = (twins.get(&ends.0), twins.get(&ends.1)) else { continue };
        let now = call.now();
        let row = CustomModuleCondition {
            id: call.next_id().await?,
            unit_id: form.unit_id,
            custom_module_form_id: form.id,
            custom_module_id: *id,
            conditional_custom_module_id: *decides,
            version: 1,
            created_at: now,
            updated_at: now,
            ..condition.clone()
        };
        call.create(&row).await?;
    }
    Ok(form)
}

async fn twin(
    call: &mut Call<'_>,
    form: &CustomModuleForm,
    (of, condition): (&CustomModule, Option<&CustomModuleCondition>),
    (from, twins): (&str, &HashMap<Id<CustomModule>, Id<CustomModule>>),
) -> Answer<()> {
    let Some(id) = twins.get(&of.id).copied() else { return Ok(()) };
    let now = call.now();
    let row = CustomModule {
        id,
        unit_id: form.unit_id,
        custom_module_form_id: form.id,
        parent_custom_module_id: of.parent_custom_module_id.and_then(|id| twins.get(&id).copied()),
        external_id: None,
        external_id_type: None,
        copied_from_form_name: Some(from.to_owned()),
        versions_count: 1,
        version: 1,
        created_at: now,
        updated_at: now,
        ..of.clone()
    };
    call.create(&row).await?;
    let decides = condition.and_then(|it| twins.get(&it.conditional_custom_module_id).copied());
    let condition = condition.zip(decides).map(|(it, decides)| CustomModuleCondition {
        conditional_custom_module_id: decides,
        ..it.clone()
    });
    version::keep(call, &row, condition.as_ref()).await?;
    call.emit(events::question_created(&row));
    Ok(())
}
