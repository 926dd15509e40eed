//! Files of answers and questions: told of, sent by a signed link, attached (behaviour 10.3).

use std::io::Write as _;

use ward_tests::raw::Answer;
use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, raw};

use crate::running::{refused, running};

pub const TEXT: &[u8] = b"Hi\n";
/// Base64 of its MD5.
const TEXT_MD5: &str = "Mevfzot3rEnX9VBt0UlYMA==";

const TELL: &str = "mutation($input: createFormAnswerFileAttachmentUploadUrlInput) {
    createFormAnswerFileAttachmentUploadUrl(input: $input) { upload_id upload_url
    headers { name value } messages { field message } } }";
const ATTACH: &str = "mutation($input: createFormAnswerFileAttachmentInput) {
    createFormAnswerFileAttachment(input: $input) { file_attachment { id url }
    messages { field message } } }";
const DELETE: &str = "mutation($input: deleteFormAnswerFileAttachmentInput) {
    deleteFormAnswerFileAttachment(input: $input) { file_attachment { id }
    messages { field message } } }";
const READ: &str = "query($id: ID) { formAnswerGroup(id: $id) {
    form_answers { id file_attachments { id url } }
    form_answer_group_signings { is_intact } } }";

/// A filled form of a client: its id and that of its answer.
pub fn filled(owner: &Api, name: &str) -> (String, String) {
    let client = people::client(owner, name);
    let input = json!({"name": format!("Scans of {name}"), "use_for_charting": true});
    let of = "createCustomModuleFormInput";
    let form = owner.make("createCustomModuleForm", of, "customModuleForm", input);
    let input = json!({"custom_module_form_id": form, "mod_type": "document", "label": "Scan"});
    let question =
        owner.make("createCustomModule", "createCustomModuleInput", "customModule", input);
    let fill =
        "mutation($input: createFormAnswerGroupInput) { createFormAnswerGroup(input: $input) {
        form_answer_group { id form_answers { id } } messages { field message } } }";
    let input = json!({"custom_module_form_id": form, "user_id": client, "finished": true,
        "form_answers": [{"custom_module_id": question, "answer": "see files"}]});
    let reply = owner.ask(fill, json!({"input": input}));
    let group = &reply.data()["createFormAnswerGroup"]["form_answer_group"];
    (people::id(group), people::id(&group["form_answers"][0]))
}

fn about(answer: &str) -> Json {
    json!({"form_answer_id": answer, "filename": "scan.txt", "byte_size": TEXT.len(),
        "checksum": TEXT_MD5, "content_type": "text/plain"})
}

/// Tells of a file; its upload and the path to send it to.
pub fn told(api: &Api, answer: &str) -> (String, String) {
    let reply = api.ask(TELL, json!({"input": about(answer)}));
    let payload = &reply.data()["createFormAnswerFileAttachmentUploadUrl"];
    assert!(payload["messages"].is_null(), "{payload}");
    let md5 = json!({"name": "Content-MD5", "value": TEXT_MD5});
    assert_eq!(payload["headers"][1], md5);
    let url = payload["upload_url"].as_str().unwrap();
    (payload["upload_id"].as_str().unwrap().to_owned(), path_of(url))
}

fn path_of(url: &str) -> String {
    url[url.find("/files/").unwrap()..].to_owned()
}

fn put(path: &str, bytes: &[u8]) -> Answer {
    running().bytes(&format!("PUT {path} HTTP/1.1"), bytes)
}

pub fn attach(api: &Api, answer: &str, upload: &str) -> Json {
    let input = json!({"form_answer_id": answer, "upload_id": upload});
    api.ask(ATTACH, json!({"input": input})).json["data"]["createFormAnswerFileAttachment"].clone()
}

