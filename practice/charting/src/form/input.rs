//! What is sent of a template, and what is wrong with it. Pure.

use ward_clients::rules;
use ward_engine::{Given, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_scheduling::id_list::IdList;
use ward_store::Id;

use crate::rules::confidentiality::FOR_NOTES;
use crate::tables::{Confidentiality, CustomModuleForm};

/// The longest `metadata` of a template, in characters (behaviour 9).
pub const METADATA_CHARS_MAX: usize = 10_000;

input! {
    /// `createCustomModuleFormInput`.
    pub struct CreateForm {
        confidentiality: String,
        external_id: String,
        external_id_type: String,
        is_video: bool,
        metadata: String,
        name: String,
        prefill: bool,
        use_for_charting: bool,
        use_for_program: bool,
    }
}

input! {
    /// `updateCustomModuleFormInput`.
    pub struct UpdateForm {
        id: Id<CustomModuleForm>,
        confidentiality: String,
        external_id: String,
        external_id_type: String,
        is_archived: bool,
        is_video: bool,
        metadata: String,
        name: String,
        prefill: bool,
        use_for_charting: bool,
        use_for_program: bool,
    }
}

input! {
    /// `deleteCustomModuleFormInput`.
    pub struct DeleteForm { id: Id<CustomModuleForm> }
}

input! {
    /// `copyCustomModuleFormInput`; `user_id` is whose the copy is.
    pub struct CopyForm {
        id: IdOrBlank<CustomModuleForm>,
        id_list: IdList<CustomModuleForm>,
        user_id: IdOrBlank<User>,
    }
}

input! {
    /// `shareCustomModuleFormInput`; the recipient is named by their e-mail.
    pub struct ShareForm {
        id: Id<CustomModuleForm>,
        form_share_recipient: String,
        validate_permissions: bool,
    }
}

/// What is wrong with a new template.
pub fn check_new(input: &CreateForm) -> Problems {
    let mut problems = Problems::new();
    rules::required("name", &input.name, &mut problems);
    let external = (&input.external_id, &input.external_id_type);
    texts(&input.name, external, &input.metadata, &mut problems);
    problems
}

/// What is wrong with a change of one.
pub fn check_change(input: &UpdateForm) -> Problems {
    let mut problems = Problems::new();
    rules::not_emptied("name", &input.name, &mut problems);
    let external = (&input.external_id, &input.external_id_type);
    texts(&input.name, external, &input.metadata, &mut problems);
    problems
}

/// What is wrong with a template as it would be.
pub fn check_whole(form: &CustomModuleForm) -> Problems {
    let mut problems = Problems::new();
    if form.use_for_charting && form.use_for_program {
        let sentence = "A form is either for charting or for a program; set one of them to false";
        problems.add("use_for_program", sentence);
    }
    if form.confidentiality == Confidentiality::CounsellingNotes && !form.use_for_charting {
        problems.add("confidentiality", FOR_NOTES);
    }
    problems
}

fn texts(
    name: &Given<String>,
    external: (&Given<String>, &Given<String>),
    metadata: &Given<String>,
    problems: &mut Problems,
) {
    rules::bounded("name", name, rules::LINE_CHARS_MAX, problems);
    rules::bounded("external_id", external.0, rules::LINE_CHARS_MAX, problems);
    rules::bounded("external_id_type", external.1, rules::LINE_CHARS_MAX, problems);
    rules::metadata("metadata", metadata, problems);
    let is_within_the_other =
        metadata.value().is_some_and(|it| it.chars().count() <= rules::METADATA_CHARS_MAX);
    if is_within_the_other {
        rules::bounded("metadata", metadata, METADATA_CHARS_MAX, problems);
    }
}

/// Overwrites a switch when one was sent; null leaves it.
pub(crate) fn switch(given: &Given<bool>, field: &mut bool) {
    if let Some(value) = given.value() {
        *field = *value;
    }
}

macro_rules! facts {
    ($input:ty) => {
        impl $input {
            /// Writes what was sent.
            pub fn write(&self, form: &mut CustomModuleForm) {
                if let Some(name) = self.name.trimmed() {
                    name.clone_into(&mut form.name);
                }
                self.external_id.set_text(&mut form.external_id);
                self.external_id_type.set_text(&mut form.external_id_type);
                self.metadata.set_text(&mut form.metadata);
                let confidentiality = self.confidentiality.trimmed();
                if let Some(it) = confidentiality.and_then(Confidentiality::from_text) {
                    form.confidentiality = it;
                }
                switch(&self.is_video, &mut form.is_video);
                switch(&self.prefill, &mut form.prefill);
                switch(&self.use_for_charting, &mut form.use_for_charting);
                switch(&self.use_for_program, &mut form.use_for_program);
            }
        }
    };
}
facts!(CreateForm);
facts!(UpdateForm);
