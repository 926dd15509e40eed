//! Forms and notes as they are written: who may read one hears of each change, and nobody else.

use ward_tests::socket::{Socket, cable, channel, listen};
use ward_tests::{Api, Engine, Json, json, people};

use crate::practice::Practice;

const MODIFIED: &str = "formAnswerGroupModifiedSubscription";
const PASSWORD: &str = "copper-lantern-41-meadow";

fn make(api: &Api, field: &str, object: &str, input: Json) -> String {
    api.make(field, &format!("{field}Input"), object, input)
}

/// A form with one question; their ids.
fn form(api: &Api, use_for_charting: bool) -> (String, String) {
    let input = json!({"name": "Story", "use_for_charting": use_for_charting});
    let form = make(api, "createCustomModuleForm", "customModuleForm", input);
    let input =
        json!({"custom_module_form_id": form, "mod_type": "text", "label": "What happened?"});
    let question = make(api, "createCustomModule", "customModule", input);
    (form, question)
}

/// A draft of a form that somebody began for a client.
fn draft(api: &Api, (form, client): (&str, &str)) -> String {
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": false});
    make(api, "createFormAnswerGroup", "form_answer_group", input)
}

fn answer(api: &Api, (group, question): (&str, &str), said: &str, finished: bool) {
    let input = json!({"id": group, "finished": finished,
        "form_answers": [{"custom_module_id": question, "answer": said}]});
    make(api, "updateFormAnswerGroup", "form_answer_group", input);
}

fn told(socket: &mut Socket) -> Json {
    socket.message()["message"]["result"]["data"][MODIFIED].clone()
}

fn said(told: &Json) -> &Json {
    &told["form_answers"][0]["answer"]
}

#[test]
fn who_may_read_a_form_hears_of_each_change() {
    for engine in Engine::available("forms as they are written") {
        let practice = Practice::open(engine, &[]);
        let owner = practice.owner();
        let client = people::client(&owner, "listener");
        let login = json!({"id": client, "password": PASSWORD});
        owner.make("updateClient", "updateClientInput!", "user", login);
        let email = "listener@client.example";
        let signed =
            people::sign_in(&practice.server.api(), json!({"email": email, "password": PASSWORD}));
        let session = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
        let own = practice.server.with(&session);
        let colleague = practice.instance.member("provider");
        let hears = |token: &str, id: &str| {
            let query = format!(
                "subscription {{ {MODIFIED}(id: \"{id}\") {{ id finished is_locked form_answers {{ answer }} }} }}"
            );
            let mut socket = cable(practice.server.port, token);
            listen(&mut socket, &channel("1"), &query);
            socket
        };
        // What a client fills in, the practice and the client write in together.
        let (intake, question) = form(&owner, false);
        let begun = draft(&own, (&intake, &client));
        let mut staff = hears(&practice.key, &begun);
        let mut writer = hears(&session, &begun);
        let mut stranger = hears(&colleague, &begun);
        answer(&own, (&begun, &question), "I fell", false);
        for socket in [&mut staff, &mut writer] {
            let told = told(socket);
            assert_eq!((&told["id"], said(&told)), (&json!(begun), &json!("I fell")));
        }
        answer(&owner, (&begun, &question), "Fell off a ladder", true);
        for socket in [&mut staff, &mut writer] {
            let told = told(socket);
            assert_eq!(
                (said(&told), &told["finished"]),
                (&json!("Fell off a ladder"), &json!(true))
            );
            socket.is_silent();
        }
        // What the practice writes about a client is told to the staff who see them.
        let (note, question) = form(&owner, true);
        let written = draft(&owner, (&note, &client));
        let mut staff = hears(&practice.key, &written);
        let mut others = [hears(&session, &written), hears(&colleague, &written)];
        answer(&owner, (&written, &question), "A sprain", true);
        assert_eq!(said(&told(&mut staff)), "A sprain");
        let query = "mutation($id: ID!) { lockFormAnswerGroup(input: {id: $id}) {
            form_answer_group { id } messages { field message } } }";
        owner.ask(query, json!({"id": written})).data();
        assert_eq!(told(&mut staff)["is_locked"], true);
        for socket in others.iter_mut().chain([&mut stranger]) {
            socket.is_silent();
        }
    }
}
