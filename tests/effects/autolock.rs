//! Notes that lock by themselves, from outside, on the Sandbox's clock: at their hour and not a
//! minute before, each at its own however far the clock goes at once; told, audited and added to.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, tell};

const HOUR: i64 = 3_600_000_000;

fn to(api: &Api, at: &str) {
    let reply = api.post("/sandbox/v1/clock/set", &json!({"to": at, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["stragglers"], json!([]), "{}", reply.text);
}

/// A mutation's payload, refused or not.
fn run(api: &Api, field: &str, of: &str, selects: &str, input: Json) -> Json {
    let query = format!(
        "mutation($input: {of}) {{ {field}(input: $input) {{ {selects} messages {{ field message }} }} }}"
    );
    api.ask(&query, json!({"input": input})).json["data"][field].clone()
}

fn locks_after(api: &Api, hours: Json) -> Json {
    let input = json!({"chart_note_autolock_hours": hours});
    let selects = "organization { chart_note_autolock_hours }";
    run(api, "updateOrganization", "updateOrganizationInput", selects, input)
}

/// A finished note with an answer, and the question.
fn note(api: &Api, client: &str) -> (String, String) {
    let form = json!({"name": "Visit", "use_for_charting": true});
    let of = "createCustomModuleFormInput";
    let form = api.make("createCustomModuleForm", of, "customModuleForm", form);
    let question = json!({"custom_module_form_id": form, "mod_type": "text", "label": "Said"});
    let of = "createCustomModuleInput";
    let question = api.make("createCustomModule", of, "customModule", question);
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "form_answers": [{"custom_module_id": question, "answer": "Slept well"}]});
    let of = "createFormAnswerGroupInput";
    (api.make("createFormAnswerGroup", of, "form_answer_group", input), question)
}

/// How a note stands.
fn read(api: &Api, id: &str) -> Json {
    let query = "query($id: ID) { formAnswerGroup(id: $id) { is_locked is_autolocked autolocks_at \
        form_answer_group_audit_events { action is_automatic committed_by { id } } } }";
    api.ask(query, json!({"id": id})).data()["formAnswerGroup"].clone()
}

#[track_caller]
fn is_open(api: &Api, id: &str) {
    let note = read(api, id);
    assert_eq!(note["is_locked"], false, "{note}");
    assert!(!note["autolocks_at"].is_null(), "{note}");
}

/// Nobody changes a note that locked by itself; it is added to, and unlocked by who may.
fn only_added_to(api: &Api, (id, question): (&str, &str)) {
    let answers = json!([{"custom_module_id": question, "answer": "Slept badly"}]);
    let input = json!({"id": id, "form_answers": answers});
    let of = "updateFormAnswerGroupInput!";
    let selects = "form_answer_group { id }";
    let refused = run(api, "updateFormAnswerGroup", of, selects, input);
    let said = refused["messages"][0]["message"].as_str().unwrap_or_default();
    assert!(said.starts_with("This form is locked"), "{refused}");
    let input = json!({"form_answer_group_id": id, "content": "Slept badly after all."});
    let added = run(api, "createAddendum", "createAddendumInput", "addendum { id }", input);
    assert!(added["messages"].is_null() && added["addendum"]["id"].is_string(), "{added}");
    let input = json!({"id": id, "description": "A word was wrong"});
    let open = run(api, "unlockFormAnswerGroup", "UnlockInput!", selects, input);
    assert!(open["messages"].is_null(), "{open}");
}

#[test]
fn a_note_locks_at_its_hour_and_not_a_minute_before() {
    for engine in Engine::available("autolock") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        api.post("/sandbox/v1/clock/freeze", &json!({}));
        to(&api, "2031-03-01T12:00:00Z");
        let client = people::client(&api, "ada");
        let (old, _) = note(&api, &client);
        to(&api, "2031-03-07T12:00:00Z");
        // It is a setting, and from here on.
        let denied = locks_after(&server.with(&provider), json!(24));
        assert_eq!(denied["messages"][0]["field"], "base", "{denied}");
        let set = locks_after(&api, json!(24));
        assert_eq!(set["organization"]["chart_note_autolock_hours"], 24, "{set}");
        let (first, question) = note(&api, &client);
        to(&api, "2031-03-07T20:00:00Z");
        let (second, _) = note(&api, &client);
        to(&api, "2031-03-08T11:59:00Z");
        for id in [&old, &first, &second] {
            is_open(&api, id);
        }
        // Far beyond: each at its time.
        to(&api, "2031-03-20T12:00:00Z");
        let database = s.database();
        let after = |id: &str| {
            let sql = "SELECT locked_at - created_at FROM form_answer_groups WHERE id = ";
            database.number(&format!("{sql}{id}"))
        };
        let hours = [&old, &first, &second].map(|id| after(id) / HOUR);
        assert_eq!(hours, [7 * 24, 24, 24]);
        assert_eq!(after(&second) % HOUR, 0);
        let told = "SELECT COUNT(*) FROM events WHERE event_type = 'form_answer_group.locked'";
        assert_eq!(database.number(told), 3);
        let locked = read(&api, &first);
        let me = people::current_user(&api);
        let step = json!([{"action": "LOCKED", "is_automatic": true, "committed_by": {"id": me}}]);
        assert_eq!(locked["form_answer_group_audit_events"], step, "{locked}");
        assert_eq!(
            (&locked["is_autolocked"], &locked["autolocks_at"]),
            (&json!(true), &Json::Null)
        );
        only_added_to(&api, (&first, &question));
        to(&api, "2031-03-21T11:59:00Z");
        is_open(&api, &first);
        to(&api, "2031-03-21T12:00:00Z");
        assert_eq!(read(&api, &first)["is_autolocked"], true);
        server.stop();
        assert!(s.verify_audit().0, "the log");
        tell("autolock", format_args!("{engine:?}: 4 locks of 3 notes, each at its hour"));
    }
}
