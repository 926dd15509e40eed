//! What a form asks and what an answer means: pure rules (behaviour 25). They judge
//! what a question is now and what it was when it was answered alike.

pub mod condition;
pub mod confidentiality;
pub mod display;
pub mod kind;
pub mod required;
pub mod scoring;
pub mod section;

use std::collections::HashMap;

use crate::rules::condition::Condition;
use crate::tables::{CustomModule, CustomModuleCondition, QuestionVersion};

/// Answers as they are kept, by their questions.
pub type Answers = HashMap<i64, String>;

/// A question as the rules see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// Its id, whichever version it is.
    pub id: i64,
    /// What it is.
    pub mod_type: String,
    /// What it asks.
    pub label: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// Whether an answer must be given.
    pub required: bool,
    /// The question that it is a part of.
    pub parent: Option<i64>,
    /// When it is asked; always, without one.
    pub condition: Option<Condition>,
}

/// The options of a text, one a line; blank lines are none.
pub fn options(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// An answer that is not blank.
pub fn given(answers: &Answers, question: i64) -> Option<&str> {
    answers.get(&question).map(|text| text.trim()).filter(|text| !text.is_empty())
}

impl Question {
    /// As it is now.
    pub fn now(row: &CustomModule, condition: Option<&CustomModuleCondition>) -> Self {
        Question {
            id: row.id.0,
            mod_type: row.mod_type.clone(),
            label: row.label.clone().unwrap_or_default(),
            options: options(row.options.as_deref().unwrap_or_default()),
            required: row.required,
            parent: row.parent_custom_module_id.map(|id| id.0),
            condition: condition.and_then(|it| {
                Condition::new(
                    it.conditional_custom_module_id.0,
                    &it.filter_type,
                    it.value_to_filter.as_deref(),
                )
            }),
        }
    }

    /// As it was.
    pub fn then(row: &QuestionVersion) -> Self {
        let condition = row.conditional_custom_module_id.zip(row.filter_type.as_deref());
        Question {
            id: row.custom_module_id.0,
            mod_type: row.mod_type.clone(),
            label: row.label.clone().unwrap_or_default(),
            options: options(row.options.as_deref().unwrap_or_default()),
            required: row.required,
            parent: row.parent_custom_module_id.map(|id| id.0),
            condition: condition.and_then(|(of, filter)| {
                Condition::new(of.0, filter, row.value_to_filter.as_deref())
            }),
        }
    }
}
