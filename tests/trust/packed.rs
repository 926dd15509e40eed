//! SEC-13, SEC-36: what is guessed and asked for is counted one by one, however it is packed.

use std::fmt::Write as _;

use ward_tests::instance::OWNER;
use ward_tests::{Engine, Instance, Json, Kind, Server, V2026, json, people, tell};

const PASSWORD: &str = "turnip-harbour-quilt-94";
const WRONG: &str = "The e-mail address or the password is wrong";
const ALIASES: usize = 500;
const DOCUMENTS: usize = 20;

/// A document with one mutation many times, each in its own name.
fn many(field: &str) -> String {
    let mut document = format!("mutation($input: {field}Input) {{");
    for n in 0..ALIASES {
        let _ = write!(document, " a{n}: {field}(input: $input) {{ messages {{ message }} }}");
    }
    document + " }"
}

/// How many answers of a document have this message.
fn told(json: &Json, message: &str) -> usize {
    let payloads = json["data"].as_object().into_iter().flatten();
    payloads.filter(|(_, payload)| payload["messages"][0]["message"] == message).count()
}

fn ready() -> (Instance, Server) {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = instance.serve();
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    (instance, server)
}

/// 10,000 guesses at once in 20 documents: at most 100 are looked at.
#[test]
fn sec_13_aliases_are_guesses_of_their_own() {
    let (_instance, server) = ready();
    let guess = json!({"input": {"email": OWNER, "password": "not-the-password"}});
    let document = many("signIn");
    let looked_at: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..DOCUMENTS)
            .map(|_| {
                scope.spawn(|| {
                    let reply = server.api().gql(V2026, &document, guess.clone());
                    let answers = reply.json["data"].as_object().map_or(0, |data| data.len());
                    assert_eq!(answers, ALIASES, "not all were answered: {:.300}", reply.text);
                    told(&reply.json, WRONG)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!((1..=100).contains(&looked_at), "{looked_at} guesses were looked at");
    tell("SEC-13", format_args!("{looked_at} of {} guesses looked at", ALIASES * DOCUMENTS));
}

/// 500 codes in one document: five are looked at, and the right one is of no use any more.
#[test]
fn sec_13_a_code_has_five_tries() {
    let (instance, server) = ready();
    let sign_in = || {
        let query = "mutation($input: signInInput) { signIn(input: $input) { token
            blocked_by_2fa blocked_by_2fa_type user { id } messages { message } } }";
        let input = json!({"email": OWNER, "password": PASSWORD});
        server.api().ask(query, json!({"input": input})).data()["signIn"].clone()
    };
    let key = instance.owner_key();
    let code = |nth: usize| {
        drop(instance.settled_dump());
        let inbox = server.with(&key).get(&format!("/sandbox/v1/inbox?to={OWNER}"));
        let mails = inbox.json["items"].as_array().unwrap().iter();
        let codes: Vec<_> =
            mails.filter(|mail| mail["kind"] == "verification_code").cloned().collect();
        assert_eq!(codes.len(), nth, "{}", inbox.text);
        let text = codes[0]["text"].as_str().unwrap().to_owned();
        let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
        text.lines().find(is_code).unwrap_or_else(|| panic!("no code: {text}")).to_owned()
    };
    let session = sign_in()["token"].as_str().unwrap().to_owned();
    let enroll =
        "mutation { enrollMfa(input: {mfa_type: EMAIL}) { mfa_type messages { message } } }";
    server.with(&session).ask(enroll, json!({})).data();
    let confirm = "mutation($code: String) { confirmMfa(input: {mfa_type: EMAIL,
        verification_code: $code}) { user { mfa_types } messages { message } } }";
    let done = server.with(&session).ask(confirm, json!({"code": code(1)}));
    assert_eq!(done.data()["confirmMfa"]["user"]["mfa_types"], json!(["EMAIL"]));
    let blocked = sign_in();
    assert_eq!(blocked["blocked_by_2fa"], true, "{blocked}");
    let half = server.with(blocked["token"].as_str().unwrap());
    let right = code(2);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let tries = json!({"input": {"verification_code": wrong}});
    let reply = half.gql(V2026, &many("validateVerificationToken"), tries);
    let looked_at = told(&reply.json, "Verification code is wrong or not valid any more");
    assert_eq!(looked_at, 5, "{:.500}", reply.text);
    let validate = "mutation($code: String) { validateVerificationToken(input: {
        verification_code: $code}) { user { id } messages { message } } }";
    let late = half.ask(validate, json!({"code": right}));
    assert!(late.json["data"]["validateVerificationToken"]["user"].is_null(), "{}", late.text);
    let me = half.ask("{ currentUser { id } }", json!({}));
    assert_eq!(me.code(), "VERIFICATION_REQUIRED", "{}", me.text);
    tell("SEC-13", format_args!("{looked_at} of {ALIASES} codes looked at"));
}

/// A thousand resets of one address: all answered alike, few mails.
#[test]
fn sec_36_resets_are_bounded_by_target() {
    let (instance, server) = ready();
    let ask = |email: &str| {
        let input = json!({"input": {"email": email}});
        server.api().gql(V2026, &many("resetPassword"), input)
    };
    let (known, unknown) = (ask(OWNER), ask("nobody@other.example"));
    assert_eq!(known.json, unknown.json, "an address is told from another");
    ask(OWNER);
    drop(instance.settled_dump());
    let inbox =
        server.with(&instance.owner_key()).get(&format!("/sandbox/v1/inbox?to={OWNER}&limit=200"));
    let mails = inbox.json["items"].as_array().unwrap().iter();
    let mails = mails.filter(|mail| mail["kind"] == "reset_password").count();
    assert!((1..=20).contains(&mails), "{mails} mails");
    tell("SEC-36", format_args!("{mails} mails for {} resets", 2 * ALIASES));
}
