//! Whose stored files are: what stands beside them, in a directory as in a bucket.
//!
//! It has no MAC. It keeps apart two instances that were led to one place by mistake; whoever may
//! write it there may remove the files, too. So it stays good through every rotation of the root key,
//! and for a backup of any age.

use serde::{Deserialize, Serialize};

use crate::kind::{InstanceId, Kind, Tag};

/// Its name, beside the files.
pub const HOLDER_FILE: &str = "ward-instance.json";

/// More than one ever has, in bytes.
pub const HOLDER_BYTES: u64 = 16 * 1024;

/// The instance that has the files, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    kind: String,
    instance: String,
    tag: String,
}

impl Holder {
    /// An instance as the holder.
    pub fn of(kind: Kind, instance: InstanceId) -> Self {
        Self {
            kind: kind.to_string(),
            instance: instance.to_string(),
            tag: instance.tag().to_string(),
        }
    }

    /// Whether it is this instance.
    pub fn is(&self, kind: Kind, instance: InstanceId) -> bool {
        self.kind == kind.as_str() && self.instance == instance.to_string()
    }

    /// Whose the files are, for a sentence about their place. Anybody may have written it: only what
    /// can be an instance is told.
    pub fn told(&self) -> String {
        match (self.kind.parse::<Kind>(), self.tag.parse::<Tag>()) {
            (Ok(kind), Ok(tag)) => format!("belongs to the {kind} {tag}"),
            _ => "belongs to another instance".to_owned(),
        }
    }
}
