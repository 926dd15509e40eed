//! On which answer a question depends: one condition a question, on another question
//! of the same form, and never in a circle (behaviour 25).

use ward_engine::{Answer, Call, Given, Refused};
use ward_identity::id_or_blank::named;
use ward_store::{Cond, Id, Level};

use super::input::{ConditionInput, check_value};
use crate::rules::condition::Filter;
use crate::rules::kind;
use crate::tables::{CustomModule, CustomModuleCondition};

const AT: &str = "conditional_custom_module_id";

/// The condition of a question, if it has one.
pub async fn of_question(
    call: &mut Call<'_>,
    id: Id<CustomModule>,
) -> Answer<Option<CustomModuleCondition>> {
    Ok(call.find_by(Cond::eq("custom_module_id", id.0)).await?)
}

/// Writes what was sent of a question's condition; what it is now, and whether it
/// changed.
pub async fn write(
    call: &mut Call<'_>,
    of: &CustomModule,
    given: &Given<ConditionInput>,
) -> Answer<(Option<CustomModuleCondition>, bool)> {
    let before = of_question(call, of.id).await?;
    let input = match given {
        Given::Absent => return Ok((before, false)),
        Given::Null => return remove(call, before).await,
        Given::Value(input) => input,
    };
    if named(&input.id).is_some_and(|id| before.as_ref().map(|it| it.id) != Some(id)) {
        return Err(Refused::not_found("custom_module_condition.id"));
    }
    if input._destroy.is_true() {
        return remove(call, before).await;
    }
    let decides = match named(&input.conditional_custom_module_id) {
        Some(id) => Some(decider(call, of, id).await?),
        None => before.as_ref().map(|it| it.conditional_custom_module_id),
    };
    let decides = decides.ok_or_else(|| Refused::on(AT, "Say which question's answer decides"))?;
    let word = input.filter_type.trimmed();
    let word = word.or(before.as_ref().map(|it| it.filter_type.as_str()));
    let filter = word.and_then(Filter::of_text);
    let filter = filter.ok_or_else(|| Refused::on("filter_type", "Filter type can't be blank"))?;
    let mut value = before.as_ref().and_then(|it| it.value_to_filter.clone());
    input.value_to_filter.set_text(&mut value);
    check_value(filter, value.as_deref()).check()?;
    let now = call.now();
    let after = CustomModuleCondition {
        id: match &before {
            Some(before) => before.id,
            None => call.next_id().await?,
        },
        org_id: of.org_id,
        unit_id: of.unit_id,
        custom_module_form_id: of.custom_module_form_id,
        custom_module_id: of.id,
        conditional_custom_module_id: decides,
        filter_type: filter.as_str().to_owned(),
        value_to_filter: value,
        version: before.as_ref().map_or(1, |it| it.version),
        created_at: before.as_ref().map_or(now, |it| it.created_at),
        updated_at: before.as_ref().map_or(now, |it| it.updated_at),
    };
    let changed = match &before {
        Some(before) => !call.update(before, &after).await?.is_empty(),
        None => {
            call.create(&after).await?;
            true
        }
    };
    Ok((Some(after), changed))
}

async fn remove(
    call: &mut Call<'_>,
    before: Option<CustomModuleCondition>,
) -> Answer<(Option<CustomModuleCondition>, bool)> {
    match before {
        Some(row) => {
            call.destroy(&row).await?;
            Ok((None, true))
        }
        None => Ok((None, false)),
    }
}

/// The question that decides: of the same form, and one that is answered.
async fn decider(
    call: &mut Call<'_>,
    of: &CustomModule,
    id: Id<CustomModule>,
) -> Answer<Id<CustomModule>> {
    let found = call.visible::<CustomModule>(id, Level::Full).await?;
    let (decides, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    if decides.custom_module_form_id != of.custom_module_form_id {
        return Err(Refused::on(AT, "A question can only depend on a question of the same form"));
    }
    match kind::is_answered(&decides.mod_type) {
        true => Ok(decides.id),
        false => Err(Refused::on(AT, "A question can't depend on a text that has no answer")),
    }
}
