//! `/effects/{class}/cohort` and `/effects/held`: whom effects of a class reach before they reach
//! everybody, and what is held back. Each root organization names its own people; whom the caller
//! doesn't see is in neither list, and who of the others is a client stands in the access log.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use ward_effects::{COHORT_MAX, CohortChange, CohortEnd};
use ward_store::StoreError;

use crate::app::App;
use crate::credential::Caller;
use crate::desk::{Answered, administrator, check_quarantine, desk, failed, reason, wrong};
use crate::effects::{check_cohort, class_asked, class_named};
use crate::guard::Facts;
use crate::respond::{self, refuse};
use crate::seen::{self, id_in};

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/effects/{class}/cohort", get(list).post(change))
        .route("/effects/held", get(held))
}

async fn list(
    State(app): State<Arc<App>>,
    Path(class): Path<String>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let caller = administrator(&app, &headers, &facts).await?;
    let class = class_named(&class)?;
    check_cohort(class)?;
    let read = async {
        let mut people = ward_effects::cohort(&app.db, caller.actor.org_id, class).await?;
        let ids = people.iter().filter_map(id_in).collect();
        let seen = seen::shown(&app, &caller, &facts, "effects/cohort", ids).await?;
        people.retain(|person| id_in(person).is_some_and(|id| seen.contains(&id)));
        Ok(people)
    };
    let people = read.await.map_err(|error: StoreError| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"class": class.as_str(), "people": people})))
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
) -> Answered {
    let Caller { actor, world, .. } = administrator(&app, &headers, &facts).await?;
    let class = class_named(&class)?;
    check_cohort(class)?;
    let mut change = read(&app, &body)
        .map_err(|(code, sentence)| refuse(StatusCode::BAD_REQUEST, code, &sentence))?;
    check_quarantine(&app)?;
    let db = app.db.in_world(world);
    let done = async {
        if seen::present(&app, &actor, &change.add).await?.len() != change.add.len() {
            return Ok(Err("Somebody of these is not a person of your organization."));
        }
        // Who is not seen is passed over, as who is not there.
        let known = seen::ever(&app, &actor, &change.remove).await?;
        change.remove.retain(|id| known.contains(id));
        match ward_effects::change_cohort(&db, &actor, class, change).await? {
            CohortEnd::TooMany => Ok(Err("A cohort has at most 1,000 people.")),
            CohortEnd::Changed(count) => {
                let released = app.door.release_own(&app.db, class, actor.org_id).await?;
                Ok(Ok(
                    json!({"class": class.as_str(), "people": count, "released": released.queued}),
                ))
            }
        }
    };
    let answer = done.await.map_err(|error: StoreError| failed(&error))?.map_err(wrong)?;
    Ok(respond::json(StatusCode::OK, &answer))
}

fn read(app: &App, body: &[u8]) -> Result<CohortChange, (&'static str, String)> {
    const WHAT: &str = "send {\"add\": [ids of people], \"remove\": [ids], \"reason\": \"…\"}";
    let said = |sentence: &str| ("BAD_REQUEST", sentence.to_owned());
    let change: Change = serde_json::from_slice(body).map_err(|_| said(WHAT))?;
    let reason = reason(&change.reason).map_err(said)?;
    if change.add.len().max(change.remove.len()) > COHORT_MAX {
        return Err(said("a cohort has at most 1,000 people"));
    }
    let ids = |given: &[Json]| -> Result<Vec<i64>, (&'static str, String)> {
        let mut ids = BTreeSet::new();
        for id in given {
            let text = match id {
                Json::String(text) => text.clone(),
                Json::Number(number) => number.to_string(),
                _ => return Err(said(WHAT)),
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
        true => Err(said(WHAT)),
        false => Ok(CohortChange { add, remove, reason }),
    }
}

/// What is held back of the caller's organization, and why; for whom is for administrators.
async fn held(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    let caller = desk(&app, &headers, &facts).await?;
    let class = class_asked(&query)?;
    let is_admin = ward_identity::is_admin(&caller.actor);
    let read = async {
        let found = ward_effects::held(&app.db, caller.actor.org_id, class, is_admin).await?;
        let (mut items, count) = found;
        let ids = items.iter().filter_map(id_in).collect();
        let seen = seen::shown(&app, &caller, &facts, "effects/held", ids).await?;
        for item in &mut items {
            if id_in(item).is_none_or(|id| !seen.contains(&id)) {
                item["user_id"] = Json::Null;
            }
        }
        Ok((items, count))
    };
    let (items, count) = read.await.map_err(|error: StoreError| failed(&error))?;
    Ok(respond::json(StatusCode::OK, &json!({"count": count, "items": items})))
}
