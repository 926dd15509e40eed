//! What became of what a client is asked for: written with each deed, in its transaction, and when
//! somebody opens it and says so (`track_opened_event`).

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_engine::{Answer, Args, Request};
use ward_identity::tables::{Organization, User};
use ward_store::{Actor, Cond, Id, Level, Query, Scope, Sql, Tx, Value};

use super::tables::{Action, FormHistory, RequestedFormCompletion};
use crate::filled::listing::id;
use crate::filled::tables::FormAnswerGroup;
use crate::flow::due;
use crate::flow::tables::OnboardingItem;
use crate::tables::CustomModuleForm;

/// What a deed was about.
#[derive(Clone, Copy)]
pub enum Of<'a> {
    /// A request.
    Request(&'a RequestedFormCompletion),
    /// A step of an intake flow, of a client of an organization.
    Step(&'a OnboardingItem, Id<User>, Id<Organization>),
}

/// Writes a deed down, of whoever acts.
pub async fn note(scope: &mut Scope<'_>, of: Of<'_>, action: Action) -> Answer<()> {
    let by = (scope.actor.user_id != 0).then(|| Id::new(scope.actor.user_id));
    let form = match of {
        Of::Request(row) => Some(row.custom_module_form_id),
        Of::Step(item, ..) => item.custom_module_form_id,
    };
    let form: Option<CustomModuleForm> = match form {
        Some(id) => scope.find_deleted_too(id).await?,
        None => None,
    };
    let (patient_id, unit_id, request, step) = match of {
        Of::Request(row) => (row.recipient_id, row.unit_id, Some(row.id), None),
        Of::Step(item, client, unit) => (client, unit, None, Some(item)),
    };
    let row = FormHistory {
        id: scope.next_id().await?,
        org_id: Id::new(scope.actor.org_id),
        unit_id,
        patient_id,
        creator_id: by,
        action,
        title: form.map(|it| it.name).or(step.map(|it| it.item_type.as_str().to_owned())),
        requested_form_completion_id: request,
        onboarding_item_id: step.map(|it| it.id),
        created_at: scope.now(),
    };
    scope.create(&row).await?;
    Ok(())
}

/// Writes down what is done over and over, unless it is the last that whoever acts did: who reads
/// or saves again and again fills no table.
pub async fn note_once(scope: &mut Scope<'_>, of: Of<'_>, action: Action) -> Answer<()> {
    match last(scope, of).await? == Some(action) {
        true => Ok(()),
        false => note(scope, of, action).await,
    }
}

/// What a query names that is opened.
#[derive(Clone, Copy)]
enum Opened {
    Request(Id<RequestedFormCompletion>),
    Group(Id<FormAnswerGroup>),
    Step(Id<OnboardingItem>, Id<User>),
}

/// What is written of an opening; nothing where that is not asked for, or nobody in particular asks.
type Writes = Option<BoxFuture<'static, Answer<()>>>;

/// After `requestedFormCompletion`.
pub fn request_opened(request: Arc<Request>, args: Args) -> Writes {
    if !tracks(&request, &args) {
        return None;
    }
    Some(Box::pin(async move {
        let id = id::<RequestedFormCompletion>(&args, "id", &request)?;
        opened(&request, id.map(Opened::Request)).await
    }))
}

/// After `formAnswerGroup`.
pub fn group_opened(request: Arc<Request>, args: Args) -> Writes {
    if !tracks(&request, &args) {
        return None;
    }
    Some(Box::pin(async move {
        let id = id::<FormAnswerGroup>(&args, "id", &request)?;
        opened(&request, id.map(Opened::Group)).await
    }))
}

/// After `onboardingItem`, of a client.
pub fn step_opened(request: Arc<Request>, args: Args) -> Writes {
    if !tracks(&request, &args) {
        return None;
    }
    Some(Box::pin(async move {
        let client = match request.actor.is_client() {
            true => Some(Id::new(request.actor.user_id)),
            false => id::<User>(&args, "user_id", &request)?,
        };
        let item = id::<OnboardingItem>(&args, "id", &request)?;
        let named = item.zip(client).map(|(item, client)| Opened::Step(item, client));
        opened(&request, named).await
    }))
}

/// Whether a member or a client says that they open it.
fn tracks(request: &Request, args: &Args) -> bool {
    let is_somebody = request.actor.is_member() || request.actor.is_client();
    is_somebody && args.flag("track_opened_event")
}

/// Notes that the caller opened it, where they see it.
async fn opened(request: &Arc<Request>, named: Option<Opened>) -> Answer<()> {
    let Some(named) = named else { return Ok(()) };
    let actor = request.actor.clone();
    request
        .db
        .write(move |tx: &mut Tx| {
            let actor = actor.clone();
            Box::pin(async move { write_opened(tx, &actor, named).await })
        })
        .await
}

async fn write_opened(tx: &mut Tx, actor: &Actor, named: Opened) -> Answer<()> {
    let mut scope = Scope::new(tx, actor);
    let row: Option<RequestedFormCompletion> = match named {
        Opened::Request(id) => {
            let found = scope.visible_for_reference(id, Level::Full).await?;
            found.map(|(row, _)| row)
        }
        Opened::Group(id) => match scope.visible::<FormAnswerGroup>(id, Level::Full).await? {
            Some(_) => scope.find_by(Cond::eq("form_answer_group_id", id.0)).await?,
            None => None,
        },
        Opened::Step(id, client) => return step_seen(&mut scope, id, client).await,
    };
    let Some(mut row) = row else { return Ok(()) };
    // For those who look after the client now.
    if let Some(client) = scope.find::<User>(row.recipient_id).await? {
        row.unit_id = client.unit_id;
    }
    scope.subject_id = Some(row.recipient_id.0);
    note_once(&mut scope, Of::Request(&row), Action::Opened).await
}

/// The step must be one of the client's flow, and both be seen.
async fn step_seen(scope: &mut Scope<'_>, id: Id<OnboardingItem>, client: Id<User>) -> Answer<()> {
    let client = scope.visible_for_reference::<User>(client, Level::Full).await?;
    let item = scope.visible_for_reference::<OnboardingItem>(id, Level::Public).await?;
    let (Some((client, _)), Some((item, _))) = (client, item) else { return Ok(()) };
    let flow = due::flow_of(scope.tx, client.org_id.0, client.id.0).await?;
    if !client.is_patient || flow != Some(item.onboarding_flow_id) {
        return Ok(());
    }
    scope.subject_id = Some(client.id.0);
    note_once(scope, Of::Step(&item, client.id, client.unit_id), Action::Opened).await
}

/// The last that whoever acts did about it, if they did anything.
async fn last(scope: &mut Scope<'_>, of: Of<'_>) -> Answer<Option<Action>> {
    let (column, id, client) = match of {
        Of::Request(row) => ("requested_form_completion_id", row.id.0, row.recipient_id.0),
        Of::Step(item, client, _) => ("onboarding_item_id", item.id.0, client.0),
    };
    let mut sql = Sql::new();
    sql.push("SELECT h.action FROM form_histories h WHERE h.org_id = ").bind(scope.actor.org_id);
    sql.push(" AND h.").push(column).push(" = ").bind(id);
    sql.push(" AND h.patient_id = ").bind(client);
    sql.push(" AND h.creator_id = ").bind(scope.actor.user_id);
    sql.push(" ORDER BY h.created_at DESC, h.id DESC").limit(1);
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::text).and_then(Action::from_text))
}
