//! Looks at files for malware, from outside: what is held is read by nobody before it was looked at,
//! what was found by nobody at all, and whoever may edit settings learns of it.

use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, json, people, tell, templates, until};
use zip::ZipArchive;

/// The two halves of the EICAR test file: together they are what scanners find, this source is not.
const HALVES: [&str; 2] =
    [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STAND", "ARD-ANTIVIRUS-TEST-FILE!$H+H*"];
const THREAT: &str = "Eicar-Test-Signature";
const CLEAN: &str = "nothing to be found in this one";

const FOUND: &str = "{ quarantinedFiles { total_count nodes { id file_name threat purpose scanned_at owner { id } } } }";

fn eicar() -> String {
    HALVES.concat()
}

/// Whether files are looked at at all.
#[track_caller]
fn switch(api: &Api, mode: &str) {
    let reply = api.post("/effects/scan", &json!({"mode": mode, "reason": "a test"}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What is done with files that are sent from now on.
#[track_caller]
fn says(api: &Api, upload_scan: &str) {
    let query = "mutation($input: updateOrganizationInput) { updateOrganization(input: $input) { organization { upload_scan } messages { field message } } }";
    let reply = api.ask(query, json!({"input": {"upload_scan": upload_scan}}));
    let said = &reply.data()["updateOrganization"]["organization"]["upload_scan"];
    assert_eq!(*said, upload_scan, "{}", reply.text);
}

/// A document of a few words; its id.
#[track_caller]
fn upload(api: &Api, mut input: Json, words: &str) -> String {
    input["file_string"] = format!("data:text/plain;base64,{}", STANDARD.encode(words)).into();
    api.make("createDocument", "createDocumentInput", "document", input)
}

/// Where the look at a document's file stands.
fn status(api: &Api, id: &str) -> Json {
    let query = "query($id: ID) { document(id: $id) { scan_status } }";
    api.ask(query, json!({"id": id})).data()["document"]["scan_status"].clone()
}

fn path_of(link: &Json) -> String {
    let link = link.as_str().unwrap();
    link[link.find("/files/").unwrap()..].to_owned()
}

/// A link to a document's file, good for seconds.
fn link(api: &Api, id: &str) -> String {
    let query = "query($id: ID) { document(id: $id) { expiring_url } }";
    path_of(&api.ask(query, json!({"id": id})).data()["document"]["expiring_url"])
}

/// What who fetches the document's file is answered.
fn read(api: &Api, id: &str) -> Reply {
    api.get(&link(api, id))
}

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, reply.code()), (status, code), "{}", reply.text);
}

/// Mails of finds so far.
fn mails(api: &Api) -> Vec<String> {
    let inbox = api.get("/sandbox/v1/inbox?limit=1000").json;
    let items = inbox["items"].as_array().unwrap().iter();
    items.filter(|item| item["kind"] == "file_quarantined").map(ToString::to_string).collect()
}

fn title_of_export(client: &str) -> String {
    format!("Export of client {client}")
}

/// The ids of the exports of a client that there are.
fn exports(api: &Api, client: &str) -> Vec<String> {
    let all = "{ documents(filter: \"all\") { nodes { id display_name } } }";
    let nodes = api.ask(all, json!({})).data()["documents"]["nodes"].as_array().cloned().unwrap();
    let title = title_of_export(client);
    let of_client = nodes.iter().filter(|node| node["display_name"] == title.as_str());
    of_client.map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// The manifest of a new export of a client, and all bytes that are in it.
fn exported(api: &Api, client: &str) -> (Json, Vec<u8>) {
    let export = "mutation($id: ID) { exportClientEhi(input: {client_id: $id}) { success_string messages { field message } } }";
    api.ask(export, json!({"id": client})).data();
    let all = "{ documents(filter: \"all\", order_by: CREATED_AT_DESC) { nodes { display_name expiring_url } } }";
    let nodes = api.ask(all, json!({})).data()["documents"]["nodes"].as_array().cloned().unwrap();
    let title = title_of_export(client);
    let export = nodes.iter().find(|node| node["display_name"] == title.as_str()).unwrap();
    let archive = api.get(&path_of(&export["expiring_url"]));
    assert_eq!(archive.status, 200, "{}", archive.text);
    let mut archive = ZipArchive::new(Cursor::new(archive.bytes)).unwrap();
    let (mut manifest, mut bytes) = (Json::Null, Vec::new());
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).unwrap();
        let start = bytes.len();
        entry.read_to_end(&mut bytes).unwrap();
        if entry.name().unwrap() == "manifest.json" {
            manifest = serde_json::from_slice(&bytes[start..]).unwrap();
        }
    }
    (manifest, bytes)
}

