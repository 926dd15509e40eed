//! `/sandbox/v1/packs`, `seed` and `reset`: what the Sandbox is filled with. For administrators of the
//! founding organization, and the list for its developers, too.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::Value as Json;
use ward_identity::admin::{self as identity, AdminError};
use ward_identity::tables::CredentialClass;
use ward_store::{Actor, Id, Query, Scope, Sql, StoreError, Tx, Value};

use super::snapshots;
use crate::admin::{self, Command, Context};
use crate::app::App;
use crate::desk::{
    Answered, check_quarantine, failed, founding_administrator, founding_desk, wrong,
};
use crate::guard::Facts;
use crate::packs::Pack;
use crate::place::ServerError;
use crate::respond::{self, refuse};
use crate::rewind;

/// The routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/v1/packs", get(packs))
        .route("/sandbox/v1/seed", post(seed))
        .route("/sandbox/v1/reset", post(reset))
}

/// The worlds that a Sandbox can be filled with.
async fn packs(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
) -> Answered {
    founding_desk(&app, &headers, &facts).await?;
    Ok(respond::json(StatusCode::OK, &Pack::list()))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    pack: Option<Pack>,
    seed: Option<u64>,
}

const WISH: &str = "send {\"pack\": \"standard\", \"seed\": 1}, both as you like, or nothing: GET /sandbox/v1/packs lists the packs, and a seed is a whole number from 0";

impl Wish {
    fn read(body: &[u8]) -> Result<Self, Response<Body>> {
        match body.trim_ascii().is_empty() {
            true => Ok(Wish::default()),
            false => serde_json::from_slice(body).map_err(|_| wrong(WISH)),
        }
    }

    /// The pack and the seed, where one of them is said; the other is as on the command line.
    fn world(&self) -> Option<(Pack, u64)> {
        let is_said = self.pack.is_some() || self.seed.is_some();
        is_said.then(|| (self.pack.unwrap_or_default(), self.seed.unwrap_or(1)))
    }
}

/// Fills a Sandbox that was not filled yet.
async fn seed(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = founding_administrator(&app, &headers, &facts).await?;
    let (pack, seed) = Wish::read(&body)?.world().unwrap_or((Pack::Standard, 1));
    check_quarantine(&app)?;
    let db = app.db.in_world(caller.world);
    let context = Context { db, ..Context::asked(&app, caller.world) };
    // Whoever asked may go away meanwhile: it is done to its end all the same.
    let done = tokio::spawn(async move {
        // Nobody else fills or empties it meanwhile.
        let _turn = rewind::turn(&context).await?;
        admin::run(&context, Command::SandboxSeed { seed, pack, clients: None }).await
    });
    let done = done.await.map_err(|_| failed(&StoreError::internal("a seed panicked")))?;
    let answer = done.map_err(|error| snapshots::refused(&error, "SEED_REFUSED"))?;
    Ok(respond::json(StatusCode::OK, &answer))
}

/// Empties the Sandbox, moves its ids to a fresh slot and fills it where that is asked for.
async fn reset(
    State(app): State<Arc<App>>,
    Extension(facts): Extension<Facts>,
    headers: HeaderMap,
    body: Bytes,
) -> Answered {
    let caller = founding_administrator(&app, &headers, &facts).await?;
    let world = Wish::read(&body)?.world();
    let key = owners_key(&app, &caller.actor).await.map_err(|error| failed(&error))?;
    // Whoever asked may go away meanwhile: it is done to its end all the same.
    let context = Context::asked(&app, caller.world);
    let done = tokio::spawn(async move {
        let (pack, seed) = match world {
            Some((pack, seed)) => (pack, Some(seed)),
            None => (Pack::Standard, None),
        };
        admin::run(&context, Command::SandboxReset { seed, pack }).await
    });
    let done = done.await.map_err(|_| failed(&StoreError::internal("a reset panicked")))?;
    let mut answer = done.map_err(|error| match error {
        ServerError::Store(error @ StoreError::OtherWorld) => failed(&error),
        error => refuse(StatusCode::CONFLICT, "RESET_REFUSED", error.to_string()),
    })?;
    // The link signs in as the owner.
    if !caller.actor.is_owner
        && let Some(answer) = answer.as_object_mut()
    {
        answer.remove("set_password_link");
    }
    if let Some(class) = key {
        with_keys(&app, &mut answer, class).await?;
    }
    Ok(respond::json(StatusCode::OK, &answer))
}

/// What the key is for that asks, where it is the owner's and could make another one: it neither ends
/// nor is bound to addresses. A session has none.
async fn owners_key(app: &App, actor: &Actor) -> Result<Option<CredentialClass>, StoreError> {
    let Some(kid) = actor.credential.clone().filter(|_| actor.is_owner) else { return Ok(None) };
    let sql = Sql::fixed(
        "SELECT class FROM api_keys WHERE org_id = $1 AND kid = $2 AND deleted_at IS NULL \
         AND expires_at IS NULL AND allowed_addresses IS NULL",
        [actor.org_id.into(), kid.as_ref().into()],
    );
    let rows = app.db.read().await?.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::text).and_then(CredentialClass::from_text))
}

/// Adds a key of the new owner, as the one that asked is of nobody any more; of a run, whose keys end
/// with it, also one of its integration.
async fn with_keys(
    app: &App,
    answer: &mut Json,
    class: CredentialClass,
) -> Result<(), Response<Body>> {
    let org_id = answer["organization_id"].as_str().and_then(|id| id.parse::<i64>().ok());
    let org_id = org_id.ok_or_else(|| failed(&StoreError::internal("a reset without owner")))?;
    let made = app.db.write(move |tx: &mut Tx| Box::pin(keys(tx, org_id, class))).await;
    let made = made.map_err(|error| snapshots::refused(&admin::refused(error), "RESET_REFUSED"))?;
    for (name, key) in made {
        answer[name] = key.into();
    }
    Ok(())
}

async fn keys(
    tx: &mut Tx,
    org_id: i64,
    class: CredentialClass,
) -> Result<Vec<(&'static str, String)>, AdminError> {
    let mut wanted = vec![("api_key", "owner")];
    if class == CredentialClass::Ephemeral {
        wanted.push(("integration_key", "integration"));
    }
    let staff = identity::list_staff(tx).await?;
    let actor = Actor::system(org_id);
    let mut scope = Scope::new(tx, &actor);
    let mut made = Vec::new();
    for (name, role) in wanted {
        if let Some(user) = staff.iter().find(|user| user.role == role) {
            let id = Id::new(user.id);
            let key = identity::create_key(&mut scope, id, Some("reset"), class).await?;
            made.push((name, key.text.to_string()));
        }
    }
    Ok(made)
}
