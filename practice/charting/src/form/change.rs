//! Making, changing, archiving and deleting templates.

use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::permit::requires;
use ward_identity::tables::{Organization, User};
use ward_store::{Id, Query, Sql, Value};

use super::input::{self, CreateForm, DeleteForm, UpdateForm, switch};
use super::{FORMS_MAX, caller, held};
use crate::events;
use crate::tables::{Confidentiality, CustomModuleForm};

/// Makes a template of the caller's organization, without a question yet.
pub async fn create(call: &mut Call<'_>, input: &CreateForm) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    input::check_new(input).check()?;
    let (unit, author) = (Id::new(call.actor.unit_id), caller(call));
    let mut form = blank(call, unit, author).await?;
    input.write(&mut form);
    input::check_whole(&form).check()?;
    call.create(&form).await?;
    call.emit(events::form_created(&form));
    Ok(Payload::new().one("customModuleForm", form.id.0))
}

/// A template that says nothing yet, where there is room for one more.
pub(super) async fn blank(
    call: &mut Call<'_>,
    unit: Id<Organization>,
    author: Option<Id<User>>,
) -> Answer<CustomModuleForm> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM custom_module_forms \
         WHERE org_id = $1 AND unit_id = $2 AND deleted_at IS NULL",
        [call.actor.org_id.into(), unit.0.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    if count >= FORMS_MAX {
        return Err(Refused::base("An organization can have 2,000 forms; delete one first"));
    }
    let now = call.now();
    Ok(CustomModuleForm {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: unit,
        user_id: author,
        name: String::new(),
        use_for_charting: false,
        use_for_program: false,
        is_video: false,
        confidentiality: Confidentiality::Normal,
        prefill: false,
        external_id: None,
        external_id_type: None,
        metadata: None,
        is_archived: false,
        last_updated_by_user_id: caller(call),
        questions_changed_at: now,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Changes a template; archived, it is offered to nobody and loses nothing.
pub async fn update(call: &mut Call<'_>, input: &UpdateForm) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let before = held(call, input.id.value().copied(), "id").await?;
    input::check_change(input).check()?;
    let mut after = before.clone();
    input.write(&mut after);
    switch(&input.is_archived, &mut after.is_archived);
    input::check_whole(&after).check()?;
    if after != before {
        after.last_updated_by_user_id = caller(call);
        let mut columns = call.update(&before, &after).await?.columns;
        columns.retain(|it| *it != "last_updated_by_user_id");
        call.emit(events::form_updated(&after, &columns));
    }
    Ok(Payload::new().one("customModuleForm", before.id.0))
}

/// Deletes a template: nobody fills it in any more, and what was filled in keeps it.
pub async fn delete(call: &mut Call<'_>, input: &DeleteForm) -> Answer<Payload> {
    requires(call.actor, CAN_EDIT_FORMS)?;
    let form = held(call, input.id.value().copied(), "id").await?;
    call.destroy(&form).await?;
    call.emit(events::form_deleted(&form));
    Ok(Payload::new().one("customModuleForm", form.id.0))
}
