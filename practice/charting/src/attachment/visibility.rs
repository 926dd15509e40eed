//! Who sees the files of answers and questions: who sees the form, filled in or not.

use ward_store::{Actor, Cond, Role, Rule};

use super::attached;
use crate::filled::visibility::answers;
use crate::visibility::of_form;

/// Files that are attached; what is on its way is nobody's to see.
pub fn files(actor: &Actor) -> Rule {
    if actor.role == Role::System {
        return Rule::full(Cond::Always);
    }
    let (of_answers, of_questions) = (answers(actor), of_form(actor));
    Rule::full(attached().and(of_answers.full.or(of_questions.full)))
        .public(attached().and(of_questions.public))
}
