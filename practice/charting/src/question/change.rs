//! Adding, changing, copying and taking out questions, with `can_edit_forms`.

use ward_engine::{Answer, Call, Given, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::permit::requires;
use ward_store::{Id, Level};

use super::input::{self, CopyQuestion, CreateQuestion, DeleteQuestion, UpdateQuestion};
use super::{QUESTIONS_MAX, condition, of_form, order, seen_by_rules, version};
use crate::attachment::copy as files;
use crate::events;
use crate::form::{held, touch};
use crate::rules::condition::has_cycle;
use crate::tables::{CustomModule, CustomModuleCondition, CustomModuleForm};

/// Adds a question to a template, at a place or behind all others.
pub async fn create(call: &mut Call<'_>, input: &CreateQuestion) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let id = input.custom_module_form_id.value().copied();
    let form = held(call, id, "custom_module_form_id").await?;
    input::check_new(input).check()?;
    let place = room(call, form.id, None, input.index.value().copied()).await?;
    let mut of = blank(call, &form, place).await?;
    input.write(&mut of);
    of.parent_custom_module_id = parent(call, &of, &input.parent_custom_module_id).await?;
    input::check_whole(&of).check()?;
    add(call, &form, &of, None).await?;
    Ok(Payload::new().one("customModule", of.id.0))
}

async fn blank(call: &mut Call<'_>, form: &CustomModuleForm, place: i64) -> Answer<CustomModule> {
    let now = call.now();
    Ok(CustomModule {
        id: call.next_id().await?,
        org_id: form.org_id,
        unit_id: form.unit_id,
        custom_module_form_id: form.id,
        mod_type: String::new(),
        label: None,
        sublabel: None,
        options: None,
        required: false,
        place,
        parent_custom_module_id: None,
        is_custom: true,
        exclude_from_scribe: false,
        external_id: None,
        external_id_type: None,
        metadata: None,
        copied_from_form_name: None,
        versions_count: 1,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

async fn add(
    call: &mut Call<'_>,
    form: &CustomModuleForm,
    of: &CustomModule,
    condition: Option<&CustomModuleCondition>,
) -> Answer<()> {
    call.create(of).await?;
    if let Some(condition) = condition {
        call.create(condition).await?;
    }
    version::keep(call, of, condition).await?;
    call.emit(events::question_created(of));
    touch(call, form).await
}

/// Changes a question. Answers keep what it was: what matters to them makes another
/// version.
pub async fn update(call: &mut Call<'_>, input: &UpdateQuestion) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let (form, before) = to_change(call, input.id.value().copied()).await?;
    input::check_change(input).check()?;
    let mut after = before.clone();
    input.write(&mut after);
    input.write_options(&mut after);
    if input.parent_custom_module_id.is_given() {
        after.parent_custom_module_id =
            parent(call, &before, &input.parent_custom_module_id).await?;
    }
    input::check_whole(&after).check()?;
    let given = &input.custom_module_condition;
    let (condition, depends_otherwise) = condition::write(call, &before, given).await?;
    no_circle(call, &after).await?;
    if let Some(index) = input.index.value() {
        after.place = room(call, form.id, Some(before.id), Some(*index)).await?;
    }
    settle(call, &form, (&before, after), (condition.as_ref(), depends_otherwise)).await?;
    Ok(Payload::new().one("customModule", before.id.0))
}

/// Writes a changed question with its version, and tells of it.
async fn settle(
    call: &mut Call<'_>,
    form: &CustomModuleForm,
    (before, mut after): (&CustomModule, CustomModule),
    (condition, depends_otherwise): (Option<&CustomModuleCondition>, bool),
) -> Answer<()> {
    let is_another = depends_otherwise || version::differs(before, &after);
    if is_another {
        after.versions_count += 1;
    }
    let mut columns = call.update(before, &after).await?.columns;
    if is_another {
        version::keep(call, &after, condition).await?;
    }
    columns.retain(|it| *it != "versions_count");
    for column in &mut columns {
        if *column == "place" {
            *column = "position";
        }
    }
    if depends_otherwise {
        columns.push("custom_module_condition");
    }
    if columns.is_empty() {
        return Ok(());
    }
    call.emit(events::question_updated(&after, &columns));
    touch(call, form).await
}

/// Copies a question right behind itself, in the same form.
pub async fn copy(call: &mut Call<'_>, input: &CopyQuestion) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let (form, of) = to_change(call, input.id.value().copied()).await?;
    let (all, conditions) = of_form(call, form.id).await?;
    let index = all.iter().position(|it| it.id == of.id).map_or(all.len(), |at| at + 1);
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    let place = room(call, form.id, None, Some(index)).await?;
    let twin = CustomModule {
        external_id: None,
        external_id_type: None,
        copied_from_form_name: Some(form.name.clone()),
        versions_count: 1,
        version: 1,
        mod_type: of.mod_type.clone(),
        label: of.label.clone(),
        sublabel: of.sublabel.clone(),
        options: of.options.clone(),
        required: of.required,
        parent_custom_module_id: of.parent_custom_module_id,
        is_custom: of.is_custom,
        exclude_from_scribe: of.exclude_from_scribe,
        metadata: of.metadata.clone(),
        ..blank(call, &form, place).await?
    };
    let condition = match conditions.into_iter().find(|it| it.custom_module_id == of.id) {
        Some(own) => Some(CustomModuleCondition {
            id: call.next_id().await?,
            custom_module_id: twin.id,
            version: 1,
            created_at: call.now(),
            updated_at: call.now(),
            ..own
        }),
        None => None,
    };
    add(call, &form, &twin, condition.as_ref()).await?;
    files::of_question(call, of.id, (&form, twin.id)).await?;
    Ok(Payload::new().one("customModule", twin.id.0))
}

/// Takes a question out; what was answered keeps it. What depended on it, or was a
/// part of it, does so no longer: nobody could be asked it any more.
pub async fn delete(call: &mut Call<'_>, input: &DeleteQuestion) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let (form, of) = to_change(call, input.id.value().copied()).await?;
    if let Some(own) = condition::of_question(call, of.id).await? {
        call.destroy(&own).await?;
    }
    let (all, conditions) = of_form(call, form.id).await?;
    for other in all.iter().filter(|it| it.id != of.id) {
        let own = conditions.iter().find(|it| it.custom_module_id == other.id);
        let depended = own.filter(|it| it.conditional_custom_module_id == of.id);
        let is_part = other.parent_custom_module_id == Some(of.id);
        if let Some(row) = depended {
            call.destroy(row).await?;
        }
        if depended.is_some() || is_part {
            let mut after = other.clone();
            after.parent_custom_module_id = other.parent_custom_module_id.filter(|_| !is_part);
            let still = own.filter(|_| depended.is_none());
            loosen(call, (other, after), (still, depended.is_some())).await?;
        }
    }
    call.destroy(&of).await?;
    call.emit(events::question_deleted(&of));
    touch(call, &form).await?;
    Ok(Payload::new().one("customModule", of.id.0))
}

async fn loosen(
    call: &mut Call<'_>,
    (before, mut after): (&CustomModule, CustomModule),
    (condition, depended): (Option<&CustomModuleCondition>, bool),
) -> Answer<()> {
    after.versions_count += 1;
    let mut columns = call.update(before, &after).await?.columns;
    version::keep(call, &after, condition).await?;
    columns.retain(|it| *it != "versions_count");
    if depended {
        columns.push("custom_module_condition");
    }
    call.emit(events::question_updated(&after, &columns));
    Ok(())
}

/// A question that the caller sees, with its template held.
pub async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<CustomModule>>,
) -> Answer<(CustomModuleForm, CustomModule)> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible::<CustomModule>(id, Level::Full).await?;
    let (of, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let form = held(call, Some(of.custom_module_form_id), "id").await?;
    // It may have changed until the template was held.
    let of = call.find(id).await?.ok_or_else(|| Refused::not_found("id"))?;
    Ok((form, of))
}

/// The question that another is a part of: of the same form.
async fn parent(
    call: &mut Call<'_>,
    of: &CustomModule,
    given: &Given<IdOrBlank<CustomModule>>,
) -> Answer<Option<Id<CustomModule>>> {
    const AT: &str = "parent_custom_module_id";
    let Some(id) = ward_identity::id_or_blank::named(given) else { return Ok(None) };
    let found = call.visible::<CustomModule>(id, Level::Full).await?;
    let (parent, _) = found.ok_or_else(|| Refused::not_found(AT))?;
    match parent.custom_module_form_id == of.custom_module_form_id {
        true => Ok(Some(parent.id)),
        false => Err(Refused::on(AT, "A question can only be a part of one of the same form")),
    }
}

/// Refuses a question that would hang on itself, by way of others.
async fn no_circle(call: &mut Call<'_>, after: &CustomModule) -> Answer<()> {
    let (mut all, conditions) = of_form(call, after.custom_module_form_id).await?;
    if let Some(of) = all.iter_mut().find(|it| it.id == after.id) {
        of.clone_from(after);
    }
    match has_cycle(&seen_by_rules(&all, &conditions)) {
        false => Ok(()),
        true => Err(Refused::on(
            "conditional_custom_module_id",
            "The questions would depend on each other in a circle; choose a question that does \
             not depend on this one",
        )),
    }
}

/// A free place at `index` among the others of a form. Where there is no room left
/// between two, all are placed anew.
async fn room(
    call: &mut Call<'_>,
    form: Id<CustomModuleForm>,
    but: Option<Id<CustomModule>>,
    index: Option<i64>,
) -> Answer<i64> {
    let (mut all, conditions) = of_form(call, form).await?;
    if but.is_none() && all.len() >= QUESTIONS_MAX {
        let most = format!("A form can have {QUESTIONS_MAX} questions");
        return Err(Refused::on("custom_module_form_id", most));
    }
    all.retain(|it| Some(it.id) != but);
    let index = index.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
    let places: Vec<i64> = all.iter().map(|it| it.place).collect();
    if let Some(place) = order::at(&places, index) {
        return Ok(place);
    }
    let places: Vec<i64> = order::anew(all.len()).collect();
    for (before, place) in all.iter().zip(&places) {
        let mut after = CustomModule { place: *place, ..before.clone() };
        if version::differs(before, &after) {
            after.versions_count += 1;
            call.update(before, &after).await?;
            let own = conditions.iter().find(|it| it.custom_module_id == before.id);
            version::keep(call, &after, own).await?;
            call.emit(events::question_updated(&after, &["position"]));
        }
    }
    order::at(&places, index).ok_or_else(|| Refused::on("index", "There is no room for it"))
}
