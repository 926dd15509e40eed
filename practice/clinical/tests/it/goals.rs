//! Goals through the front door: what they say, on which days they were reached, and what is
//! reckoned from that (behaviour 29).

use serde_json::{Value as Json, json};
use ward_clinical::goal::access::SUBGOALS_MAX;
use ward_clinical::goal::table::{Goal, GoalHistory};
use ward_engine::ViewId;
use ward_store::{Actor, Cond};

use crate::support::World;

const GOAL: &str = "goal { id }";
const HISTORY: &str = "goalHistory { id completed_on }";

/// Sets a goal; its id.
async fn set(w: &World, actor: &Actor, input: Json) -> String {
    let made = w.mutate(actor, "createGoal", GOAL, input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["goal"]["id"].as_str().unwrap().to_owned()
}

/// Records that a goal was reached on a day; the id of that.
async fn reach(w: &World, actor: &Actor, goal: &str, day: &str) -> String {
    let input = json!({ "goal_id": goal, "completed_on": day });
    let made = w.mutate(actor, "createGoalHistory", HISTORY, input).await;
    assert_eq!(made["goalHistory"]["completed_on"], day, "{made}");
    made["goalHistory"]["id"].as_str().unwrap().to_owned()
}

/// The field and the sentence that refuse a mutation.
async fn refused(w: &World, field: &str, input: Json) -> (String, String) {
    let done = w.mutate(&w.owner, field, "", input).await;
    let told = |name: &str| done["messages"][0][name].as_str().unwrap_or("nothing").to_owned();
    (told("field"), told("message"))
}

/// Names that `goals` answers, in order.
async fn named(w: &World, args: &str) -> Vec<String> {
    let query = format!("{{ goals({args}) {{ nodes {{ name }} total_count }} }}");
    let told = w.run(&w.owner, &query, json!({})).await;
    let nodes = told["goals"]["nodes"].as_array().unwrap();
    assert_eq!(told["goals"]["total_count"], json!(nodes.len()));
    nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_goal_from_beginning_to_end() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let owner = w.owner.user_id.to_string();
        let selects = "goal { id name description repeat start_on due_date title_link parent_id \
            user_id user { id } created_user_id created_user { id } subgoals_count \
            subgoals { id name repeat start_on user_id } }";
        let input = json!({ "user_id": a, "name": " Walk more ", "description": "Every day a little",
            "repeat": "daily", "start_on": "2025-03-03", "due_date": "2025-03-16",
            "title_link": "https://example.com/walk",
            "subgoals": [{ "name": "Walk to work" }, { "name": "Take the stairs", "repeat": "Weekly" }] });
        let made = w.mutate(&w.owner, "createGoal", selects, input).await;
        let (id, parts) = (made["goal"]["id"].clone(), made["goal"]["subgoals"].clone());
        let part = |nth: usize, name: &str, repeat: &str| {
            json!({ "id": parts[nth]["id"], "name": name, "repeat": repeat,
                "start_on": "2025-03-03", "user_id": a })
        };
        assert_eq!(
            made["goal"],
            json!({ "id": id, "name": "Walk more", "description": "Every day a little",
                "repeat": "Daily", "start_on": "2025-03-03", "due_date": "2025-03-16",
                "title_link": "https://example.com/walk", "parent_id": null, "user_id": a,
                "user": { "id": a }, "created_user_id": owner, "created_user": { "id": owner },
                "subgoals_count": "2", "subgoals": [part(0, "Walk to work", "Daily"),
                    part(1, "Take the stairs", "Weekly")] })
        );
        // What is not sent stays; subgoals are changed, taken out and set by one call.
        let parts = json!([{ "id": parts[0]["id"], "name": "Walk home" },
            { "id": parts[1]["id"], "_destroy": true }, { "name": "Walk at noon" }]);
        let input = json!({ "id": id, "due_date": null, "repeat": "Weekly", "subgoals": parts });
        let selects = "goal { name repeat due_date title_link subgoals { name repeat } }";
        let done = w.mutate(&w.owner, "updateGoal", selects, input).await;
        assert_eq!(
            done["goal"],
            json!({ "name": "Walk more", "repeat": "Weekly", "due_date": null,
                "title_link": "https://example.com/walk", "subgoals": [
                    { "name": "Walk home", "repeat": "Daily" },
                    { "name": "Walk at noon", "repeat": "Weekly" }] })
        );
        // The older view has plain lists, pages of them, and counts.
        let query = "query($id: ID, $user: ID) { goals(user_id: $user, per_page: 1) { id cursor start_on } \
            goalsCount(user_id: $user) subGoals(goal_id: $id) { name } subGoalsCount(goal_id: $id) \
            goal(client_id: $user, last_client_goal: true) { id due_date } }";
        let variables = json!({ "id": id, "user": a });
        let old = w.run_in(ViewId::Baseline, &w.owner, query, variables).await;
        let old = &old["data"];
        assert_eq!((&old["goals"][0]["id"], &old["goals"][0]["start_on"]), (&id, &json!("2025-03-03")));
        assert_eq!((&old["goalsCount"], &old["subGoalsCount"]), (&json!(1), &json!(2)), "{old}");
        assert_eq!(old["subGoals"], json!([{ "name": "Walk home" }, { "name": "Walk at noon" }]));
        assert_eq!(old["goal"], json!({ "id": id, "due_date": null }));
        // With the goal goes what it is made of, and what was recorded of it.
        reach(&w, &w.owner, id.as_str().unwrap(), "2025-03-04").await;
        let gone = w.mutate(&w.owner, "deleteGoal", GOAL, json!({ "id": id })).await;
        assert_eq!(gone["goal"]["id"], id, "{gone}");
        assert!(w.rows::<Goal>(Cond::Always).await.is_empty());
        assert!(w.rows::<GoalHistory>(Cond::Always).await.is_empty());
        assert_eq!(
            w.events().await,
            [
                "goal.created []",
                "goal.created []",
                "goal.created []",
                r#"goal.updated ["repeat","due_date"]"#,
                r#"goal.updated ["name"]"#,
                "goal.deleted []",
                "goal.created []",
                "goal_history.created []",
                "goal.deleted []",
                "goal.deleted []",
                "goal_history.deleted []",
                "goal.deleted []",
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn days_on_which_a_goal_was_reached() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "user_id": a, "name": "Walk", "repeat": "Daily",
            "start_on": "2025-03-03", "due_date": "2025-03-12", "subgoals": [{ "name": "Stairs" }] });
        let goal = set(&w, &w.owner, input).await;
        for day in ["2025-03-03", "2025-03-04"] {
            reach(&w, &w.owner, &goal, day).await;
        }
        let query = "query($id: ID) { subGoals(goal_id: $id) { nodes { id } } }";
        let told = w.run(&w.owner, query, json!({ "id": goal })).await;
        let part = told["subGoals"]["nodes"][0]["id"].clone();
        // A part may take the whole with it; what is recorded already stays as it is.
        let selects = "goalHistory { id name repeat is_subgoal action goal_id user_id user { id } \
            completed_on goal { name parent_subgoal_completion_rate } }";
        let input = json!({ "goal_id": part, "user_id": a, "completed_on": "2025-03-06",
            "mark_parent_complete": true, "action": "COMPLETED" });
        let made = w.mutate(&w.owner, "createGoalHistory", selects, input.clone()).await;
        let history = made["goalHistory"]["id"].clone();
        assert_eq!(
            made["goalHistory"],
            json!({ "id": history, "name": "Stairs", "repeat": "Daily", "is_subgoal": true,
                "action": "COMPLETED", "goal_id": part, "user_id": a, "user": { "id": a },
                "completed_on": "2025-03-06",
                "goal": { "name": "Stairs", "parent_subgoal_completion_rate": "0" } })
        );
        let again = w.mutate(&w.owner, "createGoalHistory", selects, input).await;
        assert_eq!(again["goalHistory"]["id"], history);
        assert_eq!(w.rows::<GoalHistory>(Cond::Always).await.len(), 4);
        let query = "query($id: ID) { goal(id: $id) { goal_histories { completed_on } \
            first: completion_percentage_for_range(start_range: \"2025-03-03\", end_range: \"2025-03-06\") \
            none: completion_percentage_for_range(start_range: \"2025-02-01\", end_range: \"2025-02-28\") \
            yes: is_completed_for_date(date: \"2025-03-04\") no: is_completed_for_date(date: \"2025-03-05\") \
            streak_info(start_range: \"2025-03-01\", end_range: \"2025-03-31\") { count start_date end_date } } }";
        let told = w.run(&w.owner, query, json!({ "id": goal })).await;
        let at = |day: &str| format!("2025-03-{day}T00:00:00-05:00");
        assert_eq!(
            told["goal"],
            json!({ "goal_histories": [{ "completed_on": "2025-03-06" },
                    { "completed_on": "2025-03-04" }, { "completed_on": "2025-03-03" }],
                "first": 75, "none": null, "yes": true, "no": false, "streak_info": [
                    { "count": 2, "start_date": at("03"), "end_date": at("04") },
                    { "count": 1, "start_date": at("06"), "end_date": at("06") }] })
        );
        let query = "query($user: ID) { goalsOverallCompletionRateInfo(user_id: $user, \
            start_range: \"2025-03-03\", end_range: \"2025-03-06\") \
            { actual_times_completed percent possible_times_completed } \
            goalHistories(user_id: $user, include_subgoals: false, unique: true) \
            { nodes { goal { id } } total_count } }";
        let told = w.run(&w.owner, query, json!({ "user": a })).await;
        assert_eq!(
            told["goalsOverallCompletionRateInfo"],
            json!({ "actual_times_completed": 3, "percent": 75, "possible_times_completed": 4 })
        );
        assert_eq!(told["goalHistories"]["total_count"], 3, "{told}");
        // What is called otherwise now was called so then; what is taken back is not there.
        let renamed = json!({ "id": part, "name": "Steps" });
        w.mutate(&w.owner, "updateGoal", GOAL, renamed).await;
        let query = "query($id: ID) { goalHistory(id: $id) { name completed_on } }";
        let told = w.run(&w.owner, query, json!({ "id": history })).await;
        assert_eq!(told["goalHistory"], json!({ "name": "Stairs", "completed_on": "2025-03-06" }));
        let wrong = json!({ "id": history, "completed_on": "2025-03-07" });
        let (field, sentence) = refused(&w, "deleteGoalHistory", wrong).await;
        assert_eq!(field, "completed_on");
        assert_eq!(sentence, "This was completed on 2025-03-06, and on no other day");
        let gone = json!({ "id": history, "completed_on": "2025-03-06" });
        let gone = w.mutate(&w.owner, "deleteGoalHistory", "goal_history { id }", gone).await;
        assert_eq!(gone["goal_history"]["id"], history, "{gone}");
        assert!(w.run(&w.owner, query, json!({ "id": history })).await["goalHistory"].is_null());
        // The day is free again.
        reach(&w, &w.owner, part.as_str().unwrap(), "2025-03-06").await;
    })
    .await;
}