#[test]
fn a_file_is_told_of_sent_attached_read_and_deleted() {
    let owner = running().owner();
    let (group, answer) = filled(&owner, "uploader");
    let sign = "mutation($id: ID!) { signFormAnswerGroup(input: {id: $id}) {
        form_answer_group { id } messages { field message } } }";
    owner.ask(sign, json!({"id": group})).data();
    let (upload, path) = told(&owner, &answer);
    let early = attach(&owner, &answer, &upload);
    assert_eq!(early["messages"][0]["field"], "upload_id", "{early}");
    // What is sent is what was told of, or nothing is stored.
    refused(&put(&path, b"Ho\n"), 400, "FILE_REFUSED");
    refused(&put(&path, b"Hi"), 400, "FILE_REFUSED");
    refused(&put(&path, b"Hi\n\n"), 413, "BODY_TOO_LARGE");
    assert_eq!(put(&path, TEXT).status, 200);
    assert_eq!(put(&path, TEXT).status, 200, "sent again, it is here");
    // Nobody sees it yet.
    let read =
        |what: &str| owner.ask(READ, json!({"id": group})).data()["formAnswerGroup"][what].clone();
    assert_eq!(read("form_answers")[0]["file_attachments"], json!([]));
    assert_eq!(read("form_answer_group_signings")[0]["is_intact"], true);
    let attached = attach(&owner, &answer, &upload);
    assert!(attached["messages"].is_null(), "{attached}");
    assert_eq!(attach(&owner, &answer, &upload)["file_attachment"]["id"], upload);
    let files = read("form_answers")[0]["file_attachments"].clone();
    assert_eq!(files.as_array().map(Vec::len), Some(1), "{files}");
    assert_eq!(read("form_answer_group_signings")[0]["is_intact"], false);
    let link = path_of(files[0]["url"].as_str().unwrap());
    let get = || running().bytes(&format!("GET {link} HTTP/1.1"), b"");
    let got = get();
    assert_eq!((got.status, got.header("content-type")), (200, Some("application/octet-stream")));
    // A link to read takes nothing, and a link to send reads nothing.
    refused(&put(&link, TEXT), 403, "LINK_REFUSED");
    let sent = running().bytes(&format!("GET {path} HTTP/1.1"), b"");
    refused(&sent, 403, "LINK_REFUSED");
    let gone = owner.ask(DELETE, json!({"input": {"file_attachment_id": upload}}));
    let gone = &gone.data()["deleteFormAnswerFileAttachment"];
    assert_eq!(gone["file_attachment"]["id"], upload);
    assert_eq!(get().status, 404);
    assert_eq!(read("form_answers")[0]["file_attachments"], json!([]));
    assert_eq!(read("form_answer_group_signings")[0]["is_intact"], true);
}

#[test]
fn a_file_is_its_senders_and_of_its_answer_alone() {
    let owner = running().owner();
    let ((group, answer), (_, other)) = (filled(&owner, "sender"), filled(&owner, "bystander"));
    let (upload, path) = told(&owner, &answer);
    assert_eq!(put(&path, TEXT).status, 200);
    let elsewhere = attach(&owner, &other, &upload);
    assert_eq!(elsewhere["messages"][0]["field"], "upload_id", "{elsewhere}");
    let lock = "mutation($id: ID!) { lockFormAnswerGroup(input: {id: $id}) {
        form_answer_group { id } messages { field message } } }";
    owner.ask(lock, json!({"id": group})).data();
    let locked = attach(&owner, &answer, &upload);
    let sentence = locked["messages"][0]["message"].as_str().unwrap();
    assert!(sentence.contains("locked"), "{locked}");
    let mut tampered = path.clone();
    let at = tampered.len() - 30;
    let letter = if &tampered[at..=at] == "A" { "B" } else { "A" };
    tampered.replace_range(at..=at, letter);
    refused(&put(&tampered, TEXT), 403, "LINK_REFUSED");
}

/// Who waits for a file in the Sandbox that went back meanwhile told of it in another one.
#[test]
fn iso_21_a_file_that_was_awaited_before_is_nobodys() {
    for engine in Engine::available("ISO-21") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let server = s.serve();
        let owner = server.with(&s.owner_key());
        let (_, answer) = filled(&owner, "late");
        let (_, path) = told(&owner, &answer);
        let taken = owner.post("/sandbox/v1/snapshots", &json!({"name": "then"}));
        assert_eq!(taken.status, 200, "{}", taken.text);
        let mut stream = raw::connect(server.port).unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            server.port,
            TEXT.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // Its body is asked for, so it is known what it is for.
        assert_eq!(raw::read(&mut stream).status, 100);
        let back = owner.post("/sandbox/v1/snapshots/then/restore", &json!({}));
        assert_eq!(back.status, 200, "{}", back.text);
        stream.write_all(TEXT).unwrap();
        let late = raw::read(&mut stream);
        assert_eq!(late.status, 404, "{}", late.body);
        let kept = "SELECT COUNT(*) FROM file_attachments WHERE blob_id IS NOT NULL";
        assert_eq!(s.database().number(kept), 0, "{engine:?}");
    }
}

