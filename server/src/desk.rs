//! Who may look after the instance over HTTP, outside the contract's API.

use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use ward_store::{Actor, StoreError};

use crate::app::App;
use crate::guard::Facts;
use crate::respond::refuse;
use crate::{admin, credential};

/// An administrator or developer of the whole organization, or why not: what is shown and done at
/// this desk is not cut to a sub-organization.
pub async fn desk(app: &App, headers: &HeaderMap, facts: &Facts) -> Result<Actor, Response<Body>> {
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
        return Ok(caller.actor);
    }
    Err(denied("This is for administrators and developers of the root organization."))
}

/// The same of the founding organization: what concerns everybody in the instance.
pub async fn founding_desk(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Actor, Response<Body>> {
    let actor = desk(app, headers, facts).await?;
    match admin::is_founding(&app.db, actor.org_id).await {
        Ok(true) => Ok(actor),
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
) -> Result<Actor, Response<Body>> {
    let actor = founding_desk(app, headers, facts).await?;
    administrators(actor)
}

/// An administrator of a root organization: for what concerns its own people only.
pub async fn administrator(
    app: &App,
    headers: &HeaderMap,
    facts: &Facts,
) -> Result<Actor, Response<Body>> {
    administrators(desk(app, headers, facts).await?)
}

fn administrators(actor: Actor) -> Result<Actor, Response<Body>> {
    match ward_identity::is_admin(&actor) {
        true => Ok(actor),
        false => Err(denied("Only the owner or an administrator may do this.")),
    }
}

fn denied(sentence: &str) -> Response<Body> {
    refuse(StatusCode::FORBIDDEN, "PERMISSION_DENIED", sentence)
}

/// A failure of the store, told to the log only.
pub fn failed(error: &StoreError) -> Response<Body> {
    tracing::error!(%error, "a request of the desk failed");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
}

/// Why nothing is changed in a quarantined instance; none in any other.
pub fn quarantined(app: &App) -> Option<Response<Body>> {
    app.is_quarantined().then(|| {
        let sentence = "The instance is quarantined; end that first with: ward attest";
        refuse(StatusCode::CONFLICT, "QUARANTINED_INSTANCE", sentence)
    })
}
