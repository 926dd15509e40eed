//! A Sandbox and a Production that run, hold data, and are shared by all rows that do not break
//! them.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use ward_tests::people;
use ward_tests::{Api, Engine, Instance, Kind, Server, json};

/// One of the two.
pub struct Side {
    pub instance: Instance,
    pub server: Server,
    /// The owner's key.
    pub owner: String,
    /// A provider's key.
    pub provider: String,
    /// The owner's id.
    pub own_id: String,
    /// Ids of clients.
    pub clients: Vec<String>,
    /// The id of their group.
    pub group: String,
    /// The id of a tag.
    pub tag: String,
    /// A word that stands in what this side holds and nowhere else.
    pub canary: &'static str,
}

impl Side {
    pub fn new(kind: Kind) -> Side {
        let canary = match kind {
            Kind::Sandbox => "sandcanary",
            Kind::Production => "prodcanary",
        };
        let instance = Instance::birth(kind, Engine::Sqlite);
        let (owner, provider) = (instance.owner_key(), instance.member("provider"));
        let server = instance.serve();
        let people::Furniture { clients, group, tag, .. } =
            people::furnish(&server.with(&owner), &server.with(&provider), canary);
        // Nobody's answer may depend on it: a sign-in that fails, and one that succeeds.
        people::sign_in(&server.api(), json!({"email": "nobody@x.example", "password": "wrong"}));
        people::set_password(&server.api(), &instance.owner_link, PASSWORD);
        people::device(&server.with(&owner), canary);
        let once = server.with(&provider).header("Idempotency-Key", "furnishing");
        people::client(&once, &format!("{canary}once"));
        people::avatar(&server.with(&provider));
        let own_id = people::current_user(&server.with(&owner));
        let side = Side { instance, server, owner, provider, own_id, clients, group, tag, canary };
        side.session();
        side
    }

    /// As the owner.
    pub fn as_owner(&self) -> Api {
        self.server.with(&self.owner)
    }

    /// As a provider.
    pub fn as_provider(&self) -> Api {
        self.server.with(&self.provider)
    }

    /// A session of the owner.
    pub fn session(&self) -> String {
        let email = ward_tests::instance::OWNER;
        let reply =
            people::sign_in(&self.server.api(), json!({"email": email, "password": PASSWORD}));
        let token = reply.data()["signIn"]["token"].as_str();
        token.unwrap_or_else(|| panic!("no session: {}", reply.text)).to_owned()
    }
}

/// The owners' password.
pub const PASSWORD: &str = "violet-harbour-93-lantern";

/// Both.
pub struct Pair {
    pub s: Side,
    pub p: Side,
}

impl Pair {
    /// The one of a kind, and the other.
    pub fn sides(&self, kind: Kind) -> (&Side, &Side) {
        match kind {
            Kind::Sandbox => (&self.s, &self.p),
            Kind::Production => (&self.p, &self.s),
        }
    }
}

static PAIR: LazyLock<Mutex<Pair>> = LazyLock::new(|| {
    Mutex::new(Pair { s: Side::new(Kind::Sandbox), p: Side::new(Kind::Production) })
});

/// The pair, for one test at a time: "nothing changed" is asserted of the whole database.
pub fn pair() -> MutexGuard<'static, Pair> {
    PAIR.lock().unwrap_or_else(PoisonError::into_inner)
}
