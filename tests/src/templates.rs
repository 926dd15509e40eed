//! Form templates of a furnished instance.

use serde_json::json;

use crate::api::Api;
use crate::people::id;

/// A template with two questions, the second of which depends on the first.
pub fn furnish_forms(api: &Api, canary: &str) {
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
}
