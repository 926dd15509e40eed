//! A practice with an owner, members and an engine that answers both views.

use std::ops::Deref;

use serde_json::{Value as Json, json};
use ward_identity::tables::OrgRole;
use ward_instance::Clock;
use ward_practice_tests::{Plan, Practice, Premises, domains, each};
use ward_store::{Actor, Sql};

/// The domain, and those that it knows.
static PLAN: Plan = Plan {
    domains: domains![ward_identity, ward_clients, ward_scheduling, ward_charting],
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
        let enter = async |premises: Premises| {
            let practice = Practice::of(premises).await;
            practice.join("Sue", OrgRole::Support).await;
            World { practice }
        };
        each(&PLAN, enter, test).await;
    }

    /// Names and changed columns of the domain's events, in order.
    pub async fn events(&self) -> Vec<String> {
        self.events_where("event_type LIKE 'custom_module%'").await
    }

    /// Makes a template; the id.
    pub async fn form(&self, actor: &Actor, input: Json) -> String {
        let payload =
            self.mutate(actor, "createCustomModuleForm", "customModuleForm { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["customModuleForm"]["id"].as_str().unwrap().to_owned()
    }

    /// Adds a question; the id.
    pub async fn question(&self, form: &str, mod_type: &str, label: &str) -> String {
        let input = json!({ "custom_module_form_id": form, "mod_type": mod_type, "label": label });
        let payload =
            self.mutate(&self.owner, "createCustomModule", "customModule { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        payload["customModule"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes a question; the payload.
    pub async fn change(&self, input: Json) -> Json {
        let selects = "customModule { id label options options_array required position sublabel \
            custom_module_condition { id custom_module_id conditional_custom_module_id filter_type \
            value_to_filter } }";
        self.mutate(&self.owner, "updateCustomModule", selects, input).await
    }

    /// An appointment of a client with the owner, in so many days; the id.
    pub async fn appointment(&self, client: &str, days: i64) -> String {
        let kind = json!({ "name": format!("Visit in {days} days"), "length": 50 });
        let kind =
            self.mutate(&self.owner, "createAppointmentType", "appointmentType { id }", kind).await;
        let at = jiff::Timestamp::from_microsecond(self.instance.now().0).unwrap()
            + jiff::SignedDuration::from_hours(24 * days);
        let input = json!({ "user_id": client, "datetime": at.strftime("%Y-%m-%dT%H:00:00Z").to_string(),
            "appointment_type_id": kind["appointmentType"]["id"],
            "contact_type": "Healthie Video Call" });
        let made = self.mutate(&self.owner, "createAppointment", "appointment { id }", input).await;
        assert!(made["messages"].is_null(), "{made}");
        made["appointment"]["id"].as_str().unwrap().to_owned()
    }

    /// Changes the database as nothing in Ward does.
    pub async fn spoil(&self, sql: Sql) {
        self.execute(sql).await;
    }
}
