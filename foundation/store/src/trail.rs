//! What a transaction leaves behind, without contents: for those who want to know what one of
//! their requests caused.

use serde::{Deserialize, Serialize};

/// One thing that a transaction left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Left {
    /// An entry of the audit log.
    Change {
        /// What was done: `create`, `update`.
        done: String,
        /// To what kind of record.
        of: String,
        /// To which one.
        id: String,
        /// The names of what changed.
        fields: Vec<String>,
    },
    /// An event, which webhooks and subscribers hear of.
    Event {
        /// Its id, the `webhook-id` of each delivery.
        id: String,
        /// Dotted name, `patient.created`.
        event_type: String,
        /// What kind of record it is of.
        of: String,
        /// Which one.
        resource_id: String,
    },
    /// A message or another effect that is to happen outside.
    Effect {
        /// The intent's id.
        id: String,
    },
}
