//! What is sent of a question, and what is wrong with it. Pure.

use ward_clients::rules as texts;
use ward_engine::{Given, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_store::Id;

use crate::form::input::switch;
use crate::rules::condition::{Filter, has_size};
use crate::rules::options;
use crate::tables::{CustomModule, CustomModuleCondition, CustomModuleForm};

/// The longest text of a question, in characters: a consent is one.
pub const LABEL_CHARS_MAX: usize = 50_000;
/// The longest list of options, in characters, and the most options.
pub const OPTIONS_CHARS_MAX: usize = 20_000;
/// So many options a question can have.
pub const OPTIONS_MAX: usize = 500;

input! {
    /// `CustomModuleConditionInput`.
    pub struct ConditionInput {
        _destroy: bool,
        conditional_custom_module_id: IdOrBlank<CustomModule>,
        filter_type: String,
        id: IdOrBlank<CustomModuleCondition>,
        value_to_filter: String,
    }
}

input! {
    /// `createCustomModuleInput`; `index` is the place from 0, the last without.
    pub struct CreateQuestion {
        custom_module_form_id: Id<CustomModuleForm>,
        exclude_from_scribe: bool,
        external_id: String,
        external_id_type: String,
        index: i64,
        is_custom: bool,
        label: String,
        metadata: String,
        mod_type: String,
        options: String,
        parent_custom_module_id: IdOrBlank<CustomModule>,
        required: bool,
        sublabel: String,
    }
}

input! {
    /// `updateCustomModuleInput`.
    pub struct UpdateQuestion {
        id: Id<CustomModule>,
        custom_module_condition: ConditionInput,
        exclude_from_scribe: bool,
        external_id: String,
        external_id_type: String,
        index: i64,
        is_custom: bool,
        label: String,
        metadata: String,
        mod_type: String,
        options: String,
        options_array: Vec<String>,
        parent_custom_module_id: IdOrBlank<CustomModule>,
        required: bool,
        sublabel: String,
    }
}

input! {
    /// `deleteCustomModuleInput`.
    pub struct DeleteQuestion { id: Id<CustomModule> }
}

input! {
    /// `copyCustomModuleInput`.
    pub struct CopyQuestion { id: Id<CustomModule> }
}

macro_rules! facts {
    ($input:ty) => {
        impl $input {
            /// Writes what needs no look at others.
            pub fn write(&self, of: &mut CustomModule) {
                if let Some(mod_type) = self.mod_type.trimmed() {
                    mod_type.clone_into(&mut of.mod_type);
                }
                self.label.set_text(&mut of.label);
                self.sublabel.set_text(&mut of.sublabel);
                self.external_id.set_text(&mut of.external_id);
                self.external_id_type.set_text(&mut of.external_id_type);
                self.metadata.set_text(&mut of.metadata);
                if self.options.is_given() {
                    of.options = self.options.trimmed().map(|it| options(it).join("\n"));
                }
                switch(&self.required, &mut of.required);
                switch(&self.is_custom, &mut of.is_custom);
                switch(&self.exclude_from_scribe, &mut of.exclude_from_scribe);
            }

            fn check_texts(&self, problems: &mut Problems) {
                let line = texts::LINE_CHARS_MAX;
                texts::bounded("mod_type", &self.mod_type, line, problems);
                texts::bounded("label", &self.label, LABEL_CHARS_MAX, problems);
                texts::bounded("sublabel", &self.sublabel, LABEL_CHARS_MAX, problems);
                texts::bounded("options", &self.options, OPTIONS_CHARS_MAX, problems);
                texts::bounded("external_id", &self.external_id, line, problems);
                texts::bounded("external_id_type", &self.external_id_type, line, problems);
                texts::metadata("metadata", &self.metadata, problems);
                if self.index.value().is_some_and(|at| *at < 0) {
                    problems.add("index", "Index can't be negative");
                }
            }
        }
    };
}
facts!(CreateQuestion);
facts!(UpdateQuestion);

/// What is wrong with a new question.
pub fn check_new(input: &CreateQuestion) -> Problems {
    let mut problems = Problems::new();
    texts::required("mod_type", &input.mod_type, &mut problems);
    input.check_texts(&mut problems);
    problems
}

/// What is wrong with a change of one.
pub fn check_change(input: &UpdateQuestion) -> Problems {
    let mut problems = Problems::new();
    texts::not_emptied("mod_type", &input.mod_type, &mut problems);
    input.check_texts(&mut problems);
    let list = input.options_array.value().map(|list| list.join("\n"));
    if list.is_some_and(|list| list.chars().count() > OPTIONS_CHARS_MAX) {
        let most = format!("Options are too long (maximum is {OPTIONS_CHARS_MAX} characters)");
        problems.add("options_array", most);
    }
    if let Some(condition) = input.custom_module_condition.value() {
        check_condition(condition, &mut problems);
    }
    problems
}

/// What is wrong with a question as it would be.
pub fn check_whole(of: &CustomModule) -> Problems {
    let mut problems = Problems::new();
    let count = options(of.options.as_deref().unwrap_or_default()).len();
    if count > OPTIONS_MAX {
        problems.add("options", format!("A question can have {OPTIONS_MAX} options"));
    }
    problems
}

impl UpdateQuestion {
    /// Writes the options that were sent as a list; each is one line.
    pub fn write_options(&self, of: &mut CustomModule) {
        match &self.options_array {
            Given::Absent => {}
            Given::Null => of.options = None,
            Given::Value(list) => {
                let one_line = |it: &String| it.split_whitespace().collect::<Vec<_>>().join(" ");
                let list = options(&list.iter().map(one_line).collect::<Vec<_>>().join("\n"));
                of.options = (!list.is_empty()).then(|| list.join("\n"));
            }
        }
    }
}

fn check_condition(input: &ConditionInput, problems: &mut Problems) {
    if input._destroy.is_true() {
        return;
    }
    texts::bounded("value_to_filter", &input.value_to_filter, OPTIONS_CHARS_MAX, problems);
    if let Some(word) = input.filter_type.trimmed()
        && Filter::of_text(word).is_none()
    {
        let words = Filter::ALL.map(Filter::as_str).join(", ");
        problems.add("filter_type", format!("Filter type must be one of {words}"));
    }
}

/// What is wrong with a condition as it would be.
pub fn check_value(filter: Filter, value: Option<&str>) -> Problems {
    let mut problems = Problems::new();
    let value = value.map(str::trim).filter(|value| !value.is_empty());
    match value {
        None if filter != Filter::IsAnswered => {
            problems.add("value_to_filter", "Value to filter can't be blank");
        }
        Some(value) if filter.is_by_size() && !has_size(value) => {
            let sentence = "Value to filter must be a number or a date such as 1990-02-01";
            problems.add("value_to_filter", sentence);
        }
        _ => {}
    }
    problems
}
