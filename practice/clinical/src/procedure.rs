//! Procedures: `createProcedure` and its siblings.

use ward_engine::{Answer, Call, Given, Payload, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;

use crate::client;
use crate::codes::System;
use crate::rules;
use crate::tables::Procedure;

/// Of the C-CDA's value set of procedure states.
pub const STATUSES: &[&str] = &["active", "completed", "aborted", "cancelled"];

input! {
    /// `createProcedureInput`.
    pub struct CreateProcedure {
        user_id: IdOrBlank<User>,
        code: String,
        code_system_name: String,
        display_name: String,
        procedure_start_datetime: String,
        procedure_end_datetime: String,
        status: String,
        target_site: String,
    }
}

input! {
    /// `updateProcedureInput`.
    pub struct UpdateProcedure {
        id: IdOrBlank<Procedure>,
        code: String,
        code_system_name: String,
        display_name: String,
        procedure_start_datetime: String,
        procedure_end_datetime: String,
        status: String,
        target_site: String,
    }
}

input! {
    /// `deleteProcedureInput`.
    pub struct DeleteProcedure { id: IdOrBlank<Procedure> }
}

/// What either input says.
struct Said<'a> {
    code: &'a Given<String>,
    code_system_name: &'a Given<String>,
    display_name: &'a Given<String>,
    start: &'a Given<String>,
    end: &'a Given<String>,
    status: &'a Given<String>,
    target_site: &'a Given<String>,
}

macro_rules! said {
    ($input:expr) => {
        Said {
            code: &$input.code,
            code_system_name: &$input.code_system_name,
            display_name: &$input.display_name,
            start: &$input.procedure_start_datetime,
            end: &$input.procedure_end_datetime,
            status: &$input.status,
            target_site: &$input.target_site,
        }
    };
}

/// The code and its system as they are kept: each needs the other.
pub fn coded(
    code: Option<&str>,
    system: Option<&str>,
    problems: &mut Problems,
) -> (Option<String>, Option<String>) {
    let known = || System::ALL.map(System::name).join(", ");
    match (code, system) {
        (None, None) => (None, None),
        (None, Some(_)) => {
            problems.add("code", "Code can't be blank where its system is named");
            (None, None)
        }
        (Some(_), None) => {
            let sentence = format!("Code system name can't be blank with a code: {}", known());
            problems.add("code_system_name", sentence);
            (None, None)
        }
        (Some(code), Some(name)) => {
            let Some(system) = System::of_name(name) else {
                let sentence = format!("Code system name must be one of {}", known());
                problems.add("code_system_name", sentence);
                return (None, None);
            };
            let kept = system.code(code);
            if kept.is_none() {
                let (name, example) = (system.name(), system.example());
                problems.add("code", format!("Code must be one of {name} such as {example}"));
            }
            (kept, Some(system.name().to_owned()))
        }
    }
}

impl Said<'_> {
    /// The row with what was sent: it has a name or a code.
    fn write(&self, call: &Call<'_>, row: &mut Procedure) -> Answer<()> {
        let mut problems = Problems::new();
        let lines = [("display_name", self.display_name), ("target_site", self.target_site)];
        rules::lines(&lines, &mut problems);
        self.display_name.set_text(&mut row.display_name);
        self.target_site.set_text(&mut row.target_site);
        self.code.set_text(&mut row.code);
        self.code_system_name.set_text(&mut row.code_system_name);
        (row.code, row.code_system_name) =
            coded(row.code.as_deref(), row.code_system_name.as_deref(), &mut problems);
        let status = ("status", self.status);
        row.status = rules::word_of(status, row.status.take(), STATUSES, &mut problems);
        let zone = &call.request.zone;
        let (began, ended) = ("procedure_start_datetime", "procedure_end_datetime");
        row.procedure_start_datetime = rules::moment_of(
            (began, self.start),
            row.procedure_start_datetime,
            zone,
            &mut problems,
        );
        row.procedure_end_datetime =
            rules::moment_of((ended, self.end), row.procedure_end_datetime, zone, &mut problems);
        let (start, end) = (row.procedure_start_datetime, row.procedure_end_datetime);
        rules::ordered((began, start), (ended, end), &mut problems);
        if problems.is_empty() && row.display_name.is_none() && row.code.is_none() {
            problems.add("display_name", "Display name can't be blank where there is no code");
        }
        problems.check()
    }
}

/// Notes a procedure.
pub async fn create(call: &mut Call<'_>, input: &CreateProcedure) -> Answer<Payload> {
    let client = client::to_write::<Procedure>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = Procedure {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        code: None,
        code_system_name: None,
        display_name: None,
        status: None,
        target_site: None,
        procedure_start_datetime: None,
        procedure_end_datetime: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    said!(input).write(call, &mut row)?;
    call.create(&row).await?;
    Ok(Payload::new().one("procedure", row.id.0))
}

/// Changes a procedure.
pub async fn update(call: &mut Call<'_>, input: &UpdateProcedure) -> Answer<Payload> {
    let before: Procedure = client::to_change(call, &input.id).await?;
    let mut after = before.clone();
    said!(input).write(call, &mut after)?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("procedure", after.id.0))
}

/// Takes a procedure off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteProcedure) -> Answer<Payload> {
    let row: Procedure = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("procedure", row.id.0))
}
