//! `POST /sandbox/v1/be`: a session as somebody else of one's own organization, to see what they
//! see. It is marked in the audit log, and what is done with it carries its session's id there.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Router, routing};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_identity::admin::{self as identity, AdminError, ListedUser};
use ward_identity::{is_admin, is_developer, person, session};
use ward_instance::SandboxWitness;
use ward_store::audit::{AuditChange, AuditEntry};
use ward_store::system::AuditType;
use ward_store::{Actor, Db, Scope, Tx};

use crate::app::App;
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
    let actor = desk(&app, &headers, &facts).await?.actor;
    let Some(witness) = app.instance.witness().sandbox() else {
        return Err(super::only_there().await);
    };
    let Wish { user } = serde_json::from_slice(&body).map_err(|_| wrong(WHAT))?;
    check_quarantine(&app)?;
    match become_one(&app.db, witness, actor, &user).await {
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
    if !may_be(actor, &person.actor(None)) {
        let sentence = "Only the owner can be the owner, and only administrators can be administrators or developers.";
        return Err(AdminError::Refused(sentence.to_owned()));
    }
    let user = &person.user;
    let mut scope = Scope::new(tx, actor);
    let (token, session) = session::begin_as(&mut scope, user, false).await?;
    record(&mut scope, user.id.0, user.is_patient, &session.id.0);
    Ok(json!({
        "token": token.text.as_str(),
        "user": {"id": user.id.to_string(), "name": user.full_name(), "email": user.email, "role": role},
    }))
}

/// Whether the actor may be this person: nobody who looks after the Sandbox with more rights.
fn may_be(actor: &Actor, target: &Actor) -> bool {
    match target {
        own if own.user_id == actor.user_id => true,
        owner if owner.is_owner => actor.is_owner,
        strong if is_admin(strong) || is_developer(strong) => is_admin(actor),
        _ => true,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use ward_identity::flags::{IS_ADMIN, IS_DEVELOPER};
    use ward_store::{Flags, Role};

    #[test]
    fn nobody_gets_to_look_after_the_sandbox_this_way() {
        let of = |user_id, is_owner, flags| Actor {
            role: Role::Member,
            user_id,
            is_owner,
            flags,
            ..Actor::anonymous()
        };
        let (admin, developer) =
            (Flags::default().with(IS_ADMIN.flag), Flags::default().with(IS_DEVELOPER.flag));
        let ranks = [
            of(1, true, admin),
            of(2, false, admin),
            of(3, false, developer),
            of(4, false, Flags::default()),
        ];
        let other = |at: usize| Actor { user_id: 9, ..ranks[at].clone() };
        let may = |who: usize, whom: usize| may_be(&ranks[who], &other(whom));
        assert_eq!([0, 1, 2].map(|who| may(who, 0)), [true, false, false]);
        assert_eq!([0, 1, 2].map(|who| may(who, 1)), [true, true, false]);
        assert_eq!([0, 1, 2].map(|who| may(who, 2)), [true, true, false]);
        assert_eq!([0, 1, 2].map(|who| may(who, 3)), [true, true, true]);
        assert!(may_be(&ranks[2], &ranks[2]));
        let client = Actor { role: Role::Client, user_id: 8, ..Actor::anonymous() };
        assert!(may_be(&ranks[2], &client));
    }
}
