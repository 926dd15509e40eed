//! Smoking status: `createSmokingStatus` and its siblings. A client has several, one after the
//! other.

use ward_engine::{Answer, Call, Given, Payload, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;

use crate::client;
use crate::codes::System;
use crate::rules;
use crate::tables::SmokingStatus;

input! {
    /// `createSmokingStatusInput`.
    pub struct CreateSmoking {
        user_id: IdOrBlank<User>,
        smoking_status_code: String,
        status_start_datetime: String,
        status_end_datetime: String,
    }
}

input! {
    /// `updateSmokingStatusInput`.
    pub struct UpdateSmoking {
        id: IdOrBlank<SmokingStatus>,
        smoking_status_code: String,
        status_start_datetime: String,
        status_end_datetime: String,
    }
}

input! {
    /// `deleteSmokingStatusInput`.
    pub struct DeleteSmoking { id: IdOrBlank<SmokingStatus> }
}

/// The row with what was sent.
fn write(
    call: &Call<'_>,
    row: &mut SmokingStatus,
    code: &Given<String>,
    (start, end): (&Given<String>, &Given<String>),
) -> Answer<()> {
    let mut problems = Problems::new();
    let before = Some(row.smoking_status_code.clone()).filter(|code| !code.is_empty());
    let field = "smoking_status_code";
    let kept = rules::code_of((field, code), before, &[System::SnomedCt], &mut problems);
    if kept.is_none() && problems.is_empty() {
        problems.add(field, "Smoking status code can't be blank");
    }
    row.smoking_status_code = kept.unwrap_or_default();
    let zone = &call.request.zone;
    let (began, ended) = ("status_start_datetime", "status_end_datetime");
    row.status_start_datetime =
        rules::moment_of((began, start), row.status_start_datetime, zone, &mut problems);
    row.status_end_datetime =
        rules::moment_of((ended, end), row.status_end_datetime, zone, &mut problems);
    let (start, end) = (row.status_start_datetime, row.status_end_datetime);
    rules::ordered((began, start), (ended, end), &mut problems);
    problems.check()
}

/// Notes whether a client smokes.
pub async fn create(call: &mut Call<'_>, input: &CreateSmoking) -> Answer<Payload> {
    let client = client::to_write::<SmokingStatus>(call, &input.user_id).await?;
    let now = call.now();
    let mut row = SmokingStatus {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        user_id: client.id,
        smoking_status_code: String::new(),
        status_start_datetime: None,
        status_end_datetime: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let between = (&input.status_start_datetime, &input.status_end_datetime);
    write(call, &mut row, &input.smoking_status_code, between)?;
    call.create(&row).await?;
    Ok(Payload::new().one("smokingStatus", row.id.0))
}

/// Changes a status.
pub async fn update(call: &mut Call<'_>, input: &UpdateSmoking) -> Answer<Payload> {
    let before: SmokingStatus = client::to_change(call, &input.id).await?;
    let mut after = before.clone();
    let between = (&input.status_start_datetime, &input.status_end_datetime);
    write(call, &mut after, &input.smoking_status_code, between)?;
    call.update(&before, &after).await?;
    Ok(Payload::new().one("smokingStatus", after.id.0))
}

/// Takes a status off the list.
pub async fn delete(call: &mut Call<'_>, input: &DeleteSmoking) -> Answer<Payload> {
    let row: SmokingStatus = client::to_change(call, &input.id).await?;
    call.destroy(&row).await?;
    Ok(Payload::new().one("smokingStatus", row.id.0))
}
