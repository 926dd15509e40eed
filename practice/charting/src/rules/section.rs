//! Sections: what stands under a heading (behaviour 25). The contract has no type for
//! them; a section is named by the id of its heading.

use super::{Question, kind};

/// A heading with what stands under it; without one, what stands before the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Section<'a> {
    /// The heading.
    pub heading: Option<&'a Question>,
    /// What stands under it, in order.
    pub questions: Vec<&'a Question>,
}

/// The sections of a form whose questions are in order; none is without anything.
pub fn sections(questions: &[Question]) -> Vec<Section<'_>> {
    let mut sections = vec![Section { heading: None, questions: Vec::new() }];
    for question in questions {
        if question.mod_type == kind::HEADING {
            sections.push(Section { heading: Some(question), questions: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.questions.push(question);
        }
    }
    sections.retain(|it| it.heading.is_some() || !it.questions.is_empty());
    sections
}

/// The section that a question stands in; a heading is in its own.
pub fn of<'a, 'b>(sections: &'b [Section<'a>], question: i64) -> Option<&'b Section<'a>> {
    sections.iter().find(|it| {
        let is_heading = it.heading.is_some_and(|heading| heading.id == question);
        is_heading || it.questions.iter().any(|it| it.id == question)
    })
}

/// The questions that a calculator sums up: those of its section that have a score.
pub fn scored(section: &Section<'_>) -> Vec<i64> {
    let scored = section.questions.iter().filter(|it| kind::is_chosen(&it.mod_type));
    scored.map(|it| it.id).collect()
}
