//! What becomes of requests as forms are begun, saved, finished and deleted (behaviour 26, 28).
//!
//! Finishing a form completes the request that it was begun for, else the oldest of the client's
//! that asks for it.

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level, OrderKey, Scope};

use super::history::{self, Of};
use super::tables::{Action, RequestedFormCompletion, Status};
use crate::events;
use crate::filled::tables::FormAnswerGroup;
use crate::tables::CustomModuleForm;

/// Where a form names its request.
const AT: &str = "requested_form_completion_id";

/// The request that a form is begun for: one of the client's, for this form, that is not completed.
pub async fn for_form(
    call: &mut Call<'_>,
    id: Option<Id<RequestedFormCompletion>>,
    client: Id<User>,
    form: &CustomModuleForm,
) -> Answer<Option<Id<RequestedFormCompletion>>> {
    let Some(id) = id else { return Ok(None) };
    let found = call.visible::<RequestedFormCompletion>(id, Level::Full).await?;
    let row = found.map(|(row, _)| row).filter(|row| row.recipient_id == client);
    let row = row.ok_or_else(|| Refused::not_found(AT))?;
    if row.custom_module_form_id != form.id {
        return Err(Refused::on(AT, "This request asks for another form"));
    }
    match row.status {
        Status::Completed => Err(completed()),
        Status::Open | Status::Incomplete => Ok(Some(row.id)),
    }
}

/// Writes down how far the client came by what was saved; `named` is the request that a new form is
/// begun for, `finishes` whether the form was a draft before, or none. Whoever begins or finishes
/// holds the client, and only then is it said for sure whether the request waits.
pub async fn saved(
    scope: &mut Scope<'_>,
    group: &FormAnswerGroup,
    (named, finishes): (Option<Id<RequestedFormCompletion>>, bool),
) -> Answer<()> {
    if group.use_for_charting {
        return Ok(());
    }
    let before: Option<RequestedFormCompletion> = match named {
        Some(id) => scope.find(id).await?,
        None => scope.find_by(of_group(group)).await?,
    };
    let before = match before {
        None if finishes => oldest(scope, group).await?,
        other => other,
    };
    let Some(before) = before else { return Ok(()) };
    let was_completed = before.status == Status::Completed;
    if named.is_some() && was_completed {
        return Err(completed());
    }
    let before = near(before, group);
    let (status, completed_at, action) = match group.finished {
        true if was_completed => (before.status, before.completed_at, Action::Edited),
        true => (Status::Completed, Some(scope.now()), Action::Completed),
        false => (Status::Incomplete, None, Action::Edited),
    };
    let form_answer_group_id = Some(group.id);
    let after =
        RequestedFormCompletion { status, completed_at, form_answer_group_id, ..before.clone() };
    write(scope, &before, &after).await?;
    history::note_once(scope, Of::Request(&after), action).await
}

/// A draft that is deleted leaves its request open.
pub async fn dropped(scope: &mut Scope<'_>, group: &FormAnswerGroup) -> Answer<()> {
    let before: Option<RequestedFormCompletion> = scope.find_by(of_group(group)).await?;
    let Some(before) = before.filter(|it| it.status == Status::Incomplete) else { return Ok(()) };
    let before = near(before, group);
    let after = RequestedFormCompletion {
        status: Status::Open,
        form_answer_group_id: None,
        ..before.clone()
    };
    write(scope, &before, &after).await
}

/// The events and the audit entries of a request are for those who look after the client now, as
/// those of the form are.
fn near(request: RequestedFormCompletion, group: &FormAnswerGroup) -> RequestedFormCompletion {
    RequestedFormCompletion { unit_id: group.unit_id, ..request }
}

fn completed() -> Refused {
    Refused::on(AT, "This request is completed already")
}

async fn write(
    scope: &mut Scope<'_>,
    before: &RequestedFormCompletion,
    after: &RequestedFormCompletion,
) -> Answer<()> {
    let columns = scope.update(before, after).await?.columns;
    if !columns.is_empty() {
        scope.emit(events::request_updated(after, &columns));
    }
    Ok(())
}

fn of_group(group: &FormAnswerGroup) -> Cond {
    Cond::eq("form_answer_group_id", group.id.0)
}

/// The oldest request of the client that asks for the form: one that no draft is begun for, if there
/// is, else one whose draft is another.
async fn oldest(
    scope: &mut Scope<'_>,
    group: &FormAnswerGroup,
) -> Answer<Option<RequestedFormCompletion>> {
    let is = |status: Status| Cond::eq("status", status.as_str());
    let waiting = Cond::eq("recipient_id", group.user_id.0)
        .and(Cond::eq("custom_module_form_id", group.custom_module_form_id.0))
        .and(is(Status::Open).or(is(Status::Incomplete)));
    let keys = [OrderKey::column("created_at", false), OrderKey::column("id", false)];
    let rows: Vec<RequestedFormCompletion> = scope.list(waiting, &keys).await?;
    let open = rows.iter().find(|it| it.status == Status::Open);
    Ok(open.or(rows.first()).cloned())
}
