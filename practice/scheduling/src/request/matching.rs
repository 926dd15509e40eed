//! What becomes of a request once whoever asks has their answer: it is found out which
//! client a visitor is, whose request it is then, and members are told (behaviour 24).
//! One job does all of it, and there is always one: what the answer costs tells nobody
//! whether an e-mail address is known, and the visitor reads nothing of a client.

use futures_util::future::BoxFuture;
use serde_json::json;
use ward_clients::rules::kept_email;
use ward_engine::{Answer, Call, errands};
use ward_identity::email;
use ward_identity::tables::User;
use ward_store::jobs::{self, Job, NewJob};
use ward_store::{Actor, Db, Id, Level, Query, Scope, Sql, StoreError, Tx, Value, search};

use super::table::{AppointmentRequest, RequestStatus};

/// The kind of job.
const JOB_KIND: &str = "appointment_request";
const KINDS: &[&str] = &[JOB_KIND];
/// So many clients of one e-mail address are told apart by their names.
const FAMILY_MAX: i64 = 50;

/// What tells members of a request, but not the one who made it (0 for nobody).
pub type Tell =
    for<'a, 'b> fn(&'a mut Scope<'b>, &'a AppointmentRequest, i64) -> BoxFuture<'a, Answer<()>>;

/// Sees to all that follows a new request.
pub async fn later(call: &mut Call<'_>, row: &AppointmentRequest, assign: bool) -> Answer<()> {
    let what = json!({ "request": row.id.0, "assign": assign && row.by_visitor, "by": call.actor.user_id });
    jobs::enqueue(call.scope.tx, NewJob::new(row.org_id.0, JOB_KIND, what)).await?;
    Ok(())
}

/// Does what follows some requests; how many jobs were begun.
pub async fn run_batch(db: &Db, tell: Tell) -> Result<u64, StoreError> {
    let failed = "the request can't be settled";
    errands::work_off(db, KINDS, failed, move |tx, job| Box::pin(step(tx, job, tell))).await
}

async fn step(tx: &mut Tx, job: &Job, tell: Tell) -> Answer<()> {
    let what = errands::payload(job)?;
    let id = Id::new(what["request"].as_i64().unwrap_or_default());
    let system = Actor::system(job.org_id);
    let mut scope = Scope::new(tx, &system);
    let Some((row, _)) = scope.visible_for_update(id, Level::Full).await? else { return Ok(()) };
    let row = matched(&mut scope, row, what["assign"] == true).await?;
    scope.subject_id = row.patient_id.map(|id| id.0);
    tell(&mut scope, &row, what["by"].as_i64().unwrap_or_default()).await
}

/// A visitor's request with the client whom they are taken for, and to that client's
/// provider where it is to nobody. What staff have made of it meanwhile stays.
async fn matched(
    scope: &mut Scope<'_>,
    before: AppointmentRequest,
    assign: bool,
) -> Answer<AppointmentRequest> {
    let is_open = before.current_status == RequestStatus::Open;
    if !before.by_visitor || !is_open || before.patient_id.is_some() {
        return Ok(before);
    }
    let name = [before.first_name.as_str(), before.last_name.as_str()];
    let Some(id) = client_of(scope, before.unit_id.0, &before.email, name).await? else {
        return Ok(before);
    };
    let Some(client): Option<User> = scope.find(id).await? else { return Ok(before) };
    let mut after = before.clone();
    after.patient_id = Some(client.id);
    if assign && after.provider_id.is_none() {
        after.provider_id = provider_of(scope, &client).await?;
    }
    scope.subject_id = Some(client.id.0);
    scope.update(&before, &after).await?;
    Ok(scope.find(before.id).await?.unwrap_or(after))
}

/// The client of a unit who has this e-mail address, of several the one who has the name
/// as well; nobody where it could be more than one, and nobody who has died: it is a
/// relative who writes from their address. The client stays until the
/// transaction ends.
pub(super) async fn client_of(
    scope: &mut Scope<'_>,
    unit: i64,
    address: &str,
    [first, last]: [&str; 2],
) -> Answer<Option<Id<User>>> {
    let sql = Sql::fixed(
        "SELECT u.id, u.first_name_fold, u.last_name_fold FROM users u WHERE u.org_id = $1 \
         AND u.email_fold = $2 AND u.unit_id = $3 AND u.is_patient = TRUE \
         AND u.deleted_at IS NULL AND u.deceased_on IS NULL \
         ORDER BY u.id LIMIT CAST($4 AS BIGINT) FOR_KEY_SHARE",
        [
            scope.actor.org_id.into(),
            email::key(&kept_email(address)).into(),
            unit.into(),
            (FAMILY_MAX + 1).into(),
        ],
    );
    let rows = scope.tx.rows(&sql).await?;
    if i64::try_from(rows.len()).is_ok_and(|count| count > FAMILY_MAX) {
        return Ok(None);
    }
    let (first, last) = (search::fold(first), search::fold(last));
    let is_named = |row: &&[Value]| {
        let text = |at: usize| row.get(at).and_then(Value::text).unwrap_or_default();
        text(1) == first && text(2) == last
    };
    let id = |row: &[Value]| row.first().and_then(Value::int).map(Id::new);
    let all: Vec<&[Value]> = rows.iter().collect();
    let named: Vec<&[Value]> = all.iter().copied().filter(is_named).collect();
    Ok(match (all.as_slice(), named.as_slice()) {
        ([only], _) | (_, [only]) => id(only),
        _ => None,
    })
}

/// The primary provider of a client, if they can be asked.
pub(super) async fn provider_of(scope: &mut Scope<'_>, client: &User) -> Answer<Option<Id<User>>> {
    let Some(id) = client.dietitian_id else { return Ok(None) };
    let provider: Option<User> = scope.find(id).await?;
    Ok(provider.filter(|it| it.active && it.unit_id == client.unit_id).map(|it| it.id))
}
