//! A practice with an owner, and an engine that answers the newer view; its clock stands until it is
//! moved.

use std::ops::Deref;

use jiff::ToSpan;
use serde_json::{Value as Json, json};
use ward_engine::{Request, ViewId};
use ward_instance::Clock;
use ward_practice_tests::{Plan, Premises, domains, each};
use ward_store::Actor;

/// The domain, and those that it knows.
static PLAN: Plan = Plan {
    domains: domains![
        ward_identity,
        ward_clients,
        ward_scheduling,
        ward_charting,
        ward_documents,
        ward_clinical,
        ward_export,
    ],
    clock: standing,
};

fn standing() -> Clock {
    Clock::manual(Clock::system().wall())
}

/// A test's world, gone with it.
pub struct World {
    premises: Premises,
    owner: Actor,
}

impl Deref for World {
    type Target = Premises;

    fn deref(&self) -> &Premises {
        &self.premises
    }
}

impl World {
    /// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
    pub async fn each(test: impl AsyncFn(World)) {
        let enter = async |premises: Premises| {
            let (_, owner) = premises.found("Testwell Practice", "owner@example.com").await;
            World { premises, owner }
        };
        each(&PLAN, enter, test).await;
    }

    /// A request of the owner's, at this moment.
    pub fn request(&self) -> Request {
        self.premises.request(ViewId::V2026, &self.owner)
    }

    /// Runs a mutation of one input object as the owner; its payload.
    pub async fn mutate(&self, field: &str, selects: &str, input: Json) -> Json {
        let answer = self.mutation(&self.owner, field, selects, input).await;
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][field].clone()
    }

    /// A new client of the owner; the id.
    pub async fn client(&self, first: &str, email: &str) -> String {
        let input = json!({ "first_name": first, "last_name": "Client", "email": email });
        let made = self.mutate("createClient", "user { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["user"]["id"].as_str().unwrap().to_owned()
    }

    /// What a client has consented to, for so many days yet or without an end; the id.
    pub async fn consent(&self, client: &str, days: Option<i64>) -> String {
        let now = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap();
        let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        let last = days.map(|days| today.saturating_add(days.days()).to_string());
        let input = json!({ "user_id": client, "recipient": "Dr. Ada Bell",
            "purpose": "Further treatment", "scope": "ALL_RECORDS", "signed_on": "2025-01-02",
            "expires_on": last });
        let selects = "disclosure_consent { id }";
        let made = self.mutate("createDisclosureConsent", selects, input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["disclosure_consent"]["id"].as_str().unwrap().to_owned()
    }

    /// The practice.
    pub fn org(&self) -> i64 {
        self.owner.org_id
    }
}
