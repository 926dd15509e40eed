//! Which answers are missing when a form is finished (behaviour 25, 26). Drafts miss
//! none; what is not asked blocks nothing.

use super::condition::shown;
use super::{Answers, Question, given, kind};

/// The required questions that are asked and not answered, in the form's order. A
/// consent that was not given is no answer.
pub fn missing<'a>(questions: &'a [Question], answers: &Answers) -> Vec<&'a Question> {
    let shown = shown(questions, answers);
    let is_missing = |it: &&Question| {
        let answer = given(answers, it.id);
        let is_given = match it.mod_type.as_str() {
            "agree_to_above" => answer == Some("true"),
            // Of a name that is empty the comma between its parts is left.
            "name" | "referring_provider" => {
                answer.is_some_and(|name| name.split(',').any(|part| !part.trim().is_empty()))
            }
            _ => answer.is_some(),
        };
        it.required && kind::is_answered(&it.mod_type) && shown.contains(&it.id) && !is_given
    };
    questions.iter().filter(is_missing).collect()
}
