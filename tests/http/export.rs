//! DOM-39: a client's export has all that is stored of them, in a form that others read.
//!
//! The check against the public JSON schema of FHIR R4 is `tests/clients/fhir`; it needs Node.js and
//! `npm ci` there. Without, that part says NOT RUN, and fails if `WARD_REQUIRE_ALL=1`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, until};
use zip::ZipArchive;

pub const EXPORT: &str = "mutation($id: ID, $later: Boolean) { exportClientEhi(input: {client_id: $id, \
    should_run_in_job: $later}) { success_string messages { field message } } }";
const DOCUMENTS: &str = "{ documents(filter: \"all\") { nodes { id display_name expiring_url } } }";

fn titled(id: &str) -> String {
    format!("Export of client {id}")
}

/// The exports of a client that somebody sees: their ids and links.
fn exports(api: &Api, client: &str) -> BTreeMap<String, String> {
    let reply = api.ask(DOCUMENTS, json!({}));
    let nodes = reply.data()["documents"]["nodes"].as_array().cloned().unwrap();
    let own = nodes.into_iter().filter(|node| node["display_name"] == titled(client).as_str());
    let text = |node: &Json, name: &str| node[name].as_str().unwrap().to_owned();
    own.map(|node| (text(&node, "id"), text(&node, "expiring_url"))).collect()
}

pub fn fetched(server: &Server, link: &str) -> Vec<u8> {
    let path = &link[link.find("/files/").unwrap()..];
    let mut read = ureq::get(format!("http://127.0.0.1:{}{path}", server.port)).call().unwrap();
    read.body_mut().read_to_vec().unwrap()
}

/// What an archive holds; a reader that is not Ward's own finds it.
pub fn entries(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    assert_eq!(archive.name_for_index(0).unwrap().unwrap(), "environment.txt");
    (0..archive.len())
        .map(|at| {
            let mut entry = archive.by_index(at).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

pub fn parsed(entries: &BTreeMap<String, Vec<u8>>, name: &str) -> Json {
    let bytes = entries.get(name).unwrap_or_else(|| panic!("there is no {name}"));
    serde_json::from_slice(bytes).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/fhir")
}

fn missing() -> Option<&'static str> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Some("there is no node");
    }
    (!folder().join("node_modules/@asymmetrik").is_dir()).then_some("npm ci was not run")
}

/// What the public schema finds wrong with a bundle.
fn against_the_schema(bundle: &[u8]) {
    let required = std::env::var("WARD_REQUIRE_ALL").is_ok_and(|it| it == "1");
    if let Some(missing) = missing() {
        assert!(!required, "tests/clients/fhir: {missing}, and WARD_REQUIRE_ALL=1");
        println!("NOT RUN: the public schema of FHIR R4: {missing}");
        return;
    }
    let mut command = Command::new("node");
    command.current_dir(folder()).arg("check.mjs");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(bundle).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[test]
fn dom_39_an_export_holds_all_that_is_stored_of_a_client() {
    for engine in Engine::available("DOM-39") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let colleague = s.member("administrator");
        let server = s.serve();
        let api = server.with(&owner);
        let opener = server.with(&provider);
        let furniture = people::furnish_inside(&api, &opener, "exported");
        let [client, other] = [&furniture.clients[0], &furniture.clients[1]];
        // Without the flag nothing is made.
        let refused = opener.ask(EXPORT, json!({"id": client}));
        assert_eq!(refused.code(), "PERMISSION_DENIED", "{}", refused.text);
        let made = api.ask(EXPORT, json!({"id": client}));
        assert!(made.data()["exportClientEhi"]["success_string"].is_string(), "{}", made.text);
        let first = exports(&api, client);
        assert_eq!(first.len(), 1);
        let archive = fetched(&server, first.values().next().unwrap());
        let found = entries(&archive);
        let mark = String::from_utf8(found["environment.txt"].clone()).unwrap();
        assert!(mark.starts_with("ward-export-environment: sandbox\n"), "{mark}");
        let bundle = parsed(&found, "bundle.json");
        assert_eq!(bundle["meta"]["tag"][0]["code"], "HTEST");
        let kinds: Vec<&str> = bundle["entry"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["resource"]["resourceType"].as_str().unwrap())
            .collect();
        for kind in [
            "Patient",
            "Practitioner",
            "Appointment",
            "QuestionnaireResponse",
            "MedicationStatement",
            "AllergyIntolerance",
            "Condition",
            "Observation",
            "DocumentReference",
        ] {
            assert!(kinds.contains(&kind), "no {kind}: {kinds:?}");
        }
        against_the_schema(&found["bundle.json"]);
        // All rows, opened; and of nobody else but what the client takes part in.
        let rows = parsed(&found, "data/users.json");
        assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
        assert_eq!(rows["rows"][0]["id"], client.as_str());
        let drugs = parsed(&found, "data/medications.json");
        assert!(drugs.to_string().contains("exported comment"), "{drugs}");
        let manifest = parsed(&found, "manifest.json");
        let files = manifest["files"].as_object().unwrap();
        assert!(
            files.values().all(|path| found.contains_key(path.as_str().unwrap())),
            "{manifest}"
        );
        assert!(files.values().any(|path| found[path.as_str().unwrap()] == b"Hi\n"), "{manifest}");
        let page = String::from_utf8(found["index.html"].clone()).unwrap();
        assert!(page.contains("Sandbox data") && page.contains("exported"), "{page}");
        // Nothing of an account's secrets.
        assert!(!rows.to_string().contains("password_hash"), "{rows}");
        // In the access log already.
        let log = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes { path } } }";
        let read = api.ask(log, json!({"id": client}));
        assert!(read.text.contains("exportClientEhi"), "{}", read.text);
        // The next one does not hold this one, and a job makes it.
        api.ask(EXPORT, json!({"id": client, "later": true})).data();
        let link = until("the job's export", || {
            let mut now = exports(&api, client).into_iter();
            now.find_map(|(id, link)| (!first.contains_key(&id)).then_some(link))
        });
        let again = entries(&fetched(&server, &link));
        assert_eq!(again.keys().filter(|name| name.ends_with(".zip")).count(), 0);
        // It is for whoever asked: not for a colleague who sees the client and their documents.
        let colleague = server.with(&colleague);
        assert!(exports(&colleague, client).is_empty());
        // Others' are not found among them.
        assert!(exports(&api, other).is_empty());
        let nobody = api.ask(EXPORT, json!({"id": people::current_user(&opener)}));
        assert_eq!(nobody.json["data"]["exportClientEhi"]["messages"][0]["field"], "client_id");
    }
}

