//! `POST /sandbox/v1/effects`: a text as a practice would send it, to see what its receiver's side
//! answers. It goes the whole way that an effect goes; only a simulator is at the end.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Router, routing};
use serde::Deserialize;
use serde_json::json;
use ward_instance::Timestamp;
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Actor, Db, Scope, StoreError, Tx};

use crate::app::App;
use crate::desk::{Answered, check_quarantine, desk, failed, wrong};
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::tripwire;

/// The route.
pub fn routes() -> Router<Arc<App>> {
    Router::new().route("/sandbox/v1/effects", routing::post(rehearse))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rehearsal {
    class: String,
    to: String,
    text: String,
    not_before: Option<String>,
}

const WHAT: &str = "send {\"class\": \"sms\" or \"push\", \"to\": \"555-0100\", \"text\": \"…\"}, and \"not_before\": a time such as 2031-03-02T09:00:00Z when it is to wait";

async fn rehearse(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = desk(&app, &headers, &facts).await?;
    let intent = intent(&body, &facts.id).ok_or_else(|| wrong(WHAT))?;
    if tripwire::is_real(&format!("{} {}", intent.to, intent.payload)) {
        let sentence = "text looks like real data of a person. A Sandbox takes made-up data only.";
        return Err(refuse(StatusCode::BAD_REQUEST, "REAL_DATA_IN_SANDBOX", sentence));
    }
    check_quarantine(&app)?;
    record(&app.db.in_world(caller.world), caller.actor, intent)
        .await
        .map_err(|error| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"cause": facts.id})))
}

fn intent(body: &[u8], request: &str) -> Option<EffectIntent> {
    let rehearsal: Rehearsal = serde_json::from_slice(body).ok()?;
    let class = match EffectClass::from_text(&rehearsal.class)? {
        class @ (EffectClass::Sms | EffectClass::Push) => class,
        EffectClass::AccountMail | EffectClass::Email | EffectClass::Video | EffectClass::Scan => {
            return None;
        }
    };
    let not_before: Option<Result<Timestamp, _>> =
        rehearsal.not_before.map(|moment| moment.parse());
    Some(EffectIntent {
        class,
        kind: "rehearsal",
        to: rehearsal.to,
        payload: json!({"text": rehearsal.text}),
        subject_client: None,
        recipient: None,
        cause: request.to_owned(),
        idempotency_key: format!("rehearsal/{request}"),
        not_before: not_before.transpose().ok()?,
        expires_at: None,
    })
}

async fn record(db: &Db, actor: Actor, intent: EffectIntent) -> Result<(), StoreError> {
    db.write(move |tx: &mut Tx| {
        let (actor, intent) = (actor.clone(), intent.clone());
        Box::pin(async move { Scope::new(tx, &actor).intend(intent).await.map(drop) })
    })
    .await
}
