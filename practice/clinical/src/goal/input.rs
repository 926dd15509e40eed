//! The inputs of goals and of their histories, and what each says of a goal.

use ward_engine::{Given, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;

use super::table::{Goal, GoalHistory};
use crate::care_plan::table::CarePlan;

input! {
    /// `ReminderInput`.
    pub struct Reminder {
        interval_type: String,
        interval_value: String,
        is_enabled: bool,
        remove_reminder: bool,
    }
}

input! {
    /// `SubgoalInput`: one that is there by its `id`, else a new one.
    pub struct Subgoal {
        _destroy: bool,
        id: IdOrBlank<Goal>,
        name: String,
        description: String,
        due_date: String,
        repeat: String,
        title_link: String,
    }
}

input! {
    /// `createGoalInput`.
    pub struct CreateGoal {
        user_id: IdOrBlank<User>,
        parent_id: IdOrBlank<Goal>,
        care_plan_id: IdOrBlank<CarePlan>,
        program_goal: bool,
        reminder: Reminder,
        name: String,
        description: String,
        due_date: String,
        repeat: String,
        start_on: String,
        title_link: String,
        subgoals: Vec<Subgoal>,
    }
}

input! {
    /// `updateGoalInput`.
    pub struct UpdateGoal {
        id: IdOrBlank<Goal>,
        user_id: IdOrBlank<User>,
        program_goal: bool,
        reminder: Reminder,
        name: String,
        description: String,
        due_date: String,
        repeat: String,
        start_on: String,
        title_link: String,
        subgoals: Vec<Subgoal>,
    }
}

input! {
    /// `deleteGoalInput`.
    pub struct DeleteGoal { id: IdOrBlank<Goal> }
}

input! {
    /// `createGoalHistoryInput`.
    pub struct CreateHistory {
        goal_id: IdOrBlank<Goal>,
        user_id: IdOrBlank<User>,
        action: String,
        completed_on: String,
        mark_parent_complete: bool,
    }
}

input! {
    /// `deleteGoalHistoryInput`.
    pub struct DeleteHistory { id: IdOrBlank<GoalHistory>, completed_on: String }
}

/// What any of them says of a goal.
pub struct Said<'a> {
    /// What it is called.
    pub name: &'a Given<String>,
    /// What it is about.
    pub description: &'a Given<String>,
    /// The last day.
    pub due_date: &'a Given<String>,
    /// How often.
    pub repeat: &'a Given<String>,
    /// The first day; a subgoal's is its goal's.
    pub start_on: Option<&'a Given<String>>,
    /// Where its name leads.
    pub title_link: &'a Given<String>,
}

macro_rules! said {
    ($($name:ident $it:ident $start_on:expr;)*) => {
        $(impl $name {
            /// What it says of the goal.
            pub fn said(&self) -> Said<'_> {
                let $it = self;
                Said {
                    name: &$it.name,
                    description: &$it.description,
                    due_date: &$it.due_date,
                    repeat: &$it.repeat,
                    start_on: $start_on,
                    title_link: &$it.title_link,
                }
            }
        })*
    };
}
said! {
    CreateGoal it Some(&it.start_on);
    UpdateGoal it Some(&it.start_on);
    Subgoal it None;
}
