//! `/effects/{class}/cohort` and `/effects/held`: whom effects of a class reach before they reach
//! everybody, and what is held back. Each root organization names its own people; whom the caller
//! doesn't see is in neither list, and who of the others is a client stands in the access log.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_effects::{COHORT_MAX, CohortChange, CohortEnd};
use ward_store::StoreError;
use ward_store::system::EffectClass;

use crate::app::App;
use crate::desk::{administrator, desk, failed, quarantined};
use crate::effects::{REASON_CHARS_MAX, unknown_class};
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::seen::{self, id_in};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/effects/{class}/cohort", get(list).post(change))
        .route("/effects/held", get(held))
}

/// A class that has a cohort.
fn class_of(text: &str) -> Result<EffectClass, Response<Body>> {
    let class = EffectClass::from_text(text).ok_or_else(unknown_class)?;
    match ward_effects::has_cohort(class) {
        true => Ok(class),
        false => Err(refuse(
            StatusCode::BAD_REQUEST,
            "BAD_REQUEST",
            "Account mail is off or live: who is in no cohort could not sign in.",
        )),
    }
}

async fn list(
    State(app): State<Arc<App>>,
    Path(class): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match administrator(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let class = match class_of(&class) {
        Ok(class) => class,
        Err(response) => return response,
    };
    let read = async {
        let mut people = ward_effects::cohort(&app.db, actor.org_id, class).await?;
        let ids = people.iter().filter_map(id_in).collect();
        let seen = seen::shown(&app, &actor, &facts, "effects/cohort", ids).await?;
        people.retain(|person| id_in(person).is_some_and(|id| seen.contains(&id)));
        Ok::<_, StoreError>(people)
    };
    match read.await {
        Ok(people) => {
            respond::json(StatusCode::OK, &json!({"class": class.as_str(), "people": people}))
        }
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    add: Vec<Json>,
    #[serde(default)]
    remove: Vec<Json>,
    reason: String,
}

/// Changes who is in it; what waits for somebody who came is let go.
async fn change(
    State(app): State<Arc<App>>,
    Path(class): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let actor = match administrator(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let class = match class_of(&class) {
        Ok(class) => class,
        Err(response) => return response,
    };
    let mut change = match read(&app, &body) {
        Ok(change) => change,
        Err((code, sentence)) => return refuse(StatusCode::BAD_REQUEST, code, &sentence),
    };
    if let Some(response) = quarantined(&app) {
        return response;
    }
    let done = async {
        if seen::present(&app, &actor, &change.add).await?.len() != change.add.len() {
            return Ok(Err("Somebody of these is not a person of your organization."));
        }
        // Who is not seen is passed over, as who is not there.
        let known = seen::ever(&app, &actor, &change.remove).await?;
        change.remove.retain(|id| known.contains(id));
        match ward_effects::change_cohort(&app.db, &actor, class, change).await? {
            CohortEnd::TooMany => Ok(Err("A cohort has at most 1,000 people.")),
            CohortEnd::Changed(count) => {
                let released = app.door.release(&app.db, class).await?;
                Ok(Ok(
                    json!({"class": class.as_str(), "people": count, "released": released.queued}),
                ))
            }
        }
    };
    match done.await {
        Ok(Ok(answer)) => respond::json(StatusCode::OK, &answer),
        Ok(Err(sentence)) => refuse(StatusCode::BAD_REQUEST, "BAD_REQUEST", sentence),
        Err(error) => failed(&error),
    }
}

fn read(app: &App, body: &[u8]) -> Result<CohortChange, (&'static str, String)> {
    const WHAT: &str = "send {\"add\": [ids of people], \"remove\": [ids], \"reason\": \"…\"}";
    let wrong = |sentence: &str| ("BAD_REQUEST", sentence.to_owned());
    let change: Change = serde_json::from_slice(body).map_err(|_| wrong(WHAT))?;
    let reason = change.reason.trim();
    match reason.chars().count() {
        0 => return Err(wrong("reason can't be blank: it stands in the audit log")),
        count if count > REASON_CHARS_MAX => {
            return Err(wrong("reason has at most 500 characters"));
        }
        _ => {}
    }
    if change.add.len().max(change.remove.len()) > COHORT_MAX {
        return Err(wrong("a cohort has at most 1,000 people"));
    }
    let ids = |given: &[Json]| -> Result<Vec<i64>, (&'static str, String)> {
        let mut ids = BTreeSet::new();
        for id in given {
            let text = match id {
                Json::String(text) => text.clone(),
                Json::Number(number) => number.to_string(),
                _ => return Err(wrong(WHAT)),
            };
            let id = app.instance.ids().parse_of("User", &text);
            let id =
                id.map_err(|refused| (refused.code().unwrap_or("BAD_REQUEST"), refused.message()))?;
            ids.insert(id);
        }
        Ok(ids.into_iter().collect())
    };
    let (add, remove) = (ids(&change.add)?, ids(&change.remove)?);
    match add.is_empty() && remove.is_empty() {
        true => Err(wrong(WHAT)),
        false => Ok(CohortChange { add, remove, reason: reason.to_owned() }),
    }
}

/// What is held back of the caller's organization, and why; for whom is for administrators.
async fn held(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Response<Body> {
    let actor = match desk(&app, &headers, &facts).await {
        Ok(actor) => actor,
        Err(response) => return response,
    };
    let class = match query.get("class").map(|class| EffectClass::from_text(class)) {
        Some(None) => return unknown_class(),
        class => class.flatten(),
    };
    let is_admin = ward_identity::is_admin(&actor);
    let read = async {
        let found = ward_effects::held(&app.db, actor.org_id, class, is_admin).await?;
        let (mut items, count) = found;
        let ids = items.iter().filter_map(id_in).collect();
        let seen = seen::shown(&app, &actor, &facts, "effects/held", ids).await?;
        for item in &mut items {
            if id_in(item).is_none_or(|id| !seen.contains(&id)) {
                item["user_id"] = Json::Null;
            }
        }
        Ok::<_, StoreError>((items, count))
    };
    match read.await {
        Ok((items, count)) => {
            respond::json(StatusCode::OK, &json!({"count": count, "items": items}))
        }
        Err(error) => failed(&error),
    }
}