/// Why files are left out of an export, and how many.
fn left_out(manifest: &Json) -> (usize, Vec<&str>) {
    let left: Vec<&str> =
        manifest["files_left_out"].as_object().unwrap().values().filter_map(Json::as_str).collect();
    (left.len(), left)
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|part| part == words.as_bytes())
}

#[test]
fn what_is_held_is_read_once_nothing_was_found() {
    for engine in Engine::available("quarantine") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let client = people::client(&api, "Adelaide");
        let about = || json!({"rel_user_id": client, "include_in_charting": true});
        let asked = "SELECT COUNT(*) FROM effect_intents WHERE class = 'scan'";
        // Nobody said that files are to be looked at.
        let unlooked = upload(&api, about(), &eicar());
        assert_eq!((status(&api, &unlooked), read(&api, &unlooked).status), (Json::Null, 200));
        assert_eq!(s.database().number(asked), 0);
        let delete =
            "mutation($id: ID) { deleteDocument(input: {id: $id}) { messages { message } } }";
        api.ask(delete, json!({"id": unlooked})).data();

        switch(&api, "off");
        says(&api, "HOLD");
        let clean = upload(&api, about(), CLEAN);
        let bad = upload(&api, about(), &format!("read this: {}", eicar()));
        assert_eq!(s.database().number(asked), 2);
        for id in [&clean, &bad] {
            assert_eq!(status(&api, id), "HELD");
            refused(&read(&api, id), 409, "FILE_PENDING");
        }
        let (manifest, bytes) = exported(&api, &client);
        let (count, why) = left_out(&manifest);
        assert!(count == 2 && why.iter().all(|it| it.contains("not been checked")), "{manifest}");
        assert!(!holds(&bytes, HALVES[1]) && !holds(&bytes, CLEAN));

        switch(&api, "live");
        until("both were looked at", || {
            (status(&api, &clean) == "CLEAN" && status(&api, &bad) == "FOUND").then_some(())
        });
        let got = read(&api, &clean);
        assert_eq!((got.status, got.text.as_str()), (200, CLEAN));
        let never = read(&api, &bad);
        refused(&never, 403, "FILE_QUARANTINED");
        assert!(never.text.contains(THREAT) && !never.text.contains("read this"), "{}", never.text);
        // A refused look is none.
        let opens = "query($id: ID) { document(id: $id) { opens { viewed_at } } }";
        let opens = api.ask(opens, json!({"id": bad})).data()["document"]["opens"].clone();
        assert_eq!(opens, json!([]));
        learned(&api, &client, &bad);
        api.ask(delete, json!({"id": bad})).data();
        assert_eq!(api.ask(FOUND, json!({})).data()["quarantinedFiles"]["total_count"], 0);
    }
}

/// Who may edit settings learns of a find; an export has everything else.
fn learned(api: &Api, client: &str, bad: &str) {
    let list = api.ask(FOUND, json!({})).data()["quarantinedFiles"].clone();
    assert_eq!(list["total_count"], 1, "{list}");
    let node = &list["nodes"][0];
    assert_eq!((&node["threat"], &node["purpose"]), (&json!(THREAT), &json!("document")), "{list}");
    assert_eq!(node["owner"]["id"], people::current_user(api), "{list}");
    assert!(node["scanned_at"].is_string() && node["file_name"].is_string(), "{list}");
    until("the owner is told", || (mails(api).len() == 1).then_some(()));
    let mail = mails(api).remove(0);
    assert!(mail.contains(THREAT) && !mail.contains("Adelaide"), "{mail}");
    let (manifest, bytes) = exported(api, client);
    let (count, why) = left_out(&manifest);
    assert!(count == 1 && why[0].contains("malware"), "{manifest}");
    let id = node["id"].as_str().unwrap();
    assert!(manifest["files_left_out"][id].is_string(), "{manifest}");
    assert!(manifest["notices"].to_string().contains("malware was found in it: 1."), "{manifest}");
    assert!(holds(&bytes, CLEAN) && !holds(&bytes, HALVES[1]), "of document {bad}");
}

