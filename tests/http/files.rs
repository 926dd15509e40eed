//! Files: sent as multipart forms, read by signed links.

use ward_tests::raw::Answer;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people};

use crate::export::{EXPORT, entries, fetched};
use crate::running::{refused, running};

const BOUNDARY: &str = "ward-tests-boundary";

/// One grey pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4,
    0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
    0x0f, 0x00, 0x03, 0x86, 0x01, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

const UPDATE: &str = "mutation($avatar: Upload) { updateUser(input: {avatar: $avatar}) { user { id avatar_url } messages { field message } } }";

fn part(name: &str, more: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

/// A form as the specification of multipart requests has it.
fn form(content_type: &str, picture: &[u8]) -> Vec<u8> {
    let operations = json!({"query": UPDATE, "variables": {"avatar": null}});
    form_of(&operations, "variables.avatar", content_type, picture)
}

/// A form with one file, at a place of the operation's variables.
fn form_of(operations: &Json, at: &str, content_type: &str, content: &[u8]) -> Vec<u8> {
    named_form(operations, at, ("me.png", content_type), content)
}

fn named_form(
    operations: &Json,
    at: &str,
    (name, content_type): (&str, &str),
    content: &[u8],
) -> Vec<u8> {
    let operations = operations.to_string();
    let map = json!({"0": [at]}).to_string();
    let file = format!("; filename=\"{name}\"\r\nContent-Type: {content_type}");
    let end = format!("--{BOUNDARY}--\r\n");
    [
        part("operations", "", operations.as_bytes()),
        part("map", "", map.as_bytes()),
        part("0", &file, content),
        end.into_bytes(),
    ]
    .concat()
}

fn send(key: Option<&str>, form: &[u8]) -> Answer {
    let credential = key.map(|key| format!("\r\nAuthorization: Basic {key}")).unwrap_or_default();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\
         Healthie-GraphQL-API-Version: 2026-01-01{credential}"
    );
    running().bytes(&head, form)
}

#[test]
fn strangers_send_no_files() {
    refused(&send(None, &form("image/png", PIXEL)), 401, "UNAUTHENTICATED");
}

#[test]
fn a_picture_is_sent_and_read() {
    let answer = send(Some(&running().key), &form("image/png", PIXEL));
    let json = answer.json();
    let payload = &json["data"]["updateUser"];
    assert!(answer.status == 200 && payload["messages"].is_null(), "{}", answer.body);
    let link = payload["user"]["avatar_url"].as_str().unwrap();
    let at = link.find("/files/").unwrap();
    let (path, port) = (&link[at..], running().server.port);
    // The link is the right: no credential goes with it.
    let nobody = Api::at(port, None);
    let read = running().bytes(&format!("GET {path} HTTP/1.1"), b"");
    assert_eq!(read.status, 200, "{}", read.head);
    assert_eq!(read.header("content-type"), Some("image/png"));
    assert!(
        read.header("cache-control").is_some_and(|it| it.contains("no-store")),
        "{}",
        read.head
    );
    let mut whole = ureq::get(format!("http://127.0.0.1:{port}{path}")).call().unwrap();
    assert_eq!(whole.body_mut().read_to_vec().unwrap(), PIXEL);
    for at in [path.len() - 1, path.len() / 2, "/files/".len() + 1] {
        let mut tampered = path.to_owned();
        let other = if &path[at..=at] == "A" { "B" } else { "A" };
        tampered.replace_range(at..=at, other);
        let reply = nobody.get(&tampered);
        assert_eq!(reply.status, 403, "{tampered}: {}", reply.text);
    }
    assert_nothing_left();
}

/// The bounds are those of the files, not of a request: a picture may have 5 MiB.
#[test]
fn a_large_picture_is_sent_and_read() {
    let mut picture = PIXEL.to_vec();
    picture.resize(4 * 1024 * 1024, 0);
    let answer = send(Some(&running().key), &form("image/png", &picture));
    let json = answer.json();
    let payload = &json["data"]["updateUser"];
    assert!(answer.status == 200 && payload["messages"].is_null(), "{}", answer.body);
    let link = payload["user"]["avatar_url"].as_str().unwrap();
    let path = &link[link.find("/files/").unwrap()..];
    let address = format!("http://127.0.0.1:{}{path}", running().server.port);
    let mut read = ureq::get(address).call().unwrap();
    assert!(read.body_mut().read_to_vec().unwrap() == picture);
    assert_nothing_left();
}

