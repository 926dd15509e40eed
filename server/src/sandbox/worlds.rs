//! `/sandbox/v1/packs`, `seed` and `reset`: what the Sandbox is filled with. For administrators of the
//! founding organization, and the list for its developers, too.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use ward_identity::session;
use ward_identity::tables::CredentialClass;
use ward_instance::Timestamp;
use ward_store::{Query, Sql, StoreError, Value};

use super::snapshots;
use crate::admin::{self, Command, Context};
use crate::app::App;
use crate::credential::Caller;
use crate::desk::{
    Answered, check_quarantine, failed, founding_administrator, founding_desk, wrong,
};
use crate::guard::Facts;
use crate::packs::Pack;
use crate::place::ServerError;
use crate::reset::{Heir, reset_for};
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
    check_quarantine(&app)?;
    let given = Given::to(&app, &caller).await.map_err(|error| failed(&error))?;
    let heir = given.heir();
    // Whoever asked may go away meanwhile: it is done to its end all the same.
    let context = Context::asked(&app, caller.world);
    let done = tokio::spawn(async move { reset_for(&context, world, heir).await });
    let done = done.await.map_err(|_| failed(&StoreError::internal("a reset panicked")))?;
    let mut answer = done.map_err(|error| match error {
        ServerError::Store(error @ StoreError::OtherWorld) => failed(&error),
        error => refuse(StatusCode::CONFLICT, "RESET_REFUSED", error.to_string()),
    })?;
    // The link signs in as the owner, from anywhere.
    if matches!(given, Given::Nothing)
        && let Some(answer) = answer.as_object_mut()
    {
        answer.remove("set_password_link");
    }
    Ok(respond::json(StatusCode::OK, &answer))
}

/// What whoever asks for a reset is given to go on with: no more than they could have made before.
enum Given {
    /// To an administrator, a session that is not fresh (SEC-10), a key that ends or is bound to
    /// addresses (SEC-07).
    Nothing,
    /// To the owner's fresh session.
    Link,
    /// To another key of the owner's.
    LinkAndKeys(Heir),
}

impl Given {
    async fn to(app: &App, caller: &Caller) -> Result<Self, StoreError> {
        let actor = &caller.actor;
        let Some(credential) = actor.credential.as_deref().filter(|_| actor.is_owner) else {
            return Ok(Given::Nothing);
        };
        let mut reader = app.db.read().await?;
        if let Some(session) = &caller.session {
            let sql = Sql::fixed(
                "SELECT created_at FROM sessions WHERE org_id = $1 AND id = $2",
                [actor.org_id.into(), session.as_str().into()],
            );
            let rows = reader.rows(&sql).await?;
            let began = rows.scalar().and_then(Value::int).map(Timestamp);
            let wall = app.instance.clock().wall();
            let is_fresh = began.is_some_and(|began| session::is_fresh(began, wall));
            return Ok(if is_fresh { Given::Link } else { Given::Nothing });
        }
        let sql = Sql::fixed(
            "SELECT class, made_at_sign_in FROM api_keys WHERE org_id = $1 AND kid = $2 \
             AND deleted_at IS NULL AND expires_at IS NULL AND allowed_addresses IS NULL",
            [actor.org_id.into(), credential.into()],
        );
        let rows = reader.rows(&sql).await?;
        let heir = rows.iter().next().and_then(|row| {
            let class = CredentialClass::from_text(row.first()?.text()?)?;
            Some(Heir { class, at_sign_in: row.get(1)?.truth() })
        });
        Ok(heir.map_or(Given::Nothing, Given::LinkAndKeys))
    }

    const fn heir(&self) -> Option<Heir> {
        match self {
            Given::LinkAndKeys(heir) => Some(*heir),
            Given::Nothing | Given::Link => None,
        }
    }
}
