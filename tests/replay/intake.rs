//! Intake flows of the replay's world, and the values of operations on them.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::world::World;

const FORM: &str = "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) { customModuleForm { id } messages { field message } } }";
const QUESTION: &str = "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) { customModule { id } messages { field message } } }";
const FLOW: &str = "mutation($input: createOnboardingFlowInput) { createOnboardingFlow(input: $input) { onboardingFlow { id } messages { field message } } }";
const STEP: &str = "mutation($input: createOnboardingItemInput) { createOnboardingItem(input: $input) { onboardingItem { id } messages { field message } } }";
const DONE: &str = "mutation($input: createCompletedOnboardingItemInput) { createCompletedOnboardingItem(input: $input) { completed_onboarding_item { id } messages { field message } } }";
const FILL: &str = "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: $input) { form_answer_group { id } messages { field message } } }";
const REQUEST: &str = "mutation($input: createRequestedFormInput) { createRequestedFormCompletion(input: $input) { requestedFormCompletion { id } messages { field message } } }";
const DEFAULT: &str = "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }";

/// The flow of the client's group, which is the organization's default, too: the first step is
/// done by a form, the second begun. What they have done of the flow before is left.
pub fn new(world: &World) -> String {
    let former = flow(world, "Replay flow before");
    let paper = step(world, &former, &form(world, "Replay paper"));
    let done = json!({"onboarding_item_id": paper, "user_id": world.client, "skipped": false});
    world.ask(DONE, json!({"input": done}), "createCompletedOnboardingItem");
    let flow = flow(world, "Replay flow");
    for (name, finished) in [("Replay consent", true), ("Replay history", false)] {
        let form = form(world, name);
        step(world, &flow, &form);
        let input =
            json!({"custom_module_form_id": form, "user_id": world.client, "finished": finished});
        world.ask(FILL, json!({"input": input}), "createFormAnswerGroup");
    }
    // What the client was asked besides, and has filled in.
    let asked = form(world, "Replay request");
    let request = request(world, &asked);
    let input = json!({"custom_module_form_id": asked, "user_id": world.client, "finished": true,
        "requested_form_completion_id": request});
    world.ask(FILL, json!({"input": input}), "createFormAnswerGroup");
    let default = json!({"default_onboarding_flow_id": flow});
    world.ask(DEFAULT, json!({"input": default}), "updateUser");
    flow
}

/// Asks the client for a form.
fn request(world: &World, form: &str) -> String {
    let input =
        json!({"form": form, "recipient_id": world.client, "skip_notification_email": true});
    let made = world.ask(REQUEST, json!({"input": input}), "createRequestedFormCompletion");
    id(&made["requestedFormCompletion"])
}

/// A form that clients fill in.
fn form(world: &World, name: &str) -> String {
    let made = world.ask(FORM, json!({"input": {"name": name}}), "createCustomModuleForm");
    let form = id(&made["customModuleForm"]);
    let input = json!({"custom_module_form_id": form, "mod_type": "text", "label": "What else?"});
    world.ask(QUESTION, json!({"input": input}), "createCustomModule");
    form
}

/// A flow that the client's group uses from then on.
fn flow(world: &World, name: &str) -> String {
    let input = json!({"name": name, "groups_to_use_onboarding_flow": world.group});
    let made = world.ask(FLOW, json!({"input": input}), "createOnboardingFlow");
    id(&made["onboardingFlow"])
}

fn step(world: &World, flow: &str, form: &str) -> String {
    let input = json!({"onboarding_flow_id": flow, "item_type": "custom_module_form",
        "item_id": form, "is_skippable": false});
    let made = world.ask(STEP, json!({"input": input}), "createOnboardingItem");
    id(&made["onboardingItem"])
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &mut World, root: &str, name: &str) -> Option<Json> {
    Some(match (root, name) {
        ("onboardingFlow" | "unassociatedCompletedOnboardingItems", "user_id") => {
            world.client.clone().into()
        }
        ("onboardingFlow", "custom_module_forms_only") => true.into(),
        ("onboardingFlows", "keywords") => "".into(),
        ("onboardingFlows", "sort_by") => "name_asc".into(),
        ("onboardingFlows", "should_paginate") => true.into(),
        ("createOnboardingFlow", "name") => world.word().into(),
        ("createOnboardingItem", "onboarding_flow_id") => world.flow.clone().into(),
        ("createOnboardingItem", "item_type") => "custom_module_form".into(),
        // Another each time: a flow asks for nothing twice.
        ("createOnboardingItem", "item_id") => form(world, "Replay step").into(),
        ("createOnboardingItem", "is_skippable") => false.into(),
        ("requestedFormCompletions", "user_id") => world.client.clone().into(),
        ("requestedFormCompletions", "keywords") => "".into(),
        ("requestedFormCompletions", "status") => Json::Null,
        // Another each time: it is gone then.
        ("deleteRequestedFormCompletion", "id") => {
            let form = form(world, "Replay request");
            request(world, &form).into()
        }
        _ => return None,
    })
}
