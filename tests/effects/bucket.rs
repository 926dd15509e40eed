//! Production's files in a bucket, from outside: through the API, and when the bucket fails.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ward_tests::bucket::{Bucket, Fault};
use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, Server, json, people, tell};

/// One grey pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4,
    0x89, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
    0x0f, 0x00, 0x03, 0x86, 0x01, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

const AVATAR: &str = "mutation($text: String) { updateUser(input: {avatar_string: $text}) { user { avatar_url } messages { field message } } }";
const BEGIN: &str = "mutation($who: String) { createConversation(input: {simple_added_users: $who}) { conversation { id } messages { field message } } }";
const SEND: &str = "mutation($talk: String, $image: String) { createNote(input: {conversation_id: $talk, content: \"see\", attached_image_string: $image}) { note { id } messages { field message } } }";
const NOTES: &str =
    "query($talk: ID) { notes(conversation_id: $talk) { nodes { id attached_image_url } } }";

/// More lines of an instance's `ward.toml`.
pub fn configure(instance: &Instance, lines: &str) {
    let path = instance.dir.join("ward.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept = text.lines().filter(|line| !line.starts_with("s3_"));
    let kept: String = kept.map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, kept + lines).unwrap();
}

fn picture() -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(PIXEL))
}

/// Gives the owner a picture; the path of its link.
#[track_caller]
pub fn avatar(api: &Api) -> String {
    let reply = api.ask(AVATAR, json!({"text": picture()}));
    let payload = reply.data()["updateUser"].clone();
    assert!(payload["messages"].is_null(), "{payload}");
    path(&payload["user"]["avatar_url"])
}

fn path(link: &Json) -> String {
    let link = link.as_str().unwrap_or_else(|| panic!("no link: {link}"));
    link[link.find("/files/").unwrap()..].to_owned()
}

fn send(api: &Api, talk: &str) -> Reply {
    api.ask(SEND, json!({"talk": talk, "image": picture()}))
}

fn notes(api: &Api, talk: &str) -> Vec<Json> {
    let reply = api.ask(NOTES, json!({"talk": talk}));
    reply.data()["notes"]["nodes"].as_array().cloned().unwrap_or_default()
}

/// The bytes behind a link; the status when there are none.
fn fetched(server: &Server, path: &str) -> Result<Vec<u8>, u16> {
    let link = format!("http://127.0.0.1:{}{path}", server.port);
    match ureq::get(link).call() {
        Ok(mut answer) => Ok(answer.body_mut().read_to_vec().unwrap()),
        Err(ureq::Error::StatusCode(status)) => Err(status),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
pub fn is_picture(server: &Server, path: &str) {
    assert_eq!(fetched(server, path).as_deref(), Ok(PIXEL));
}

#[test]
fn pictures_and_messages_go_into_the_bucket_sealed_and_come_back() {
    for engine in Engine::available("bucket") {
        let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, engine));
        configure(&p, &bucket.lines("practice"));
        let owner = p.owner_key();
        let server = p.serve();
        let api = server.with(&owner);
        let avatar = avatar(&api);
        is_picture(&server, &avatar);
        let client = people::client(&api, "reader");
        let talk = api.ask(BEGIN, json!({"who": client}));
        let talk = people::id(&talk.data()["createConversation"]["conversation"]);
        assert!(send(&api, &talk).data()["createNote"]["messages"].is_null());
        let image = path(&notes(&api, &talk)[0]["attached_image_url"]);
        is_picture(&server, &image);
        let objects = bucket.objects();
        assert_eq!(objects.len(), 3, "{:?}", objects.keys());
        for (name, bytes) in &objects {
            assert!(name.starts_with("practice/"), "{name}");
            assert!(!bytes.windows(16).any(|part| part == &PIXEL[16..32]), "{name} is not sealed");
        }
        let marker = String::from_utf8_lossy(&objects["practice/ward-instance.json"]).into_owned();
        assert!(marker.contains(&p.tag), "{marker}");
        assert_eq!(bucket.unsigned(), 0);
        assert!(!p.dir.join("files").exists(), "there is a directory, too");
        // The bucket fails: nothing is half-written, and what needs no file goes on.
        for fault in [Fault::Status(503), Fault::Cut] {
            bucket.misbehave(fault);
            let refused = send(&api, &talk);
            assert_eq!((refused.status, refused.code()), (503, "UNAVAILABLE"), "{}", refused.text);
            assert_eq!(fetched(&server, &image), Err(503));
            assert_eq!(notes(&api, &talk).len(), 1);
            people::client(&api, if fault == Fault::Cut { "second" } else { "first" });
        }
        bucket.misbehave(Fault::None);
        assert!(send(&api, &talk).data()["createNote"]["messages"].is_null());
        is_picture(&server, &image);
        assert_eq!(bucket.objects().len(), 4);
        let said = server.stop();
        assert!(!said.contains(ward_tests::bucket::SECRET), "the secret is in the log");
        tell("bucket", format_args!("{engine:?}: 3 files stored sealed and read back"));
    }
}

#[test]
fn a_bucket_that_is_not_to_be_had_stops_the_start() {
    let (bucket, p) = (Bucket::start(), Instance::birth(Kind::Production, Engine::Sqlite));
    let start = |lines: &str| {
        configure(&p, lines);
        p.refused_start(&[])
    };
    let right = bucket.lines("");
    let elsewhere = right.replace("practice-files", "another-bucket");
    let stranger = right.replace("AKIDTEST", "AKIDOTHER");
    let gone = right.replace(&format!("localhost:{}", bucket.port), "localhost:1");
    for (lines, sentence) in
        [(&elsewhere, "no such bucket"), (&stranger, "refuses the key"), (&gone, "is not reached")]
    {
        let refused = start(lines);
        assert_eq!(refused.code, Some(69), "{refused:?}");
        assert!(refused.stderr.contains(sentence), "{}", refused.stderr);
    }
    let without = right.replace("s3_access_key", "#");
    let refused = start(&without);
    assert!(refused.code == Some(78) && refused.stderr.contains("s3_access_key"), "{refused:?}");
    configure(&p, &gone);
    let doctor = p.ward(&["doctor"], &[]);
    assert!(doctor.code == Some(1) && doctor.stdout.contains("is not reached"), "{doctor:?}");
    assert!(bucket.objects().is_empty());
}

/// A Sandbox keeps its files itself: it opens no connection but those of webhooks (ISO-05, ISO-26).
#[test]
fn iso_05_a_sandbox_has_no_bucket() {
    let (bucket, s) = (Bucket::start(), Instance::birth(Kind::Sandbox, Engine::Sqlite));
    configure(&s, &bucket.lines(""));
    let refused = s.refused_start(&[]);
    let line = refused.refused("ISO-05");
    assert!(line.starts_with("E-ISO-05: ") && line.contains("s3_"), "{line}");
    assert!(bucket.asked().is_empty());
}