#[tokio::test]
async fn which_goals_a_list_answers() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let goal = |name: &str, repeat: &str, start: &str, due: Json, text: &str| {
            json!({ "user_id": a, "name": name, "repeat": repeat, "start_on": start,
                "due_date": due, "description": text })
        };
        let walk = goal("Walk", "Daily", "2025-03-03", json!("2025-03-20"), "Around the lake");
        let cook = goal("cook", "Weekly", "2025-02-03", Json::Null, "At home");
        let cuff = goal("Buy a cuff", "Once", "2025-01-06", json!("2025-03-20"), "For the arm");
        let (walk, cook) = (set(&w, &w.owner, walk).await, set(&w, &w.owner, cook).await);
        let cuff = set(&w, &w.owner, cuff).await;
        set(&w, &w.owner, json!({ "user_id": b, "name": "Rest", "start_on": "2025-03-03" })).await;
        let list = async |args: &str| named(&w, &format!("user_id: \"{a}\" {args}")).await;
        assert_eq!(list("").await, ["Walk", "cook", "Buy a cuff"]);
        assert_eq!(list("order_by: NAME_ASC").await, ["Buy a cuff", "cook", "Walk"]);
        assert_eq!(list("sort_by: \"start_date_asc\"").await, ["Buy a cuff", "cook", "Walk"]);
        let due = list("order_by: DUE_DATE_START_DATE_DESC").await;
        assert_eq!(due, ["cook", "Walk", "Buy a cuff"]);
        assert_eq!(list("order_by: FREQUENCY_ASC").await, ["Walk", "Buy a cuff", "cook"]);
        assert_eq!(list("frequency_filter: \"one_time\"").await, ["Buy a cuff"]);
        assert_eq!(list("keywords: \"LAKE\"").await, ["Walk"]);
        assert_eq!(list("keywords: \"coo hom\"").await, ["cook"]);
        assert!(list("keywords: \"nowhere\"").await.is_empty());
        // What is to be reached once is due until it is, also late.
        assert_eq!(list("start_range: \"2025-03-21\"").await, ["cook", "Buy a cuff"]);
        assert_eq!(list("end_range: \"2025-02-02\"").await, ["Buy a cuff"]);
        // On Wednesday of the week in which it was cooked on Sunday; the day before walking.
        reach(&w, &w.owner, &cook, "2025-03-09").await;
        reach(&w, &w.owner, &walk, "2025-03-11").await;
        reach(&w, &w.owner, &cuff, "2025-02-01").await;
        let on = |status: &str| format!("end_range: \"2025-03-12\" status_filter: \"{status}\"");
        assert_eq!(list("start_range: \"2025-03-21\"").await, ["cook"]);
        assert_eq!(list(&on("complete")).await, ["cook", "Buy a cuff"]);
        assert_eq!(list(&on("not_complete")).await, ["Walk"]);
        // The same, as numbers with the list.
        let query = format!(
            "{{ goalsData(user_id: \"{a}\", start_range: \"2025-03-10\", end_range: \"2025-03-12\", \
             frequency_filter: \"daily\", order_by: NAME_DESC, per_page: 5, offset: 0) {{ goals {{ name }} \
             goals_count daily_goals_count weekly_goals_count one_time_goals_count \
             all_goals_frequency_count completed_goals_count not_completed_goals_count \
             all_goals_status_count all_time_goals_count \
             goals_overall_completion_rate_info {{ actual_times_completed possible_times_completed percent }} }} }}"
        );
        let told = w.run(&w.owner, &query, json!({})).await;
        assert_eq!(
            told["goalsData"],
            json!({ "goals": [{ "name": "Walk" }], "goals_count": 1, "daily_goals_count": 1,
                "weekly_goals_count": 1, "one_time_goals_count": 1,
                "all_goals_frequency_count": 3, "completed_goals_count": 0,
                "not_completed_goals_count": 1, "all_goals_status_count": 1,
                "all_time_goals_count": 1, "goals_overall_completion_rate_info":
                    { "actual_times_completed": 1, "possible_times_completed": 3, "percent": 33 } })
        );
        let query = "query($id: ID) { goalsData(user_id: $id, offset: 2, per_page: 2) { goals { name } goals_count } }";
        let told = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": a })).await;
        assert_eq!(told["data"]["goalsData"], json!({ "goals": [{ "name": "Buy a cuff" }], "goals_count": 3 }));
        let told = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "id": b })).await;
        assert_eq!(told["data"]["goalsData"], json!({ "goals": [], "goals_count": 1 }), "{told}");
        for (args, sentence) in [
            ("status_filter: \"so\"", "status_filter must be one of complete, not_complete, all"),
            ("frequency_filter: \"so\"", "frequency_filter must be one of daily, weekly, one_time, all"),
            ("start_range: \"so\"", "start_range must be a date such as 1990-02-01"),
            ("start_range: \"2025-03-02\", end_range: \"2025-03-01\"",
                "end_range can't be before start_range"),
        ] {
            let query = format!("{{ goals({args}) {{ total_count }} }}");
            let told = w.run_in(ViewId::V2026, &w.owner, &query, json!({})).await;
            assert_eq!(told["errors"][0]["message"], sentence, "{told}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_goal_can_not_be() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let create = async |mut input: Json| {
            input["user_id"] = a.clone().into();
            refused(&w, "createGoal", input).await.1
        };
        assert_eq!(create(json!({})).await, "Name can't be blank");
        let long = json!({ "name": "x".repeat(256) });
        assert_eq!(create(long).await, "Name is too long (maximum is 255 characters)");
        let often = json!({ "name": "x", "repeat": "hourly" });
        assert_eq!(create(often).await, "Repeat must be one of Daily, Weekly, Once");
        let before = json!({ "name": "x", "start_on": "2025-03-03", "due_date": "2025-03-02" });
        assert_eq!(create(before).await, "Due date can't be before start on");
        let script = json!({ "name": "x", "title_link": "javascript:alert(1)" });
        assert_eq!(create(script).await, "Title link must be a web address such as https://example.com");
        let program = json!({ "name": "x", "program_goal": true });
        assert_eq!(create(program).await, "Program goal can't be true: goals of programs are not kept here");
        let remind = json!({ "name": "x", "reminder": { "is_enabled": true, "interval_type": "daily" } });
        assert!(create(remind).await.starts_with("Reminder can't be set"));
        let plan = json!({ "name": "x", "care_plan_id": a });
        assert_eq!(create(plan).await, "Object not found");
        let blank = json!({ "name": "x", "subgoals": [{ "name": "y" }, { "name": " " }] });
        assert_eq!(create(blank).await, "Subgoal 2: Name can't be blank");
        let many = json!({ "name": "x", "subgoals": vec![json!({ "name": "y" }); SUBGOALS_MAX + 1] });
        assert_eq!(create(many).await, "A goal can have 10 subgoals");
        assert!(w.rows::<Goal>(Cond::Always).await.is_empty() && w.events().await.is_empty());
        // What asks for nothing of that is taken.
        let input = json!({ "user_id": a, "name": "Once", "start_on": "2025-03-03",
            "care_plan_id": "", "program_goal": false, "reminder": { "is_enabled": false },
            "subgoals": [{ "name": "Part" }] });
        let goal = set(&w, &w.owner, input).await;
        let query = "query($id: ID) { subGoals(goal_id: $id) { nodes { id } } }";
        let told = w.run(&w.owner, query, json!({ "id": goal })).await;
        let part = told["subGoals"]["nodes"][0]["id"].clone();
        let below = json!({ "name": "x", "parent_id": part });
        assert_eq!(create(below).await, "A subgoal can't have subgoals of its own");
        let others = json!({ "user_id": b, "name": "x", "parent_id": goal });
        assert_eq!(refused(&w, "createGoal", others).await.1, "Object not found");
        let moved = json!({ "id": goal, "user_id": b });
        assert_eq!(refused(&w, "updateGoal", moved).await.0, "user_id");
        let remind = json!({ "id": goal, "program_goal": true, "reminder": {} });
        assert_eq!(refused(&w, "updateGoal", remind).await.0, "program_goal");
        let query = "query($id: ID, $is: Boolean) { goal(id: $id, program_goal: $is) { id } }";
        for (is, found) in [(false, json!({ "id": goal })), (true, Json::Null)] {
            let told = w.run(&w.owner, query, json!({ "id": goal, "is": is })).await;
            assert_eq!(told["goal"], found);
        }
        let foreign = json!({ "id": goal, "subgoals": [{ "id": goal, "name": "x" }] });
        assert_eq!(refused(&w, "updateGoal", foreign).await.1, "Object not found");
        let twice = json!({ "id": goal, "subgoals": [{ "id": part }, { "id": part }] });
        assert_eq!(refused(&w, "updateGoal", twice).await.1, "The same subgoal can't be sent twice");
        let reached = async |day: &str| {
            let input = json!({ "goal_id": goal, "completed_on": day });
            refused(&w, "createGoalHistory", input).await.1
        };
        assert_eq!(reached("2025-03-02").await, "Completed on can't be before the goal begins, 2025-03-03");
        assert_eq!(reached("2999-01-01").await, "Completed on can't be in the future");
        assert!(reached("soon").await.starts_with("Completed on must be a date such as"));
        assert_eq!(reached("2025-03-04").await, "nothing");
        let sentence = "This goal is to be reached once, and was completed on 2025-03-04";
        assert_eq!(reached("2025-03-05").await, sentence);
        assert_eq!(w.rows::<GoalHistory>(Cond::Always).await.len(), 1);
        // A question is about a year at most.
        let query = "query($id: ID) { goal(id: $id) { completion_percentage_for_range(start_range: \"2024-01-01\", end_range: \"2025-03-01\") } }";
        let told = w.run_in(ViewId::V2026, &w.owner, query, json!({ "id": goal })).await;
        let sentence = told["errors"][0]["message"].as_str().unwrap();
        assert!(sentence.contains("at most 366 days"), "{told}");
    })
    .await;
}
