//! `POST /selected_private_notes.pdf?form_answer_array=[<id>,<id>]&patient_id=<id>`: forms and
//! notes of a client as one PDF (behaviour 2). Whoever reads them by GraphQL reads them here.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use ward_charting::filled::tables::FormAnswerGroup;
use ward_charting::paper::read::What;
use ward_charting::paper::{Printed, print};
use ward_engine::{Answer, FromIn, In, Refused, Request, ViewId, log_reads, parse_id};
use ward_identity::id_list::IdList;
use ward_identity::tables::User;
use ward_store::{Role, StoreError};

use crate::app::App;
use crate::credential;
use crate::graphql::{self, request_of};
use crate::guard::Facts;
use crate::respond::{self, refuse};

const NOTES: &str = "form_answer_array";
const CLIENT: &str = "patient_id";
/// How the access log calls it.
const PATH: &str = "selected_private_notes.pdf";

/// Prints what is named. Without a credential, or with a refused one: 403; where something named
/// is not there, not for the caller or of another client: 404.
pub async fn post(
    State(app): State<Arc<App>>,
    Query(asked): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    if app.admission.is_full() {
        return respond::overloaded();
    }
    if let Err(wait) = app.limiter.take(&facts.address) {
        return graphql::too_many(&app, None, &facts.address, wait);
    }
    let caller = match credential::identify(&app, &headers, &facts.address).await {
        Ok(caller) => caller,
        Err(refused) if refused.status == 503 => return respond::unavailable(&refused.message),
        Err(refused) => {
            app.refusals.note(None, &facts.address, refused.code, app.instance.clock().wall());
            return refuse(StatusCode::FORBIDDEN, refused.code, refused.message);
        }
    };
    if let Some(credential) = caller.actor.credential.as_deref()
        && let Err(wait) = app.limiter.take(credential)
    {
        return graphql::too_many(&app, Some(&caller.actor), credential, wait);
    }
    if caller.actor.role == Role::Anonymous {
        let (who, wall) = (&facts.address, app.instance.clock().wall());
        app.refusals.note(None, who, "PERMISSION_DENIED", wall);
        return refuse(
            StatusCode::FORBIDDEN,
            "PERMISSION_DENIED",
            "Send the credential of who may read the notes in the Authorization header.",
        );
    }
    let is_head = caller.actor.is_owner || ward_identity::is_admin(&caller.actor);
    if app.is_quarantined() && !is_head {
        return refuse(
            StatusCode::FORBIDDEN,
            "QUARANTINED_INSTANCE",
            "This instance is quarantined: administrators may read; ward attest ends it.",
        );
    }
    let request = request_of(&app, facts, caller, ViewId::V2026);
    let Some(_inside) = app.admission.enter() else { return respond::overloaded() };
    let printed = app.admission.work(printed(&request, &asked)).await;
    app.exercises.note(&request.actor, app.instance.clock().wall());
    match printed {
        Ok(printed) => pdf(printed),
        Err(refused) => refusal(&app, &request, refused),
    }
}

/// The document, when the access log has its reading.
async fn printed(request: &Request, asked: &HashMap<String, String>) -> Answer<Printed> {
    let text = |name: &str| asked.get(name).map(|text| text.trim()).filter(|it| !it.is_empty());
    let ids = request.instance.ids();
    let notes = text(NOTES).map(|text| In::Text(text.into()));
    let notes = notes.ok_or_else(|| {
        Refused::on(NOTES, format!("Name the forms and notes: {NOTES}=[<id>,<id>]"))
    })?;
    let notes: IdList<FormAnswerGroup> = IdList::from_in(&notes, NOTES, ids)?;
    let client = text(CLIENT).map(|text| parse_id::<User>(text, CLIENT, ids)).transpose()?;
    let printed = print(request, What::These(notes.0, client), NOTES).await?;
    request.reads.note(PATH, printed.reads.iter().copied());
    log_reads(request, &request.actor).await?;
    Ok(printed)
}

fn pdf(printed: Printed) -> Response<Body> {
    let mut response = respond::bytes(StatusCode::OK, "application/pdf", printed.bytes);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let name = HeaderValue::from_static("attachment; filename=\"chart-notes.pdf\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    response
}

fn refusal(app: &App, request: &Request, refused: Refused) -> Response<Body> {
    let not_found = || {
        let message = "There is no such form or note of this client that you may read.";
        refuse(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    };
    let response = match refused {
        Refused::NotFound(_) => not_found(),
        Refused::Foreign { code, message, .. } => {
            graphql::count_refusals(app, request, Some(code));
            return refuse(StatusCode::NOT_FOUND, code, message);
        }
        Refused::Problems(problems) => {
            let message = problems.into_iter().next().map(|it| it.message).unwrap_or_default();
            refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
        }
        Refused::Denied(_) => {
            refuse(StatusCode::FORBIDDEN, "PERMISSION_DENIED", ward_engine::DENIED)
        }
        Refused::Error(error) => refuse(StatusCode::FORBIDDEN, "PERMISSION_DENIED", error.message),
        Refused::Store(error @ (StoreError::Unavailable(_) | StoreError::Conflict)) => {
            tracing::error!(%error, "notes can't be read");
            return respond::unavailable("The notes can't be read now; retry in a moment.");
        }
        Refused::Store(error) => {
            tracing::error!(%error, "notes can't be printed");
            return refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error");
        }
    };
    graphql::count_refusals(app, request, None);
    response
}
