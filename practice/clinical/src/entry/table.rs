//! The table of entries. What was noted is sealed; what lists are filtered and ordered by is
//! plain.

use ward_charting::filled::tables::{FORM_ANSWERS, FormAnswer};
use ward_charting::proxy::{named, open_group};
use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Key, Reference, Role, Rule, index, record, text_enum, unique};

use crate::visibility;

text_enum! {
    /// What is noted.
    pub enum Kind {
        Metric = "MetricEntry",
        Food = "FoodEntry",
        Workout = "WorkoutEntry",
        Mirror = "MirrorEntry",
        Sleep = "SleepEntry",
        Note = "NoteEntry",
        WaterIntake = "WaterIntakeEntry",
        Poop = "PoopEntry",
        Symptom = "SymptomEntry",
    }
}

record! {
    /// An entry of a client's journal, or a metric of theirs.
    pub struct Entry in ENTRIES, entries {
        id: Id<Entry>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client whose it is.
        user_id: Id<User>,
        /// Who wrote it down.
        added_by_user_id: Id<User>,
        kind: Kind,
        /// The name of a metric; of what else it is.
        category: Option<String>,
        /// A number, as it was sent.
        metric_stat: Option<String> [sealed],
        description: Option<String> [sealed],
        ed_posthunger: Option<String> [sealed],
        ed_prehunger: Option<String> [sealed],
        emotions: Option<String> [sealed],
        other_symptom: Option<String> [sealed],
        percieved_hungriness: Option<String> [sealed],
        reflection: Option<String> [sealed],
        symptoms: Option<String> [sealed],
        /// The device or program that it comes from.
        third_party_source: Option<String> [sealed],
        /// What it is called where it comes from, and what kind of a name that is.
        external_id: Option<String>,
        external_id_type: Option<String>,
        /// The answer of a finished form that it was made of.
        form_answer_id: Option<Id<FormAnswer>>,
        /// Whether somebody of the practice has looked at it.
        viewed: bool,
        hide_from_main_feed: bool,
        /// When it was so, which people say; it may be to come.
        noted_at: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "noted_at", "id"]),
        index(&["org_id", "user_id", "external_id"]).only("external_id IS NOT NULL"),
        index(&["org_id", "user_id", "category", "noted_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "noted_at", "id", "user_id"]).only("deleted_at IS NULL"),
        // However often a form is saved, and by whomever at once.
        unique(&["org_id", "form_answer_id"])
            .only("form_answer_id IS NOT NULL AND deleted_at IS NULL"),
        index(&["org_id", "form_answer_id", "deleted_at"]).only("form_answer_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "added_by_user_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "form_answer_id"],
            table: "form_answers",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("ENTRY"),
    subject: restricted::by_user_id,
    visible: visible,
}

impl Entry {
    /// One of a client, by its author, that says nothing yet and is so now.
    pub fn new(
        id: Id<Entry>,
        client: &User,
        (author, kind): (Id<User>, Kind),
        now: Timestamp,
    ) -> Self {
        Entry {
            id,
            org_id: client.org_id,
            unit_id: client.unit_id,
            user_id: client.id,
            added_by_user_id: author,
            kind,
            category: None,
            metric_stat: None,
            description: None,
            ed_posthunger: None,
            ed_prehunger: None,
            emotions: None,
            other_symptom: None,
            percieved_hungriness: None,
            reflection: None,
            symptoms: None,
            third_party_source: None,
            external_id: None,
            external_id_type: None,
            form_answer_id: None,
            viewed: false,
            hide_from_main_feed: false,
            noted_at: now,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        }
    }
}

/// Who sees the client sees the entries; clients their own, while their feature toggle shows
/// them a journal at all (behaviour 19).
pub fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::Client => Rule::full(
            Cond::eq("user_id", actor.user_id)
                .and(open_to_proxy(actor))
                .and(is_on_for(actor, Switch::JournalEntries)),
        ),
        Role::System | Role::Member | Role::Anonymous => visibility::lists(actor),
    }
}

/// For who acts for a client: not what an answer of a confidential form made (42 CFR 2.14), be the
/// form deleted since or not.
pub fn open_to_proxy(actor: &Actor) -> Cond {
    let of_answer = open_group(actor, "form_answer_group_id");
    named(of_answer, "form_answer_id", FORM_ANSWERS.name)
}
