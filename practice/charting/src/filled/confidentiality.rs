//! How confidential a form or note is (DOM-31): what its template says when it is begun, or
//! stricter. It keeps that; what the template says later changes nothing of it.

use ward_engine::{Answer, Call, Given, Problems};
use ward_identity::flags::CAN_EDIT_FORMS;
use ward_identity::permit::requires;
use ward_store::{Actor, Cond};

use super::input::{CreateGroup, UpdateGroup};
use super::tables::FormAnswerGroup;
use crate::form::caller;
use crate::rules::confidentiality::{FOR_NOTES, Takes, begun, takes};
use crate::tables::{Confidentiality, CustomModuleForm};

const AT: &str = "confidentiality";

/// Names stand in the audit log in plain, which others read.
const NAMED: &str =
    "Counselling notes have no name of their own: names are in the audit log; leave name out";

/// Not a counselling note.
pub fn in_record() -> Cond {
    Cond::sql("{t}.confidentiality <> ?", [Confidentiality::CounsellingNotes.as_str().into()])
}

/// Not a counselling note, or the actor's own: whatever else they may, nobody reads another's.
pub fn readable(actor: &Actor) -> Cond {
    in_record().or(Cond::eq("filler_id", actor.user_id))
}

/// What its form may repeat: nothing that is stricter than what is written with it now.
pub fn repeatable() -> Cond {
    Cond::sql(
        "({t}.confidentiality = ? OR {t}.confidentiality = (SELECT f.confidentiality \
         FROM custom_module_forms f WHERE f.org_id = {t}.org_id \
         AND f.id = {t}.custom_module_form_id))",
        [Confidentiality::Normal.as_str().into()],
    )
}

/// How confidential what is begun is.
pub fn of_new(
    call: &Call<'_>,
    input: &CreateGroup,
    form: &CustomModuleForm,
    problems: &mut Problems,
) -> Confidentiality {
    let wanted = wanted(call, &input.confidentiality, problems);
    let found = begun(form.confidentiality, wanted).unwrap_or_else(|sentence| {
        problems.add(AT, sentence);
        form.confidentiality
    });
    if found != Confidentiality::Normal && call.actor.proxy_id.is_some() {
        problems.add("custom_module_form_id", "This form is the client's own to fill in");
    }
    if found == Confidentiality::CounsellingNotes {
        check_note(form.use_for_charting, problems);
        check_name(&input.name, &form.name, problems);
        if caller(call).is_none() {
            problems.add(AT, "Counselling notes are their author's alone; write them as a member");
        }
    }
    found
}

/// How confidential what is there is from now on.
pub fn of_changed(
    call: &Call<'_>,
    input: &UpdateGroup,
    before: &FormAnswerGroup,
    problems: &mut Problems,
) -> Answer<Confidentiality> {
    let now = before.confidentiality;
    let found = wanted(call, &input.confidentiality, problems).unwrap_or(now);
    let is_author = before.filler_id.is_some() && before.filler_id == caller(call);
    match takes(now, found) {
        Takes::Nothing => {}
        Takes::Author | Takes::AuthorOrEditor if is_author => {}
        Takes::Author => problems.add(
            AT,
            "Only its author makes a note a counselling note: nobody else reads it from then on",
        ),
        Takes::AuthorOrEditor => requires(call.actor, CAN_EDIT_FORMS)?,
    }
    if found == Confidentiality::CounsellingNotes {
        check_note(before.use_for_charting, problems);
        check_name(&input.name, &before.name, problems);
    }
    Ok(found)
}

/// What was sent of it; a client says nothing of it.
fn wanted(
    call: &Call<'_>,
    given: &Given<String>,
    problems: &mut Problems,
) -> Option<Confidentiality> {
    let wanted = given.trimmed().and_then(Confidentiality::from_text)?;
    if call.actor.is_client() {
        problems.add(AT, "How confidential a form is, is your practice's to say");
        return None;
    }
    Some(wanted)
}

fn check_note(use_for_charting: bool, problems: &mut Problems) {
    if !use_for_charting {
        problems.add(AT, FOR_NOTES);
    }
}

fn check_name(given: &Given<String>, own: &str, problems: &mut Problems) {
    if given.trimmed().is_some_and(|name| name != own.trim()) {
        problems.add("name", NAMED);
    }
}
