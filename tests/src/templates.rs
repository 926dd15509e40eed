//! Form templates of a furnished instance, and what is filled in.

use serde_json::json;

use crate::api::Api;
use crate::people::id;

/// A template with two questions, the second of which depends on the first; filled in for a
/// client, signed, locked and added to. An intake flow of the client's group.
pub fn furnish_forms(api: &Api, (client, group): (&str, &str), canary: &str) {
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
    attach_file(api, "CustomModule", &questions[0]);
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
    furnish_flow(api, (client, group, &form), canary);
    furnish_draft(api, canary);
    furnish_requests(api, client, &form);
}

/// A note of a group's appointment, with what it says of a client who attends.
pub fn furnish_group_note(api: &Api, (client, class): (&str, &str), canary: &str) {
    let form = json!({"name": format!("{canary} circle"), "use_for_charting": true});
    let of = "createCustomModuleFormInput";
    let form = api.make("createCustomModuleForm", of, "customModuleForm", form);
    let single = json!([{"user_id": client, "content": format!("{canary} individual"),
        "attended": true}]);
    let note = json!({"custom_module_form_id": form, "appointment_id": class, "finished": true,
        "individual_client_notes": single});
    api.make("createFormAnswerGroup", "createFormAnswerGroupInput", "form_answer_group", note);
}

/// What the caller has begun to write in a conversation of theirs.
fn furnish_draft(api: &Api, canary: &str) {
    let parts = api.ask("{ conversationMemberships { nodes { id } } }", json!({}));
    let part = id(&parts.data()["conversationMemberships"]["nodes"][0]);
    let input = json!({"conversation_membership_id": part, "content": format!("{canary} unsent")});
    api.make("createDraft", "createDraftInput", "draft", input);
}

/// Tells of a small file of an answer (`FormAnswer`) or a question (`CustomModule`), sends it and
/// attaches it; its id.
pub fn attach_file(api: &Api, of: &str, id: &str) -> String {
    let (create, at) = match of {
        "CustomModule" => ("Create", "custom_module_id"),
        _ => ("create", "form_answer_id"),
    };
    let tell = format!(
        "mutation($input: {create}{of}FileAttachmentUploadUrlInput) {{ create{of}FileAttachmentUploadUrl(input: $input) {{ upload_id upload_url messages {{ field message }} }} }}"
    );
    // "Hi" and a line's end.
    let mut input = json!({"filename": "scan.txt", "byte_size": 3,
        "checksum": "Mevfzot3rEnX9VBt0UlYMA==", "content_type": "text/plain"});
    input[at] = id.into();
    let told = api.ask(&tell, json!({"input": input}));
    let told = &told.data()[format!("create{of}FileAttachmentUploadUrl")];
    let url = told["upload_url"].as_str().unwrap();
    let sent = api.put(&url[url.find("/files/").unwrap()..], "Hi\n");
    assert_eq!(sent.status, 200, "{}", sent.text);
    let mut input = json!({"upload_id": told["upload_id"]});
    input[at] = id.into();
    let (field, of) =
        (format!("create{of}FileAttachment"), format!("{create}{of}FileAttachmentInput"));
    api.make(&field, &of, "file_attachment", input)
}

/// The client is asked for the form, once and every month.
fn furnish_requests(api: &Api, client: &str, form: &str) {
    let ask = "mutation($input: createRequestedFormInput) { createRequestedFormCompletion(input: $input) { requestedFormCompletion { id } requestedFormCompletionStatus { status } messages { field message } } }";
    let input = json!({"form": form, "recipient_id": client, "skip_notification_email": true});
    let asked = api.ask(ask, json!({"input": input}));
    id(&asked.data()["createRequestedFormCompletion"]["requestedFormCompletion"]);
    let input = json!({"form": form, "recipient_id": client, "skip_notification_email": true,
        "is_recurring": true, "frequency": "Monthly", "monthday": "31st"});
    let recurs = api.ask(ask, json!({"input": input}));
    let recurs = &recurs.data()["createRequestedFormCompletion"];
    assert!(recurs["messages"].is_null(), "{recurs}");
}

/// An intake flow that asks for the form, of the client's group, and of whoever asks as the
/// default; the client has done its step.
fn furnish_flow(api: &Api, (client, group, form): (&str, &str, &str), canary: &str) {
    let flow = api.ask(
        "mutation($input: createOnboardingFlowInput) { createOnboardingFlow(input: $input) { onboardingFlow { id } messages { field message } } }",
        json!({"input": {"name": format!("{canary} flow"), "groups_to_use_onboarding_flow": group}}),
    );
    let flow = id(&flow.data()["createOnboardingFlow"]["onboardingFlow"]);
    let step = api.ask(
        "mutation($input: createOnboardingItemInput) { createOnboardingItem(input: $input) { onboardingItem { id } messages { field message } } }",
        json!({"input": {"onboarding_flow_id": flow, "item_type": "Module Form", "item_id": form,
            "welcome_text": format!("{canary} welcome")}}),
    );
    let step = id(&step.data()["createOnboardingItem"]["onboardingItem"]);
    let default = api.ask(
        "mutation($input: updateUserInput) { updateUser(input: $input) { user { id } messages { field message } } }",
        json!({"input": {"default_onboarding_flow_id": flow}}),
    );
    id(&default.data()["updateUser"]["user"]);
    let done = api.ask(
        "mutation($input: createCompletedOnboardingItemInput) { createCompletedOnboardingItem(input: $input) { completed_onboarding_item { id } messages { field message } } }",
        json!({"input": {"onboarding_item_id": step, "user_id": client, "skipped": false}}),
    );
    id(&done.data()["createCompletedOnboardingItem"]["completed_onboarding_item"]);
}
