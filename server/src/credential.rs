//! Who asks: the `Authorization` header as an actor.

use axum::http::{HeaderMap, header};
use ward_store::Actor;

use crate::app::App;

/// The person of a request.
pub struct Caller {
    /// Whom it runs as.
    pub actor: Actor,
    /// The session, if the credential is one.
    pub session: Option<String>,
    /// Which world they were looked up in: what they write is refused where another one is there.
    pub world: u64,
}

impl Caller {
    /// What the credential is, as the access log calls it.
    pub const fn credential_kind(&self) -> &'static str {
        match (&self.session, &self.actor.credential) {
            (Some(_), _) => "session",
            (None, Some(_)) => "api_key",
            (None, None) => "none",
        }
    }
}

/// A refused credential. Nothing was looked up beyond what its text says.
pub struct Refused {
    /// The code in `extensions`.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// The HTTP status on `/graphql`: 200, or 503 when the store failed.
    pub status: u16,
}

/// Reads the header of a request from `address` and loads the person with what they may do at this moment.
pub async fn identify(app: &App, headers: &HeaderMap, address: &str) -> Result<Caller, Refused> {
    // Before anything is looked up: a world that comes meanwhile is another one.
    let world = app.db.world();
    let text = match headers.get(header::AUTHORIZATION) {
        None => return Ok(Caller { actor: Actor::anonymous(), session: None, world }),
        Some(value) => value.to_str().unwrap_or("?"),
    };
    if text.trim().is_empty() {
        return Ok(Caller { actor: Actor::anonymous(), session: None, world });
    }
    let unavailable = |_| Refused {
        code: "UNAVAILABLE",
        message: "The database can't take this request now; retry in a moment.".to_owned(),
        status: 503,
    };
    match ward_identity::authenticate_from(&app.db, text, address).await.map_err(unavailable)? {
        Ok(identified) => {
            Ok(Caller { actor: identified.actor, session: identified.session, world })
        }
        Err(rejection) => {
            Err(Refused { code: rejection.code, message: rejection.message, status: 200 })
        }
    }
}
