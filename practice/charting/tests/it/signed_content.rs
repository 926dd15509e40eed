//! The hash that a signature binds is the same for good: a note that was signed before there were
//! group notes, or files, is still what was signed (DOM-16). The numbers are not to be changed: a
//! change of them says of every signed note that it was altered.

use std::collections::HashMap;

use ward_charting::attachment::tables::FileAttachment;
use ward_charting::filled::content::hash;
use ward_charting::filled::tables::{FormAnswer, FormAnswerGroup};
use ward_charting::group_note::tables::IndividualClientNote;
use ward_charting::tables::{Confidentiality, QuestionVersion};
use ward_instance::Timestamp;
use ward_store::Id;

const AT: Timestamp = Timestamp(1_772_616_600_000_000);

fn group() -> FormAnswerGroup {
    FormAnswerGroup {
        id: Id::new(2_000_000_001),
        org_id: Id::new(1),
        unit_id: Id::new(1),
        custom_module_form_id: Id::new(2_000_000_100),
        user_id: Id::new(7),
        filler_id: Some(Id::new(5)),
        appointment_id: Some(Id::new(2_000_000_200)),
        onboarding_item_id: None,
        name: "Café".to_owned(),
        use_for_charting: true,
        is_group_appt_note: false,
        confidentiality: Confidentiality::Normal,
        finished: true,
        completed_at: Some(AT),
        scores: None,
        saves_count: 3,
        signings_count: 1,
        locked_at: None,
        locked_by_id: None,
        autolock_from: None,
        autolock_skipped_until: None,
        autolock_failures: None,
        external_id: None,
        metadata: None,
        served_at: AT,
        version: 4,
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
    }
}

fn answer(place: i64, answer: Option<&str>) -> FormAnswer {
    FormAnswer {
        id: Id::new(900 + place),
        org_id: Id::new(1),
        unit_id: Id::new(1),
        form_answer_group_id: Id::new(2_000_000_001),
        custom_module_id: Id::new(300 + place),
        question_version_id: Id::new(400 + place),
        user_id: Id::new(7),
        mod_type: "text".to_owned(),
        place,
        answer: answer.map(str::to_owned),
        answered_at: None,
        hidden: answer.is_none(),
        metadata: None,
        version: 1,
        created_at: AT,
        updated_at: AT,
    }
}

fn question(place: i64, label: &str, options: Option<&str>) -> QuestionVersion {
    QuestionVersion {
        id: Id::new(400 + place),
        org_id: Id::new(1),
        unit_id: Id::new(1),
        custom_module_form_id: Id::new(2_000_000_100),
        custom_module_id: Id::new(300 + place),
        number: 1,
        mod_type: "text".to_owned(),
        label: Some(label.to_owned()),
        sublabel: None,
        options: options.map(str::to_owned),
        required: false,
        place,
        parent_custom_module_id: None,
        conditional_custom_module_id: None,
        filter_type: None,
        value_to_filter: None,
        created_at: AT,
    }
}

fn file() -> FileAttachment {
    FileAttachment {
        id: Id::new(600),
        org_id: Id::new(1),
        unit_id: Id::new(1),
        form_answer_id: Some(Id::new(901)),
        form_answer_group_id: Some(Id::new(2_000_000_001)),
        patient_id: Some(Id::new(7)),
        custom_module_id: None,
        custom_module_form_id: None,
        user_id: Id::new(5),
        proxy_id: None,
        file_name: "scan.txt".to_owned(),
        content_type: "text/plain".to_owned(),
        byte_size: 3,
        checksum: "Mevfzot3rEnX9VBt0UlYMA==".to_owned(),
        blob_id: None,
        content_hash: Some("ab12".to_owned()),
        attached_at: Some(AT),
        version: 1,
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
    }
}

fn individual() -> IndividualClientNote {
    IndividualClientNote {
        id: Id::new(800),
        org_id: Id::new(1),
        unit_id: Id::new(1),
        form_answer_group_id: Id::new(2_000_000_001),
        user_id: Id::new(7),
        content: Some("Spoke".to_owned()),
        attended: Some(true),
        join_time: Some(AT),
        leave_time: None,
        version: 1,
        created_at: AT,
        updated_at: AT,
    }
}

fn hashed(
    group: &FormAnswerGroup,
    files: &[FileAttachment],
    individual: &[IndividualClientNote],
) -> String {
    let questions =
        [question(1, "How are you?", Some("Well\nIll")), question(2, "Since when?", None)];
    let questions: HashMap<Id<QuestionVersion>, QuestionVersion> =
        questions.into_iter().map(|it| (it.id, it)).collect();
    // In the order of their places, however they were read.
    let answers = [answer(2, None), answer(1, Some("Well"))];
    hash(group, &answers, (files, individual), &questions)
}

#[test]
fn dom_16_what_was_signed_before_there_were_group_notes_has_the_same_hash() {
    assert_eq!(
        hashed(&group(), &[], &[]),
        "9eda05e00a6351f446cb9e7fc0f2b31cd239dd6edf5268fd8cae200088ca4afd"
    );
    let alone = FormAnswerGroup { appointment_id: None, ..group() };
    assert_eq!(
        hashed(&alone, &[], &[]),
        "6e8fa231115ea71dfd301a7ebb81810e88993d07ba1969dee625112e1d10c132"
    );
    assert_eq!(
        hashed(&group(), &[file()], &[]),
        "bb32b6e5a4a1ed8122fb59da2ed7dd614ca145b1933bb7ccfd62ab93a4f3eb5b"
    );
}

#[test]
fn dom_16_what_was_signed_of_a_group_has_the_same_hash() {
    let circle = FormAnswerGroup { is_group_appt_note: true, ..group() };
    assert_eq!(
        hashed(&circle, &[], &[individual()]),
        "a825729787e563508fcf18fa9cf84566d47ce69fb53a381800d05b0dd64a5143"
    );
    assert_eq!(
        hashed(&circle, &[], &[]),
        "9eda05e00a6351f446cb9e7fc0f2b31cd239dd6edf5268fd8cae200088ca4afd",
        "it is the same where nobody came"
    );
}
