//! Calling a running instance over HTTP.

use std::io::Read as _;
use std::time::Duration;

use serde_json::Value as Json;
use ureq::Agent;
use ureq::http::{Method, Request};
use ward_instance::Kind;
use ward_instance::base_url::BaseUrl;

use crate::cli::There;
use crate::failure::{Done, Failure};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The version of the contract that this program was written for.
const API_VERSION: &str = "2026-01-01";

/// A running instance and a key to it, or none for a visitor.
pub struct Api {
    url: BaseUrl,
    key: Option<String>,
    expected: Option<Kind>,
    agent: Agent,
}

/// What came back.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The kind that answered, when it is ward.
    pub environment: Option<String>,
    /// The body.
    pub body: Json,
}

impl Api {
    /// The instance at an address.
    pub fn new(url: &str, key: impl Into<String>) -> Done<Self> {
        Ok(Api { key: Some(key.into()), ..Api::visitor(url)? })
    }

    /// The same, without a credential.
    pub fn visitor(url: &str) -> Done<Self> {
        let url: BaseUrl =
            url.parse().map_err(|wrong| Failure::usage(format!("--url is wrong: {wrong}")))?;
        if url.is_secure() {
            return Err(Failure::unavailable(
                "this version of ward speaks http:// only; run the command beside the server, or through its proxy's plain listener",
            ));
        }
        let mut config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        if url.is_loopback() {
            config = config.proxy(None);
        }
        Ok(Api { url, key: None, expected: None, agent: config.build().into() })
    }

    /// The instance that options or variables name.
    pub fn there(there: &There) -> Done<Self> {
        Api::new(&url(there)?, key(there.key_file.as_deref())?)
    }

    /// The Sandbox that options or variables name. Its key is checked first, so
    /// that a Production key never leaves this machine.
    pub fn sandbox(there: &There) -> Done<Self> {
        let url = url(there)?;
        let key = key(there.key_file.as_deref())?;
        if key.starts_with("ward_live") {
            return Err(Failure::refused(
                "E-ISO-11: the key is a Production key and this command is for a Sandbox; nothing was sent; fix: use a Sandbox key",
            ));
        }
        let mut api = Api::new(&url, key)?;
        api.expected = Some(Kind::Sandbox);
        Ok(api)
    }

    /// `GET path`.
    pub fn get(&self, path: &str) -> Done<Answer> {
        self.call(Method::GET, path, None)
    }

    /// `POST path`.
    pub fn post(&self, path: &str, body: &Json) -> Done<Answer> {
        self.call(Method::POST, path, Some(body))
    }

    /// `DELETE path`.
    pub fn delete(&self, path: &str) -> Done<Answer> {
        self.call(Method::DELETE, path, None)
    }

    /// A GraphQL operation.
    pub fn graphql(&self, query: &str, variables: &Json) -> Done<Answer> {
        self.post("/graphql", &serde_json::json!({"query": query, "variables": variables}))
    }

    fn call(&self, method: Method, path: &str, body: Option<&Json>) -> Done<Answer> {
        let text = body.map(Json::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Healthie-GraphQL-API-Version", API_VERSION)
            .header("Content-Type", "application/json");
        if let Some(key) = &self.key {
            request = request
                .header("Authorization", format!("Basic {key}"))
                .header("AuthorizationSource", "API");
        }
        if let Some(kind) = self.expected {
            request = request.header("X-Expect-Environment", kind.as_str());
        }
        let request = request.body(text).map_err(|_| {
            Failure::usage("the key or the address has characters that do not go into a request")
        })?;
        let unreachable = |error: ureq::Error| {
            Failure::unavailable(format!("{} does not answer: {error}; is it running?", self.url))
        };
        let mut response = self.agent.run(request).map_err(unreachable)?;
        let environment = response
            .headers()
            .get("x-environment")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string().map_err(unreachable)?;
        let body = serde_json::from_str(&text).unwrap_or(Json::Null);
        Ok(Answer { status, environment, body })
    }
}

impl Answer {
    /// The code of the first error.
    pub fn code(&self) -> Option<&str> {
        self.body.pointer("/errors/0/extensions/code").and_then(Json::as_str)
    }

    /// The first error's sentence.
    pub fn message(&self) -> Option<&str> {
        self.body.pointer("/errors/0/message").and_then(Json::as_str)
    }

    /// The body of a call to the Sandbox's control plane, or why there is none.
    pub fn sandbox(self) -> Done<Json> {
        let other = self.environment.as_deref() == Some(Kind::Production.as_str());
        if other || self.code() == Some("SANDBOX_ONLY") {
            return Err(Failure::refused(
                "E-ISO-35: the address is a Production's, and this command is for a Sandbox; nothing was done; fix: give --url of a Sandbox",
            ));
        }
        self.done()
    }

    /// The body of a call that was answered well, or why there is none.
    pub fn done(self) -> Done<Json> {
        if self.environment.is_none() {
            return Err(Failure::unavailable("what answers there is not ward; check --url"));
        }
        if self.status != 200 {
            let sentence = self
                .message()
                .map_or_else(|| format!("the instance answered {}", self.status), str::to_owned);
            return Err(match self.status {
                500.. => Failure::unavailable(sentence),
                _ => Failure::said_no(sentence),
            });
        }
        Ok(self.body)
    }
}

/// The address: an option's, else `WARD_URL`.
fn url(there: &There) -> Done<String> {
    let url = there.url.clone().or_else(|| std::env::var("WARD_URL").ok());
    let url = url.filter(|url| !url.is_empty());
    url.ok_or_else(|| Failure::usage("say which instance with --url, or in WARD_URL"))
}

/// The key: from a file or standard input, else `WARD_API_KEY`.
fn key(file: Option<&str>) -> Done<String> {
    let text = match file {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .take(4_096)
                .read_to_string(&mut text)
                .map(|_| text)
                .map_err(|error| Failure::usage(format!("standard input has no key: {error}")))?
        }
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read --key-file {path}: {error}")))?,
        None => std::env::var("WARD_API_KEY").unwrap_or_default(),
    };
    let key = text.trim();
    if key.is_empty() {
        return Err(Failure::usage(
            "give an API key in WARD_API_KEY, or with --key-file F (- is standard input)",
        ));
    }
    Ok(key.to_owned())
}

/// A value inside a query string.
pub fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_may_hold_any_character() {
        assert_eq!(escaped("a+b@x.example&class=é"), "a%2Bb%40x.example%26class%3D%C3%A9");
    }
}
