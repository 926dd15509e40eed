//! The API as a client sees it.

use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value as Json, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

use crate::people;

/// The baseline view, which is served without a version header too.
pub const BASELINE: &str = "2024-06-01";
/// The newer view.
pub const V2026: &str = "2026-01-01";

static AGENT: LazyLock<Agent> = LazyLock::new(|| {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // Kept connections to servers that are killed in between would fail later requests.
        .max_idle_connections(0)
        .timeout_global(Some(Duration::from_secs(60)));
    config.build().new_agent()
});

/// A caller: a server's port, and a credential or none.
#[derive(Clone, Debug)]
pub struct Api {
    port: u16,
    headers: Vec<(String, String)>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    /// The body's text.
    pub text: String,
    /// The body, null when it is not JSON.
    pub json: Json,
}

impl Api {
    /// A caller of the server on a port of this machine.
    pub fn at(port: u16, credential: Option<&str>) -> Self {
        let headers = credential.map(|key| ("Authorization".to_owned(), format!("Basic {key}")));
        Api { port, headers: headers.into_iter().collect() }
    }

    /// A caller of the same server without a credential.
    #[must_use]
    pub fn nobody(&self) -> Self {
        Api::at(self.port, None)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A request of the newer view.
    pub fn ask(&self, query: &str, variables: Json) -> Reply {
        self.gql(V2026, query, variables)
    }

    /// Makes what a mutation, whose input is `of`, answers as `made`; its id.
    #[track_caller]
    pub fn make(&self, field: &str, of: &str, made: &str, input: Json) -> String {
        let query = format!(
            "mutation($input: {of}) {{ {field}(input: $input) {{ {made} {{ id }} \
             messages {{ field message }} }} }}"
        );
        people::id(&self.ask(&query, json!({"input": input})).data()[field][made])
    }

    /// A request of a view.
    pub fn gql(&self, view: &str, query: &str, variables: Json) -> Reply {
        self.try_gql(view, query, variables).unwrap()
    }

    /// A request to a server that may be gone.
    pub fn try_gql(&self, view: &str, query: &str, variables: Json) -> Result<Reply, ureq::Error> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let request = self
            .request("POST", "/graphql")
            .header("Healthie-GraphQL-API-Version", view)
            .header("Content-Type", "application/json");
        run(request.body(body).map_err(ureq::Error::from)?)
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Reply {
        run(self.request("GET", path).body(String::new()).unwrap()).unwrap()
    }

    /// A `POST` of JSON.
    pub fn post(&self, path: &str, body: &Json) -> Reply {
        self.post_as(path, "application/json", body.to_string())
    }

    /// A `PUT` of a text.
    pub fn put(&self, path: &str, body: &str) -> Reply {
        run(self.request("PUT", path).body(body.to_owned()).unwrap()).unwrap()
    }

    /// A `DELETE`.
    pub fn delete(&self, path: &str) -> Reply {
        run(self.request("DELETE", path).body(String::new()).unwrap()).unwrap()
    }

    /// A `POST` of anything.
    pub fn post_as(&self, path: &str, content_type: &str, body: String) -> Reply {
        let request = self.request("POST", path).header("Content-Type", content_type);
        run(request.body(body).unwrap()).unwrap()
    }

    fn request(&self, method: &str, path: &str) -> ureq::http::request::Builder {
        let address = format!("http://127.0.0.1:{}{path}", self.port);
        let start = Request::builder().method(method).uri(address);
        self.headers.iter().fold(start, |request, (name, value)| request.header(name, value))
    }
}

impl ward_probe::schema::Asks for Api {
    fn data(&self, view: &str, query: &str) -> Json {
        self.gql(view, query, json!({})).data().clone()
    }
}

fn run(request: Request<String>) -> Result<Reply, ureq::Error> {
    let has_body = !request.body().is_empty();
    let mut response = match has_body {
        true => AGENT.run(request)?,
        false => AGENT.run(request.map(drop))?,
    };
    let bytes = response.body_mut().with_config().limit(64 * 1024 * 1024).read_to_vec()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let json = serde_json::from_str(&text).unwrap_or(Json::Null);
    let (parts, _) = response.into_parts();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, bytes, text, json })
}

impl Reply {
    /// A header's text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// `errors[0].extensions.code`, empty when there is none.
    pub fn code(&self) -> &str {
        code(&self.json)
    }

    /// The data of an operation that had to succeed: no error, no message.
    #[track_caller]
    pub fn data(&self) -> &Json {
        assert!(self.status == 200 && self.json["errors"].is_null(), "refused: {}", self.text);
        let data = &self.json["data"];
        for (field, payload) in data.as_object().into_iter().flatten() {
            let messages = payload.get("messages").unwrap_or(&Json::Null);
            assert!(messages.is_null(), "{field} was refused: {messages}");
        }
        data
    }
}

/// `errors[0].extensions.code`, empty when there is none.
pub fn code(json: &Json) -> &str {
    json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}
