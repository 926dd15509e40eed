//! What the simulator keeps.

use ward_instance::Timestamp;
use ward_store::system::EffectClass;
use ward_store::{Key, Rule, Uuid, index, record, text_enum, unique};

text_enum! {
    /// Where a simulated message stands.
    pub enum MessageState {
        /// In the mailbox.
        Delivered = "delivered",
        /// Refused for good: there is no such mailbox.
        Bounced = "bounced",
        /// Refused for now: the mailbox is full.
        SoftBounced = "soft_bounced",
        /// Delivered, and reported as spam.
        Complained = "complained",
        /// On its way; delivered when its time has passed.
        Delayed = "delayed",
    }
}

record! {
    /// A message that a Sandbox sent to nobody.
    pub struct SimulatedMessage in SIMULATED_MESSAGES, simulated_messages {
        id: Uuid,
        /// 0 for mail of the instance.
        org_id: i64,
        class: EffectClass,
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
        state: MessageState,
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
    ],
    references: [],
    audit: None,
    visible: |_| Rule::none(),
}