/// A finished note of the caller's with one answer.
pub fn note(api: &Api, client: &str, confidentiality: &str, answer: &str) -> String {
    let form = json!({"name": "Process", "use_for_charting": true,
        "confidentiality": confidentiality});
    let made = "customModuleForm";
    let form = api.make("createCustomModuleForm", "createCustomModuleFormInput", made, form);
    let question = json!({"custom_module_form_id": form, "mod_type": "text", "label": "Said"});
    let of = "createCustomModuleInput";
    let question = api.make("createCustomModule", of, "customModule", question);
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "form_answers": [{"custom_module_id": question, "answer": answer}]});
    let of = "createFormAnswerGroupInput";
    api.make("createFormAnswerGroup", of, "form_answer_group", input)
}

/// A group note is in the archive of each of its clients, with what it says of them and nothing of
/// what it says of another, or of who they are.
#[test]
fn dom_39_of_a_group_note_each_has_their_own_part() {
    for engine in Engine::available("DOM-39") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let clients = ["groupada", "groupbea"].map(|name| people::client(&api, name));
        let kind = json!({"name": "Circle", "length": 50, "is_group": true});
        let of = "createAppointmentTypeInput";
        let kind = api.make("createAppointmentType", of, "appointmentType", kind);
        let class = json!({"attendee_ids": clients, "appointment_type_id": kind,
            "contact_type": "Phone Call", "datetime": "2031-03-04T15:00:00Z"});
        let class = api.make("createAppointment", "createAppointmentInput!", "appointment", class);
        let form = json!({"name": "Circle", "use_for_charting": true});
        let of = "createCustomModuleFormInput";
        let form = api.make("createCustomModuleForm", of, "customModuleForm", form);
        let question = json!({"custom_module_form_id": form, "mod_type": "text", "label": "Done"});
        let of = "createCustomModuleInput";
        let question = api.make("createCustomModule", of, "customModule", question);
        let input = json!({"custom_module_form_id": form, "appointment_id": class,
            "finished": true, "form_answers": [{"custom_module_id": question, "answer": "Breathing"}],
            "individual_client_notes": [{"user_id": clients[0], "content": "Spoke"},
                {"user_id": clients[1], "content": "Listened"}]});
        let of = "createFormAnswerGroupInput";
        api.make("createFormAnswerGroup", of, "form_answer_group", input);
        // A counselling note of the group is in nobody's.
        let apart = json!({"custom_module_form_id": form, "appointment_id": class,
            "finished": true, "confidentiality": "COUNSELLING_NOTES",
            "form_answers": [{"custom_module_id": question, "answer": "Whispered"}],
            "individual_client_notes": [{"user_id": clients[0], "content": "Whispered"},
                {"user_id": clients[1], "content": "Whispered"}]});
        api.make("createFormAnswerGroup", of, "form_answer_group", apart);
        for (client, own, others, other) in [
            (&clients[0], "Spoke", "Listened", "groupbea"),
            (&clients[1], "Listened", "Spoke", "groupada"),
        ] {
            let made = api.ask(EXPORT, json!({"id": client}));
            assert!(made.data()["exportClientEhi"]["success_string"].is_string(), "{}", made.text);
            let found = entries(&fetched(&server, exports(&api, client).values().next().unwrap()));
            for (name, bytes) in &found {
                let text = String::from_utf8_lossy(bytes);
                assert!(!text.contains(others) && !text.contains(other), "{name}: {text}");
                assert!(!text.contains("Whispered"), "{name}: {text}");
            }
            let manifest = parsed(&found, "manifest.json");
            assert_eq!(manifest["counselling_notes_left_out"], 1, "{manifest}");
            let bundle = parsed(&found, "bundle.json").to_string();
            assert!(bundle.contains(own) && bundle.contains("Breathing"), "{bundle}");
            let rows = parsed(&found, "data/individual_client_notes.json");
            assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
        }
    }
}

