//! `POST /sandbox/v1/be`: a session as somebody else of one's own organization, to see what they
//! see. It is marked in the audit log, and what is done with it carries its session's id there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Router, routing};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_engine::Refused;
use ward_identity::admin::{self as identity, AdminError, ListedUser};
use ward_identity::person::{self, Person};
use ward_identity::tables::User;
use ward_identity::{rank_of, session};
use ward_instance::SandboxWitness;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Level, Query, Scope, Sql, StoreError, Tx};

use crate::app::App;
use crate::credential::Caller;
use crate::desk::{Answered, check_quarantine, desk, failed, wrong};
use crate::guard::Facts;
use crate::respond::{self, refuse};

/// The route.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/sandbox/v1/be", routing::post(be))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    user: String,
}

const WHAT: &str = "send {\"user\": \"…\"}: the id or the e-mail address of a member or client";

async fn be(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let Caller { actor, world, .. } = desk(&app, &headers, &facts).await?;
    let Some(witness) = app.instance.witness().sandbox() else {
        return Err(super::only_there().await);
    };
    let Wish { user } = serde_json::from_slice(&body).map_err(|_| wrong(WHAT))?;
    check_quarantine(&app)?;
    match become_one(&app.db.in_world(world), witness, actor, &user).await {
        Ok(answer) => Ok(respond::json(StatusCode::OK, &answer)),
        Err(AdminError::Refused(sentence)) => {
            Err(refuse(StatusCode::CONFLICT, "BE_REFUSED", sentence))
        }
        Err(AdminError::Store(error)) => Err(failed(&error)),
    }
}

async fn become_one(
    db: &Db,
    _: SandboxWitness,
    actor: Actor,
    wish: &str,
) -> Result<Json, AdminError> {
    let wanted = named(db, &actor, wish).await?;
    let (role, id) = (wanted.role, wanted.id);
    db.write(move |tx: &mut Tx| {
        let actor = actor.clone();
        Box::pin(async move { begin(tx, &actor, id, role).await })
    })
    .await
}

/// The one person of the actor's organization whom an id or an address names.
async fn named(db: &Db, actor: &Actor, wish: &str) -> Result<ListedUser, AdminError> {
    let mut found = identity::find_users(&mut db.read().await?, wish).await?;
    found.retain(|user| user.org_id == actor.org_id);
    match found.as_slice() {
        [] => Err(nobody()),
        [_] => found.pop().ok_or_else(nobody),
        several => {
            let ids: Vec<String> =
                several.iter().map(|user| format!("{} ({})", user.id, user.role)).collect();
            let sentence =
                format!("Several have this address; name one by its id: {}", ids.join(", "));
            Err(AdminError::Refused(sentence))
        }
    }
}

fn nobody() -> AdminError {
    AdminError::Refused("There is no such member or client in this organization.".to_owned())
}

async fn begin(tx: &mut Tx, actor: &Actor, id: i64, role: &str) -> Result<Json, AdminError> {
    let person = person::load_held(tx, actor.org_id, id).await?.ok_or_else(nobody)?;
    if !person.may_sign_in() {
        let sentence = "This person can't sign in: an integration, or somebody deactivated.";
        return Err(AdminError::Refused(sentence.to_owned()));
    }
    let mut scope = Scope::new(tx, actor);
    may_be(&mut scope, &person).await?;
    let user = &person.user;
    let (token, session) = session::begin_stale(&mut scope, user).await?;
    record(&mut scope, user.id.0, user.is_patient, &session.id.0);
    Ok(json!({
        "token": token.text.as_str(),
        "user": {"id": user.id.to_string(), "name": user.full_name(), "email": user.email, "role": role},
    }))
}

/// Refuses to be oneself, which would renew one's own session; a member with more rights or
/// with clients whom the actor does not see (SEC-04); a client whom the actor does not see;
/// and anybody by a key that ends or is bound to addresses, which a session is not.
async fn may_be(scope: &mut Scope<'_>, person: &Person) -> Result<(), AdminError> {
    let refused = |sentence: &str| Err(AdminError::Refused(sentence.to_owned()));
    let user = &person.user;
    if user.id.0 == scope.actor.user_id {
        return refused("You are this person already.");
    }
    if is_bound(scope).await? {
        return refused("A key that ends or is bound to addresses can't be anybody else.");
    }
    if user.is_patient {
        let seen = scope.visible_for_update::<User>(user.id, Level::Full).await?;
        return seen.map(drop).ok_or_else(nobody);
    }
    match rank_of::may_take_over(scope, person).await {
        Ok(()) => Ok(()),
        Err(Refused::Store(error)) => Err(error.into()),
        Err(_) => refused(
            "This member may do or see what you may not: an owner, an administrator, or somebody with clients of their own.",
        ),
    }
}

/// Whether the key that asks has an end or a list of addresses.
async fn is_bound(scope: &mut Scope<'_>) -> Result<bool, StoreError> {
    let Some(kid) = scope.actor.credential.clone() else { return Ok(false) };
    let sql = Sql::fixed(
        "SELECT 1 FROM api_keys WHERE org_id = $1 AND kid = $2 \
         AND (expires_at IS NOT NULL OR allowed_addresses IS NOT NULL)",
        [scope.actor.org_id.into(), kid.as_ref().into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

fn record(scope: &mut Scope<'_>, id: i64, is_client: bool, session: &str) {
    let actor = scope.actor;
    let mut entry = AuditEntry::by(actor, AuditType::Update, "USER", id.to_string());
    entry.subject_id = is_client.then_some(id);
    entry.changes = vec![
        AuditChange::new("impersonated_by", None, Some(&actor.user_id.to_string())),
        AuditChange::new("impersonation_session", None, Some(session)),
    ];
    scope.record(entry);
}
