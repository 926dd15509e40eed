//! Telling clients that they are asked to fill in a form (behaviour 28, 42): by mail, as soon as
//! their quiet hours allow, if they want it and the form still waits for them then. All that waits
//! at that moment is one mail, which never says what the forms are.

use futures_util::future::BoxFuture;
use ward_charting::flow::due;
use ward_charting::request::tables::{REQUESTED_FORM_COMPLETIONS, RequestedFormCompletion};
use ward_engine::{Answer, Bindings, Call};
use ward_identity::person::{self, Person};
use ward_store::{Cond, Event, Id, Level, Query, Scope, Select, Value};

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::reminders::{self, About, Outcome};
use crate::notices::tables::{NoticeCategory, Reminder};
use crate::notices::{contact, settings, zone_of};

/// The kind of reminder of a form that a client is asked for.
pub const KIND: &str = "form_request";
/// The mail's template.
const TEMPLATE: &str = "form_requested";
/// The choice of who wants such mails.
const CHOICE: &str = "send_email_on_form_request";

/// Registers the reaction.
pub fn bind(b: &mut Bindings) {
    b.reaction("requested_form_completion.created", |call, event| Box::pin(created(call, event)));
}

async fn created(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    if !event.is_noticed {
        return Ok(());
    }
    let row: Option<RequestedFormCompletion> = call.find(Id::new(event.resource_id)).await?;
    match row {
        Some(row) => plan(call, &row).await,
        None => Ok(()),
    }
}

/// The same of what jobs ask, whose events no mutation follows.
pub(super) fn tell<'a>(
    scope: &'a mut Scope<'_>,
    row: &'a RequestedFormCompletion,
) -> BoxFuture<'a, Answer<()>> {
    Box::pin(plan(scope, row))
}

async fn plan(scope: &mut Scope<'_>, row: &RequestedFormCompletion) -> Answer<()> {
    let about =
        About { kind: KIND, subject_id: row.id.0, user_id: row.recipient_id, unit_id: row.unit_id };
    let now = scope.now();
    reminders::keep(scope, about, now).await
}

/// Says it, with all that waits for the client at this moment.
pub(super) async fn deliver(scope: &mut Scope<'_>, planned: &Reminder) -> Answer<Outcome> {
    let found = person::load(scope.tx, scope.actor.org_id, planned.user_id.0).await?;
    // Archived clients are told nothing (behaviour 18.3).
    let client = found.filter(|it| it.user.is_patient && it.user.active);
    let Some(client) = client else { return Ok(Outcome::Done) };
    let setting = settings::of(scope, client.user.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    if let Some(until) = wishes.quiet.held_until(scope.now(), &zone_of(&client)) {
        return Ok(Outcome::Later(until));
    }
    let due = Cond::sql("{t}.due_at <= ?", [scope.now().0.into()]);
    let of_client = Cond::eq("kind", KIND).and(Cond::eq("user_id", planned.user_id.0));
    let waiting: Vec<Reminder> = scope.list(of_client.and(due), &[]).await?;
    let about: Vec<i64> = waiting.iter().map(|it| it.subject_id).collect();
    let count = open(scope, &client, &about).await?;
    for other in waiting.iter().filter(|it| it.id != planned.id) {
        scope.destroy(other).await?;
    }
    if count == 0 || !wishes.choices.is_on(CHOICE) {
        return Ok(Outcome::Done);
    }
    let key = format!("{KIND}:{}", planned.id);
    let text = "You are asked to fill in a form. Sign in to see more.";
    let facts = [("count", (count > 1).then(|| count.to_string()))];
    let notice = Notice { facts: &facts, ..Notice::new(TEMPLATE, text, CHOICE, &key) };
    scope.subject_id = Some(client.user.id.0);
    notice::send(scope, &client.user, NoticeCategory::Email, &notice).await?;
    for contact in contact::copied(scope, &client.user).await? {
        notice::copy(scope, &client.user, &contact, &key).await?;
    }
    Ok(Outcome::Done)
}

/// How many of these requests the client sees, and that wait for them still.
async fn open(scope: &mut Scope<'_>, client: &Person, requests: &[i64]) -> Answer<i64> {
    let actor = client.actor(None);
    let mut select = Select::new(&REQUESTED_FORM_COMPLETIONS, &actor);
    select.least = Level::Full;
    select.filter = Cond::is_in("id", requests).and(due::waits());
    if select.filter.is_never() {
        return Ok(0);
    }
    let found = scope.tx.rows(&select.count_sql()).await?;
    Ok(found.scalar().and_then(Value::int).unwrap_or(0))
}