#[test]
fn what_is_told_of_a_file_is_checked_at_once() {
    let owner = running().owner();
    let (_, answer) = filled(&owner, "teller");
    for (field, value) in [
        ("filename", json!("../scan.txt")),
        ("byte_size", json!(0)),
        ("checksum", json!("none")),
        ("content_type", json!("text")),
    ] {
        let mut input = about(&answer);
        input[field] = value;
        let reply = owner.ask(TELL, json!({"input": input})).json;
        let payload = &reply["data"]["createFormAnswerFileAttachmentUploadUrl"];
        assert_eq!(payload["messages"][0]["field"], field, "{reply}");
        assert!(payload["upload_url"].is_null(), "{reply}");
    }
}

/// A Sandbox takes no file that says that it is a production's, by this door either.
#[test]
fn a_productions_file_is_refused_here_too() {
    const HL7: &[u8] = b"MSH|^~\\&|EHR|CLINIC|LAB|LAB|20260304||ADT^A01|42|P|2.5\rPID|1||7";
    let owner = running().owner();
    let (_, answer) = filled(&owner, "importer");
    let mut input = about(&answer);
    input["byte_size"] = HL7.len().into();
    input["checksum"] = "Dy5dEZ3B+OMnsv8aimqSeQ==".into();
    let reply = owner.ask(TELL, json!({"input": input}));
    let url = &reply.data()["createFormAnswerFileAttachmentUploadUrl"]["upload_url"];
    let path = path_of(url.as_str().unwrap());
    refused(&put(&path, HL7), 400, "REAL_DATA_IN_SANDBOX");
}

/// The file of a question stays one: another takes its place, and a copy of the form has it, too.
#[test]
fn a_question_has_one_file_and_its_copies_have_it() {
    let owner = running().owner();
    let input = json!({"name": "With a leaflet"});
    let of = "createCustomModuleFormInput";
    let form = owner.make("createCustomModuleForm", of, "customModuleForm", input);
    let input =
        json!({"custom_module_form_id": form, "mod_type": "read_only", "label": "Read this"});
    let question =
        owner.make("createCustomModule", "createCustomModuleInput", "customModule", input);
    let first = ward_tests::templates::attach_file(&owner, "CustomModule", &question);
    let second = ward_tests::templates::attach_file(&owner, "CustomModule", &question);
    let read = "query($id: ID) { customModuleForm(id: $id) {
        custom_modules { file_attachment { id url } } } }";
    let file = |form: &str| {
        let reply = owner.ask(read, json!({"id": form}));
        reply.data()["customModuleForm"]["custom_modules"][0]["file_attachment"].clone()
    };
    assert_ne!(first, second);
    assert_eq!(file(&form)["id"], second);
    let input = json!({"id": form});
    let of = "copyCustomModuleFormInput";
    let copy = owner.make("copyCustomModuleForm", of, "customModuleForm", input);
    let copied = file(&copy);
    assert_ne!(copied["id"], second);
    let delete = "mutation($id: ID!) { deleteCustomModuleFileAttachment(
        input: {file_attachment_id: $id}) { file_attachment { id } messages { field message } } }";
    owner.ask(delete, json!({"id": second})).data();
    assert!(file(&form).is_null());
    // The content is there as long as somebody has it.
    let link = path_of(copied["url"].as_str().unwrap());
    assert_eq!(running().bytes(&format!("GET {link} HTTP/1.1"), b"").status, 200);
    owner.ask(delete, json!({"id": copied["id"]})).data();
    assert_eq!(running().bytes(&format!("GET {link} HTTP/1.1"), b"").status, 404);
}
