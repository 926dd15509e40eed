//! The individual notes of one group note while it is written.

use std::collections::BTreeSet;

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Level, OrderKey};

use super::input::{AT, Said};
use super::session::attendees;
use super::tables::IndividualClientNote;
use crate::filled::input::{FORM_CHARS_MAX, kept};
use crate::filled::tables::FormAnswerGroup;

/// What is said to whoever would write of single clients in another note.
pub const NO_GROUP: &str = "Individual notes are of a group's appointment: name it by appointment_id when the note is begun, with a form for charting";

/// What is said to whoever would take a group note to another appointment.
pub const STAYS: &str =
    "A note of a group stays with the group's appointment; begin another note for another one";

/// What is said to whoever says two things of one client: none of them is lost to the other.
pub const TWICE: &str = "Two of the individual notes are of the same client; send all that is said of a client in one of them";

/// The individual notes, as they are and as they will be.
pub struct Notes {
    before: Vec<IndividualClientNote>,
    after: Vec<IndividualClientNote>,
    is_of_group: bool,
}

/// All individual notes of a note, whoever sees them: for rules, never for answers.
pub async fn all(
    call: &mut Call<'_>,
    group: &FormAnswerGroup,
) -> Answer<Vec<IndividualClientNote>> {
    if !group.is_group_appt_note {
        return Ok(Vec::new());
    }
    let keys = [OrderKey::column("id", false)];
    Ok(call.list(Cond::eq("form_answer_group_id", group.id.0), &keys).await?)
}

impl Notes {
    /// Of a note that is held, or that is made in this call.
    pub async fn of(call: &mut Call<'_>, group: &FormAnswerGroup) -> Answer<Self> {
        let before = all(call, group).await?;
        let is_of_group = group.is_group_appt_note;
        Ok(Notes { after: before.clone(), before, is_of_group })
    }

    /// Gives each client who attends a note, who has none yet.
    pub async fn complete(&mut self, call: &mut Call<'_>, group: &FormAnswerGroup) -> Answer<()> {
        let Some(appointment) = group.appointment_id.filter(|_| self.is_of_group) else {
            return Ok(());
        };
        for client in attendees(call, appointment).await? {
            if self.after.iter().any(|it| it.user_id == client.id) {
                continue;
            }
            let now = call.now();
            self.after.push(IndividualClientNote {
                id: call.next_id().await?,
                org_id: group.org_id,
                unit_id: client.unit_id,
                form_answer_group_id: group.id,
                user_id: client.id,
                content: None,
                attended: client.attended,
                join_time: None,
                leave_time: None,
                version: 1,
                created_at: now,
                updated_at: now,
            });
        }
        Ok(())
    }

    /// Writes what was said; nobody writes of a client whom they don't see.
    pub async fn write(&mut self, call: &mut Call<'_>, said: &[Said]) -> Answer<()> {
        let mut written = BTreeSet::new();
        for said in said {
            let at = self.place(call, said).await?;
            if !written.insert(at) {
                return Err(Refused::on(AT, TWICE));
            }
            let Some(row) = self.after.get_mut(at) else { continue };
            said.attended.set(&mut row.attended);
            said.join_time.set(&mut row.join_time);
            said.leave_time.set(&mut row.leave_time);
            if said.content.is_given() {
                row.content = said.content.value().and_then(|text| kept(text));
            }
            if row.join_time.zip(row.leave_time).is_some_and(|(join, leave)| leave < join) {
                return Err(Refused::on("leave_time", "Leave time can't be before join time"));
            }
        }
        let texts = self.after.iter().filter_map(|it| it.content.as_ref());
        match texts.map(|text| text.chars().count()).sum::<usize>() > FORM_CHARS_MAX {
            true => Err(Refused::on(
                AT,
                format!(
                    "The individual notes of a note can have at most {FORM_CHARS_MAX} characters together; shorten some"
                ),
            )),
            false => Ok(()),
        }
    }

    /// Where the note is that is meant.
    async fn place(&self, call: &mut Call<'_>, said: &Said) -> Answer<usize> {
        if let Some(user) = said.user {
            let found: Option<(User, _)> = call.visible(user, Level::Full).await?;
            let client = found.map(|(user, _)| user).filter(|it| it.is_patient);
            client.ok_or_else(|| Refused::not_found("user_id"))?;
        }
        if let Some(id) = said.id {
            let found = call.visible::<IndividualClientNote>(id, Level::Full).await?;
            let (row, _) = found.ok_or_else(|| Refused::not_found("id"))?;
            if said.user.is_some_and(|user| user != row.user_id) {
                return Err(Refused::on("user_id", "This individual note is of another client"));
            }
            let at = self.after.iter().position(|it| it.id == id);
            return at.ok_or_else(|| Refused::on("id", "This individual note is of another note"));
        }
        if !self.is_of_group {
            return Err(Refused::on(AT, NO_GROUP));
        }
        let Some(user) = said.user else {
            let sentence =
                "Name the client of an individual note by user_id, or the note by its id";
            return Err(Refused::on("user_id", sentence));
        };
        let at = self.after.iter().position(|it| it.user_id == user);
        at.ok_or_else(|| Refused::on("user_id", "The client doesn't attend this appointment"))
    }

    /// Writes the rows; whether that changed anything. In the log each concerns the client whose
    /// it is.
    pub async fn save(&self, call: &mut Call<'_>) -> Answer<bool> {
        let (old, new) = self.after.split_at(self.before.len().min(self.after.len()));
        let mut changed = !new.is_empty();
        let subject = call.scope.subject_id;
        for (before, after) in self.before.iter().zip(old) {
            call.scope.subject_id = Some(after.user_id.0);
            changed |= !call.update(before, after).await?.is_empty();
        }
        call.scope.subject_id = subject;
        if !new.is_empty() {
            let client = |it: &IndividualClientNote| Some(it.user_id.0);
            call.create_all_about(new, client).await?;
        }
        Ok(changed)
    }
}
