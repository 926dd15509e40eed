//! The hash of what a note says: what a signature binds (DOM-16). Everything that is read
//! is in it, questions too; not the client, who may be merged into another.

use std::collections::HashMap;

use ward_instance::mac::sha256_fields;
use ward_store::Id;

use super::tables::{FormAnswer, FormAnswerGroup};
use crate::attachment::tables::FileAttachment;
use crate::group_note::tables::IndividualClientNote;
use crate::tables::QuestionVersion;

/// What the hash is of, should it ever be of something else.
const FORMAT: &[u8] = b"ward/note/v2";

/// The hash of a note with the files of its answers and its individual notes, in hexadecimal
/// digits. Of a note without files, or without individual notes, it is what it was before there
/// were any.
pub fn hash(
    group: &FormAnswerGroup,
    answers: &[FormAnswer],
    (files, individual): (&[FileAttachment], &[IndividualClientNote]),
    questions: &HashMap<Id<QuestionVersion>, QuestionVersion>,
) -> String {
    let mut files: Vec<&FileAttachment> = files.iter().collect();
    files.sort_by_key(|it| it.id.0);
    let mut answers: Vec<&FormAnswer> = answers.iter().collect();
    answers.sort_by_key(|it| (it.place, it.custom_module_id.0));
    let mut fields: Vec<Vec<u8>> = vec![
        FORMAT.to_vec(),
        number(group.id.0),
        number(group.custom_module_form_id.0),
        group.name.clone().into_bytes(),
        number(group.served_at.0),
        // Of which session it is a note; a note of none is told apart.
        group.appointment_id.map_or_else(Vec::new, |id| number(id.0)),
    ];
    for it in answers {
        fields.push(number(it.custom_module_id.0));
        fields.push(number(it.question_version_id.0));
        fields.push(text(it.answer.as_deref()));
        fields.push(vec![u8::from(it.hidden)]);
        let Some(question) = questions.get(&it.question_version_id) else { continue };
        fields.push(question.mod_type.clone().into_bytes());
        fields.push(text(question.label.as_deref()));
        fields.push(text(question.sublabel.as_deref()));
        fields.push(text(question.options.as_deref()));
    }
    for file in files {
        fields.push(b"file".to_vec());
        fields.push(file.form_answer_id.map_or_else(Vec::new, |id| number(id.0)));
        fields.push(file.file_name.clone().into_bytes());
        fields.push(text(file.content_hash.as_deref()));
    }
    let mut individual: Vec<&IndividualClientNote> = individual.iter().collect();
    individual.sort_by_key(|it| it.id.0);
    for it in individual {
        fields.push(b"individual".to_vec());
        fields.push(number(it.id.0));
        fields.push(text(it.content.as_deref()));
        fields.push(it.attended.map_or_else(Vec::new, |attended| vec![u8::from(attended)]));
        fields.push(it.join_time.map_or_else(Vec::new, |at| number(at.0)));
        fields.push(it.leave_time.map_or_else(Vec::new, |at| number(at.0)));
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    sha256_fields(&fields).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(number: i64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// A text, told apart from none.
fn text(text: Option<&str>) -> Vec<u8> {
    match text {
        Some(text) => [b"+", text.as_bytes()].concat(),
        None => Vec::new(),
    }
}
