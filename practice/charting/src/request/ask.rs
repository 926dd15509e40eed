//! Asking one client for one form: the request, its history and its event.

use ward_engine::{Answer, Refused};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Id, Query, Scope, Sql, Value};

use super::OPEN_MAX;
use super::history::{self, Of};
use super::tables::{Action, RecurringForm, RequestedFormCompletion, Status};
use crate::events;
use crate::tables::CustomModuleForm;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The form.
    pub form: Id<CustomModuleForm>,
    /// Who asks; nobody where a program does.
    pub sender: Option<Id<User>>,
    /// Of what is asked again and again, and which time it is.
    pub recurring: Option<(Id<RecurringForm>, Timestamp)>,
    /// A program's own data.
    pub metadata: Option<String>,
    /// Whether nobody is written to because of it.
    pub skips_notice: bool,
}

/// Asks a client, who is held so that nobody merges them meanwhile.
pub async fn ask(
    scope: &mut Scope<'_>,
    client: &User,
    asking: &Asking,
) -> Answer<RequestedFormCompletion> {
    let now = scope.now();
    let row = RequestedFormCompletion {
        id: scope.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        recipient_id: client.id,
        sender_id: asking.sender,
        custom_module_form_id: asking.form,
        recurring_form_id: asking.recurring.map(|(form, _)| form),
        occurs_at: asking.recurring.map(|(_, at)| at),
        form_answer_group_id: None,
        status: Status::Open,
        completed_at: None,
        metadata: asking.metadata.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    let subject = scope.subject_id.replace(client.id.0);
    scope.create(&row).await?;
    history::note(scope, Of::Request(&row), Action::Created).await?;
    scope.emit(events::request_created(&row).noticed(!asking.skips_notice));
    scope.subject_id = subject;
    Ok(row)
}

/// Whether there is room for one request more.
pub async fn has_room(scope: &mut Scope<'_>, client: Id<User>) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM requested_form_completions r WHERE r.org_id = $1 \
         AND r.recipient_id = $2 AND r.deleted_at IS NULL AND r.status <> 'Completed'",
        [scope.actor.org_id.into(), client.0.into()],
    );
    let open = scope.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(open < OPEN_MAX)
}

/// Whether a client was asked this time already: a merge may have brought it.
pub async fn is_asked(scope: &mut Scope<'_>, client: Id<User>, asking: &Asking) -> Answer<bool> {
    let Some((form, at)) = asking.recurring else { return Ok(false) };
    let this_time = Cond::eq("recurring_form_id", form.0)
        .and(Cond::eq("occurs_at", at.0))
        .and(Cond::eq("recipient_id", client.0));
    let found: Option<RequestedFormCompletion> = scope.find_by(this_time).await?;
    Ok(found.is_some())
}

/// The refusal of one request more.
pub fn full(at: &str) -> Refused {
    let sentence = format!("{OPEN_MAX} requests wait for this client already; delete some first");
    Refused::on(at, sentence)
}
