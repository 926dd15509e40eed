//! Whose goals somebody reads and writes: members those of the clients whom they see, clients
//! their own, while their practice shows them goals (behaviour 16.2, 19, 29).

use serde_json::{Value as Json, json};
use ward_clinical::goal::table::{Goal, GoalHistory};
use ward_store::{Actor, Cond};

use crate::support::World;

/// Sets a goal with a subgoal; its id.
async fn set(w: &World, actor: &Actor, mut input: Json) -> String {
    input["start_on"] = "2025-03-03".into();
    input["repeat"] = "Daily".into();
    input["subgoals"] = json!([{ "name": "A part" }]);
    let made = w.mutate(actor, "createGoal", "goal { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["goal"]["id"].as_str().unwrap().to_owned()
}

/// The sentence that refuses a mutation.
async fn refused(w: &World, actor: &Actor, field: &str, input: Json) -> String {
    let done = w.mutate(actor, field, "", input).await;
    done["messages"][0]["message"].as_str().unwrap_or("nothing").to_owned()
}

/// Records that a goal was reached; the id of that.
async fn reach(w: &World, actor: &Actor, goal: &str, day: &str) -> Json {
    let input = json!({ "goal_id": goal, "completed_on": day });
    let made = w.mutate(actor, "createGoalHistory", "goalHistory { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["goalHistory"]["id"].clone()
}

/// How many goals, subgoals and histories somebody is told of.
async fn seen(w: &World, actor: &Actor, client: &str) -> [i64; 3] {
    let query = "query($id: ID) { goals(user_id: $id) { total_count } \
        subGoals(user_id: $id) { total_count } goalHistories(user_id: $id) { total_count } }";
    let told = w.run(actor, query, json!({ "id": client })).await;
    ["goals", "subGoals", "goalHistories"].map(|list| told[list]["total_count"].as_i64().unwrap())
}

#[tokio::test]
async fn goals_of_clients_and_of_their_practice() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let theirs = set(&w, &w.owner, json!({ "user_id": a, "name": "Walk" })).await;
        let own = set(&w, &ada, json!({ "name": "Read" })).await;
        assert_eq!(seen(&w, &ada, &a).await, [2, 2, 0]);
        // A client records what they reached of either, and changes what they set.
        let recorded = reach(&w, &w.owner, &theirs, "2025-03-04").await;
        let mine = reach(&w, &ada, &theirs, "2025-03-05").await;
        reach(&w, &ada, &own, "2025-03-05").await;
        let renamed = json!({ "id": own, "name": "Read more" });
        assert_eq!(refused(&w, &ada, "updateGoal", renamed).await, "nothing");
        for (field, input) in [
            ("updateGoal", json!({ "id": theirs, "name": "Rest" })),
            ("deleteGoal", json!({ "id": theirs })),
            ("createGoal", json!({ "name": "Rest", "parent_id": theirs })),
        ] {
            let sentence = refused(&w, &ada, field, input).await;
            assert!(sentence.contains("set by your practice"), "{field}: {sentence}");
        }
        let sentence = refused(&w, &ada, "deleteGoalHistory", json!({ "id": recorded })).await;
        assert!(sentence.contains("recorded by your practice"), "{sentence}");
        assert_eq!(refused(&w, &ada, "deleteGoalHistory", json!({ "id": mine })).await, "nothing");
        let others = json!({ "user_id": b, "name": "Rest" });
        assert_eq!(refused(&w, &ada, "createGoal", others).await, "Object not found");
        // What the practice recorded of it is not theirs to delete with it.
        let recorded = reach(&w, &w.owner, &own, "2025-03-06").await;
        let events = w.events().await;
        let sentence = refused(&w, &ada, "deleteGoal", json!({ "id": own })).await;
        assert!(sentence.contains("recorded by your practice"), "{sentence}");
        assert_eq!(w.events().await, events);
        let back = json!({ "id": recorded });
        assert_eq!(refused(&w, &w.owner, "deleteGoalHistory", back).await, "nothing");
        // What the practice set below a client's goal stays with it: all goes, or nothing.
        let part = json!({ "user_id": a, "name": "A page a day", "parent_id": own });
        assert_eq!(refused(&w, &w.owner, "createGoal", part).await, "nothing");
        let events = w.events().await;
        let sentence = refused(&w, &ada, "deleteGoal", json!({ "id": own })).await;
        assert!(sentence.contains("set by your practice"), "{sentence}");
        assert_eq!(w.rows::<Goal>(Cond::Always).await.len(), 5);
        assert_eq!(w.events().await, events);
        // Who does not see the client sees nothing of it, and writes nothing.
        let before = w.events().await.len();
        let query = "query($goal: ID, $history: ID, $user: ID) { goal(id: $goal) { id } \
            goalHistory(id: $history) { id } goalsData(user_id: $user) { goals_count } \
            goalsOverallCompletionRateInfo(user_id: $user) { percent } }";
        let variables = json!({ "goal": theirs, "history": recorded, "user": a });
        let nothing = json!({ "goal": null, "goalHistory": null, "goalsData": null,
            "goalsOverallCompletionRateInfo": null });
        for actor in [&bo, &w.stranger, &w.with(&w.standard, &[])] {
            assert_eq!(seen(&w, actor, &a).await, [0, 0, 0]);
            assert_eq!(w.run(actor, query, variables.clone()).await, nothing);
            for (field, input) in [
                ("createGoal", json!({ "user_id": a, "name": "Rest" })),
                ("updateGoal", json!({ "id": theirs, "name": "Rest" })),
                ("deleteGoal", json!({ "id": theirs })),
                ("createGoalHistory", json!({ "goal_id": theirs })),
                ("deleteGoalHistory", json!({ "id": recorded })),
            ] {
                assert_eq!(refused(&w, actor, field, input).await, "Object not found", "{field}");
            }
        }
        assert_eq!(w.events().await.len(), before);
        let staff = json!({ "user_id": w.standard.user_id.to_string(), "name": "Rest" });
        assert_eq!(refused(&w, &w.owner, "createGoal", staff).await, "Object not found");
    })
    .await;
}

