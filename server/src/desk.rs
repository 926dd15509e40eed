//! Who may look after the instance over HTTP, outside the contract's API.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use ward_store::StoreError;

use crate::app::App;
use crate::credential::Caller;
use crate::guard::Facts;
use crate::respond::refuse;
use crate::{admin, credential};

/// What a request of the desk is answered with: whoever may not, or sent what is none, gets the
/// refusal.
pub type Answered = Result<Response<Body>, Response<Body>>;

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;

/// The reason that a decision has to give, trimmed; a sentence when it is none.
pub fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err("reason can't be blank: it stands in the audit log"),
        count if count > REASON_CHARS_MAX => Err("reason has at most 500 characters"),
        _ => Ok(text.to_owned()),
    }
}

/// What was sent is wrong, and why.
pub fn wrong(sentence: &str) -> Response<Body> {
    refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence)
}

/// An administrator or developer of the whole organization, or why not: what is shown and done at
/// this desk is not cut to a sub-organization.
pub async fn desk(app: &App, headers: &HeaderMap, facts: &Facts) -> Result<Caller, Response<Body>> {
    let caller = credential::identify(app, headers, &facts.address).await.map_err(|refused| {
        let status = if refused.status == 503 {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::UNAUTHORIZED
        };
        refuse(status, refused.code, refused.message)
    })?;
    if !caller.actor.is_member() {
        return Err(refuse(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "Send an API key of an administrator or developer.",
        ));
    }
    let may = ward_identity::is_admin(&caller.actor) || ward_identity::is_developer(&caller.actor);
    if may && caller.actor.is_at_root() {
        return Ok(caller);
    }
    Err(denied("This is for administrators and developers of the root organization."))
}

/// The same of the founding organization: what concerns everybody in the instance.
pub async fn founding_desk(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Caller, Response<Body>> {
    let caller = desk(app, headers, facts).await?;
    match admin::is_founding(&app.db, caller.actor.org_id).await {
        Ok(true) => Ok(caller),
        Ok(false) => Err(denied(
            "Only the founding organization may do this: it concerns everybody in the instance.",
        )),
        Err(error) => Err(failed(&error)),
    }
}

/// An administrator of the founding organization.
pub async fn founding_administrator(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Caller, Response<Body>> {
    administrators(founding_desk(app, headers, facts).await?)
}

/// An administrator of a root organization: for what concerns its own people only.
pub async fn administrator(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Caller, Response<Body>> {
    administrators(desk(app, headers, facts).await?)
}

fn administrators(caller: Caller) -> Result<Caller, Response<Body>> {
    match ward_identity::is_admin(&caller.actor) {
        true => Ok(caller),
        false => Err(denied("Only the owner or an administrator may do this.")),
    }
}

fn denied(sentence: &str) -> Response<Body> {
    refuse(StatusCode::FORBIDDEN, "PERMISSION_DENIED", sentence)
}

/// A failure of the store, told to the log only; who is not known any more is told what a stale
/// credential is told.
pub fn failed(error: &StoreError) -> Response<Body> {
    if matches!(error, StoreError::OtherWorld) {
        let sentence = "API Key is Invalid: the Sandbox was emptied or went back to a snapshot meanwhile; nothing was executed";
        return refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
    }
    tracing::error!(%error, "a request of the desk failed");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
}

/// Refuses where the instance is quarantined: nothing is changed there.
pub fn check_quarantine(app: &App) -> Result<(), Response<Body>> {
    let sentence = "The instance is quarantined; end that first with: ward attest";
    match app.is_quarantined() {
        true => Err(refuse(StatusCode::CONFLICT, "QUARANTINED_INSTANCE", sentence)),
        false => Ok(()),
    }
}
