//! Telling members of clients who are theirs now (behaviour 42): in the pages with
//! the change, by mail as soon as their quiet hours allow, if they want it and the
//! client is still theirs then.

use ward_engine::{Answer, Bindings, Call};
use ward_identity::person;
use ward_identity::tables::User;
use ward_store::{Event, Id, Level, Scope};

use crate::notices::choices::Wishes;
use crate::notices::notice::{self, Notice};
use crate::notices::reminders::{self, About, Outcome};
use crate::notices::tables::{NoticeCategory, NotificationKind, Reminder};
use crate::notices::{feed, settings, zone_of};

const CREATED: &str = "send_new_clients_emails";
const ASSIGNED: &str = "send_email_on_client_has_been_assigned_to_you";

/// The kind of reminder of a client who is a member's now.
pub const KIND: &str = "client_given";

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("patient.created", |call, event| {
        Box::pin(tell(call, event, NotificationKind::ClientCreated))
    });
    b.reaction("patient.updated", |call, event| {
        Box::pin(async move {
            match event.changed_fields.contains(&"dietitian_id") {
                true => tell(call, event, NotificationKind::ClientAssigned).await,
                false => Ok(()),
            }
        })
    });
}

/// Tells the primary provider, unless they did it themselves.
async fn tell(call: &mut Call<'_>, event: &Event, kind: NotificationKind) -> Answer<()> {
    let client: Option<User> = call.find(Id::new(event.resource_id)).await?;
    let Some(client) = client.filter(|client| client.is_patient) else { return Ok(()) };
    // Who signs up with a provider of another organization is a stranger there.
    let asking = &call.request.actor;
    let by = if asking.org_id == client.org_id.0 { asking.user_id } else { 0 };
    let Some(provider) = client.dietitian_id.filter(|id| id.0 != by) else { return Ok(()) };
    feed::client(call, &client, provider, (by > 0).then(|| Id::new(by)), kind).await?;
    let about =
        About { kind: KIND, subject_id: client.id.0, user_id: provider, unit_id: client.unit_id };
    // The slot says what happened; the last is what counts.
    let now = call.now();
    reminders::plan(call, about, &[(kind.as_str().to_owned(), now)].into()).await
}

/// Says it.
pub(super) async fn deliver(scope: &mut Scope<'_>, row: &Reminder) -> Answer<Outcome> {
    let found = person::load(scope.tx, scope.actor.org_id, row.user_id.0).await?;
    let able = found.filter(|it| person::may_act(&it.user, it.membership.as_ref()));
    let Some(member) = able.filter(|it| !it.user.is_integration) else {
        return Ok(Outcome::Done);
    };
    let seen: Option<(User, Level)> = {
        let actor = member.actor(None);
        let mut own = Scope::new(&mut *scope.tx, &actor);
        own.visible(Id::new(row.subject_id), Level::Full).await?
    };
    let theirs =
        seen.is_some_and(|(client, _)| client.active && client.dietitian_id == Some(row.user_id));
    if !theirs {
        return Ok(Outcome::Done);
    }
    let setting = settings::of(scope, member.user.id).await?;
    let wishes = Wishes::of(setting.as_ref());
    let is_new = row.slot == NotificationKind::ClientCreated.as_str();
    let wanted = if is_new { CREATED } else { ASSIGNED };
    if !wishes.choices.is_on(wanted) {
        return Ok(Outcome::Done);
    }
    if let Some(until) = wishes.quiet.held_until(scope.now(), &zone_of(&member)) {
        return Ok(Outcome::Later(until));
    }
    let key = format!("{}:{}", KIND, row.id);
    let kind = if is_new { "client_created" } else { "client_assigned" };
    let text = "You have a new client. Sign in to see more.";
    let notice = Notice::new(kind, text, wanted, &key);
    notice::send(scope, &member.user, NoticeCategory::Email, &notice).await?;
    Ok(Outcome::Done)
}
