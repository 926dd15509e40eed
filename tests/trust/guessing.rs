//! SEC-13, SEC-14, SEC-36: guessing is slow however it is packed, and what strangers may call does
//! not tell who has an account.

use ward_tests::instance::OWNER;
use ward_tests::{Api, Engine, Instance, Json, Kind, Reply, json, people, tell};

const PASSWORD: &str = "maple-thunder-29-saddle";
/// Guesses in one document, and at once.
const ALIASES: usize = 60;
const PARALLEL: usize = 120;

fn guesses(api: &Api, passwords: &[&str]) -> Reply {
    let declared: Vec<String> = (0..passwords.len()).map(|n| format!("$p{n}: String")).collect();
    let asked: Vec<String> = (0..passwords.len())
        .map(|n| {
            format!("a{n}: signIn(input: {{email: \"{OWNER}\", password: $p{n}}}) {{ token messages {{ message }} }}")
        })
        .collect();
    let variables = passwords.iter().enumerate();
    let variables: Json = variables
        .map(|(n, word)| (format!("p{n}"), json!(word)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let query = format!("mutation({}) {{ {} }}", declared.join(", "), asked.join(" "));
    api.ask(&query, variables)
}

fn attempts(instance: &Instance) -> i64 {
    instance
        .database()
        .number("SELECT COALESCE(MAX(attempts), 0) FROM sign_in_attempts WHERE scope = 'account'")
}

#[test]
fn sec_13_guesses_count_however_they_are_packed() {
    for engine in Engine::available("SEC-13") {
        let instance = Instance::birth(Kind::Production, engine);
        let server = instance.serve();
        people::set_password(&server.api(), &instance.owner_link, PASSWORD);
        // Many guesses in one document, the right one last: it comes too late.
        let mut passwords = vec!["wrong-guess-77"; ALIASES - 1];
        passwords.push(PASSWORD);
        let reply = guesses(&server.api(), &passwords);
        let last = &reply.json["data"][format!("a{}", ALIASES - 1)];
        assert!(last["token"].is_null(), "the {ALIASES}th guess of one document was taken");
        let packed = attempts(&instance);
        for code in ["SIGN_IN_REFUSED", "TOO_MANY_REQUESTS"] {
            instance.await_refusal(code);
        }
        // Many at once.
        std::thread::scope(|scope| {
            for _ in 0..PARALLEL {
                scope.spawn(|| {
                    let input = json!({"email": OWNER, "password": "wrong-guess-78"});
                    let reply = people::sign_in(&server.api(), input);
                    assert!(reply.json["data"]["signIn"]["token"].is_null());
                });
            }
        });
        let all = attempts(&instance);
        // Those without delay, and few that met within one wait.
        assert!((5..=100).contains(&all), "{all} guesses were looked at");
        assert!(packed <= 20, "{packed} guesses of one document were looked at");
        tell(
            "SEC-13",
            format_args!(
                "{engine:?}: {packed} of {ALIASES} guesses in one document and {all} of {} in all were looked at",
                ALIASES + PARALLEL
            ),
        );
        server.stop();
    }
}

#[test]
fn sec_36_a_forgotten_password_tells_nobody_who_has_an_account() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let server = instance.serve();
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    let query = "mutation($email: String) { resetPassword(input: {email: $email}) { messages { field message } } }";
    let ask = |email: &str| server.api().ask(query, json!({"email": email})).text;
    // The same answer, the first time and the fiftieth, whether there is an account or not.
    let mut answers = std::collections::BTreeSet::new();
    for _ in 0..50 {
        answers.insert(ask(OWNER));
        answers.insert(ask("nobody@elsewhere.example"));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    // And one mailbox is not flooded.
    let mails =
        instance.database().number("SELECT COUNT(*) FROM effect_intents WHERE kind LIKE '%reset%'");
    assert!((1..=10).contains(&mails), "{mails} mails for 50 requests");
    tell("SEC-36", format_args!("100 requests, 1 answer, {mails} mails to the one who exists"));
    server.stop();
}

#[test]
fn sec_14_a_wrong_sign_in_is_answered_alike() {
    let instance = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let key = instance.owner_key();
    let server = instance.serve();
    let api = server.with(&key);
    people::set_password(&server.api(), &instance.owner_link, PASSWORD);
    let change = "mutation($input: updateClientInput!) { updateClient(input: $input) { user { id } messages { message } } }";
    let bare = people::client(&api, "bare");
    let archived = people::client(&api, "archived");
    api.ask(change, json!({"input": {"id": archived, "password": "harbour-velvet-31-quartz"}}))
        .data();
    api.ask(change, json!({"input": {"id": archived, "active": false}})).data();
    assert!(!bare.is_empty());
    let mut answers = std::collections::BTreeSet::new();
    for (email, namespace) in [
        (OWNER, "healthie"),
        (OWNER, "elsewhere"),
        ("nobody@elsewhere.example", "healthie"),
        ("bare@client.example", "healthie"),
        ("archived@client.example", "healthie"),
        ("not an address", "healthie"),
    ] {
        let input = json!({"email": email, "password": "wrong-guess-79", "namespace": namespace});
        let reply = people::sign_in(&server.api(), input);
        answers.insert((reply.status, reply.text));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    tell("SEC-14", "6 sorts of wrong sign-in, 1 answer; their times: ward-bench enumeration");
    server.stop();
}
