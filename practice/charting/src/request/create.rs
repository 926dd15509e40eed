//! `createRequestedFormCompletion`: asking clients and groups to fill in a form, once or again and
//! again (behaviour 28).
//!
//! One client who is named as `recipient_id` is asked at once, and the request is answered. Of
//! `recipient_ids` the first are asked at once, the others by jobs, and the answer says no more than
//! that it was taken.

use serde_json::json;
use ward_clients::rules as texts;
use ward_engine::{Answer, Call, Out, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_instance::Timestamp;
use ward_store::{Id, Level, Query, Sql, Value};

use super::ask::{self, Asking};
use super::input::{self, CreateRequest, Named};
use super::rules::{self, Schedule, USUAL_MINUTE};
use super::tables::RecurringForm;
use super::{RECURRING_MAX, recipients, spawn};
use crate::flow::input::form as form_of;
use crate::flow::tables::ItemType;
use crate::form::caller;
use crate::tables::CustomModuleForm;

/// What the answer says of everything that was taken.
const TAKEN: &str = "Success";

/// Asks.
pub async fn create(call: &mut Call<'_>, input: &CreateRequest) -> Answer<Payload> {
    members_only(call.actor)?;
    let form = form(call, input).await?;
    let mut problems = Problems::new();
    texts::metadata("metadata", &input.metadata, &mut problems);
    let zone = ward_engine::moment::zone(&call.actor.time_zone);
    let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
    let (schedule, end) = match input.is_recurring.is_true() {
        true => {
            let ends = (&input.recurrence_ends, &input.ends_on);
            let end = input::ends(ends, None, &zone, &mut problems).flatten();
            (rules::schedule(&input.said(), None, &mut problems), end)
        }
        false => (None, None),
    };
    problems.check()?;
    let single = named(&input.recipient_id);
    let mut whom = input.recipient_ids.value().map(|it| it.0.clone()).unwrap_or_default();
    let taken =
        Payload::new().leaf("requestedFormCompletionStatus", Out::Json(json!({ "status": TAKEN })));
    if let (Some(client), true, None) = (single, whom.is_empty(), schedule) {
        let client = recipients::client(call, client, &form, "recipient_id").await?;
        if !ask::has_room(call, client.id).await? {
            return Err(ask::full("recipient_id"));
        }
        let asking = Asking {
            form: form.id,
            sender: caller(call),
            recurring: None,
            metadata: input.metadata.trimmed().map(str::to_owned),
            skips_notice: input.skip_notification_email.is_true(),
        };
        let row = ask::ask(call, &client, &asking).await?;
        return Ok(taken.one("requestedFormCompletion", row.id.0));
    }
    let at = if whom.is_empty() { "recipient_id" } else { "recipient_ids" };
    let besides = single.map(Named::Client).filter(|it| !whom.contains(it));
    whom.extend(besides);
    if whom.is_empty() {
        return Err(Refused::on("recipient_ids", "Recipient ids can't be blank"));
    }
    recipients::may_ask(call, &whom, &form, at).await?;
    plan(call, input, &form, (&whom, schedule, end)).await?;
    Ok(taken)
}

/// Writes down what is to be asked of whom, and when; what is to be asked now is begun.
async fn plan(
    call: &mut Call<'_>,
    input: &CreateRequest,
    form: &CustomModuleForm,
    (whom, schedule, end): (&[Named], Option<Schedule>, Option<Timestamp>),
) -> Answer<()> {
    if schedule.is_some() {
        room(call).await?;
    }
    let now = call.now();
    let mut row = RecurringForm {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        user_id: caller(call),
        custom_module_form_id: form.id,
        frequency: schedule.map(|it| it.frequency),
        interval_text: schedule.map(|it| it.interval()),
        minute_of_day: schedule.map_or(USUAL_MINUTE, |it| it.minute),
        time_zone: call.actor.time_zone.to_string(),
        recurrence_end_at: end,
        is_active: true,
        next_at: Some(now),
        asked_until: 0,
        skips_notice: input.skip_notification_email.is_true(),
        metadata: input.metadata.trimmed().map(str::to_owned),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    if schedule.is_some() {
        row.next_at = Some(spawn::next(&row, now).ok_or_else(never)?);
    }
    call.create(&row).await?;
    recipients::add(call, &row, whom).await?;
    match schedule {
        Some(_) => Ok(spawn::plan(call, &row).await?),
        None => spawn::some(call, &row).await.map(drop),
    }
}

/// What is said of a recurrence that ends before it begins.
pub fn never() -> Refused {
    Refused::on("ends_on", "It would never be due: ends_on must be a day on which it still comes")
}

async fn room(call: &mut Call<'_>) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM recurring_forms WHERE org_id = $1 AND unit_id = $2 \
         AND frequency IS NOT NULL AND deleted_at IS NULL",
        [call.actor.org_id.into(), call.actor.unit_id.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match count < RECURRING_MAX {
        true => Ok(()),
        false => Err(Refused::base(format!(
            "An organization can have {RECURRING_MAX} recurring forms; delete one first"
        ))),
    }
}

/// The form that is asked for: one that clients fill in, and that asks something.
async fn form(call: &mut Call<'_>, input: &CreateRequest) -> Answer<CustomModuleForm> {
    let at = if input.form.is_given() { "form" } else { "custom_module_form_id" };
    let (named, older) = (form_of(&input.form), form_of(&input.custom_module_form_id));
    if named.zip(older).is_some_and(|(named, older)| named != older) {
        let sentence = "Form and custom_module_form_id name two forms; send one of them";
        return Err(Refused::on("custom_module_form_id", sentence));
    }
    let id = named.or(older);
    let item_type = input.item_type.trimmed().and_then(ItemType::meant);
    let is_built_in = item_type.is_some_and(|it| ItemType::FIXED.contains(&it));
    let Some(id) = id.filter(|_| !is_built_in) else {
        let sentence = "Form must be the id of a form of the practice's, which formTypesToRequest \
                        lists; built-in forms can't be requested";
        return Err(Refused::on(at, sentence));
    };
    let found = call.visible_for_reference::<CustomModuleForm>(id, Level::Full).await?;
    let (form, _) = found.ok_or_else(|| Refused::not_found(at))?;
    if form.use_for_charting || form.use_for_program {
        let sentence = "Clients fill in intake forms only; this one is for notes or a program";
        return Err(Refused::on(at, sentence));
    }
    if form.is_archived {
        return Err(Refused::on(at, "This form is archived; put it to use again first"));
    }
    let sql = Sql::fixed(
        "SELECT 1 FROM custom_modules q WHERE q.org_id = $1 AND q.custom_module_form_id = $2 \
         AND q.deleted_at IS NULL LIMIT 1",
        [call.actor.org_id.into(), id.0.into()],
    );
    match call.tx.rows(&sql).await?.is_empty() {
        true => Err(Refused::on(at, "This form has no question yet; add one first")),
        false => Ok(form),
    }
}
