//! The steps after the births.

use serde_json::{Value as Json, json};

use super::cast::{Cast, Player};
use super::desk::Desk;
use super::{Seen, text};
use crate::http::{Answer, Api};

const CREATE: &str = "mutation Create($input: createClientInput) { createClient(input: $input) { user { id first_name last_name } messages { field message } } }";
const WHO: &str = "query Who { currentUser { id full_name } }";
const READ: &str = "query Read($id: ID) { user(id: $id) { id first_name last_name email } }";
const AUDIT: &str = "query Audit($id: ID) { auditLog(resource_id: $id, resource_name: USER) { nodes { type resource_name resource_id acting_user { full_name } } } }";

/// The tour so far.
pub struct Story {
    /// The two instances.
    pub cast: Cast,
    pub(super) client: String,
    pub(super) provider: String,
    pub(super) desk: Desk,
}

impl Story {
    /// Begins.
    pub fn new(cast: Cast) -> Self {
        Story { cast, client: String::new(), provider: String::new(), desk: Desk::default() }
    }

    /// Plays a step.
    pub async fn play(&mut self, step: usize) -> Seen {
        match step {
            1 => self.create(),
            2 => self.read_back(),
            3 => self.book(),
            4 => self.reschedule(),
            5 => self.wrong_key().await,
            6 => self.wrong_id(),
            7 => self.audit(),
            _ => self.verify().await,
        }
    }

    fn input(&self) -> Json {
        json!({"input": {
            "first_name": "Ada", "last_name": "Ahlgren", "email": "ada.ahlgren@example.com",
            "dietitian_id": self.provider, "dont_send_welcome": true,
        }})
    }

    fn create(&mut self) -> Seen {
        let sandbox = &self.cast.sandbox;
        let who = call(sandbox, &sandbox.key("provider")?, WHO, &json!({}))?;
        let provider = text(&who.body, "/data/currentUser/id")
            .ok_or_else(|| unexpected("no provider", &who))?;
        self.provider = provider.to_owned();
        let answer = call(sandbox, &sandbox.key("integration")?, CREATE, &self.input())?;
        let user = answer.body.pointer("/data/createClient/user").filter(|user| !user.is_null());
        let id = user
            .and_then(|user| text(user, "/id"))
            .ok_or_else(|| unexpected("no client", &answer))?;
        self.client = id.to_owned();
        Ok(format!("createClient answered with Ada Ahlgren, id {id}"))
    }

    fn read_back(&self) -> Seen {
        let sandbox = &self.cast.sandbox;
        let answer =
            call(sandbox, &sandbox.key("integration")?, READ, &json!({"id": self.client}))?;
        match text(&answer.body, "/data/user/first_name") {
            Some("Ada") => Ok(format!("user(id: {}) is Ada Ahlgren", self.client)),
            _ => Err(unexpected("not the client that was created", &answer)),
        }
    }

    async fn wrong_key(&self) -> Seen {
        let production = &self.cast.production;
        let before = clients(production).await?;
        let answer =
            call(production, &self.cast.sandbox.key("integration")?, CREATE, &self.input())?;
        let after = clients(production).await?;
        if answer.code() != Some("WRONG_ENVIRONMENT_KEY") {
            return Err(unexpected("not refused as a wrong environment's key", &answer));
        }
        if before != after {
            return Err(format!("Production had {before} clients and now has {after}"));
        }
        Ok(format!(
            "WRONG_ENVIRONMENT_KEY: {}\nProduction had {before} clients before and has {after} now",
            answer.message().unwrap_or_default()
        ))
    }

    fn wrong_id(&self) -> Seen {
        let production = &self.cast.production;
        let answer =
            call(production, &production.key("owner")?, READ, &json!({"id": self.client}))?;
        let found = answer.body.pointer("/data/user").is_some_and(|user| !user.is_null());
        if found || answer.code() != Some("WRONG_ENVIRONMENT_ID") {
            return Err(unexpected("not refused as a wrong environment's id", &answer));
        }
        Ok(format!("WRONG_ENVIRONMENT_ID: {}", answer.message().unwrap_or_default()))
    }

    fn audit(&self) -> Seen {
        let sandbox = &self.cast.sandbox;
        let answer = call(sandbox, &sandbox.key("owner")?, AUDIT, &json!({"id": self.client}))?;
        let entries = answer
            .body
            .pointer("/data/auditLog/nodes")
            .and_then(Json::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let told = |entry: &Json| {
            let [kind, name, id, who] =
                ["/type", "/resource_name", "/resource_id", "/acting_user/full_name"]
                    .map(|path| text(entry, path).unwrap_or("-").to_owned());
            format!("{kind} {name} {id} by {who}")
        };
        let told: Vec<String> = entries.iter().map(told).collect();
        if !told.iter().any(|entry| entry.starts_with("CREATE USER")) {
            return Err(unexpected("no entry of the creation", &answer));
        }
        Ok(told.join("\n"))
    }

    async fn verify(&self) -> Seen {
        let mut seen = Vec::new();
        for (name, player) in
            [("Sandbox", &self.cast.sandbox), ("Production", &self.cast.production)]
        {
            let (well, verdict) = player.ward(&["audit", "verify"]).await?;
            if !well || verdict["intact"] != true {
                return Err(format!("{name}'s audit log does not verify: {verdict}"));
            }
            seen.push(format!("{name}: intact, {} entries", verdict["entries"]));
        }
        Ok(seen.join("\n"))
    }
}

pub(super) fn call(
    player: &Player,
    key: &str,
    query: &str,
    variables: &Json,
) -> Result<Answer, String> {
    ask(&player.api(key)?, query, variables)
}

pub(super) fn ask(api: &Api, query: &str, variables: &Json) -> Result<Answer, String> {
    tokio::task::block_in_place(|| api.graphql(query, variables))
        .map_err(|failure| failure.sentence)
}

async fn clients(player: &Player) -> Result<i64, String> {
    let (_, status) = player.ward(&["status"]).await?;
    status["clients"].as_i64().ok_or_else(|| "ward status does not count the clients".to_owned())
}

pub(super) fn unexpected(what: &str, answer: &Answer) -> String {
    format!("{what}; the answer was {} {}", answer.status, answer.body)
}
