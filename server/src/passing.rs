//! A Sandbox that lives for one command (`ward sandbox run`): made, furnished, opened to be served,
//! and asked in the end what happened in it.

use std::path::Path;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::{Value as Json, json};
use ward_engine::{Incoming, ViewId};
use ward_identity::admin::{self as identity, AdminError, Preset};
use ward_identity::practice::NewMember;
use ward_identity::tables::CredentialClass;
use ward_instance::Kind;
use ward_store::{Actor, Id, Query, Scope, Sql, StoreError, Tx, Value};
use ward_webhooks::catalogue;

use crate::admin::{self, Context};
use crate::app::App;
use crate::birthday::{self, Founder};
use crate::guard::Facts;
use crate::packs::Pack;
use crate::place::{Hold, Newborn, Opened, ServerError};
use crate::tally::{Asked, Faulted};
use crate::{credential, graphql};

/// The keys of a furnished Sandbox.
pub struct Keys {
    /// The owner's.
    pub owner: String,
    /// A limited integration's.
    pub integration: String,
}

/// The one webhook, on all events.
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// What signs its requests, by the contract's rule.
    pub secret: String,
}

/// Where the webhook leads that nobody receives; it is disabled.
const NOWHERE: &str = "https://webhooks.example/not-enabled";

/// Makes the Sandbox in a directory and opens it. Variables are those of a command line, and both
/// kinds' together are refused as anywhere (ISO-04).
pub async fn make(
    dir: &Path,
    base_url: &str,
    env: &[(String, String)],
) -> Result<Opened, ServerError> {
    let newborn = Newborn {
        kind: Kind::Sandbox,
        base_url: base_url.to_owned(),
        database_env: None,
        database: None,
        sign_up_open: true,
        loopback_webhooks: true,
        passing: true,
    };
    crate::birth(dir, &newborn, env).await?;
    open(dir, env).await
}

/// Opens it; only one process can at a time.
pub async fn open(dir: &Path, env: &[(String, String)]) -> Result<Opened, ServerError> {
    crate::open(dir, Kind::Sandbox, Hold::Passing, "sandbox run", env).await
}

/// Fills it and makes the keys, which end with it.
pub async fn furnish(opened: &Opened, pack: Pack, seed: u64) -> Result<Keys, ServerError> {
    let founder = Founder {
        organization: "Sandbox Practice".to_owned(),
        owner_email: "owner@sandbox.example".to_owned(),
        first_name: "Sandbox".to_owned(),
        last_name: "Owner".to_owned(),
    };
    birthday::found(&opened.db, &founder).await?;
    birthday::seed(&Context::held(opened), (pack, seed), None).await?;
    let org_id = admin::founding(&opened.db)
        .await?
        .ok_or_else(|| ServerError::System("the organization is not there".to_owned()))?;
    let keys = opened.db.write(move |tx: &mut Tx| Box::pin(keys(tx, org_id)));
    let [owner, integration] = keys.await.map_err(admin::refused)?;
    Ok(Keys { owner, integration })
}

async fn keys(tx: &mut Tx, org_id: i64) -> Result<[String; 2], AdminError> {
    let staff = identity::list_staff(tx).await?;
    let of = |role: &str| staff.iter().find(|user| user.role == role).map(|user| user.id);
    let (owner, integration) = (of("owner"), of("integration"));
    let actor = Actor::system(org_id);
    let mut scope = Scope::new(tx, &actor);
    let integration = match integration {
        Some(id) => id,
        None => bridge(&mut scope).await?,
    };
    let owner = owner.ok_or_else(|| StoreError::internal("an organization without owner"))?;
    let mut made = [String::new(), String::new()];
    for (text, id) in made.iter_mut().zip([owner, integration]) {
        let name = Some("sandbox run");
        let key =
            identity::create_key(&mut scope, Id::new(id), name, CredentialClass::Ephemeral).await?;
        *text = key.text.to_string();
    }
    Ok(made)
}

async fn bridge(scope: &mut Scope<'_>) -> Result<i64, AdminError> {
    let member = NewMember {
        first_name: "Scheduling".to_owned(),
        last_name: "Bridge".to_owned(),
        ..NewMember::default()
    };
    let unit = Id::new(scope.actor.org_id);
    let (user, _) = identity::create_user(scope, unit, Preset::Integration, &member).await?;
    Ok(user.id.0)
}

