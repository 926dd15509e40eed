//! Forms that come back, from outside: asked for on the wall of who asked whatever the clocks do,
//! told by mail without a word of what, not at night, and not to who wants none (behaviour 28, 42).

use ward_tests::people::id;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const ASK: &str = "mutation($input: createRequestedFormInput) { createRequestedFormCompletion(input: $input) { requestedFormCompletion { id } requestedFormCompletionStatus { status } messages { field message } } }";

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["stragglers"], json!([]), "{}", reply.text);
}

/// Mails so far, oldest first: their text, and when.
fn mails(api: &Api) -> Vec<(String, String)> {
    let inbox = api.get("/sandbox/v1/inbox?limit=1000").json;
    let all = inbox["items"].as_array().unwrap().iter().rev();
    let asked = all.filter(|item| item["kind"] == "form_requested");
    asked.map(|item| (item.to_string(), item["created_at"].as_str().unwrap().to_owned())).collect()
}

fn ask(api: &Api, input: Json) {
    let made = api.ask(ASK, json!({"input": input}));
    let made = &made.data()["createRequestedFormCompletion"];
    assert!(made["messages"].is_null(), "{made}");
}

/// A form of this name with a question.
fn form(api: &Api, name: &str) -> String {
    let made = api.ask(
        "mutation($input: createCustomModuleFormInput) { createCustomModuleForm(input: $input) { customModuleForm { id } messages { field message } } }",
        json!({"input": {"name": name}}),
    );
    let form = id(&made.data()["createCustomModuleForm"]["customModuleForm"]);
    let question = api.ask(
        "mutation($input: createCustomModuleInput) { createCustomModule(input: $input) { customModule { id } messages { field message } } }",
        json!({"input": {"custom_module_form_id": form, "mod_type": "text", "label": "How?"}}),
    );
    id(&question.data()["createCustomModule"]["customModule"]);
    form
}

/// The link out of notices, in a mail's text: what is behind the question mark.
fn way_out(mail: &str) -> String {
    let at = mail.find("/unsubscribe?").expect("a link out");
    let rest = &mail[at..];
    let end = rest.find(|c: char| c.is_whitespace() || "\\\"<)".contains(c));
    let link = rest[..end.unwrap_or(rest.len())].replace("&amp;", "&");
    link.split_once('?').unwrap().1.to_owned()
}

#[test]
fn a_form_comes_back_at_its_time_and_is_told_until_one_wants_no_more() {
    for engine in Engine::available("recurring forms") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-07T12:00:00Z");
        let client = people::client(&api, "ada");
        let zone = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
        api.ask(zone, json!({"input": {"id": client, "timezone": "Etc/UTC"}})).data();
        let form = form(&api, "Oncology diary");
        // Nine o'clock in New York, where the clocks go forward on March 9.
        ask(
            &api,
            json!({"form": form, "recipient_ids": [client], "is_recurring": true,
                "frequency": "Daily", "hour": "9", "minute": "00", "period": "AM",
                "recurrence_ends": true, "ends_on": "2031-03-10"}),
        );
        to(&api, "2031-03-07T13:59:00Z");
        assert_eq!(mails(&api), [], "it is not due yet");
        to(&api, "2031-03-20T12:00:00Z");
        let told = mails(&api);
        let when: Vec<&str> = told.iter().map(|(_, at)| at.as_str()).collect();
        let wanted = [
            "2031-03-07T14:00:00Z",
            "2031-03-08T14:00:00Z",
            "2031-03-09T13:00:00Z",
            "2031-03-10T13:00:00Z",
        ];
        assert_eq!(when, wanted);
        assert!(!told[0].0.contains("Oncology"), "{}", told[0].0);
        let query = "query($id: ID) { requestedFormCompletions(user_id: $id) { total_count nodes { \
            status } } recurringForms { nodes { is_active interval } } }";
        let read = api.ask(query, json!({"id": client}));
        assert_eq!(read.data()["requestedFormCompletions"]["total_count"], 4);
        let ended = json!([{"is_active": false, "interval": "09:00"}]);
        assert_eq!(read.data()["recurringForms"]["nodes"], ended);
        // At night it waits for the morning, and several are one mail; one that is silent is none.
        to(&api, "2031-03-20T22:00:00Z");
        for _ in 0..2 {
            ask(&api, json!({"form": form, "recipient_id": client}));
        }
        let silent = json!({"form": form, "recipient_id": client, "skip_notification_email": true});
        ask(&api, silent);
        to(&api, "2031-03-21T12:00:00Z");
        let told = mails(&api);
        assert_eq!(told.len(), 5, "{told:?}");
        assert_eq!(told[4].1, "2031-03-21T08:00:00Z");
        assert!(told[4].0.contains("2 forms wait"), "{}", told[4].0);
        // By the mail's link one gets no more.
        let kind = "application/x-www-form-urlencoded";
        let done = server.api().post_as("/unsubscribe", kind, way_out(&told[4].0));
        assert_eq!(done.status, 200, "{}", done.text);
        ask(&api, json!({"form": form, "recipient_id": client}));
        to(&api, "2031-03-22T12:00:00Z");
        assert_eq!(mails(&api).len(), 5, "a mail to who wants none");
        server.stop();
        tell(
            "recurring forms",
            format_args!("{engine:?}: 4 times across a change of the clocks, 5 mails"),
        );
    }
}
