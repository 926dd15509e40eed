//! The inputs of entries, and what either says.

use ward_engine::{Given, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;

use super::table::Entry;

macro_rules! entry_input {
    ($(#[$doc:meta])* $name:ident $($field:ident: $ty:ty),*) => {
        input! {
            $(#[$doc])*
            pub struct $name {
                $( $field: $ty, )*
                user_id: IdOrBlank<User>,
                category: String,
                created_at: String,
                description: String,
                ed_posthunger: String,
                ed_prehunger: String,
                emotions: String,
                metric_stat: String,
                percieved_hungriness: String,
                reflection: String,
                third_party_source: String,
            }
        }

        impl $name {
            /// What it says of the entry.
            pub fn common(&self) -> Said<'_> {
                Said {
                    category: &self.category,
                    created_at: &self.created_at,
                    metric_stat: &self.metric_stat,
                    hungriness: &self.percieved_hungriness,
                    texts: [
                        ("description", &self.description),
                        ("ed_posthunger", &self.ed_posthunger),
                        ("ed_prehunger", &self.ed_prehunger),
                        ("emotions", &self.emotions),
                        ("reflection", &self.reflection),
                        ("third_party_source", &self.third_party_source),
                    ],
                    symptoms: None,
                }
            }
        }
    };
}

entry_input!(
    /// `createEntryInput`.
    CreateEntry r#type: String, perceived_hungriness: String, other_symptom: String, symptoms: String
);
entry_input!(
    /// `updateEntryInput`.
    UpdateEntry id: IdOrBlank<Entry>, hide_from_main_feed: bool, viewed: bool,
    perceived_hungriness: String, other_symptom: String, symptoms: String
);
entry_input!(
    /// `BulkEntryInput`.
    BulkEntry r#type: String, check_duplicates: bool, external_id: String, external_id_type: String
);

macro_rules! with_more {
    ($name:ident) => {
        impl $name {
            /// What it says of the entry, with what only single entries say.
            pub fn said(&self) -> Said<'_> {
                let said = self.common();
                Said {
                    hungriness: match self.perceived_hungriness.is_given() {
                        true => &self.perceived_hungriness,
                        false => said.hungriness,
                    },
                    symptoms: Some((&self.symptoms, &self.other_symptom)),
                    ..said
                }
            }
        }
    };
}
with_more!(CreateEntry);
with_more!(UpdateEntry);

input! {
    /// `bulkCreateEntriesInput`.
    pub struct BulkCreate { entries: Vec<BulkEntry> }
}

input! {
    /// `deleteEntryInput`.
    pub struct DeleteEntry { id: IdOrBlank<Entry> }
}

/// What either input says.
pub struct Said<'a> {
    /// The name of a metric.
    pub category: &'a Given<String>,
    /// When it was so.
    pub created_at: &'a Given<String>,
    /// The number.
    pub metric_stat: &'a Given<String>,
    /// How hungry, in either spelling.
    pub hungriness: &'a Given<String>,
    /// Field and what was sent for it.
    pub texts: [(&'static str, &'a Given<String>); 6],
    /// Symptoms, and another one.
    pub symptoms: Option<(&'a Given<String>, &'a Given<String>)>,
}