/// An archive that was made in between holds the file: it is gone with the find, and others are not.
#[test]
fn archives_hand_out_nothing_in_which_something_was_found() {
    for engine in Engine::available("quarantine") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let api = server.with(&owner);
        let (ada, bea) = (people::client(&api, "Adelaide"), people::client(&api, "Beatrice"));
        switch(&api, "off");
        says(&api, "RELEASE");
        let bad = upload(&api, json!({"rel_user_id": ada}), &eicar());
        let clean = upload(&api, json!({"rel_user_id": bea}), CLEAN);
        let (manifest, bytes) = exported(&api, &ada);
        assert!(left_out(&manifest).0 == 0 && holds(&bytes, HALVES[1]), "{manifest}");
        exported(&api, &bea);
        let (of_ada, of_bea) = (exports(&api, &ada), exports(&api, &bea));
        assert_eq!((of_ada.len(), of_bea.len()), (1, 1));
        let late = link(&api, &of_ada[0]);
        switch(&api, "live");
        until("both were looked at", || {
            (status(&api, &clean) == "CLEAN" && status(&api, &bad) == "FOUND").then_some(())
        });
        let gone = api.get(&late);
        assert_ne!(gone.status, 200, "{}", gone.status);
        assert!(!holds(&gone.bytes, HALVES[1]));
        until("the archive is deleted", || exports(&api, &ada).is_empty().then_some(()));
        assert_eq!(exports(&api, &bea), of_bea);
        assert_eq!(read(&api, &of_bea[0]).status, 200);
        let (manifest, bytes) = exported(&api, &ada);
        let (count, why) = left_out(&manifest);
        assert!(count == 1 && why[0].contains("malware"), "{manifest}");
        assert!(!holds(&bytes, HALVES[1]));
        tell("quarantine", "archives that may hold what was found are gone");
    }
}

#[test]
fn what_is_released_is_read_until_something_was_found() {
    for engine in Engine::available("quarantine") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&provider));
        switch(&api, "off");
        says(&api, "RELEASE");
        let bad = upload(&api, json!({"org_level": true}), &eicar());
        assert_eq!((status(&api, &bad), read(&api, &bad).status), (json!("PENDING"), 200));
        says(&api, "HOLD");
        let held = upload(&api, json!({"org_level": true}), CLEAN);
        let (avatar, file) = (people::avatar(&api), of_question(&api));
        let avatar = path_of(&avatar.into());
        refused(&api.get(&avatar), 409, "FILE_PENDING");
        assert_eq!(file(&api)["scan_status"], "HELD");
        refused(&api.get(&path_of(&file(&api)["url"])), 409, "FILE_PENDING");
        ends_with_the_right(&api, &colleague, &held, (409, "FILE_PENDING"));
        switch(&api, "live");
        until("it is found", || (status(&api, &bad) == "FOUND").then_some(()));
        ends_with_the_right(&api, &colleague, &bad, (403, "FILE_QUARANTINED"));
        until("the picture is shown", || (api.get(&avatar).status == 200).then_some(()));
        until("the leaflet is", || (file(&api)["scan_status"] == "CLEAN").then_some(()));
        assert_eq!(api.get(&path_of(&file(&api)["url"])).status, 200);
        until("nothing is found", || (status(&api, &held) == "CLEAN").then_some(()));
        tell("quarantine", "documents, pictures and files of forms are looked at");
    }
}

/// A question with a file; what asks for that.
fn of_question(api: &Api) -> impl Fn(&Api) -> Json {
    let of = "createCustomModuleFormInput";
    let form =
        api.make("createCustomModuleForm", of, "customModuleForm", json!({"name": "Leaflet"}));
    let input =
        json!({"custom_module_form_id": form, "mod_type": "read_only", "label": "Read this"});
    let question = api.make("createCustomModule", "createCustomModuleInput", "customModule", input);
    templates::attach_file(api, "CustomModule", &question);
    move |api: &Api| {
        let query = "query($id: ID) { customModuleForm(id: $id) { custom_modules { file_attachment { url scan_status } } } }";
        let form = api.ask(query, json!({"id": form})).data()["customModuleForm"].clone();
        form["custom_modules"][0]["file_attachment"].clone()
    }
}