const CREATE: &str = "mutation($input: createWebhookInput) { createWebhook(input: $input) { webhook { id signature_secret } messages { message } } }";

/// Makes the webhook through the public API, as the owner of the key; without an address it is
/// disabled.
pub async fn webhook(app: &App, key: &str, url: Option<&str>) -> Result<Webhook, ServerError> {
    let events: Vec<Json> = catalogue::EVENTS
        .iter()
        .map(|(name, _)| json!({"event_type": catalogue::member(name)}))
        .collect();
    let input = json!({
        "url": url.unwrap_or(NOWHERE),
        "is_enabled": url.is_some(),
        "webhook_events": events,
    });
    let answer = ask(app, key, CREATE, &json!({"input": input})).await?;
    let payload = &answer["data"]["createWebhook"];
    let text = |path: &str| payload.pointer(path).and_then(Json::as_str).map(str::to_owned);
    match (text("/webhook/id"), text("/webhook/signature_secret")) {
        (Some(id), Some(secret)) => Ok(Webhook { id, secret }),
        _ => {
            let said = text("/messages/0/message").unwrap_or_else(|| answer.to_string());
            Err(ServerError::Usage(format!("--webhook can't be used: {said}")))
        }
    }
}

async fn ask(app: &App, key: &str, query: &str, variables: &Json) -> Result<Json, ServerError> {
    let facts = Facts { id: app.request_number(), address: "127.0.0.1".to_owned() };
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("Basic {key}"))
        .map_err(|_| ServerError::System("a key with wrong characters".to_owned()))?;
    headers.insert(header::AUTHORIZATION, value);
    let caller = credential::identify(app, &headers, &facts.address)
        .await
        .map_err(|refused| ServerError::System(refused.message))?;
    let request = graphql::request_of(app, facts, caller, ViewId::V2026);
    let incoming = Incoming {
        query: query.to_owned(),
        operation_name: None,
        variables: variables.as_object().cloned().unwrap_or_default(),
    };
    let reply = graphql::answer(app, Arc::new(request), &incoming, &[]).await;
    serde_json::from_slice(&reply.body).map_err(|error| ServerError::System(error.to_string()))
}

/// What happened in it.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    /// By operation.
    pub operations: Vec<(String, Asked)>,
    /// By class and state: `queued`, `done`, `failed` or `waiting`.
    pub effects: Vec<(String, String, i64)>,
    /// Deliveries by event and state: `pending`, `leased`, `delivered` or `dead`.
    pub webhooks: Vec<(String, String, i64)>,
    /// Answers that faults have hit, by their kind.
    pub faults: Vec<(String, Faulted)>,
    /// Answers with a status of 500 or above, of whatever path, but for those that a fault gave it.
    pub failed_answers: u64,
}

/// What happened since its operations are counted.
pub async fn happened(app: &App) -> Result<Happened, StoreError> {
    let mut reader = app.db.read().await?;
    let mut counted = async |sql: &'static str| {
        let rows = reader.rows(&Sql::fixed(sql, [])).await?;
        let text = |value: Option<&Value>| value.and_then(Value::text).map(str::to_owned);
        let counts = rows.iter().filter_map(|row| {
            Some((text(row.first())?, text(row.get(1))?, row.get(2).and_then(Value::int)?))
        });
        Ok::<_, StoreError>(counts.collect())
    };
    let effects = counted(
        "SELECT class, state, COUNT(*) FROM effect_intents GROUP BY class, state ORDER BY class, state",
    );
    let effects = effects.await?;
    let webhooks = counted(
        "SELECT event_type, state, COUNT(*) FROM webhook_deliveries GROUP BY event_type, state ORDER BY event_type, state",
    );
    let webhooks = webhooks.await?;
    let faults = app.tally.get().map(|it| it.faults()).unwrap_or_default();
    let asked_for: u64 = faults.values().map(|faulted| faulted.failed).sum();
    let failed = app.failed.load(std::sync::atomic::Ordering::Relaxed);
    Ok(Happened {
        operations: app.tally.get().map(|it| it.counts().into_iter().collect()).unwrap_or_default(),
        effects,
        webhooks,
        faults: faults.into_iter().collect(),
        failed_answers: failed.saturating_sub(asked_for),
    })
}
