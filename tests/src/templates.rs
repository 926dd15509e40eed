//! Form templates of a furnished instance, and what is filled in.

use serde_json::json;

use crate::api::Api;
use crate::people::id;

/// A template with two questions, the second of which depends on the first; filled in for a
/// client, signed, locked and added to.
pub fn furnish_forms(api: &Api, client: &str, canary: &str) {
    let form = api.ask(
        "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) { customModuleForm { id } messages { field message } } }",
        json!({"input": {"name": format!("{canary} form")}}),
    );
    let form = id(&form.data()["createCustomModuleForm"]["customModuleForm"]);
    let questions = [1, 2].map(|number| {
        let question = api.ask(
            "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) { customModule { id } messages { field message } } }",
            json!({"input": {"custom_module_form_id": form, "mod_type": "text", "label": format!("{canary} question {number}")}}),
        );
        id(&question.data()["createCustomModule"]["customModule"])
    });
    let depends = api.ask(
        "mutation($input: updateCustomModuleInput) { updateCustomModule(input: $input) { customModule { id } messages { field message } } }",
        json!({"input": {"id": questions[1], "custom_module_condition":
            {"conditional_custom_module_id": questions[0], "filter_type": "is_answered"}}}),
    );
    depends.data();
    let said = |number: usize| {
        json!({"custom_module_id": questions[number],
        "answer": format!("{canary} answer {number}"), "metadata": format!("{{\"of\":\"{canary}\"}}")})
    };
    let filled = api.ask(
        "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: $input) { form_answer_group { id } messages { field message } } }",
        json!({"input": {"custom_module_form_id": form, "user_id": client, "finished": true,
            "external_id": format!("{canary}-filled"), "form_answers": [said(0), said(1)]}}),
    );
    let filled = id(&filled.data()["createFormAnswerGroup"]["form_answer_group"]);
    for field in ["sign", "lock"] {
        let query = format!(
            "mutation($id: ID!) {{ {field}FormAnswerGroup(input: {{id: $id}}) {{ messages {{ field message }} }} }}"
        );
        api.ask(&query, json!({"id": filled})).data();
    }
    let added = api.ask(
        "mutation($input: createAddendumInput) { createAddendum(input: $input) { addendum { id } messages { field message } } }",
        json!({"input": {"form_answer_group_id": filled, "content": format!("{canary} addendum")}}),
    );
    id(&added.data()["createAddendum"]["addendum"]);
}