/// A file that comes with a message opens for who sees the message, as long as they do.
#[test]
fn a_messages_file_is_read_by_who_takes_part() {
    const SEND: &str = "mutation($input: createNoteInput!) { createNote(input: $input) { note { id document_name attached_document_url } messages { field message } } }";
    let owner = running().server.with(&running().key);
    let client = people::client(&owner, "reader");
    let change = |field: &str, input: Json| {
        let query = format!(
            "mutation($input: {field}Input!) {{ {field}(input: $input) {{ messages {{ field message }} }} }}"
        );
        owner.ask(&query, json!({"input": input})).data();
    };
    change("updateClient", json!({"id": client, "password": "copper-lantern-41-meadow"}));
    let begin = "mutation($who: String) { createConversation(input: {simple_added_users: $who}) { conversation { id } messages { field message } } }";
    let talk = owner.ask(begin, json!({"who": client}));
    let talk = people::id(&talk.data()["createConversation"]["conversation"]);
    let input = json!({"conversation_id": talk, "attached_document": null});
    let operations = json!({"query": SEND, "variables": {"input": input}});
    let at = "variables.input.attached_document";
    let form = form_of(&operations, at, "text/html", b"%PDF-1.7 none");
    let sent = send(Some(&running().key), &form).json();
    let payload = &sent["data"]["createNote"];
    assert!(payload["messages"].is_null(), "{sent}");
    assert_eq!(payload["note"]["document_name"], "me.png");
    let input = json!({"email": "reader@client.example", "password": "copper-lantern-41-meadow"});
    let signed = people::sign_in(&running().server.api(), input);
    let reader = running().server.with(signed.data()["signIn"]["token"].as_str().unwrap());
    let look = "query($id: ID) { notes(conversation_id: $id) { nodes { attached_document_url } } }";
    let link = |api: &Api| {
        let reply = api.ask(look, json!({"id": talk}));
        let link = &reply.data()["notes"]["nodes"][0]["attached_document_url"];
        let link = link.as_str().unwrap().to_owned();
        link[link.find("/files/").unwrap()..].to_owned()
    };
    let (theirs, own) = (link(&reader), link(&owner));
    let read = |path: &str| running().bytes(&format!("GET {path} HTTP/1.1"), b"");
    assert_eq!(read(&theirs).header("content-type"), Some("application/pdf"));
    change("deleteConversationMembership", json!({"conversation_id": talk, "user_id": client}));
    assert_eq!((read(&theirs).status, read(&own).status), (404, 200));
    change("deleteNote", json!({"id": payload["note"]["id"]}));
    assert_eq!(read(&own).status, 404);
    assert_nothing_left();
}

/// Uploads are on disk only while their request runs.
fn assert_nothing_left() {
    let left = std::fs::read_dir(running().instance.dir.join("incoming"));
    let left = left.map(|files| files.count()).unwrap_or_default();
    assert_eq!(left, 0, "what was uploaded lies around");
}

#[test]
fn what_is_no_picture_is_refused() {
    let answer = send(Some(&running().key), &form("image/png", b"<script>alert(1)</script>"));
    let json = answer.json();
    let payload = &json["data"]["updateUser"];
    assert!(payload["user"].is_null(), "{}", answer.body);
    assert_eq!(payload["messages"][0]["field"], "avatar", "{}", answer.body);
}

