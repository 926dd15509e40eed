//! Clinical lists of the replay's client, and the values of operations on them.

use ward_tests::people::{self, id};
use ward_tests::{Json, json};

use crate::values::Subject;
use crate::world::World;

const TAKES: &str = "mutation($input: createMedicationInput) { createMedication(input: $input) { medication { id } messages { field message } } }";
const BEARS: &str = "mutation($input: createAllergySensitivityInput) { createAllergySensitivity(input: $input) { allergy_sensitivity { id } messages { field message } } }";
const GOT: &str = "mutation($input: createImmunizationInput) { createImmunization(input: $input) { immunization { id } messages { field message } } }";
const NOTES: &str = "mutation($input: createEntryInput) { createEntry(input: $input) { entry { id } messages { field message } } }";
const PLANS: &str = "mutation($input: createCarePlanInput) { createCarePlan(input: $input) { carePlan { id } messages { field message } } }";
const AIMS: &str = "mutation($input: createGoalInput) { createGoal(input: $input) { goal { id subgoals { id } } messages { field message } } }";

/// Writes the client's lists.
pub fn furnish(world: &World) {
    let client = &world.client;
    takes(world, client);
    let now = json!({"user_id": client, "name": "Lisinopril", "active": true});
    world.ask(TAKES, json!({"input": now}), "createMedication");
    let bears = json!({"user_id": client, "category": "ALLERGY", "category_type": "FOOD",
        "name": "Peanut", "reaction": "Hives", "severity": "SEVERE", "onset_date": "2019-05-01"});
    world.ask(BEARS, json!({"input": bears}), "createAllergySensitivity");
    let got = json!({"user_id": client, "vaccine_name": "Influenza", "cvx_code": 140,
        "received_at": "2025-10-01", "additional_notes": "Left arm"});
    world.ask(GOT, json!({"input": got}), "createImmunization");
    weighs(world, client);
    aims(world, client);
    plans(world);
}

/// A weight of a client's; its id.
fn weighs(world: &World, client: &str) -> String {
    let input = json!({"user_id": client, "type": "MetricEntry", "category": "Weight",
        "metric_stat": "80.4", "description": "In the morning"});
    id(&world.ask(NOTES, json!({"input": input}), "createEntry")["entry"])
}

/// A goal of a client's with a subgoal; the ids of both.
fn aims(world: &World, client: &str) -> (String, String) {
    let part = json!({"name": "Walk to work", "description": "On dry days"});
    let input = json!({"user_id": client, "name": "Walk more", "description": "Every day a little",
        "repeat": "Daily", "start_on": "2026-01-05", "subgoals": [part]});
    let goal = world.ask(AIMS, json!({"input": input}), "createGoal")["goal"].clone();
    (id(&goal), id(&goal["subgoals"][0]))
}

/// A care plan of the client's; its id.
fn plans(world: &World) -> String {
    let input = json!({"patient_id": world.client, "name": "Low salt"});
    id(&world.ask(PLANS, json!({"input": input}), "createCarePlan")["carePlan"])
}

/// A medication that a client took; its id.
fn takes(world: &World, client: &str) -> String {
    let input = json!({"user_id": client, "name": "Metformin", "code": "6809", "dosage": "500 mg",
        "frequency": "Twice a day", "route": "By mouth", "directions": "With meals",
        "comment": "Taken well", "start_date": "2025-01-02", "end_date": "2025-06-03"});
    id(&world.ask(TAKES, json!({"input": input}), "createMedication")["medication"])
}

