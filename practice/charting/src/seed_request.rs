//! What a seeded practice asks its clients besides the intake flow: one request that waits, one
//! that is completed by what was filled in before, and one that comes back every week. Rows as the
//! operations would have left them, without events or mails.

use ward_identity::person::DEFAULT_ZONE;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Id, OrderKey, Scope, StoreError};

use crate::filled::tables::FormAnswerGroup;
use crate::request::rules::USUAL_MINUTE;
use crate::request::spawn;
use crate::request::tables::{
    Action, FormHistory, Frequency, RecurringForm, RecurringFormRecipient, RequestedFormCompletion,
    Status,
};
use crate::seed_filled::Laid;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;
/// What the first client is asked and has filled in, and the third one every week.
const SCREENING: &str = "PHQ-9 Patient Health Questionnaire";
const WEEKLY: &str = "GAD-7 Anxiety Scale";

/// Lays what there are clients and forms for.
pub async fn lay(
    scope: &mut Scope<'_>,
    (forms, provider): (&[Laid], &User),
    clients: &[User],
) -> Result<(), StoreError> {
    let form = |name: &str| forms.iter().find(|it| it.form.name == name);
    let theirs = |at: usize| clients.get(at).filter(|it| it.org_id == provider.org_id);
    if let (Some(form), Some(client)) = (form(SCREENING), theirs(0)) {
        lay_completed(scope, (form, provider), client).await?;
    }
    if let (Some(form), Some(client)) = (form(SCREENING), theirs(1)) {
        let asked_at = scope.now().minus_micros(2 * DAY);
        let row = request(scope, (form, provider), client, asked_at).await?;
        write(scope, (form, &row), &[(Action::Created, Some(provider.id), asked_at)]).await?;
    }
    match (form(WEEKLY), theirs(2)) {
        (Some(form), Some(client)) => lay_recurring(scope, (form, provider), client).await,
        _ => Ok(()),
    }
}

/// A request that waits.
async fn request(
    scope: &mut Scope<'_>,
    (of, provider): (&Laid, &User),
    client: &User,
    at: Timestamp,
) -> Result<RequestedFormCompletion, StoreError> {
    Ok(RequestedFormCompletion {
        id: scope.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        recipient_id: client.id,
        sender_id: Some(provider.id),
        custom_module_form_id: of.form.id,
        recurring_form_id: None,
        occurs_at: None,
        form_answer_group_id: None,
        status: Status::Open,
        completed_at: None,
        metadata: None,
        version: 1,
        created_at: at,
        updated_at: at,
        deleted_at: None,
    })
}

/// Asked the day before the client filled it in.
async fn lay_completed(
    scope: &mut Scope<'_>,
    (of, provider): (&Laid, &User),
    client: &User,
) -> Result<(), StoreError> {
    let filled = Cond::eq("user_id", client.id.0)
        .and(Cond::eq("custom_module_form_id", of.form.id.0))
        .and(Cond::is_true("finished"));
    let groups: Vec<FormAnswerGroup> = scope.list(filled, &[OrderKey::column("id", false)]).await?;
    let Some(group) = groups.first() else { return Ok(()) };
    let done_at = group.completed_at.unwrap_or(group.created_at);
    let asked_at = done_at.minus_micros(DAY);
    let mut row = request(scope, (of, provider), client, asked_at).await?;
    row.status = Status::Completed;
    row.form_answer_group_id = Some(group.id);
    row.completed_at = Some(done_at);
    row.updated_at = done_at;
    let deeds = [
        (Action::Created, Some(provider.id), asked_at),
        (Action::Opened, Some(client.id), done_at),
        (Action::Completed, Some(client.id), done_at),
    ];
    write(scope, (of, &row), &deeds).await
}

/// Who did what, and when.
type Deed = (Action, Option<Id<User>>, Timestamp);

/// Writes a request with what became of it.
async fn write(
    scope: &mut Scope<'_>,
    (of, row): (&Laid, &RequestedFormCompletion),
    deeds: &[Deed],
) -> Result<(), StoreError> {
    let mut histories = Vec::with_capacity(deeds.len());
    for (action, creator_id, created_at) in deeds {
        histories.push(FormHistory {
            id: scope.next_id().await?,
            org_id: row.org_id,
            unit_id: row.unit_id,
            patient_id: row.recipient_id,
            creator_id: *creator_id,
            action: *action,
            title: Some(of.form.name.clone()),
            requested_form_completion_id: Some(row.id),
            onboarding_item_id: None,
            created_at: *created_at,
        });
    }
    scope.create_all_about(std::slice::from_ref(row), |it| Some(it.recipient_id.0)).await?;
    scope.create_all_about(&histories, |it: &FormHistory| Some(it.patient_id.0)).await
}

/// Every Monday at nine, for the client.
async fn lay_recurring(
    scope: &mut Scope<'_>,
    (of, provider): (&Laid, &User),
    client: &User,
) -> Result<(), StoreError> {
    let now = scope.now();
    let mut row = RecurringForm {
        id: scope.next_id().await?,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        user_id: Some(provider.id),
        custom_module_form_id: of.form.id,
        frequency: Some(Frequency::Weekly),
        interval_text: Some("Monday".to_owned()),
        minute_of_day: USUAL_MINUTE,
        time_zone: provider.timezone.clone().unwrap_or_else(|| DEFAULT_ZONE.to_owned()),
        recurrence_end_at: None,
        is_active: true,
        next_at: None,
        asked_until: 0,
        skips_notice: false,
        metadata: None,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    row.next_at = spawn::next(&row, now);
    row.is_active = row.next_at.is_some();
    scope.create(&row).await?;
    let recipient = RecurringFormRecipient {
        id: scope.next_id().await?,
        org_id: row.org_id,
        recurring_form_id: row.id,
        user_id: Some(client.id),
        user_group_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    scope.create_all_about(std::slice::from_ref(&recipient), |_| Some(client.id.0)).await?;
    spawn::plan(scope, &row).await
}
