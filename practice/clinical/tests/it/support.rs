//! A practice with an owner, members and an engine that answers both views.

use std::ops::Deref;

use serde_json::{Value as Json, json};
use ward_instance::Clock;
use ward_practice_tests::{Plan, Practice, Premises, domains, each};
use ward_store::{Query, Sql};

/// The domain, and those that its tests need.
static PLAN: Plan = Plan {
    domains: domains![
        ward_identity,
        ward_clients,
        ward_scheduling,
        ward_charting,
        ward_documents,
        ward_clinical,
    ],
    clock: Clock::system,
};

/// A test's world, gone with it.
pub struct World {
    practice: Practice,
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
        let enter = async |premises: Premises| World { practice: Practice::of(premises).await };
        each(&PLAN, enter, test).await;
    }

    /// A type of appointment, for several clients at once or for one; the id.
    pub async fn kind(&self, name: &str, is_group: bool) -> String {
        let input = json!({ "name": name, "length": 50, "is_group": is_group });
        let made =
            self.mutate(&self.owner, "createAppointmentType", "appointmentType { id }", input);
        made.await["appointmentType"]["id"].as_str().unwrap().to_owned()
    }

    /// Books with the owner, in so many days; the id.
    pub async fn books(&self, mut input: Json, days: i64) -> String {
        let at = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap()
            + jiff::SignedDuration::from_hours(24 * days);
        input["datetime"] = at.strftime("%Y-%m-%dT%H:00:00Z").to_string().into();
        input["contact_type"] = "Phone Call".into();
        let made = self.mutate(&self.owner, "createAppointment", "appointment { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["appointment"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes an appointment.
    pub async fn changes(&self, input: Json) {
        let done = self.mutate(&self.owner, "updateAppointment", "appointment { id }", input).await;
        assert!(done["messages"].is_null() && done["appointment"]["id"].is_string(), "{done}");
    }

    /// Names, payloads and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        let sql = Sql::fixed(
            "SELECT event_type, changed_fields, subject_id FROM events \
             WHERE event_type LIKE 'medication%' OR event_type LIKE 'allergy%' \
             OR event_type LIKE '%entry.%' OR event_type LIKE 'comment.%' \
             OR event_type LIKE 'goal%' ORDER BY seq",
            [],
        );
        let rows = self.db.read().await.unwrap().rows(&sql).await.unwrap();
        let text = |row: &[ward_store::Value], at: usize| row[at].text().unwrap().to_owned();
        rows.iter()
            .map(|row| {
                assert!(row[2].int().is_some(), "an event of no client");
                format!("{} {}", text(row, 0), text(row, 1))
            })
            .collect()
    }

    /// Every byte that SQLite has written, of the database and its log; nothing on PostgreSQL.
    pub fn raw(&self) -> Vec<u8> {
        ["ward.db", "ward.db-wal"]
            .map(|name| std::fs::read(self.path().join(name)).unwrap_or_default())
            .concat()
    }
}
