//! A Sandbox that runs, shared by all tests, and requests written by hand.

use std::io::Write as _;
use std::sync::LazyLock;

use ward_tests::raw::{self, Answer};
use ward_tests::{Api, Engine, Instance, Kind, Server};

/// The instance and its server.
pub struct Running {
    pub instance: Instance,
    pub server: Server,
    pub key: String,
}

static RUNNING: LazyLock<Running> = LazyLock::new(|| {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    Running { instance, server, key }
});

/// The shared one.
pub fn running() -> &'static Running {
    &RUNNING
}

impl Running {
    /// Without a credential.
    pub fn nobody(&self) -> Api {
        self.server.api()
    }

    /// As the owner.
    pub fn owner(&self) -> Api {
        self.server.with(&self.key)
    }

    /// A request of any bytes, answered once.
    pub fn bytes(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = raw::connect(self.server.port).unwrap();
        stream.write_all(self.head(head, body.len()).as_bytes()).unwrap();
        // A server that has refused already may have closed the connection.
        let _ = stream.write_all(body);
        raw::read(&mut stream)
    }

    /// A `POST /graphql` of any bytes.
    pub fn post(&self, content_type: &str, body: &[u8]) -> Answer {
        self.bytes(&format!("POST /graphql HTTP/1.1\r\nContent-Type: {content_type}"), body)
    }

    /// The head with host and length.
    pub fn head(&self, head: &str, length: usize) -> String {
        let port = self.server.port;
        format!("{head}\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n\r\n")
    }
}

/// The code in an answer's first error.
pub fn code(answer: &Answer) -> String {
    let json = answer.json();
    json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

/// Asserts status, code and that the answer says which instance it is of.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, wanted: &str) {
    let found = (answer.status, code(answer));
    assert_eq!(found, (status, wanted.to_owned()), "{}\n{}", answer.head, answer.body);
    assert!(answer.json()["data"].is_null(), "data beside a refusal: {}", answer.body);
    assert_eq!(answer.header("x-environment"), Some("sandbox"), "{}", answer.head);
    assert_eq!(answer.header("x-instance"), Some(&*running().instance.tag), "{}", answer.head);
    assert!(answer.header("x-request-id").is_some_and(|id| id.len() == 36), "{}", answer.head);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", answer.head);
    let content_type = answer.header("content-type").unwrap_or_default();
    assert!(content_type.starts_with("application/json"), "{}", answer.head);
}