/// What a mutation works on.
pub fn subject(world: &World, root_field: &str, client: &str) -> Option<String> {
    match root_field {
        "updateMedication" => Some(takes(world, client)),
        "deleteEntry" => Some(weighs(world, client)),
        "deleteGoal" => Some(aims(world, client).0),
        "createGoalHistory" => Some(aims(world, client).1),
        "updateCarePlan" | "deleteCarePlan" => Some(plans(world)),
        _ => None,
    }
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &World, root: &str, name: &str) -> Option<Json> {
    Some(match (root, name) {
        ("medications", "patient_id") => world.client.clone().into(),
        ("medications", "active") => false.into(),
        ("medication_options", "keywords") => "metformin".into(),
        ("allergySuggestions", "category") => "FOOD".into(),
        ("entries", "client_id") => world.client.clone().into(),
        ("entries" | "createEntry", "category") => "Weight".into(),
        ("entries" | "createEntry", "type") => "MetricEntry".into(),
        ("createEntry", "metric_stat") => "79.3".into(),
        ("createEntry", "description") => "After a walk".into(),
        ("createEntry", "created_at") => "2026-01-05T07:30:00Z".into(),
        ("goal", "id") => {
            let query = "query($id: ID) { goal(client_id: $id) { id } }";
            id(&world.ask(query, json!({"id": world.client}), "goal")).into()
        }
        ("goals", "user_id") => world.client.clone().into(),
        ("carePlan", "id") => plans(world).into(),
        ("carePlans", "patient_id") => world.client.clone().into(),
        ("carePlans", "sort_by") => "newest".into(),
        ("carePlans", "templates_only") => false.into(),
        ("carePlans", "template_search_keywords") => "".into(),
        ("updateCarePlan", "name") => "Less salt".into(),
        ("updateCarePlan", "description") => "Cook without it".into(),
        ("updateCarePlan", "is_hidden" | "is_template") => false.into(),
        ("updateCarePlan", "new_patient_id") => world.client.clone().into(),
        ("goals", "per_page") => 100.into(),
        ("createGoal", "name") => "Sleep eight hours".into(),
        ("createGoal", "description") => "In bed by eleven".into(),
        ("createGoal", "repeat") => "Daily".into(),
        ("createGoal", "start_on") => "2026-01-05".into(),
        ("createGoal", "due_date") => "2031-01-05".into(),
        // What its client sends whether anybody fills it in or not.
        ("createGoal", "care_plan_id") => "".into(),
        ("createGoal", "program_goal") => false.into(),
        ("createGoal", "reminder") => json!({"is_enabled": false}),
        ("createGoal", "title_link") => "https://example.com/sleep".into(),
        ("createGoalHistory", "completed_on") => "2026-01-06".into(),
        ("createGoalHistory", "mark_parent_complete") => true.into(),
        ("updateMedication", _) => match name {
            "active" => false.into(),
            "name" => "Metformin".into(),
            "dosage" => "850 mg".into(),
            "directions" => "With a meal".into(),
            "frequency" => "Once a day".into(),
            "start_date" => "2025-02-03".into(),
            "end_date" => "2025-07-04".into(),
            _ => return None,
        },
        ("createAllergySensitivity", _) => match name {
            "category" => "ALLERGY".into(),
            "category_type" => "DRUG".into(),
            "name" => "Penicillin".into(),
            "custom_name" => Json::Null,
            "onset_date" => "2001-01-01".into(),
            "reaction" => "Rash".into(),
            "reaction_type" => "ALLERGY".into(),
            "severity" => "MILD".into(),
            "status" => "ACTIVE".into(),
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether a mutation of the domain did what it was asked for.
pub fn read_back(
    world: &World,
    root_field: &str,
    subject: &Subject,
    answer: &Json,
) -> Option<Result<(), String>> {
    let client = json!({"id": subject.client});
    match root_field {
        "updateMedication" => {
            let query = "query($id: ID) { medication(id: $id) { dosage frequency } }";
            let read = world.ask(query, json!({"id": subject.id}), "medication");
            let wanted = json!({"dosage": "850 mg", "frequency": "Once a day"});
            Some((read == wanted).then_some(()).ok_or_else(|| format!("not as sent: {read}")))
        }
        "createAllergySensitivity" => {
            let made = people::id(&answer["allergy_sensitivity"]);
            let query = "query($id: ID) { user(id: $id) { allergy_sensitivities { id name } } }";
            let read = world.ask(query, client, "user");
            let wanted = json!([{"id": made, "name": "Penicillin"}]);
            let holds = read["allergy_sensitivities"] == wanted;
            Some(holds.then_some(()).ok_or_else(|| format!("not on the list: {read}")))
        }
        "createEntry" => {
            let made = people::id(&answer["entry"]);
            let query =
                "query($id: ID) { entry(client_id: $id) { id metric_stat description type } }";
            let read = world.ask(query, client, "entry");
            let wanted = json!({"id": made, "metric_stat": 79.3, "description": "After a walk",
                "type": "MetricEntry"});
            Some((read == wanted).then_some(()).ok_or_else(|| format!("not as sent: {read}")))
        }
        "deleteEntry" => {
            let query = "query($id: ID) { entry(id: $id) { id } }";
            let read = world.ask(query, json!({"id": subject.id}), "entry");
            Some(read.is_null().then_some(()).ok_or_else(|| format!("still there: {read}")))
        }
        "deleteGoal" => {
            let query = "query($id: ID) { goal(id: $id) { id } }";
            let read = world.ask(query, json!({"id": subject.id}), "goal");
            Some(read.is_null().then_some(()).ok_or_else(|| format!("still there: {read}")))
        }
        "updateCarePlan" => {
            let query = "query($id: ID) { carePlan(id: $id) { name description is_hidden } }";
            let read = world.ask(query, json!({"id": subject.id}), "carePlan");
            let wanted = json!({"name": "Less salt", "description": "Cook without it",
                "is_hidden": false});
            Some((read == wanted).then_some(()).ok_or_else(|| format!("not as sent: {read}")))
        }
        "deleteCarePlan" => {
            let query = "query($id: ID) { carePlan(id: $id) { id } }";
            let read = world.ask(query, json!({"id": subject.id}), "carePlan");
            Some(read.is_null().then_some(()).ok_or_else(|| format!("still there: {read}")))
        }
        "createGoalHistory" => {
            let made = json!({"id": people::id(&answer["goalHistory"])});
            let query = "query($id: ID) { goalHistory(id: $id) { goal_id completed_on } }";
            let read = world.ask(query, made, "goalHistory");
            let wanted = json!({"goal_id": subject.id, "completed_on": "2026-01-06"});
            Some((read == wanted).then_some(()).ok_or_else(|| format!("not as sent: {read}")))
        }
        _ => None,
    }
}
