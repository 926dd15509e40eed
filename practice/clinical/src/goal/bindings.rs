//! What answers each contract field of goals.

use ward_engine::{Bindings, Link, Listing, Returns, op};
use ward_identity::tables::USERS;

use super::table::{GOAL_HISTORIES, GOALS, goal_histories, goals};
use super::{change, history, listing, overall, progress};

const OF: &str = "Goal";
const HISTORY: &str = "GoalHistory";
const DATA: &str = "GoalDataType";

/// Binds the fields of goals.
pub fn bind(b: &mut Bindings) {
    goal_fields(b);
    reckoned(b);
    history_fields(b);
    data_fields(b);
    queries(b);
    const GOAL: &[(&str, Returns)] = &[("goal", Returns::One(&GOALS))];
    b.mutation("createGoal", GOAL, op!(change::create));
    b.mutation("updateGoal", GOAL, op!(change::update));
    b.mutation("deleteGoal", GOAL, op!(change::delete));
    const MADE: &[(&str, Returns)] = &[("goalHistory", Returns::One(&GOAL_HISTORIES))];
    b.mutation("createGoalHistory", MADE, op!(history::create));
    const GONE: &[(&str, Returns)] = &[("goal_history", Returns::One(&GOAL_HISTORIES))];
    b.mutation("deleteGoalHistory", GONE, op!(history::delete));
}

fn goal_fields(b: &mut Bindings) {
    b.object(OF, &GOALS);
    b.cursor(OF);
    b.one(OF, "user", &USERS, Link::Key(goals::user_id));
    // Whoever set it, in public to the client.
    b.one(OF, "created_user", &USERS, Link::Key(goals::created_user_id))
        .listing(|_, _| Ok(Listing::all().public()));
    let parts = Link::Column { parent: goals::id, child: "parent_id" };
    b.many(OF, "subgoals", &GOALS, parts).orders(listing::SET, "CREATED_AT_ASC");
    b.count(OF, "subgoals_count", &GOALS, parts);
    let own = Link::Column { parent: goals::id, child: "goal_id" };
    b.many(OF, "goal_histories", &GOAL_HISTORIES, own).orders(listing::DONE, "COMPLETED_ON_DESC");
}

/// What is reckoned from the days on which goals were reached.
fn reckoned(b: &mut Bindings) {
    use ward_engine::Kind::Plain;
    b.value_object("GoalStreakInfo", progress::STREAK_MEMBERS);
    b.value_object("GoalOverallCompletionRateInfo", overall::MEMBERS);
    b.batch(OF, "completion_percentage_for_range", progress::NEEDS, |request, q, rows, args| {
        Box::pin(progress::percentages(request, q, rows, args))
    })
    .args(&[("end_range", Plain), ("start_range", Plain)]);
    b.batch(OF, "streak_info", progress::NEEDS, |request, q, rows, args| {
        Box::pin(progress::streaks(request, q, rows, args))
    })
    .args(&[("end_range", Plain), ("start_range", Plain)]);
    b.batch(OF, "is_completed_for_date", progress::NEEDS, |request, q, rows, args| {
        Box::pin(progress::are_done_on(request, q, rows, args))
    })
    .args(&[("date", Plain)]);
    b.batch(OF, "is_current", progress::NEEDS, |request, q, rows, _| {
        Box::pin(progress::are_done(request, q, rows))
    });
    b.batch(OF, "completion_rate", progress::NEEDS, |request, q, rows, _| {
        Box::pin(progress::rates(request, q, rows))
    });
    b.batch(OF, "subgoal_completion_rate", &[goals::id], |request, q, rows, _| {
        Box::pin(progress::subgoal_rates(request, q, rows, goals::id))
    });
    b.batch(OF, "parent_subgoal_completion_rate", &[goals::parent_id], |request, q, rows, _| {
        Box::pin(progress::subgoal_rates(request, q, rows, goals::parent_id))
    });
}

fn history_fields(b: &mut Bindings) {
    b.object(HISTORY, &GOAL_HISTORIES);
    b.cursor(HISTORY);
    b.one(HISTORY, "goal", &GOALS, Link::Key(goal_histories::goal_id));
    b.one(HISTORY, "user", &USERS, Link::Key(goal_histories::user_id));
}

/// `goalsData`: the goals that its arguments list, and how many of them there are of a kind.
fn data_fields(b: &mut Bindings) {
    b.query_one("goalsData", &USERS, listing::whose).args(listing::LIST_ARGS);
    b.object(DATA, &USERS);
    b.many(DATA, "goals", &GOALS, Link::Root)
        .listing(listing::many)
        .orders(listing::ORDERS, "START_DATE_DESC")
        .inherits();
    b.count(DATA, "goals_count", &GOALS, Link::Root).listing(listing::many).inherits();
    b.count(DATA, "daily_goals_count", &GOALS, Link::Root).listing(listing::daily).inherits();
    b.count(DATA, "weekly_goals_count", &GOALS, Link::Root).listing(listing::weekly).inherits();
    b.count(DATA, "one_time_goals_count", &GOALS, Link::Root).listing(listing::one_time).inherits();
    b.count(DATA, "all_goals_frequency_count", &GOALS, Link::Root)
        .listing(listing::however_often)
        .inherits();
    b.count(DATA, "completed_goals_count", &GOALS, Link::Root)
        .listing(listing::complete)
        .inherits();
    b.count(DATA, "not_completed_goals_count", &GOALS, Link::Root)
        .listing(listing::not_complete)
        .inherits();
    b.count(DATA, "all_goals_status_count", &GOALS, Link::Root)
        .listing(listing::reached_or_not)
        .inherits();
    b.count(DATA, "all_time_goals_count", &GOALS, Link::Root)
        .listing(listing::of_all_time)
        .inherits();
    b.batch(DATA, "goals_overall_completion_rate_info", &[], |request, q, rows, args| {
        Box::pin(overall::infos_of_data(request, q, rows, args))
    })
    .inherits();
}

fn queries(b: &mut Bindings) {
    b.query_one("goal", &GOALS, listing::one)
        .args(listing::ONE_ARGS)
        .orders(listing::LAST, "CREATED_AT_DESC");
    b.query_list("goals", &GOALS, listing::many)
        .args(listing::LIST_ARGS)
        .orders(listing::ORDERS, "START_DATE_DESC");
    b.query_count("goalsCount", &GOALS, listing::many).args(listing::COUNT_ARGS);
    b.query_list("subGoals", &GOALS, listing::subgoals)
        .args(listing::SUBGOALS_ARGS)
        .orders(listing::SET, "CREATED_AT_ASC");
    b.query_count("subGoalsCount", &GOALS, listing::subgoals).args(listing::SUBGOALS_ARGS);
    b.query_one("goalHistory", &GOAL_HISTORIES, listing::history).args(listing::HISTORY_ARGS);
    b.query_list("goalHistories", &GOAL_HISTORIES, listing::histories)
        .args(listing::HISTORIES_ARGS)
        .orders(listing::DONE, "COMPLETED_ON_DESC");
    b.query_count("goalHistoriesCount", &GOAL_HISTORIES, listing::histories)
        .args(listing::HISTORIES_ARGS);
    b.batch("Query", "goalsOverallCompletionRateInfo", &[], |request, q, rows, args| {
        Box::pin(overall::infos(request, q, rows, args))
    })
    .args(listing::RATE_ARGS);
}
