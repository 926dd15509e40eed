//! DOM-39: all clients of a practice are exported, by those who may, for a time, and what domains keep
//! for a time goes when it is over.

use ward_tests::{Api, Engine, Instance, Json, Kind, Server, json, people, until};

use crate::export::{EXPORT as OF_ONE, entries, fetched};
use crate::uploads;

const EXPORT: &str = "mutation($archived: Boolean) { exportPopulationEhi(input: {include_archived: \
    $archived}) { success_string folder { id name } messages { field message } } }";

/// What somebody sees in a folder: title, link, and what is said for programs.
fn inside(api: &Api, folder: &str) -> Vec<Json> {
    let query = format!(
        "{{ documents(filter: \"all\", folder_id: \"{folder}\", first: 100) {{ nodes {{ id display_name \
         metadata expiring_url rel_user_id }} }} }}"
    );
    let reply = api.ask(&query, json!({}));
    reply.json["data"]["documents"]["nodes"].as_array().cloned().unwrap_or_default()
}

/// Asks for an export; its folder.
fn begun(api: &Api, archived: bool) -> String {
    let reply = api.ask(EXPORT, json!({"archived": archived}));
    let payload = &reply.data()["exportPopulationEhi"];
    assert!(payload["success_string"].is_string(), "{}", reply.text);
    let name = payload["folder"]["name"].as_str().unwrap();
    assert!(name.starts_with("Population export 20"), "{name}");
    people::id(&payload["folder"])
}

/// The list that stands at the end of an export.
fn manifest(server: &Server, api: &Api, folder: &str) -> Json {
    let link = until("the manifest", || {
        let mut found = inside(api, folder).into_iter();
        let list = found.find(|node| node["display_name"] == "manifest.json")?;
        list["expiring_url"].as_str().map(str::to_owned)
    });
    serde_json::from_slice(&fetched(server, &link)).unwrap()
}

fn archived_of(manifest: &Json) -> Vec<String> {
    let archives = manifest["archives"].as_array().unwrap();
    archives.iter().map(|it| it["client_id"].as_str().unwrap().to_owned()).collect()
}

/// Gives a member, by their own key, flags.
fn granted(owner: &Api, member: &Api, flags: Json) {
    let own = member.ask("{ organizationMembership { id } }", json!({}));
    let mut input = flags;
    input["id"] = own.data()["organizationMembership"]["id"].clone();
    let grant = "mutation($input: updateOrganizationMembershipInput) { updateOrganizationMembership(input: $input) { messages { field message } } }";
    owner.ask(grant, json!({"input": input})).data();
}

