//! Tables of chat settings.

use ward_identity::flags::CAN_EDIT_SETTINGS;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Json, Key, Reference, Role, Rule, index, record, unique};

record! {
    /// How a member's conversations behave while they are away, and begin.
    pub struct ChatSetting in CHAT_SETTINGS, chat_settings {
        id: Id<ChatSetting>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member.
        user_id: Id<User>,
        /// What new clients are written first.
        auto_welcome_text: Option<String>,
        send_auto_welcome: bool,
        /// What is answered in the one-off window.
        content: Option<String>,
        start_date: Option<Timestamp>,
        end_date: Option<Timestamp>,
        no_end_date: bool,
        /// Whether the one-off window counts: the contract has two words for it.
        is_active: bool,
        scheduled_turned_on: bool,
        /// Whether notices are sent in it.
        receive_notifications: bool,
        /// What is answered in the weekly windows.
        recurring_content: Option<String>,
        /// The weekly windows, as they were sent.
        recurring_days_data: Option<Json>,
        is_recurring_active: bool,
        recurring_turned_on: bool,
        receive_notifications_recurring: bool,
        /// Questions that the member wants to be asked no more.
        hide_close_confirmation: bool,
        hide_org_chat_confirmation: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "user_id"])],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CHAT_SETTING"),
    visible: settings,
}

record! {
    /// That a client was answered in an absence: once.
    pub struct AutoReply in AUTO_REPLIES, auto_replies {
        org_id: Id<Organization>,
        /// The member who is away.
        user_id: Id<User>,
        /// The client.
        patient_id: Id<User>,
        /// Which absence.
        absence: String,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "user_id", "patient_id", "absence"]),
    indexes: [index(&["org_id", "patient_id"])],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("AUTO_REPLY"),
    subject: restricted::by_patient_id,
    visible: replies,
}

/// One's own; colleagues' for who may edit the settings of the practice.
fn settings(actor: &Actor) -> Rule {
    let own = Cond::eq("user_id", actor.user_id);
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member if actor.has(CAN_EDIT_SETTINGS.flag) => {
            Rule::full(own.or(actor.units("unit_id")))
        }
        Role::Member => Rule::full(own),
        Role::Client | Role::Anonymous => Rule::none(),
    }
}

fn replies(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member | Role::Client | Role::Anonymous => Rule::none(),
    }
}
