//! The tables of goals and of the days on which they were reached. Names and descriptions of
//! goals are plain, since they are searched (behaviour 8); what else somebody wrote is sealed.

use ward_clients::feature_toggle::{Switch, is_on_for};
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{
    Actor, Cond, Day, Id, Key, Reference, Role, Rule, index, record, text_enum, unique,
};

use crate::visibility;

text_enum! {
    /// How often a goal is to be reached.
    pub enum Repeat {
        Daily = "Daily",
        Weekly = "Weekly",
        Once = "Once",
    }
}

text_enum! {
    /// What a history tells: of the contract's actions the one that it records.
    pub enum Action {
        Completed = "COMPLETED",
    }
}

record! {
    /// What a client is to reach.
    pub struct Goal in GOALS, goals {
        id: Id<Goal>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client whose it is.
        user_id: Id<User>,
        /// Who set it.
        created_user_id: Id<User>,
        /// The goal that it is a part of.
        parent_id: Option<Id<Goal>>,
        name: String [folded searched],
        description: Option<String> [searched],
        /// Where its name leads: a web address.
        title_link: Option<String> [sealed],
        repeat: Repeat,
        /// The first day.
        start_on: Day,
        /// The last day.
        due_date: Option<Day>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "parent_id"]).only("parent_id IS NOT NULL"),
        // The list of all clients' is a page of this.
        index(&["org_id", "start_on", "id", "user_id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "created_user_id"], table: "users", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "parent_id"], table: "goals", target: &["org_id", "id"] },
    ],
    audit: Some("GOAL"),
    subject: restricted::by_user_id,
    visible: visible,
}

record! {
    /// A day on which a goal was reached, and what the goal was called then.
    pub struct GoalHistory in GOAL_HISTORIES, goal_histories {
        id: Id<GoalHistory>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client whose goal it is.
        user_id: Id<User>,
        goal_id: Id<Goal>,
        /// Who recorded it.
        added_by_user_id: Id<User>,
        action: Action,
        completed_on: Day,
        name: String [sealed],
        description: Option<String> [sealed],
        repeat: Repeat,
        is_subgoal: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "goal_id", "completed_on"]).only("deleted_at IS NULL"),
        index(&["org_id", "user_id", "completed_on", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "goal_id"]),
        // The list of all clients' is a page of this.
        index(&["org_id", "completed_on", "id", "user_id"]).only("deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "goal_id"], table: "goals", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "added_by_user_id"], table: "users", target: &["org_id", "id"],
        },
    ],
    audit: Some("GOAL_HISTORY"),
    subject: restricted::by_user_id,
    visible: visible,
}

/// Who sees the client sees the goals and their histories; clients their own, while their feature
/// toggle shows them goals at all (behaviour 19).
pub fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::Client => {
            Rule::full(Cond::eq("user_id", actor.user_id).and(is_on_for(actor, Switch::Goals)))
        }
        Role::System | Role::Member | Role::Anonymous => visibility::lists(actor),
    }
}