#[tokio::test]
async fn what_a_practice_has_switched_off() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let ada = w.as_client(&a).await;
        let goal = set(&w, &ada, json!({ "name": "Walk" })).await;
        let history = reach(&w, &ada, &goal, "2025-03-04").await;
        let input = json!({ "user_id": a, "can_view_goals": false });
        let done = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", input).await;
        assert!(done["messages"].is_null() && done["feature_toggle"]["id"].is_string(), "{done}");
        assert_eq!(seen(&w, &ada, &a).await, [0, 0, 0]);
        assert_eq!(seen(&w, &w.owner, &a).await, [1, 1, 1]);
        let new = json!({ "name": "Rest" });
        let off = "Your practice has switched goals off";
        assert_eq!(refused(&w, &ada, "createGoal", new).await, off);
        for (field, input) in [
            ("createGoalHistory", json!({ "goal_id": goal })),
            ("updateGoal", json!({ "id": goal, "name": "Rest" })),
            ("deleteGoal", json!({ "id": goal })),
            ("deleteGoalHistory", json!({ "id": history })),
        ] {
            assert_eq!(refused(&w, &ada, field, input).await, "Object not found", "{field}");
        }
        assert_eq!(seen(&w, &w.owner, &a).await, [1, 1, 1]);
    })
    .await;
}

#[tokio::test]
async fn goals_go_with_their_client() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let goal = set(&w, &w.owner, json!({ "user_id": a, "name": "Walk" })).await;
        let own = set(&w, &w.as_client(&a).await, json!({ "name": "Read" })).await;
        reach(&w, &w.owner, &goal, "2025-03-04").await;
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(b), "{merged}");
        let bo = w.as_client(&b).await;
        assert_eq!(seen(&w, &bo, &b).await, [2, 2, 1]);
        // What the one has set is the other's to change.
        assert_eq!(refused(&w, &bo, "deleteGoal", json!({ "id": own })).await, "nothing");
        reach(&w, &bo, &goal, "2025-03-05").await;
        assert_eq!(w.rows::<Goal>(Cond::Always).await.len(), 2);
        assert_eq!(w.rows::<GoalHistory>(Cond::Always).await.len(), 2);
    })
    .await;
}
