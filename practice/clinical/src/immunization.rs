//! Immunizations: `createImmunization` and `updateImmunization`. The contract has no deletion: what
//! was noted by mistake becomes `entered-in-error`.

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, input};
use ward_identity::id_or_blank::{IdOrBlank, named};
use ward_identity::tables::User;

use crate::client;
use crate::codes;
use crate::rules::{self, NOTES_CHARS_MAX};
use crate::tables::Immunization;

/// Of FHIR's Immunization.status (R4).
pub const STATUSES: &[&str] = &["completed", "not-done", "entered-in-error"];

input! {
    /// `createImmunizationInput`.
    pub struct CreateImmunization {
        user_id: IdOrBlank<User>,
        vaccine_name: String,
        cvx_code: i64,
        received_at: String,
        status: String,
        additional_notes: String,
    }
}

input! {
    /// `updateImmunizationInput`.
    pub struct UpdateImmunization {
        id: IdOrBlank<Immunization>,
        user_id: IdOrBlank<User>,
        vaccine_name: String,
        cvx_code: i64,
        received_at: String,
        status: String,
        additional_notes: String,
    }
}

/// What either input says.
struct Said<'a> {
    vaccine_name: &'a Given<String>,
    cvx_code: &'a Given<i64>,
    received_at: &'a Given<String>,
    status: &'a Given<String>,
    additional_notes: &'a Given<String>,
}

macro_rules! said {
    ($input:expr) => {
        Said {
            vaccine_name: &$input.vaccine_name,
            cvx_code: &$input.cvx_code,
            received_at: &$input.received_at,
            status: &$input.status,
            additional_notes: &$input.additional_notes,
        }
    };
}

impl Said<'_> {
    /// The row with what was sent; of a new one all is there but the notes.
    fn write(&self, call: &Call<'_>, row: &mut Immunization, is_new: bool) -> Answer<()> {
        let mut problems = Problems::new();
        let name = ("vaccine_name", self.vaccine_name);
        rules::lines(&[name], &mut problems);
        if is_new || name.1.is_given() {
            rules::required(name.0, name.1, &mut problems);
        }
        row.vaccine_name = name.1.trimmed().map_or(row.vaccine_name.clone(), str::to_owned);
        rules::bounded("additional_notes", self.additional_notes, NOTES_CHARS_MAX, &mut problems);
        self.additional_notes.set_text(&mut row.additional_notes);
        match self.cvx_code {
            Given::Value(code) if codes::is_cvx(*code) => row.cvx_code = *code,
            Given::Value(_) => {
                problems.add("cvx_code", "Cvx code must be a number from 1 to 999, such as 140");
            }
            Given::Absent if !is_new => {}
            Given::Absent | Given::Null => problems.add("cvx_code", "Cvx code can't be blank"),
        }
        let status = Some(row.status.clone());
        let status = rules::word_of(("status", self.status), status, STATUSES, &mut problems);
        match status {
            Some(status) => row.status = status,
            None if is_new => row.status = "completed".to_owned(),
            // Nothing said is no reason to count what was entered in error as given.
            None => {}
        }
        self.write_moment(call, row, is_new, &mut problems);
        problems.check()
    }

    fn write_moment(
        &self,
        call: &Call<'_>,
        row: &mut Immunization,
        is_new: bool,
        problems: &mut Problems,
    ) {
        let field = "received_at";
        if is_new || self.received_at.is_given() {
            rules::required(field, self.received_at, problems);
        }
        let before = Some(row.received_at);
        let sent = (field, self.received_at);
        let at = rules::moment_of(sent, before, &call.request.zone, problems);
        if at.is_some_and(|at| at > rules::end_of_today(call.now())) {
            problems.add(field, "Received at can't be in the future");
        }
        row.received_at = at.unwrap_or(row.received_at);
    }
}

/// Notes a vaccine.
pub async fn create(call: &mut Call<'_>, input: &CreateImmunization) -> Answer<Payload> {
    let client = client::to_write::<Immunization>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = Immunization {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        vaccine_name: String::new(),
        cvx_code: 0,
        status: "completed".to_owned(),
        additional_notes: None,
        received_at: now,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    said!(input).write(call, &mut row, true)?;
    call.create(&row).await?;
    Ok(Payload::new().one("immunization", row.id.0))
}

/// Changes one; it stays the client's whose it is.
pub async fn update(call: &mut Call<'_>, input: &UpdateImmunization) -> Answer<Payload> {
    let before: Immunization = client::to_change(call, &input.id).await?;
    if named(&input.user_id).is_some_and(|id| id != before.user_id) {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    said!(input).write(call, &mut after, false)?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("immunization", after.id.0))
}
