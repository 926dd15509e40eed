//! A practice with an owner, members and an engine that answers both views.

use std::ops::Deref;

use serde_json::Value as Json;
use ward_identity::tables::OrgRole;
use ward_instance::Clock;
use ward_practice_tests::{Plan, Practice, Premises, domains, each};
use ward_store::Actor;

/// The domain, and those that its tests need.
static PLAN: Plan = Plan {
    domains: domains![ward_identity, ward_clients, ward_scheduling, ward_messaging],
    clock: Clock::system,
};

/// A test's world, gone with it.
pub struct World {
    practice: Practice,
    /// A Support member with the default flags.
    pub support: Actor,
}

impl Deref for World {
    type Target = Practice;

    fn deref(&self) -> &Practice {
        &self.practice
    }
}

impl World {
    /// Runs a test in a world of its own on SQLite, then in one on PostgreSQL.
    pub async fn each(test: impl AsyncFn(World)) {
        let enter = async |premises: Premises| {
            let practice = Practice::of(premises).await;
            let support = practice.join("Sue", OrgRole::Support).await;
            World { practice, support }
        };
        each(&PLAN, enter, test).await;
    }

    /// Writes a message; the payload, errors aside.
    pub async fn note(&self, actor: &Actor, input: Json) -> Json {
        let selects = "note { id content user_id recipient_id creator { id } on_behalf_user { id } \
            creator_display_name attached_image_url image_name scheduled_at }";
        self.mutate(actor, "createNote", selects, input).await
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_where(
            "event_type LIKE 'conversation%' OR event_type LIKE 'message%' \
             OR event_type LIKE 'scheduled%' OR event_type LIKE 'notification%' \
             OR event_type LIKE 'sent_notification%'",
        )
        .await
    }
}
