//! Subgoals, which go with their goal; and goals of two clients, asked about at once (behaviour 29).

use serde_json::{Value as Json, json};
use ward_clinical::goal::table::GoalHistory;
use ward_store::Cond;

use crate::support::World;

/// Sets a goal; its id.
async fn set(w: &World, input: Json) -> String {
    let made = w.mutate(&w.owner, "createGoal", "goal { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["goal"]["id"].as_str().unwrap().to_owned()
}

/// The field and the sentence that refuse a mutation.
async fn refused(w: &World, field: &str, input: Json) -> (String, String) {
    let done = w.mutate(&w.owner, field, "", input).await;
    let told = |name: &str| done["messages"][0][name].as_str().unwrap_or("nothing").to_owned();
    (told("field"), told("message"))
}

#[tokio::test]
async fn subgoals_go_with_their_goal() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let input = json!({ "user_id": a, "name": "Walk", "repeat": "Daily", "start_on": "2025-03-03" });
        let goal = set(&w, input).await;
        let part = |name: &str| json!({ "user_id": a, "name": name, "parent_id": goal });
        let stairs = set(&w, part("Stairs")).await;
        let mut late = part("Hills");
        late["start_on"] = "2025-03-10".into();
        late["repeat"] = "Weekly".into();
        set(&w, late).await;
        let query = "query($id: ID) { subGoals(goal_id: $id) { nodes { name repeat start_on } } }";
        let parts = async || w.run(&w.owner, query, json!({ "id": goal })).await["subGoals"]["nodes"].clone();
        let hills = json!({ "name": "Hills", "repeat": "Weekly", "start_on": "2025-03-10" });
        let begun = |day: &str| json!([{ "name": "Stairs", "repeat": "Daily", "start_on": day }, hills]);
        assert_eq!(parts().await, begun("2025-03-03"));
        // Those that began with it still do; none ends before it begins.
        let later = json!({ "id": goal, "start_on": "2025-03-05" });
        assert_eq!(refused(&w, "updateGoal", later).await.1, "nothing");
        assert_eq!(parts().await, begun("2025-03-05"));
        let ends = json!({ "id": stairs, "due_date": "2025-03-07" });
        assert_eq!(refused(&w, "updateGoal", ends).await.1, "nothing");
        let (field, sentence) = refused(&w, "updateGoal", json!({ "id": goal, "start_on": "2025-03-08" })).await;
        assert_eq!(field, "start_on");
        assert_eq!(sentence, "Start on can't be after 2025-03-07, when a subgoal ends");
        assert_eq!(parts().await, begun("2025-03-05"));
        // A part may begin before the whole, which is not reached by then.
        let before = json!({ "id": stairs, "start_on": "2025-03-01" });
        assert_eq!(refused(&w, "updateGoal", before).await.1, "nothing");
        let input = json!({ "goal_id": stairs, "completed_on": "2025-03-02", "mark_parent_complete": true });
        assert_eq!(refused(&w, "createGoalHistory", input).await.1, "nothing");
        let reached = w.rows::<GoalHistory>(Cond::Always).await;
        assert!(reached.len() == 1 && reached[0].is_subgoal, "{reached:?}");
    })
    .await;
}

#[tokio::test]
async fn goals_of_two_clients_at_once() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        for (client, name, repeat) in [(&a, "Walk", "Daily"), (&a, "Cook", "Weekly"), (&b, "Rest", "Daily")] {
            let input = json!({ "user_id": client, "name": name, "repeat": repeat, "start_on": "2025-03-03" });
            set(&w, input).await;
        }
        // Each is asked about with the arguments of its own parent; of whoever is not there nothing
        // is, and a long range has the rate of its last year.
        let query = "query($a: ID, $b: ID, $none: ID) { \
            a: goalsData(user_id: $a, start_range: \"2022-03-03\", end_range: \"2025-03-04\") { ...F } \
            b: goalsData(user_id: $b, start_range: \"2022-03-03\", end_range: \"2025-03-04\") { ...F } \
            none: goalsData(user_id: $none) { ...F } } \
            fragment F on GoalDataType { goals_count daily_goals_count weekly_goals_count \
            goals_overall_completion_rate_info { possible_times_completed } }";
        let nobody = w.stranger.user_id.to_string();
        let told = w.run(&w.owner, query, json!({ "a": a, "b": b, "none": nobody })).await;
        let counts = |all: i64, daily: i64, weekly: i64, due: i64| {
            json!({ "goals_count": all, "daily_goals_count": daily, "weekly_goals_count": weekly,
                "goals_overall_completion_rate_info": { "possible_times_completed": due } })
        };
        assert_eq!(told, json!({ "a": counts(2, 1, 1, 3), "b": counts(1, 1, 0, 2), "none": null }));
    })
    .await;
}
