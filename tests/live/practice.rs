//! A practice that runs, shared by the tests that only look at the protocol; and what happens in one.

use std::sync::LazyLock;

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people};

/// A subscription of whoever asks.
pub const MINE: &str = "subscription { userUpdatedSubscription { id } }";

/// An instance with its server and its owner's key.
pub struct Practice {
    pub instance: Instance,
    pub server: Server,
    pub key: String,
    /// The owner's id.
    pub me: String,
}

static SHARED: LazyLock<Practice> = LazyLock::new(|| Practice::open(Engine::Sqlite, &[]));

/// The shared one: nobody stops it, and nobody but its owner is told anything there.
pub fn shared() -> &'static Practice {
    &SHARED
}

impl Practice {
    /// A new one.
    pub fn open(engine: Engine, arguments: &[&str]) -> Practice {
        let instance = Instance::birth(Kind::Sandbox, engine);
        let key = instance.owner_key();
        let server = instance.serve_with(arguments);
        let me = people::current_user(&server.with(&key));
        Practice { instance, server, key, me }
    }

    /// As the owner.
    pub fn owner(&self) -> Api {
        self.server.with(&self.key)
    }
}

/// The caller changes their own name: what [`MINE`] tells.
#[track_caller]
pub fn rename(api: &Api, name: &str) {
    let query = "mutation($name: String) {
      updateOrganizationMember(input: {first_name: $name}) { user { id } messages { field message } }
    }";
    api.ask(query, json!({"name": name})).data();
}

/// The answer that [`MINE`] gives a person.
pub fn told(id: &str) -> Json {
    json!({"data": {"userUpdatedSubscription": {"id": id}}})
}
