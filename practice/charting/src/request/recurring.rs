//! Changing and ending what is asked again and again (behaviour 28).

use ward_engine::{Answer, Call, Given, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_store::{Id, Level};

use super::create::never;
use super::input::{self, DestroyRecurring, UpdateRecurring};
use super::recipients;
use super::rules;
use super::spawn;
use super::tables::RecurringForm;
use crate::form::caller;
use crate::tables::CustomModuleForm;

/// One that the caller sees, held until the transaction ends.
pub async fn held(
    call: &mut Call<'_>,
    id: Option<Id<RecurringForm>>,
    at: &str,
) -> Answer<RecurringForm> {
    let id = id.ok_or_else(|| Refused::not_found(at))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(at))
}

/// Changes when and of whom it is asked; what was asked by then stays.
pub async fn update(call: &mut Call<'_>, input: &UpdateRecurring) -> Answer<Payload> {
    members_only(call.actor)?;
    let before = held(call, named(&input.id), "id").await?;
    recipients::may_change(call, &before).await?;
    let mut after = changed(input, &before)?;
    let is_moved = after != before;
    if is_moved {
        let now = call.now();
        let next_at = match after.is_active {
            true => Some(spawn::next(&after, now).ok_or_else(never)?),
            false => None,
        };
        // What is being asked is asked to its end, which goes on as it is said now.
        let is_being_asked = after.is_active && spawn::is_due(&before, now);
        if !is_being_asked {
            after.asked_until = 0;
            after.next_at = next_at;
        }
        // Whoever lets it go on asks in the place of somebody who may act no more.
        if after.is_active && !before.is_active && spawn::sender(call, &before).await?.is_none() {
            after.user_id = caller(call);
        }
    }
    if let Some(whom) = input.recipient_ids.value() {
        if whom.0.is_empty() {
            let sentence = "Recipient ids can't be blank; deleteRecurringForm ends it";
            return Err(Refused::on("recipient_ids", sentence));
        }
        let form: Option<CustomModuleForm> =
            call.find_deleted_too(before.custom_module_form_id).await?;
        let form = form.ok_or_else(|| Refused::not_found("id"))?;
        recipients::may_ask(call, &whom.0, &form, "recipient_ids").await?;
        let is_more = recipients::only(call, &before, &whom.0).await?;
        // Whom they add are asked as far as they see them, not as whoever asked before does.
        if is_more || spawn::sender(call, &before).await?.is_none() {
            after.user_id = caller(call);
        }
    }
    call.update(&before, &after).await?;
    if is_moved {
        spawn::plan(call, &after).await?;
    }
    Ok(Payload::new().one("recurringForm", before.id.0))
}

/// As it was sent; when it is due next is not said yet.
fn changed(input: &UpdateRecurring, before: &RecurringForm) -> Answer<RecurringForm> {
    let mut after = before.clone();
    let mut problems = Problems::new();
    let said = input.said();
    if said.is_said() {
        let known = spawn::schedule(before);
        if let Some(schedule) = rules::schedule(&said, known.as_ref(), &mut problems) {
            after.frequency = Some(schedule.frequency);
            after.interval_text = Some(schedule.interval());
            after.minute_of_day = schedule.minute;
        }
    }
    let ends = (&input.recurrence_ends, &input.ends_on);
    let kept = before.recurrence_end_at;
    if let Some(end) = input::ends(ends, kept, &spawn::zone(before), &mut problems) {
        after.recurrence_end_at = end;
    }
    if let Given::Value(is_active) = input.is_active {
        after.is_active = is_active;
    }
    if input.is_recurring.value() == Some(&false) {
        after.is_active = false;
    }
    problems.check()?;
    Ok(after)
}

/// Ends it: for all, or for one client or group that is named.
pub async fn destroy(call: &mut Call<'_>, input: &DestroyRecurring) -> Answer<Payload> {
    const AT: &str = "connectable_id";
    members_only(call.actor)?;
    let row = held(call, named(&input.id), "id").await?;
    let ids = call.request.instance.ids();
    let id = input.connectable_id.value().map(|it| it.0.as_str());
    let of_type = input.connectable_type.trimmed();
    let connected = input::connected(id, of_type, &format!("input.{AT}"), ids)?;
    let Some(connected) = connected else {
        end(call, &row).await?;
        return Ok(Payload::new().one("recurringForm", row.id.0));
    };
    let all = recipients::of(call, &row).await?;
    let it = all.iter().find(|it| recipients::is_named(it, connected));
    let it = it.ok_or_else(|| Refused::not_found(AT))?;
    match all.len() {
        1 => end(call, &row).await?,
        _ => {
            recipients::may_ask_off(call, connected, AT).await?;
            recipients::remove(call, it).await?;
        }
    }
    Ok(Payload::new().one("recurringForm", row.id.0))
}

/// Ends it for all whom it concerns; what was asked by then stays.
pub async fn end(call: &mut Call<'_>, row: &RecurringForm) -> Answer<()> {
    recipients::may_change(call, row).await?;
    Ok(call.destroy(row).await?)
}
