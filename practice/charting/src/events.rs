//! Events that the domain emits (behaviour 14).

use ward_scheduling::appointment::table::Appointment;
use ward_store::{Event, Id};

use crate::filled::tables::{ChartingNoteAddendum, FormAnswerGroup};
use crate::flow::tables::CompletedOnboardingItem;
use crate::request::tables::RequestedFormCompletion;
use crate::tables::{CustomModule, CustomModuleForm};

/// A template was made.
pub fn form_created(row: &CustomModuleForm) -> Event {
    form("custom_module_form.created", row)
}

/// These facts of a template changed.
pub fn form_updated(row: &CustomModuleForm, columns: &[&'static str]) -> Event {
    form("custom_module_form.updated", row).changed(columns)
}

/// A template was deleted, and its questions with it.
pub fn form_deleted(row: &CustomModuleForm) -> Event {
    form("custom_module_form.deleted", row)
}

/// A question was added.
pub fn question_created(row: &CustomModule) -> Event {
    question("custom_module.created", row)
}

/// These facts of a question changed.
pub fn question_updated(row: &CustomModule, columns: &[&'static str]) -> Event {
    question("custom_module.updated", row).changed(columns)
}

/// A question was taken out.
pub fn question_deleted(row: &CustomModule) -> Event {
    question("custom_module.deleted", row)
}

/// A form or note was finished.
pub fn group_created(row: &FormAnswerGroup) -> Event {
    group("form_answer_group.created", row)
}

/// A form or note was changed, a draft too: for subscriptions, the catalogue has no such event.
pub fn group_updated(row: &FormAnswerGroup, columns: &[&'static str]) -> Event {
    group("form_answer_group.updated", row).changed(columns)
}

/// A form or note that was finished was deleted.
pub fn group_deleted(row: &FormAnswerGroup) -> Event {
    group("form_answer_group.deleted", row)
}

/// A member signed a form or note.
pub fn group_signed(row: &FormAnswerGroup) -> Event {
    group("form_answer_group.signed", row)
}

/// A form or note was locked.
pub fn group_locked(row: &FormAnswerGroup) -> Event {
    group("form_answer_group.locked", row)
}

/// A locked form or note was opened again.
pub fn group_unlocked(row: &FormAnswerGroup) -> Event {
    group("form_answer_group.unlocked", row)
}

/// A form or note is of an appointment now; the connection goes by the note's id.
pub fn connected(row: &FormAnswerGroup, to: Id<Appointment>) -> Event {
    connection("appointment_form_answer_group_connection.created", row, to)
}

/// It is of another appointment than before.
pub fn reconnected(row: &FormAnswerGroup, to: Id<Appointment>) -> Event {
    let event = connection("appointment_form_answer_group_connection.updated", row, to);
    event.changed(&["appointment_id"])
}

/// It is of no appointment any more.
pub fn disconnected(row: &FormAnswerGroup, from: Id<Appointment>) -> Event {
    connection("appointment_form_answer_group_connection.deleted", row, from)
}

/// Something was added to a locked note.
pub fn addendum_created(row: &ChartingNoteAddendum) -> Event {
    let event = Event::new("charting_note_addendum.created", "ChartingNoteAddendum", row.id.0);
    event.of_unit(row.unit_id.0).about(row.patient_id.0)
}

/// A client has done a step of their intake flow, or skipped it.
pub fn item_completed(row: &CompletedOnboardingItem) -> Event {
    item("completed_onboarding_item.created", row)
}

/// What was skipped is done now.
pub fn item_changed(row: &CompletedOnboardingItem, columns: &[&'static str]) -> Event {
    item("completed_onboarding_item.updated", row).changed(columns)
}

/// A client is asked to fill in a form.
pub fn request_created(row: &RequestedFormCompletion) -> Event {
    request("requested_form_completion.created", row)
}

/// Something was filled in of what a client was asked.
pub fn request_updated(row: &RequestedFormCompletion, columns: &[&'static str]) -> Event {
    request("requested_form_completion.updated", row).changed(columns)
}

/// A client is not asked any more.
pub fn request_deleted(row: &RequestedFormCompletion) -> Event {
    request("requested_form_completion.deleted", row)
}

fn connection(kind: &'static str, row: &FormAnswerGroup, of: Id<Appointment>) -> Event {
    let event = Event::new(kind, "AppointmentFormAnswerGroupConnection", row.id.0);
    let event = event.of_unit(row.unit_id.0).about(row.user_id.0);
    event
        .with("appointment_id", of.0.to_string())
        .with("form_answer_group_id", row.id.0.to_string())
}

fn request(kind: &'static str, row: &RequestedFormCompletion) -> Event {
    let event = Event::new(kind, "RequestedFormCompletion", row.id.0).of_unit(row.unit_id.0);
    event.about(row.recipient_id.0)
}

fn item(kind: &'static str, row: &CompletedOnboardingItem) -> Event {
    let event = Event::new(kind, "CompletedOnboardingItem", row.id.0).of_unit(row.unit_id.0);
    event.about(row.user_id.0)
}

fn group(kind: &'static str, row: &FormAnswerGroup) -> Event {
    let event = Event::new(kind, "FormAnswerGroup", row.id.0).of_unit(row.unit_id.0);
    event.about(row.user_id.0)
}

fn form(kind: &'static str, row: &CustomModuleForm) -> Event {
    Event::new(kind, "CustomModuleForm", row.id.0).of_unit(row.unit_id.0)
}

fn question(kind: &'static str, row: &CustomModule) -> Event {
    let form = row.custom_module_form_id.0.to_string();
    let event = Event::new(kind, "CustomModule", row.id.0).of_unit(row.unit_id.0);
    event.with("custom_module_form_id", form)
}
