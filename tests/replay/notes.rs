//! A form that the replay's client filled in, with all that can be said of it, and the values of
//! operations on such forms.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::values::Subject;
use crate::visits;
use crate::world::World;

const QUESTIONS: &str =
    "query($id: ID) { customModuleForm(id: $id) { custom_modules { id mod_type } } }";
const FILL: &str = "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: $input) { form_answer_group { id } messages { field message } } }";
const SIGN: &str = "mutation($id: ID!) { signFormAnswerGroup(input: {id: $id}) { form_answer_group { id } messages { field message } } }";
const LOCK: &str = "mutation($id: ID!) { lockFormAnswerGroup(input: {id: $id}) { form_answer_group { id } messages { field message } } }";
const ADD: &str = "mutation($input: createAddendumInput) { createAddendum(input: $input) { addendum { id } messages { field message } } }";
const READ: &str = "query($id: ID) { formAnswerGroup(id: $id) { id name finished user_id is_locked form_answer_group_signings { id } form_answers(is_for_editing: true) { answer } } }";

/// A form about the client, and a note of a group that they attended, both signed, locked and added
/// to; the id of the note.
pub fn new(world: &World) -> String {
    let client = &world.client;
    let made = [
        filled(world, client, Some(world.visits.full())),
        filled(world, client, Some(visits::of_group(world, client))),
    ];
    for note in &made {
        world.ask(SIGN, json!({"id": note}), "signFormAnswerGroup");
        world.ask(LOCK, json!({"id": note}), "lockFormAnswerGroup");
        let input = json!({"form_answer_group_id": note, "content": "Called back"});
        world.ask(ADD, json!({"input": input}), "createAddendum");
    }
    let [_, of_group] = made;
    of_group
}

/// What a group note says of one who attends.
fn single(client: &str) -> Json {
    json!([{"user_id": client, "content": "Spoke up", "attended": true}])
}

/// Answers to all questions that take one.
fn answers(world: &World) -> Json {
    let form = world.ask(QUESTIONS, json!({"id": world.form}), "customModuleForm");
    let given = |question: &Json| {
        let answer = match question["mod_type"].as_str()? {
            "radio" => "Often (1)",
            "text" | "textarea" => "Since the spring",
            "hipaa" => "true",
            _ => return None,
        };
        Some(json!({"custom_module_id": question["id"], "answer": answer}))
    };
    form["custom_modules"].as_array().unwrap().iter().filter_map(given).collect()
}

fn filled(world: &World, client: &str, appointment: Option<String>) -> String {
    let mut input = json!({"custom_module_form_id": world.form, "user_id": client,
        "finished": true, "name": "First visit", "metadata": "{\"visit\": 1}",
        "form_answers": answers(world)});
    if let Some(appointment) = appointment {
        if appointment != world.visits.full() {
            input["individual_client_notes"] = single(client);
        }
        input["appointment_id"] = appointment.into();
    }
    id(&world.ask(FILL, json!({"input": input}), "createFormAnswerGroup")["form_answer_group"])
}

/// What a mutation works on.
pub fn subject(world: &World, root: &str, client: &str) -> Option<String> {
    let works_on = [
        "updateFormAnswerGroup",
        "deleteFormAnswerGroup",
        "signFormAnswerGroup",
        "lockFormAnswerGroup",
    ];
    let of_group = || Some(visits::of_group(world, client));
    let appointment = || if root == works_on[0] { of_group() } else { None };
    works_on.contains(&root).then(|| filled(world, client, appointment()))
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &World, root: &str, name: &str, subject: &Subject) -> Option<Json> {
    const ROOTS: [&str; 11] = [
        "chartNotes",
        "chartingItemsCount",
        "formAnswerGroup",
        "formAnswerGroups",
        "formAnswerGroupsCount",
        "initialFormAnswers",
        "createFormAnswerGroup",
        "updateFormAnswerGroup",
        "deleteFormAnswerGroup",
        "signFormAnswerGroup",
        "lockFormAnswerGroup",
    ];
    if !ROOTS.contains(&root) {
        return None;
    }
    let is_new = root == "createFormAnswerGroup";
    Some(match name {
        "after" | "filler_id" | "incomplete_form_id" => Json::Null,
        "id" if root == "formAnswerGroup" => world.note.clone().into(),
        "id" => subject.id.clone().into(),
        "user_id" if is_new || root == "deleteFormAnswerGroup" => subject.client.clone().into(),
        "user_id" => world.client.clone().into(),
        "custom_module_form_id" => world.form.clone().into(),
        "chart_note_status" => "SIGNED_AND_LOCKED".into(),
        "name" => "Second visit".into(),
        "finished" => true.into(),
        "form_answers" => answers(world),
        "date" | "formatted_date" => "2026-03-04".into(),
        "created_at" => "2026-03-04 09:30:00".into(),
        "time" => "09:30".into(),
        "metadata" => "{}".into(),
        "marked_complete" | "dismissed_lock_charting_note_warning" | "is_for_editing" => {
            true.into()
        }
        "set_initial_answers" => false.into(),
        "should_paginate" => true.into(),
        "active_status" | "keywords" => Json::Null,
        "appointment_id" if is_new => visits::of_group(world, &subject.client).into(),
        "appointment_id" | "requested_form_completion_id" => Json::Null,
        "individual_client_notes" => single(&subject.client),
        _ => return None,
    })
}

/// Whether a mutation did what it was asked for.
pub fn read_back(
    world: &World,
    root: &str,
    subject: &Subject,
    answer: &Json,
) -> Option<Result<(), String>> {
    let read = |id: &str| world.ask(READ, json!({"id": id}), "formAnswerGroup");
    let holds = |holds: bool, read: Json| match holds {
        true => Ok(()),
        false => Err(format!("not as sent: {read}")),
    };
    let has_answers = |read: &Json| read["form_answers"].as_array().is_some_and(|it| it.len() > 2);
    Some(match root {
        "createFormAnswerGroup" => {
            let read = read(&id(&answer["form_answer_group"]));
            holds(read["user_id"] == subject.client && has_answers(&read), read)
        }
        "updateFormAnswerGroup" => {
            let read = read(&subject.id);
            holds(read["finished"] == true && has_answers(&read), read)
        }
        "signFormAnswerGroup" => {
            let read = read(&subject.id);
            holds(!read["form_answer_group_signings"][0].is_null(), read)
        }
        "lockFormAnswerGroup" => {
            let read = read(&subject.id);
            holds(read["is_locked"] == true, read)
        }
        "deleteFormAnswerGroup" => {
            let reply = world.as_owner().ask(READ, json!({"id": subject.id}));
            holds(reply.data()["formAnswerGroup"].is_null(), reply.json)
        }
        _ => return None,
    })
}
