//! Templates: making, changing, deleting, copying and sharing them, with
//! `can_edit_forms` (behaviour 16.3, 25).

pub mod change;
pub mod copy;
pub mod input;
pub mod share;

use ward_engine::{Answer, Call, Refused};
use ward_store::{Id, Level};

use crate::tables::CustomModuleForm;

/// So many templates an organization can have.
pub const FORMS_MAX: i64 = 2_000;

/// A template that the caller sees, held until the transaction ends: its questions
/// are changed one after another.
pub async fn held(
    call: &mut Call<'_>,
    id: Option<Id<CustomModuleForm>>,
    at: &str,
) -> Answer<CustomModuleForm> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(form, _)| form).ok_or_else(|| Refused::not_found(at))
}

/// Notes who changed a question of the template, and when.
pub async fn touch(call: &mut Call<'_>, form: &CustomModuleForm) -> Answer<()> {
    let mut after = form.clone();
    after.questions_changed_at = call.now();
    after.last_updated_by_user_id = caller(call);
    call.update(form, &after).await?;
    Ok(())
}

/// Who asks, if it is a person.
pub fn caller(call: &Call<'_>) -> Option<Id<ward_identity::tables::User>> {
    (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id))
}
