//! A template of the replay's world, and the values of operations on templates.

use ward_tests::people::id;
use ward_tests::{Json, json};

use crate::world::World;

const FORM: &str = "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) { customModuleForm { id } messages { field message } } }";
const QUESTION: &str = "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) { customModule { id } messages { field message } } }";
const DEPENDS: &str = "mutation($input: updateCustomModuleInput) { updateCustomModule(input: $input) { customModule { id } messages { field message } } }";

/// Makes a template in which everything is said of some question.
pub fn new(world: &World) -> String {
    let made = world.ask(
        FORM,
        json!({"input": {"name": "Replay form", "use_for_charting": true}}),
        "createCustomModuleForm",
    );
    let form = id(&made["customModuleForm"]);
    let question = |mut input: Json| {
        input["custom_module_form_id"] = form.clone().into();
        let made = world.ask(QUESTION, json!({"input": input}), "createCustomModule");
        id(&made["customModule"])
    };
    question(json!({"mod_type": "label", "label": "Heading"}));
    let choice =
        question(json!({"mod_type": "radio", "label": "How often?", "sublabel": "In two weeks",
        "options": "Never (0)\nOften (1)", "required": true}));
    question(json!({"mod_type": "text", "label": "Say more", "parent_custom_module_id": choice}));
    question(json!({"mod_type": "autoscored_calculator", "label": "Total"}));
    question(json!({"mod_type": "hipaa", "label": "Privacy"}));
    question(json!({"mod_type": "name", "label": "Your name"}));
    let last = question(json!({"mod_type": "textarea", "label": "Why?"}));
    let input = json!({"id": last, "custom_module_condition":
        {"conditional_custom_module_id": choice, "filter_type": "equals", "value_to_filter": "Often (1)"}});
    world.ask(DEPENDS, json!({"input": input}), "updateCustomModule");
    form
}

/// The value of an argument or input field; nothing for those of other domains.
pub fn value(world: &mut World, root: &str, name: &str) -> Option<Json> {
    Some(match (root, name) {
        ("customModuleForm", "id") => world.form.clone().into(),
        (
            "customModuleForms",
            "active_status" | "include_default_templates" | "should_paginate",
        ) => true.into(),
        ("customModuleForms", "category") => "all".into(),
        ("customModuleForms", "keywords") => "".into(),
        ("customModuleForms", "sort_by") => "name_asc".into(),
        ("createCustomModuleForm", "name") => world.word().into(),
        ("createCustomModuleForm", "use_for_charting") => true.into(),
        ("createCustomModuleForm", "use_for_program") => false.into(),
        _ => return None,
    })
}