/// Who sees a document no more is told nothing of what its file is.
fn ends_with_the_right(owner: &Api, member: &Api, id: &str, (status, code): (u16, &str)) {
    let shared = |on: bool| {
        let query = "mutation($input: updateDocumentInput) { updateDocument(input: $input) { document { id } messages { field message } } }";
        owner.ask(query, json!({"input": {"id": id, "shared_with_dietitians": on}})).data();
    };
    refused(&read(member, id), status, code);
    let late = link(member, id);
    shared(false);
    refused(&member.get(&late), 404, "NOT_FOUND");
    shared(true);
}

#[test]
fn who_says_that_files_are_looked_at() {
    for engine in Engine::available("quarantine") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let server = s.serve();
        let api = server.with(&owner);
        let ask = |api: &Api, input: Json| {
            let query = "mutation($input: updateOrganizationInput) { updateOrganization(input: $input) { organization { id upload_scan } messages { field message } } }";
            api.ask(query, json!({"input": input}))
        };
        let hold = || json!({"upload_scan": "HOLD"});
        let denied = ask(&server.with(&provider), hold());
        assert_eq!(denied.code(), "PERMISSION_DENIED", "{}", denied.text);
        assert_eq!(server.with(&provider).ask(FOUND, json!({})).code(), "PERMISSION_DENIED");
        let bad = ask(&api, json!({"upload_scan": "SOMETIMES"}));
        assert_eq!(bad.json["errors"].as_array().map(Vec::len), Some(1), "{}", bad.text);
        let root = ask(&api, json!({})).data()["updateOrganization"]["organization"].clone();
        assert_eq!(root["upload_scan"], "OFF", "{root}");

        let [branch, sibling] = ["Branch", "Sibling"].map(|name| {
            let email = format!("{}@branch.example", name.to_lowercase());
            branch_of(&api, name, &email);
            server.with(&s.key(&email))
        });
        let own = ask(&branch, hold()).json["data"]["updateOrganization"].clone();
        assert_eq!(own["messages"][0]["field"], "upload_scan", "{own}");
        let parents = json!({"id": root["id"], "upload_scan": "HOLD"});
        let parents = ask(&branch, parents).json["data"]["updateOrganization"].clone();
        assert_eq!(parents["messages"][0]["message"], "Object not found", "{parents}");
        // They follow their root; what is found is their own and the root's to see.
        says(&api, "HOLD");
        let found = upload(&branch, json!({}), &eicar());
        until("it is found", || (status(&branch, &found) == "FOUND").then_some(()));
        let counts = || [&api, &branch, &sibling].map(finds);
        assert_eq!(counts(), [1, 1, 0]);
        let moved = upload(&api, json!({}), &eicar());
        until("the root's is found", || (finds(&api) == 2).then_some(()));
        assert_eq!(counts(), [2, 1, 0]);
        let last = upload(&sibling, json!({}), &eicar());
        until("the sibling's is found", || (status(&sibling, &last) == "FOUND").then_some(()));
        assert_eq!(counts(), [3, 1, 1]);
        // A document goes with the client whom it is about from now on.
        let about = json!({"id": moved, "rel_user_id": people::client(&branch, "Brenda")});
        let query = "mutation($input: updateDocumentInput) { updateDocument(input: $input) { document { id } messages { field message } } }";
        let about = api.ask(query, json!({"input": about}));
        assert!(about.data()["updateDocument"]["messages"].is_null(), "{}", about.text);
        assert_eq!(counts(), [3, 2, 1]);
        tell("quarantine", "what is found is of the unit whose file it is, and of the root");
    }
}

/// A sub-organization with an owner of this address.
fn branch_of(api: &Api, name: &str, email: &str) {
    let input = json!({"create_as_suborganization": true, "first_name": name, "last_name": "Owner",
        "email": email, "send_invite_email": false, "organization_info": {"name": name}});
    api.make("createOrganization", "createOrganizationInput", "organization", input);
}

/// How many finds somebody lists.
#[track_caller]
fn finds(api: &Api) -> u64 {
    let list = api.ask(FOUND, json!({})).data()["quarantinedFiles"].clone();
    list["total_count"].as_u64().unwrap()
}