#[test]
fn forms_that_are_none_are_told_so() {
    let key = Some(running().key.as_str());
    let operations = part("operations", "", br#"{"query":"{ __typename }"}"#);
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let map = |text: &[u8]| part("map", "", text);
    let file = part("0", "; filename=\"a\"", b"a");
    let forms = [
        vec![],
        end.clone(),
        [map(br#"{"0":["variables.a"]}"#), operations.clone(), end.clone()].concat(),
        [operations.clone(), file.clone(), end.clone()].concat(),
        [operations.clone(), map(b"[]"), end.clone()].concat(),
        [operations.clone(), map(b"{"), end.clone()].concat(),
        [operations.clone(), map(br#"{"0":["query"]}"#), file.clone(), end.clone()].concat(),
        [operations.clone(), map(br#"{"0":["variables.a"]}"#), file, end.clone()].concat(),
        // A file that came whole, then the end of the connection.
        form("image/png", PIXEL)[..form("image/png", PIXEL).len() - 6].to_vec(),
        [part("operations", "", b"[]"), end].concat(),
    ];
    for form in forms {
        let answer = send(key, &form);
        let shown = String::from_utf8_lossy(&form);
        assert_eq!(answer.status, 400, "{shown}: {}", answer.body);
        refused(&answer, 400, "BAD_REQUEST");
    }
    assert_nothing_left();
}

const UPLOAD: &str = "mutation($input: createDocumentInput) { createDocument(input: $input) { document { id expiring_url } messages { field message } } }";

/// Uploads a document about a client, shared with them.
fn upload(client: &str, named: (&str, &str), content: &[u8]) -> Json {
    let input = json!({"rel_user_id": client, "share_with_rel": true, "file": null});
    let operations = json!({"query": UPLOAD, "variables": {"input": input}});
    let form = named_form(&operations, "variables.input.file", named, content);
    send(Some(&running().key), &form).json()["data"]["createDocument"].clone()
}

/// What could be somebody's number is refused in a file that is text, whichever way it comes.
#[test]
fn real_numbers_in_a_text_file_are_refused_by_a_sandbox() {
    const REAL: &[u8] = b"name,ssn\nAda,536-90-4399\n";
    const MADE_UP: &[u8] = b"name,ssn\nAda,123-45-6789\n";
    const HL7: &[u8] = b"MSH|^~\\&|A|B|C|D|20260304||ADT^A01|42|P|2.5\r";
    let owner = running().server.with(&running().key);
    let client = people::client(&owner, "numbers");
    let named = ("people.csv", "text/csv");
    for (named, content) in
        [(named, REAL), (("t.txt", "text/plain"), REAL), (("m.hl7", "x-application/hl7-v2"), HL7)]
    {
        let made = upload(&client, named, content);
        assert_eq!(made["messages"][0]["field"], "file", "{made}");
        assert!(made["document"].is_null() && !made.to_string().contains("536-90"), "{made}");
    }
    let written = |file: &str| {
        let input = json!({"rel_user_id": client, "display_name": "People", "file_string": file});
        owner.ask(UPLOAD, json!({"input": input}))
    };
    for file in [
        "data:text/plain;base64,bmFtZSxzc24KQWRhLDUzNi05MC00Mzk5Cg==",
        "bmFtZSxzc24KQWRhLDUzNi05MC00Mzk5Cg==",
        "data:text/plain;base64,TVNIfF5+XCZ8QXxCfEN8RHwyMDI2MDMwNHx8QURUXkEwMXw0MnxQfDIuNQ0=",
    ] {
        let reply = written(file);
        assert_eq!(reply.code(), "REAL_DATA_IN_SANDBOX", "{}", reply.text);
        let error = &reply.json["errors"][0];
        assert_eq!(error["extensions"]["argument"], "input.file_string", "{}", reply.text);
    }
    // What everybody knows is made up passes by both.
    let made = upload(&client, named, MADE_UP);
    assert!(made["messages"].is_null(), "{made}");
    for file in [
        "data:text/plain;base64,bmFtZSxzc24KQWRhLDEyMy00NS02Nzg5Cg==",
        // A waveform, of which four numbers look like a card's.
        "data:text/plain;base64,ZWNnLDEyMzQgNDUzOSA1Nzg3IDYzNjIgMTQ4NiAxMzAxCg==",
    ] {
        let reply = written(file);
        assert!(reply.data()["createDocument"]["messages"].is_null(), "{}", reply.text);
    }
    assert_nothing_left();
}

/// An archive as Production made it; as a document of a Sandbox it would be a real person's record.
#[test]
fn iso_34_an_export_of_production_is_refused_by_a_sandbox() {
    let p = Instance::birth(Kind::Production, Engine::Sqlite);
    let key = p.owner_key();
    let server = p.serve();
    let api = server.with(&key);
    let client = people::client(&api, "leaving");
    let made = api.ask(EXPORT, json!({"id": client}));
    assert!(made.data()["exportClientEhi"]["messages"].is_null(), "{}", made.text);
    let documents = "{ documents(filter: \"all\") { nodes { expiring_url } } }";
    let listed = api.ask(documents, json!({}));
    let link = &listed.data()["documents"]["nodes"][0]["expiring_url"];
    let archive = fetched(&server, link.as_str().unwrap());
    server.stop();
    let mark = entries(&archive).remove("environment.txt").unwrap();
    assert!(mark.starts_with(b"ward-export-environment: production\n"), "not marked");
    let owner = running().server.with(&running().key);
    let about = people::client(&owner, "arriving");
    let input = json!({"rel_user_id": about, "file": null});
    let operations = json!({"query": UPLOAD, "variables": {"input": input}});
    let named = ("export.zip", "application/zip");
    let form = named_form(&operations, "variables.input.file", named, &archive);
    let answer = send(Some(&running().key), &form).json();
    assert_eq!(answer["errors"][0]["extensions"]["code"], "REAL_DATA_IN_SANDBOX", "{answer}");
    assert!(answer["data"]["createDocument"]["document"].is_null(), "{answer}");
    let query = "query($id: String) { documents(private_user_id: $id) { total_count } }";
    let count = owner.ask(query, json!({"id": about})).data()["documents"]["total_count"].clone();
    assert_eq!(count, 0);
}

/// A document goes out as an attachment without its name, counts who opened it, and is gone with
/// its last right, or when it is deleted.
#[test]
fn sec_29_a_document_is_sent_opened_and_deleted() {
    let owner = running().server.with(&running().key);
    let client = people::client(&owner, "papers");
    let mut content = b"%PDF-1.4 ".to_vec();
    content.resize(3 << 20, b'x');
    let made = upload(&client, ("Scan 1.pdf", "application/pdf"), &content);
    assert!(made["messages"].is_null(), "{made}");
    let path = |document: &Json| {
        let link = document["expiring_url"].as_str().unwrap();
        link[link.find("/files/").unwrap()..].to_owned()
    };
    let own = path(&made["document"]);
    let read = running().bytes(&format!("GET {own} HTTP/1.1"), b"");
    assert_eq!(read.status, 200, "{}", read.head);
    assert_eq!(read.header("content-disposition"), Some("attachment"));
    assert_eq!(read.header("x-content-type-options"), Some("nosniff"));
    assert!(read.header("content-security-policy").is_some_and(|it| it.contains("sandbox")));
    let id = made["document"]["id"].clone();
    let look = "query($id: ID) { document(id: $id) { expiring_url opens { user { id } } } }";
    let opens = owner.ask(look, json!({"id": id})).data()["document"]["opens"].clone();
    assert_eq!(opens, json!([{"user": {"id": people::current_user(&owner)}}]));
    let set = "mutation($input: updateClientInput!) { updateClient(input: $input) { messages { message } } }";
    let input = json!({"id": client, "password": "copper-lantern-41-meadow"});
    owner.ask(set, json!({"input": input})).data();
    let input = json!({"email": "papers@client.example", "password": "copper-lantern-41-meadow"});
    let signed = people::sign_in(&running().server.api(), input);
    let reader = running().server.with(signed.data()["signIn"]["token"].as_str().unwrap());
    let theirs = || path(&reader.ask(look, json!({"id": id})).data()["document"]);
    let status = |path: &str| running().bytes(&format!("GET {path} HTTP/1.1"), b"").status;
    let first = theirs();
    assert_eq!(status(&first), 200);
    let second = theirs();
    let unshare = "mutation($id: ID) { updateDocument(input: {id: $id, share_with_rel: false}) { document { shared } messages { message } } }";
    owner.ask(unshare, json!({"id": id})).data();
    assert_eq!(status(&second), 404);
    let last = path(&owner.ask(look, json!({"id": id})).data()["document"]);
    let delete = "mutation($id: ID) { deleteDocument(input: {id: $id}) { messages { message } } }";
    owner.ask(delete, json!({"id": id})).data();
    assert_eq!(status(&last), 404);
    assert_nothing_left();
}

/// Over the wire, too: a name that is cut would be taken.
#[test]
fn sec_29_a_bad_upload_leaves_nothing() {
    let owner = running().server.with(&running().key);
    let client = people::client(&owner, "badpapers");
    let long = format!("{}.pdf", "n".repeat(300));
    let pdf = b"%PDF-1.4 ".as_slice();
    for (name, content) in [
        ("scan.pdf", b"".as_slice()),
        ("scan.pdf", b"<html>"),
        ("../scan.pdf", pdf),
        ("con.pdf", pdf),
        (&long, pdf),
    ] {
        let made = upload(&client, (name, "application/pdf"), content);
        assert!(made["document"].is_null(), "{name}: {made}");
        assert_eq!(made["messages"].as_array().map(Vec::len), Some(1), "{name}: {made}");
        assert_eq!(made["messages"][0]["field"], "file", "{name}: {made}");
    }
    let query = "query($id: String) { documents(private_user_id: $id) { total_count } }";
    let count = owner.ask(query, json!({"id": client})).data()["documents"]["total_count"].clone();
    assert_eq!(count, 0);
    assert_nothing_left();
}