#[test]
fn dom_39_every_client_is_exported() {
    for engine in Engine::available("DOM-39") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, provider) = (s.owner_key(), s.member("provider"));
        let administrator = s.member("administrator");
        let server = s.serve();
        let (api, provider) = (server.with(&owner), server.with(&provider));
        let colleague = server.with(&administrator);
        let clients = ["first", "second", "gone"].map(|name| people::client(&api, name));
        let archive = "mutation($id: ID) { updateClient(input: {id: $id, active: false}) { messages { message } } }";
        api.ask(archive, json!({"id": clients[2]})).data();
        // Who may export one client may not export all.
        assert_eq!(provider.ask(EXPORT, json!({})).code(), "PERMISSION_DENIED");
        granted(&api, &provider, json!({"can_view_reports": true}));
        assert_eq!(provider.ask(EXPORT, json!({})).code(), "PERMISSION_DENIED");
        let folder = begun(&api, true);
        let list = manifest(&server, &api, &folder);
        assert_eq!(list["environment"], "sandbox", "{list}");
        assert_eq!(list["is_complete"], true, "{list}");
        assert_eq!(list["clients_not_seen_by_the_asker"], 0, "{list}");
        let found = archived_of(&list);
        assert!(clients.iter().all(|id| found.contains(id)), "{list}");
        assert_eq!(list["archives_made"], found.len(), "{list}");
        // Each is what the export of one client is, and what the list says of it.
        let documents = inside(&api, &folder);
        assert_eq!(documents.len(), found.len() + 1);
        for said in list["archives"].as_array().unwrap() {
            let document = documents.iter().find(|it| it["id"] == said["document_id"]).unwrap();
            assert_eq!(document["rel_user_id"], said["client_id"], "{document}");
            let metadata = document["metadata"].as_str().unwrap();
            let metadata: Json = serde_json::from_str(metadata).unwrap();
            assert_eq!(metadata["sha256"], said["sha256"], "{document}");
            assert_eq!(said["sha256"].as_str().unwrap().len(), 64, "{said}");
        }
        let one =
            inside(&api, &folder).into_iter().find(|it| it["rel_user_id"] == clients[0].as_str());
        let bytes = fetched(&server, one.unwrap()["expiring_url"].as_str().unwrap());
        let said = list["archives"].as_array().unwrap().iter();
        let said = said.clone().find(|it| it["client_id"] == clients[0].as_str()).unwrap();
        assert_eq!(said["byte_size"], bytes.len(), "{said}");
        let rows: Json = serde_json::from_slice(&entries(&bytes)["data/users.json"]).unwrap();
        assert_eq!(rows["rows"][0]["id"], clients[0].as_str(), "{rows}");
        let log = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes { path } } }";
        let read = api.ask(log, json!({"id": clients[1]}));
        assert!(read.text.contains("exportPopulationEhi"), "{}", read.text);
        // It is for whoever asked; a colleague who may has their own.
        assert!(inside(&colleague, &folder).is_empty());
        let theirs = begun(&colleague, false);
        assert_ne!(theirs, folder);
        let list = manifest(&server, &colleague, &theirs);
        let found = archived_of(&list);
        assert!(found.contains(&clients[0]) && !found.contains(&clients[2]), "{list}");
        // Done once, it can be asked for again.
        let again = begun(&api, true);
        assert_ne!(again, folder);
        manifest(&server, &api, &again);
        drop(server);
        assert!(s.verify_audit().0);
    }
}

/// Whom the asker does not see is counted and not named: of the asker's units a restricted client, of a
/// sibling organization nobody.
#[test]
fn dom_39_a_population_is_what_its_asker_sees() {
    for engine in Engine::available("DOM-39") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, administrator) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&administrator));
        let [open, closed] = ["open", "closed"].map(|name| people::client(&api, name));
        let close = "mutation($id: ID) { updateClient(input: {id: $id, restricted: true}) { messages { message } } }";
        api.ask(close, json!({"id": closed})).data();
        let list = manifest(&server, &colleague, &begun(&colleague, true));
        let found = archived_of(&list);
        assert!(found.contains(&open) && !found.contains(&closed), "{list}");
        let restricted =
            "SELECT COUNT(*) FROM users WHERE restricted = TRUE AND deleted_at IS NULL";
        let restricted = s.database().number(restricted);
        assert_eq!(list["clients_not_seen_by_the_asker"], restricted, "{list}");
        assert!(!list.to_string().contains(&closed), "{list}");
        let list = manifest(&server, &api, &begun(&api, true));
        assert!(archived_of(&list).contains(&closed), "{list}");
        let [one, two] = ["one", "two"].map(|name| branch(&s, &server, &api, name));
        let [first, second] =
            [(&one, "inone"), (&two, "intwo")].map(|(api, name)| people::client(api, name));
        let list = manifest(&server, &one, &begun(&one, true));
        assert_eq!(archived_of(&list), [first.as_str()], "{list}");
        assert_eq!(list["clients_not_seen_by_the_asker"], 0, "{list}");
        // The parent has those of both.
        let list = manifest(&server, &api, &begun(&api, true));
        let found = archived_of(&list);
        assert!(found.contains(&first) && found.contains(&second), "{list}");
    }
}

/// A sub-organization's owner.
pub fn branch(s: &Instance, server: &Server, api: &Api, name: &str) -> Api {
    let email = format!("{name}@branch.example");
    let input = json!({"create_as_suborganization": true, "first_name": "Branch", "last_name": name,
        "email": email, "send_invite_email": false, "organization_info": {"name": name}});
    let query = "mutation($input: createOrganizationInput) { createOrganization(input: $input) { organization { id } messages { field message } } }";
    api.ask(query, json!({"input": input})).data();
    server.with(&s.key(&email))
}