/// Records of treatment for a substance use disorder say so; counselling notes are not in the archive,
/// also not in that of their author.
#[test]
fn dom_31_an_export_says_what_is_confidential_and_leaves_counselling_notes_out() {
    for engine in Engine::available("DOM-31") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let archive_of = |client: &str| {
            let made = api.ask(EXPORT, json!({"id": client}));
            assert!(made.data()["exportClientEhi"]["success_string"].is_string(), "{}", made.text);
            entries(&fetched(&server, exports(&api, client).values().next().unwrap()))
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";
        // Where there is nothing confidential, nothing is said.
        let plain = people::client(&api, "plain");
        note(&api, &plain, "NORMAL", "Well");
        let found = archive_of(&plain);
        assert!(found.values().all(|bytes| !text(bytes).contains(notice)));
        let manifest = parsed(&found, "manifest.json");
        assert_eq!(manifest["counselling_notes_left_out"], 0, "{manifest}");
        let client = people::client(&api, "confiding");
        note(&api, &client, "NORMAL", "Well");
        note(&api, &client, "PART_2", "Sober");
        note(&api, &client, "COUNSELLING_NOTES", "Whispered");
        let found = archive_of(&client);
        for (name, bytes) in &found {
            assert!(!text(bytes).contains("Whispered"), "{name}");
        }
        assert!(text(&found["data/form_answers.json"]).contains("Sober"));
        for name in ["README.md", "index.html", "manifest.json"] {
            let said = text(&found[name]);
            assert!(said.contains(notice), "{name}: {said}");
            assert!(said.contains("not in this archive: 1."), "{name}: {said}");
        }
        let manifest = parsed(&found, "manifest.json");
        assert_eq!(manifest["counselling_notes_left_out"], 1, "{manifest}");
        assert_eq!(manifest["tables"]["form_answer_groups"], 2, "{manifest}");
        let bundle = parsed(&found, "bundle.json");
        let is_labelled = |of: &Json| of["meta"]["security"].to_string().contains("42CFRPart2");
        assert!(is_labelled(&bundle), "{bundle}");
        let labelled = bundle["entry"].as_array().unwrap().iter().filter(|entry| {
            let resource = &entry["resource"];
            resource["resourceType"] == "QuestionnaireResponse" && is_labelled(resource)
        });
        assert_eq!(labelled.count(), 1, "{bundle}");
        against_the_schema(&found["bundle.json"]);
    }
}

