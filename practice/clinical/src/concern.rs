//! Health concerns: `createHealthConcern` and its siblings.

use ward_engine::{Answer, Call, Given, Payload, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;

use crate::client;
use crate::codes::System;
use crate::rules::{self, NOTES_CHARS_MAX};
use crate::tables::HealthConcern;

/// The systems that a concern is coded by.
const SYSTEMS: &[System] = &[System::Icd10Cm, System::SnomedCt];

input! {
    /// `createHealthConcernInput`.
    pub struct CreateConcern {
        user_id: IdOrBlank<User>,
        code: String,
        description: String,
        display_name: String,
        effective_time: String,
    }
}

input! {
    /// `updateHealthConcernInput`.
    pub struct UpdateConcern {
        id: IdOrBlank<HealthConcern>,
        code: String,
        description: String,
        display_name: String,
        effective_time: String,
    }
}

input! {
    /// `deleteHealthConcernInput`.
    pub struct DeleteConcern { id: IdOrBlank<HealthConcern> }
}

/// What either input says.
struct Said<'a> {
    code: &'a Given<String>,
    description: &'a Given<String>,
    display_name: &'a Given<String>,
    effective_time: &'a Given<String>,
}

macro_rules! said {
    ($input:expr) => {
        Said {
            code: &$input.code,
            description: &$input.description,
            display_name: &$input.display_name,
            effective_time: &$input.effective_time,
        }
    };
}

impl Said<'_> {
    /// The row with what was sent: it has a name or a code.
    fn write(&self, row: &mut HealthConcern) -> Answer<()> {
        let mut problems = Problems::new();
        rules::lines(&[("display_name", self.display_name)], &mut problems);
        rules::bounded("description", self.description, NOTES_CHARS_MAX, &mut problems);
        self.display_name.set_text(&mut row.display_name);
        self.description.set_text(&mut row.description);
        row.code = rules::code_of(("code", self.code), row.code.take(), SYSTEMS, &mut problems);
        let since = ("effective_time", self.effective_time);
        row.effective_time = rules::day_of(since, row.effective_time, &mut problems);
        if problems.is_empty() && row.display_name.is_none() && row.code.is_none() {
            problems.add("display_name", "Display name can't be blank where there is no code");
        }
        problems.check()
    }
}

/// Notes a concern.
pub async fn create(call: &mut Call<'_>, input: &CreateConcern) -> Answer<Payload> {
    let client = client::to_write::<HealthConcern>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = HealthConcern {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        code: None,
        display_name: None,
        description: None,
        effective_time: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    said!(input).write(&mut row)?;
    call.create(&row).await?;
    Ok(Payload::new().one("health_concern", row.id.0))
}

/// Changes a concern.
pub async fn update(call: &mut Call<'_>, input: &UpdateConcern) -> Answer<Payload> {
    let before: HealthConcern = client::to_change(call, &input.id).await?;
    let mut after = before.clone();
    said!(input).write(&mut after)?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("health_concern", after.id.0))
}

/// Takes a concern off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteConcern) -> Answer<Payload> {
    let row: HealthConcern = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("health_concern", row.id.0))
}