/// Each step looks again: who may not export any more, while theirs is being made, gets nothing further.
#[test]
fn dom_39_a_population_ends_with_the_right_to_it() {
    for engine in Engine::available("DOM-39") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let (owner, administrator) = (s.owner_key(), s.member("administrator"));
        let server = s.serve();
        let (api, colleague) = (server.with(&owner), server.with(&administrator));
        people::client(&api, "exported");
        let folder = begun(&colleague, true);
        manifest(&server, &colleague, &folder);
        let done = "SELECT COUNT(*) FROM jobs WHERE kind = 'export_population' AND state = 'done'";
        until("the end of the job", || (s.database().number(done) == 1).then_some(()));
        let made = inside(&colleague, &folder).len();
        // Who administers holds the flag of exports with it.
        granted(&api, &colleague, json!({"is_admin": false, "can_view_reports": false}));
        assert_eq!(colleague.ask(EXPORT, json!({})).code(), "PERMISSION_DENIED");
        server.stop();
        // As if steps of it were still to come.
        s.database().execute(
            "UPDATE jobs SET state = 'ready', attempts = 0, lease_token = NULL, lease_until = NULL \
             WHERE kind = 'export_population'",
        );
        let server = s.serve();
        until("the end of the job", || (s.database().number(done) == 1).then_some(()));
        assert_eq!(inside(&server.with(&administrator), &folder).len(), made);
    }
}

/// Exports of either sort live for a month of the instance's clock, and not a day longer.
#[test]
fn dom_39_exports_end() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let client = people::client(&api, "leaving");
    api.ask(OF_ONE, json!({"id": client})).data();
    let folder = begun(&api, true);
    manifest(&server, &api, &folder);
    let upload = json!({"display_name": "Letter", "file_string": "data:text/plain;base64,SGkK"});
    api.make("createDocument", "createDocumentInput", "document", upload);
    let database = s.database();
    let count = |which: &str| {
        database.number(&format!("SELECT COUNT(*) FROM documents WHERE deleted_at IS NULL {which}"))
    };
    let exports = "AND file_content_type IN ('application/zip', 'application/json')";
    let (all, made) = (count(""), count(exports));
    assert!(made >= 3, "{made}");
    moved(&api, "29d");
    assert_eq!((count(""), count(exports)), (all, made));
    moved(&api, "2d");
    assert_eq!((count(""), count(exports)), (all - made, 0));
    assert!(inside(&api, &folder).is_empty());
    let left =
        "SELECT COUNT(*) FROM blobs WHERE content_type = 'application/zip' AND deleted_at IS NULL";
    assert_eq!(database.number(left), 0);
    drop(server);
    assert!(s.verify_audit().0);
}

/// What was told of and never attached is forgotten after a day, though nobody tells of another file.
#[test]
fn a_file_that_nobody_attached_is_forgotten() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let api = server.with(&owner);
    let (_, answer) = uploads::filled(&api, "forgetful");
    let (kept, path) = uploads::told(&api, &answer);
    assert_eq!(server.api().put(&path, "Hi\n").status, 200);
    let attached = uploads::attach(&api, &answer, &kept);
    assert!(attached["messages"].is_null(), "{attached}");
    let (lost, path) = uploads::told(&api, &answer);
    assert_eq!(server.api().put(&path, "Hi\n").status, 200);
    moved(&api, "23h");
    let count = "SELECT COUNT(*) FROM file_attachments WHERE deleted_at IS NULL";
    assert_eq!(s.database().number(count), 2);
    moved(&api, "2h");
    assert_eq!(s.database().number(count), 1);
    let late = uploads::attach(&api, &answer, &lost);
    assert_eq!(late["messages"][0]["field"], "upload_id", "{late}");
    let again = uploads::attach(&api, &answer, &kept);
    assert_eq!(again["file_attachment"]["id"], kept, "{again}");
}

fn moved(api: &Api, by: &str) {
    let reply = api.post("/sandbox/v1/clock/advance", &json!({"by": by}));
    assert_eq!(reply.status, 200, "{by}: {}", reply.text);
}