/// A restricted client whom somebody does not see is not exported, nor is one of whom they have broken
/// the glass only.
#[test]
fn sec_20_a_broken_glass_carries_nothing_away() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let (owner, support) = (s.owner_key(), s.member("support"));
    let server = s.serve();
    let (api, reader) = (server.with(&owner), server.with(&support));
    let client = people::client(&api, "closed");
    let own = reader.ask("{ organizationMembership { id } }", json!({}));
    let id = &own.data()["organizationMembership"]["id"];
    let grant = "mutation($input: updateOrganizationMembershipInput) { updateOrganizationMembership(input: $input) { messages { field message } } }";
    api.ask(grant, json!({"input": {"id": id, "can_view_reports": true}})).data();
    reader.ask(EXPORT, json!({"id": client})).data();
    let close = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
    api.ask(close, json!({"id": client})).data();
    let open = "mutation($client: ID!, $reason: String!) { createBreakGlassAccess(input: {client_id: $client, reason: $reason}) { messages { field message } } }";
    reader.ask(open, json!({"client": client, "reason": "an emergency"})).data();
    let refused = reader.ask(EXPORT, json!({"id": client}));
    let payload = &refused.json["data"]["exportClientEhi"];
    assert_eq!(payload["messages"][0]["field"], "client_id", "{}", refused.text);
    assert!(payload["success_string"].is_null(), "{}", refused.text);
}

/// In a conversation of several clients, what another one wrote is that one's: their archive has it,
/// and this one's tells neither of it nor of them.
#[test]
fn dom_39_what_another_client_wrote_is_theirs() {
    const PASSWORD: &str = "copper-lantern-41-meadow";
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let clients = ["ada", "ben"].map(|name| people::client(&api, name));
    let who = format!("user-{},user-{}", clients[0], clients[1]);
    let begin = "mutation($who: String) { createConversation(input: {simple_added_users: $who, name: \"Group\"}) { conversation { id } messages { field message } } }";
    let talk = api.ask(begin, json!({"who": who}));
    let talk = people::id(&talk.data()["createConversation"]["conversation"]);
    let write = |api: &Api, content: &str| {
        let note = json!({"conversation_id": talk, "content": content});
        api.make("createNote", "createNoteInput!", "note", note);
    };
    write(&api, "Welcome both");
    for (client, name) in clients.iter().zip(["ada", "ben"]) {
        let enter = "mutation($id: ID, $password: String) { updateClient(input: {id: $id, password: $password}) { messages { field message } } }";
        api.ask(enter, json!({"id": client, "password": PASSWORD})).data();
        let input = json!({"email": format!("{name}@client.example"), "password": PASSWORD});
        let signed = people::sign_in(&server.api(), input);
        let token = signed.data()["signIn"]["token"].as_str().unwrap().to_owned();
        write(&server.with(&token), &format!("Written by {name} alone"));
    }
    for (own, other) in [(0, 1), (1, 0)] {
        let (client, names) = (&clients[own], ["ada", "ben"]);
        api.ask(EXPORT, json!({"id": client})).data();
        let archive = fetched(&server, exports(&api, client).values().next().unwrap());
        let found = entries(&archive);
        let notes = String::from_utf8(found["data/notes.json"].clone()).unwrap();
        for there in ["Welcome both".to_owned(), format!("Written by {} alone", names[own])] {
            assert!(notes.contains(&there), "no {there:?}: {notes}");
        }
        let theirs = format!("Written by {} alone", names[other]);
        for (path, bytes) in &found {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(&theirs), "{path} has another client's message");
            let address = format!("{}@client.example", names[other]);
            assert!(!text.contains(&address), "{path} tells of another client");
        }
        let id = format!("\"{}\"", clients[other]);
        assert!(!notes.contains(&id), "the other's id is among the messages: {notes}");
    }
}
