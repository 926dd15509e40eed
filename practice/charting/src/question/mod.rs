//! Questions of templates: adding, changing, moving and taking them out, each change
//! another version (behaviour 25, DOM-13).

pub mod change;
pub mod condition;
pub mod input;
pub mod order;
pub mod version;

use ward_engine::{Answer, Call};
use ward_store::{Cond, Id, OrderKey};

use crate::rules::Question;
use crate::tables::{CustomModule, CustomModuleCondition, CustomModuleForm};

/// So many questions, and texts between them, a template can have.
pub const QUESTIONS_MAX: usize = 500;

/// The questions of a template in order, and their conditions.
pub async fn of_form(
    call: &mut Call<'_>,
    form: Id<CustomModuleForm>,
) -> Answer<(Vec<CustomModule>, Vec<CustomModuleCondition>)> {
    let keys = [OrderKey::column("place", false), OrderKey::column("id", false)];
    let of_form = || Cond::eq("custom_module_form_id", form.0);
    let questions = call.list(of_form(), &keys).await?;
    let conditions = call.list(of_form(), &[OrderKey::column("id", false)]).await?;
    Ok((questions, conditions))
}

/// As the rules see them.
pub fn seen_by_rules(
    questions: &[CustomModule],
    conditions: &[CustomModuleCondition],
) -> Vec<Question> {
    let of = |it: &CustomModule| conditions.iter().find(|own| own.custom_module_id == it.id);
    questions.iter().map(|it| Question::now(it, of(it))).collect()
}
