//! What the simulator keeps.

use ward_instance::Timestamp;
use ward_store::system::{EffectClass, EffectOutcome};
use ward_store::{Key, Rule, Uuid, index, record, text_enum, unique};

text_enum! {
    /// The way that a message takes, whatever class of effect it is.
    pub enum Medium {
        /// An e-mail.
        Email = "email",
        /// An SMS.
        Sms = "sms",
        /// A notification to an app.
        Push = "push",
        /// A room for a video call.
        Video = "video",
    }
}

impl Medium {
    /// The way of a class; none of looks at files, of which no message is made.
    pub const fn of(class: EffectClass) -> Option<Self> {
        match class {
            EffectClass::AccountMail | EffectClass::Email => Some(Medium::Email),
            EffectClass::Sms => Some(Medium::Sms),
            EffectClass::Push => Some(Medium::Push),
            EffectClass::Video => Some(Medium::Video),
            EffectClass::Scan => None,
        }
    }
}

record! {
    /// A message that a Sandbox sent to nobody.
    pub struct SimulatedMessage in SIMULATED_MESSAGES, simulated_messages {
        id: Uuid,
        /// 0 for a message of the instance.
        org_id: i64,
        class: Medium,
        to_address: String [sealed],
        /// Finds the messages to one address.
        to_index: Vec<u8> [secret],
        kind: String,
        about_type: Option<String>,
        about_id: Option<String>,
        subject: String,
        /// Holds links that open accounts, as `html` does.
        text: String [sealed],
        html: String [sealed],
        /// What was told of it last.
        state: EffectOutcome,
        /// On the instance's clock, which may stand still.
        created_at: Timestamp,
        /// Order of arrival: microseconds of the wall clock, never twice in a process.
        arrived_at: i64,
        /// The request that led here.
        cause: String,
        intent_id: Uuid,
    }
    key: Key::Uuid,
    indexes: [
        unique(&["org_id", "intent_id"]),
        index(&["org_id", "arrived_at"]),
        index(&["org_id", "to_index", "arrived_at"]),
        index(&["created_at"]),
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}
